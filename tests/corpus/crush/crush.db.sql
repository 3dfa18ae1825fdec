CREATE TABLE sessions (id TEXT PRIMARY KEY, parent_session_id TEXT, title TEXT NOT NULL, message_count INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, summary_message_id TEXT);
CREATE TABLE messages (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, role TEXT NOT NULL, parts TEXT NOT NULL,
  model TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, finished_at INTEGER, provider TEXT,
  is_summary_message INTEGER NOT NULL DEFAULT 0);

INSERT INTO sessions VALUES ('c1', NULL, 'Rename the wheel', 4, 1767258000, 1767258009, NULL),
  ('c2', 'c1', 'Look for wheels', 2, 1767258001, 1767258002, NULL);
INSERT INTO messages VALUES
  ('m1', 'c1', 'user', '[{"type":"text","data":{"text":"Rename the wheel."}}]', NULL, 1767258000, 1767258000, NULL, NULL, 0),
  ('m2', 'c1', 'assistant', '[{"type":"reasoning","data":{"thinking":"One file."}},{"type":"text","data":{"text":"It is called rotor now."}},{"type":"tool_call","data":{"id":"t1","name":"edit","input":"{\"file_path\":\"/home/ann/mill/wheel.go\"}","finished":true}},{"type":"finish","data":{"reason":"end_turn","time":1767258009}}]', 'm1', 1767258001, 1767258009, NULL, 'p', 0),
  ('m3', 'c1', 'tool', '[{"type":"tool_result","data":{"tool_call_id":"t1","content":"edited"}}]', NULL, 1767258010, 1767258010, NULL, NULL, 0),
  ('m4', 'c1', 'assistant', '[{"type":"text","data":{"text":"The wheel became a rotor."}}]', 'm1', 1767258020, 1767258021, 1767258021, 'p', 1),
  ('m5', 'c2', 'user', '[{"type":"text","data":{"text":"Find all wheels."}}]', NULL, 1767258001, 1767258001, NULL, NULL, 0);
