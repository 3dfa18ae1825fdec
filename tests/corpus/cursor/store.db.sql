CREATE TABLE blobs (id TEXT PRIMARY KEY, data BLOB);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);

INSERT INTO meta VALUES ('0', hex('{"agentId":"a-77","name":"Add a test","createdAt":1767258000000,"workspacePath":"/home/ann/mill"}'));
INSERT INTO blobs VALUES
  ('01', CAST('{"role":"user","content":[{"type":"text","text":"<user_info>OS linux</user_info>"}]}' AS BLOB)),
  ('02', X'0A2001'),
  ('03', CAST('{"role":"user","content":[{"type":"text","text":"<user_query>\nAdd a test for the dial.\n</user_query>"}]}' AS BLOB)),
  ('04', CAST('{"role":"assistant","id":"1","content":[{"type":"reasoning","text":"One test."},{"type":"text","text":"Added."},{"type":"tool-call","toolCallId":"t1","toolName":"Edit","args":{"path":"/home/ann/mill/dial.test.ts"}}]}' AS BLOB)),
  ('05', CAST('{"role":"tool","content":[{"type":"tool-result","toolCallId":"t1","result":"ok"}]}' AS BLOB));
