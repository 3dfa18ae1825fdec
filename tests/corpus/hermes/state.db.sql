CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT NOT NULL, model TEXT, parent_session_id TEXT,
  started_at REAL NOT NULL, ended_at REAL, cwd TEXT, git_branch TEXT, title TEXT);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT,
  timestamp REAL NOT NULL, tool_calls TEXT, tool_name TEXT, reasoning TEXT, active INTEGER DEFAULT 1,
  compacted INTEGER DEFAULT 0, display_kind TEXT, observed INTEGER DEFAULT 0);

INSERT INTO sessions VALUES ('h1', 'cli', 'm1', NULL, 1767258000.5, NULL, '/home/ann/mill', 'main', 'The trip'),
  ('h2', 'cron', 'm1', NULL, 1767258000.5, NULL, '/home/ann/mill', 'main', 'Morning');
INSERT INTO messages (session_id, role, content, timestamp, tool_calls, tool_name, reasoning, active, display_kind, observed) VALUES
  ('h1', 'session_meta', '{}', 1767258000.6, NULL, NULL, NULL, 1, NULL, 0),
  ('h1', 'user', 'Plan the trip to the mill.', 1767258001.2, NULL, NULL, NULL, 1, NULL, 0),
  ('h1', 'assistant', 'Go by boat.', 1767258002.2, '[{"id":"t1","function":{"name":"write_file","arguments":"{\"path\":\"/home/ann/trip.md\"}"}}]', NULL, 'Rain?', 0, NULL, 0),
  ('h1', 'tool', 'written', 1767258003.2, NULL, 'write_file', NULL, 1, NULL, 0),
  ('h1', 'user', 'Review the conversation above.', 1767258004.2, NULL, NULL, NULL, 1, 'hidden', 0),
  ('h1', 'user', char(0) || 'json:[{"type":"text","text":"And back?"}]', 1767258005.2, NULL, NULL, NULL, 1, NULL, 0),
  ('h1', 'assistant', 'On foot.', 1767258006.2, NULL, NULL, NULL, 1, NULL, 0),
  ('h2', 'user', 'Say good morning.', 1767258006.2, NULL, NULL, NULL, 1, NULL, 0);
