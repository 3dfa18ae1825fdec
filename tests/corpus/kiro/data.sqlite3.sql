CREATE TABLE auth_kv (key TEXT PRIMARY KEY, value TEXT);
INSERT INTO auth_kv VALUES ('login', 'a secret that is never read');
CREATE TABLE history (id INTEGER PRIMARY KEY, command TEXT);
INSERT INTO history VALUES (1, 'rm -r build');
CREATE TABLE conversations_v2 (key TEXT, conversation_id TEXT, value TEXT, created_at INTEGER, updated_at INTEGER,
  PRIMARY KEY (key, conversation_id));
INSERT INTO conversations_v2 VALUES ('/home/ann/mill', 'k1', '{"conversation_id":"k1","history":[{"user":{"content":{"Prompt":{"prompt":"List the sluices."}},"timestamp":"2026-06-01T10:00:00Z","env_context":{"env_state":{"current_working_directory":"/home/ann/mill"}},"additional_context":""},"assistant":{"ToolUse":{"message_id":"m1","content":"I look.","tool_uses":[{"id":"t1","name":"fs_write","args":{"path":"/home/ann/mill/sluices.md"}}]}},"request_metadata":{"stream_end_timestamp_ms":1780308010000}},{"user":{"content":{"ToolUseResults":{"tool_use_results":[{"tool_use_id":"t1","content":[{"Text":"three"}],"status":"Success"}]}},"timestamp":null,"env_context":{"env_state":{"current_working_directory":"/home/ann/mill"}},"additional_context":""},"assistant":{"Response":{"message_id":"m2","content":"There are three."}},"request_metadata":{"stream_end_timestamp_ms":1780308010000}}],"transcript":["> List the sluices.","There are three."],"latest_summary":null}', 1780308000000, 1780308010000);
