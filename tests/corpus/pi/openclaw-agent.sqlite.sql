CREATE TABLE transcript_events (session_id TEXT NOT NULL, seq INTEGER NOT NULL, event_json TEXT, event_zstd BLOB,
  created_at INTEGER NOT NULL, PRIMARY KEY (session_id, seq));
CREATE TABLE session_nodes (session_key TEXT PRIMARY KEY, current_session_id TEXT NOT NULL, display_name TEXT, label TEXT,
  parent_session_key TEXT, spawned_by TEXT);
CREATE TABLE session_windows (session_id TEXT PRIMARY KEY, session_key TEXT, previous_session_id TEXT, reason TEXT,
  model TEXT, transcript_updated_at INTEGER);
CREATE TABLE transcript_rewrite_watermarks (session_id TEXT PRIMARY KEY, generation INTEGER NOT NULL);
CREATE TABLE session_pending_inputs (session_id TEXT, text TEXT);

INSERT INTO session_nodes VALUES
  ('agent:main:main', 'oc1', 'Harbour plans', NULL, NULL, NULL),
  ('agent:main:subagent:77', 'oc2', 'A helper', NULL, 'agent:main:main', 'agent:main:main'),
  ('agent:main:cron:88', 'oc3', 'Every morning', NULL, NULL, NULL);
INSERT INTO session_pending_inputs VALUES ('oc1', 'half a tho');
INSERT INTO transcript_rewrite_watermarks VALUES ('oc1', 1);
INSERT INTO transcript_events VALUES
  ('oc1', 1, '{"type":"session","version":3,"id":"oc1","timestamp":"2026-02-01T09:00:00.000Z","cwd":"/home/ann/harbour"}', NULL, 1769936400000),
  ('oc1', 2, '{"type":"message","id":"o1","parentId":null,"timestamp":"2026-02-01T09:00:01.000Z","message":{"role":"user","content":[{"type":"text","text":"When does the ferry leave?"}]}}', NULL, 1769936401000),
  ('oc1', 3, '{"type":"message","id":"o2","parentId":"o1","timestamp":"2026-02-01T09:00:02.000Z","message":{"role":"assistant","content":[{"type":"thinking","thinking":"Noon?"},{"type":"text","text":"It leaves at noon."}],"model":"m1"}}', NULL, 1769936402000),
  ('oc1', 4, NULL, X'28B52FFD20A90D0400A2881B1C608B73C52F287BBD9C568B10ECE170DD1128FEF22E6D02E59024010E5154888C3C101E91CE6CBA826D52923BB358B7F125A8D77DDD3358193E32ACFEE24143AA3CC84C2449CD54412E803C561E8195CB6AA7B18D6FCD5A7929EB0E9963E5E4597D68ACFC048BF1CDEA3BCF1A0A0500AA005D04B21E65C809A539D72403', 1769936403000),
  ('oc1', 5, '{"type":"custom","id":"o4","parentId":"o2","timestamp":"2026-02-01T09:00:04.000Z","customType":"x"}', NULL, 1769936404000),
  ('oc2', 1, '{"type":"message","id":"p1","parentId":null,"timestamp":"2026-02-01T09:01:00.000Z","message":{"role":"user","content":"Count the boats."}}', NULL, 1769936460000),
  ('oc3', 1, '{"type":"message","id":"q1","parentId":null,"timestamp":"2026-02-01T09:02:00.000Z","message":{"role":"user","content":"Read the tide table."}}', NULL, 1769936520000);
