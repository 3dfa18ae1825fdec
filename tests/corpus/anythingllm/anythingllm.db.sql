CREATE TABLE workspaces (id INTEGER PRIMARY KEY, name TEXT NOT NULL, slug TEXT);
CREATE TABLE workspace_chats (id INTEGER PRIMARY KEY AUTOINCREMENT, workspaceId INTEGER NOT NULL, prompt TEXT NOT NULL,
  response TEXT NOT NULL, include BOOLEAN NOT NULL DEFAULT 1, user_id INTEGER, thread_id INTEGER, api_session_id TEXT,
  createdAt DATETIME NOT NULL, lastUpdatedAt DATETIME NOT NULL);

INSERT INTO workspaces VALUES (1, 'Cats', 'cats');
INSERT INTO workspace_chats (workspaceId, prompt, response, include, thread_id, api_session_id, createdAt, lastUpdatedAt) VALUES
  (1, 'Why do cats purr?', '{"text":"<think>Hm.</think>For several reasons.","sources":[{"text":"a document"}],"type":"chat"}', 1, NULL, NULL, 1767258000000, 1767258003000),
  (1, 'And lions?', '{"text":"They roar.","sources":[],"type":"chat"}', 0, NULL, NULL, 1767258010000, 1767258013000),
  (1, 'By a program', '{"text":"x"}', 1, NULL, 'api-1', 1767258020000, 1767258023000);
