CREATE TABLE session (id TEXT PRIMARY KEY, parent_id TEXT, directory TEXT NOT NULL, title TEXT NOT NULL, agent TEXT,
  time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL);
CREATE TABLE session_message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, type TEXT NOT NULL, seq INTEGER NOT NULL,
  time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);

INSERT INTO session VALUES ('ses_k1', NULL, '/home/ann/kiln', 'Rename glaze', 'build', 1767260000000, 1767260009000);
INSERT INTO session_message VALUES
  ('msg_a', 'ses_k1', 'user', 1, 1767260000000, 1767260000000, '{"text":"Rename glaze to coat everywhere.","files":[{"uri":"file:///home/ann/kiln/a.py","mime":"text/x-python"}]}'),
  ('msg_b', 'ses_k1', 'synthetic', 2, 1767260000500, 1767260000500, '{"text":"<reminder>plan first</reminder>","description":"plan reminder"}'),
  ('msg_c', 'ses_k1', 'assistant', 3, 1767260001000, 1767260004000, '{"agent":"build","model":{"id":"m1","providerID":"p"},"content":[{"type":"reasoning","text":"Three files."},{"type":"tool","id":"c1","name":"bash","state":{"status":"completed","input":{"command":"grep -r glaze"},"content":[{"type":"text","text":"a.py b.py c.py"}]}},{"type":"text","text":"Renamed in three files."}],"finish":"stop","time":{"created":1767260001000,"completed":1767260004000}}'),
  ('msg_d', 'ses_k1', 'shell', 4, 1767260005000, 1767260005000, '{"command":"ls","status":"completed","exit":0,"output":"a.py"}'),
  ('msg_e', 'ses_k1', 'compaction', 5, 1767260006000, 1767260006000, '{"status":"completed","reason":"auto","summary":"Glaze was renamed to coat in three files.","recent":""}'),
  ('msg_f', 'ses_k1', 'idle', 6, 1767260007000, 1767260007000, '{"outcome":"completed"}');
