CREATE TABLE session (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, parent_id TEXT, directory TEXT NOT NULL,
  title TEXT NOT NULL, version TEXT NOT NULL, revert TEXT, time_created INTEGER NOT NULL,
  time_updated INTEGER NOT NULL, time_archived INTEGER);
CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, time_created INTEGER NOT NULL,
  time_updated INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT NOT NULL, session_id TEXT NOT NULL,
  time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE todo (session_id TEXT NOT NULL, content TEXT NOT NULL, status TEXT NOT NULL);

INSERT INTO session VALUES
  ('ses_01', 'prj_a', NULL, '/home/ann/harbour', 'Tide table off by an hour', '1.2.3', NULL, 1767258000000, 1767258060000, NULL),
  ('ses_02', 'prj_a', 'ses_01', '/home/ann/harbour', 'Look at tides (@explore subagent)', '1.2.3', NULL, 1767258010000, 1767258020000, NULL),
  ('ses_03', 'prj_a', NULL, '/home/ann/harbour', 'New session - 2026-01-01T09:10:00.000Z', '1.2.3', NULL, 1767258600000, 1767258610000, NULL);
INSERT INTO message VALUES
  ('msg_01', 'ses_01', 1767258000000, 1767258000000, '{"role":"user","time":{"created":1767258000000},"agent":"build","model":{"providerID":"p","modelID":"m1"}}'),
  ('msg_02', 'ses_01', 1767258001000, 1767258030000, '{"role":"assistant","modelID":"m1","providerID":"p","time":{"created":1767258001000,"completed":1767258030000},"finish":"stop"}'),
  ('msg_03', 'ses_01', 1767258040000, 1767258050000, '{"role":"assistant","modelID":"m1","summary":true,"time":{"created":1767258040000,"completed":1767258050000}}'),
  ('msg_10', 'ses_02', 1767258010000, 1767258010000, '{"role":"user","time":{"created":1767258010000},"agent":"explore"}'),
  ('msg_11', 'ses_02', 1767258011000, 1767258020000, '{"role":"assistant","modelID":"m1","time":{"created":1767258011000,"completed":1767258020000}}'),
  ('msg_20', 'ses_03', 1767258600000, 1767258600000, '{"role":"user","time":{"created":1767258600000}}'),
  ('msg_21', 'ses_03', 1767258601000, 1767258610000, '{"role":"assistant","modelID":"m1","time":{"created":1767258601000},"error":{"name":"MessageAbortedError"}}');
INSERT INTO part VALUES
  ('prt_01', 'msg_01', 'ses_01', 1767258000000, 1767258000000, '{"type":"text","text":"Why is the tide table off by an hour in summer?"}'),
  ('prt_02', 'msg_01', 'ses_01', 1767258000000, 1767258000000, '{"type":"text","text":"Called the Read tool with the following input: {}","synthetic":true}'),
  ('prt_03', 'msg_01', 'ses_01', 1767258000000, 1767258000000, '{"type":"file","mime":"text/plain","filename":"tides.py","url":"file:///home/ann/harbour/tides.py"}'),
  ('prt_04', 'msg_02', 'ses_01', 1767258001000, 1767258002000, '{"type":"step-start"}'),
  ('prt_05', 'msg_02', 'ses_01', 1767258001000, 1767258002000, '{"type":"reasoning","text":"The zone may be fixed.","time":{"start":1,"end":2}}'),
  ('prt_06', 'msg_02', 'ses_01', 1767258003000, 1767258004000, '{"type":"tool","callID":"c1","tool":"edit","state":{"status":"completed","input":{"filePath":"/home/ann/harbour/tides.py"},"output":"1 change","title":"tides.py","time":{"start":1,"end":2}}}'),
  ('prt_07', 'msg_02', 'ses_01', 1767258005000, 1767258030000, '{"type":"text","text":"The table used a fixed offset; it asks the zone now.","time":{"start":1,"end":2}}'),
  ('prt_08', 'msg_02', 'ses_01', 1767258030000, 1767258030000, '{"type":"step-finish","reason":"stop"}'),
  ('prt_09', 'msg_03', 'ses_01', 1767258040000, 1767258050000, '{"type":"text","text":"We found the fixed offset in tides.py."}'),
  ('prt_10', 'msg_10', 'ses_02', 1767258010000, 1767258010000, '{"type":"text","text":"Find where the offset is set."}'),
  ('prt_11', 'msg_11', 'ses_02', 1767258011000, 1767258020000, '{"type":"text","text":"It is set in tides.py, line 12."}'),
  ('prt_20', 'msg_20', 'ses_03', 1767258600000, 1767258600000, '{"type":"text","text":"And for the buoys?"}'),
  ('prt_21', 'msg_21', 'ses_03', 1767258601000, 1767258610000, '{"type":"text","text":"The buoys keep"}');
