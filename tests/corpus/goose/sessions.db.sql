CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE sessions (id TEXT PRIMARY KEY, name TEXT, description TEXT, user_set_name INTEGER NOT NULL DEFAULT 0,
  session_type TEXT, working_dir TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT, session_id TEXT NOT NULL,
  role TEXT NOT NULL, content_json TEXT NOT NULL, created_timestamp INTEGER NOT NULL, metadata_json TEXT);

INSERT INTO sessions VALUES
  ('20260101_1', 'Red pipeline', '', 0, 'user', '/home/ann/mill', '2026-01-01 09:00:00', '2026-01-01 09:01:00'),
  ('20260101_2', 'Nightly', '', 0, 'scheduled', '/home/ann/mill', '2026-01-01 09:00:00', '2026-01-01 09:01:00');
INSERT INTO messages (message_id, session_id, role, created_timestamp, metadata_json, content_json) VALUES
  ('msg_1', '20260101_1', 'user', 1767258000, '{"userVisible":true,"agentVisible":true}', '[{"type":"text","text":"Why is the pipeline red?"}]'),
  ('msg_2', '20260101_1', 'assistant', 1767258001, '{}', '[{"type":"thinking","thinking":"Caches?"},{"type":"text","text":"A cache is missing."},{"type":"toolRequest","id":"t1","toolCall":{"status":"success","value":{"name":"developer__text_editor","arguments":{"path":"/home/ann/mill/ci.yml"}}}}]'),
  ('msg_3', '20260101_1', 'user', 1767258002, '{}', '[{"type":"toolResponse","id":"t1","toolResult":{"status":"success","value":[{"type":"text","text":"edited"}]}}]'),
  ('msg_4', '20260101_1', 'user', 1767258003, '{"userVisible":false,"agentVisible":true}', '[{"type":"text","text":"Summarise what was said."}]'),
  ('msg_5', '20260101_1', 'assistant', 1767258004, '{}', '[{"type":"text","text":"It is green now."}]'),
  ('msg_6', '20260101_2', 'user', 1767258005, '{}', '[{"type":"text","text":"Run the nightly checks."}]');
