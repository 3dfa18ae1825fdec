CREATE TABLE sessions (id TEXT PRIMARY KEY, working_directory TEXT, model TEXT, created_at INTEGER,
  last_activity_at INTEGER, title TEXT, main_chain_id INTEGER, hidden INTEGER);
CREATE TABLE message_nodes (row_id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, node_id INTEGER,
  parent_node_id INTEGER, chat_message TEXT NOT NULL, created_at INTEGER, metadata TEXT);

INSERT INTO sessions VALUES ('d1', '/home/ann/mill', 'm1', 1767258000, 1767258009, 'Fix the login', 3, 0);
INSERT INTO message_nodes (session_id, node_id, parent_node_id, created_at, chat_message) VALUES
  ('d1', 1, NULL, 1767258000, '{"message_id":"m0","role":"system","content":"You are an agent."}'),
  ('d1', 2, 1, 1767258000, '{"message_id":"m1","role":"user","content":"Fix the login.","metadata":{"is_user_input":true}}'),
  ('d1', 3, 2, 1767258001, '{"message_id":"m2","role":"assistant","content":"Fixed.","tool_calls":[{"id":"t1","name":"edit","arguments":{"path":"/home/ann/mill/login.py"}}],"metadata":{}}'),
  ('d1', 4, 1, 1767258002, '{"message_id":"m1","role":"user","content":"Fix the login.","metadata":{"is_user_input":true}}'),
  ('d1', 5, 4, 1767258003, '{"message_id":"m3","role":"user","content":"reminder","metadata":{}}');
