CREATE TABLE settings (schema_version INTEGER NOT NULL);
CREATE TABLE chats (id TEXT PRIMARY KEY, title TEXT NOT NULL DEFAULT '', created_at TIMESTAMP);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, chat_id TEXT NOT NULL, role TEXT NOT NULL,
  content TEXT NOT NULL DEFAULT '', thinking TEXT NOT NULL DEFAULT '', stream BOOLEAN NOT NULL DEFAULT 0,
  model_name TEXT, created_at TIMESTAMP, updated_at TIMESTAMP, tool_result TEXT);

INSERT INTO chats VALUES ('o1', 'Purring', '2026-01-01 09:00:00');
INSERT INTO messages (chat_id, role, content, thinking, stream, model_name, created_at, updated_at) VALUES
  ('o1', 'user', 'Why do cats purr?', '', 0, NULL, '2026-01-01 09:00:00.123456 +0000 UTC', '2026-01-01 09:00:00.123456 +0000 UTC'),
  ('o1', 'assistant', 'To calm themselves.', 'Several reasons.', 0, 'm1', '2026-01-01 09:00:03.5', '2026-01-01 09:00:05.5');
