CREATE TABLE commands (id INTEGER PRIMARY KEY, command TEXT);
INSERT INTO commands VALUES (1, 'export TOKEN=never-read');
CREATE TABLE agent_tasks (id INTEGER PRIMARY KEY, conversation_id TEXT NOT NULL, task_id TEXT NOT NULL UNIQUE, task BLOB NOT NULL,
  last_modified_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
INSERT INTO agent_tasks VALUES (1, 'wc1', 'task-1', X'0a067461736b2d3112044d696c6c2a360a027731121d0a1b57687920646f6573207468652072616365206f766572666c6f773f5a067461736b2d31720908a0b0f5d0061088272a190a02773222005a067461736b2d31720908a1b0f5d0061088272a380a0277331a1f0a1d41206c6f6720626c6f636b73207468652072616365277320676174652e5a067461736b2d31720908a4b0f5d006108827', '2026-06-01 10:00:05');
CREATE TABLE ai_queries (id INTEGER PRIMARY KEY, exchange_id TEXT NOT NULL UNIQUE, conversation_id TEXT NOT NULL, start_ts TIMESTAMP NOT NULL,
  input TEXT NOT NULL, working_directory TEXT, output_status TEXT NOT NULL, model_id TEXT NOT NULL);
INSERT INTO ai_queries VALUES (1, 'x1', 'wc1', '2026-06-01 10:00:00', '[{"Query":{"text":"Why does the race overflow?"}}]', '/home/ann/mill', '"completed"', 'm1');
INSERT INTO ai_queries VALUES (2, 'x2', 'wc2', '2026-06-01 11:00:00', '[{"Query":{"text":"List the old gates."}},{"ActionResult":{"id":"a"}}]', '/home/ann/mill', '"completed"', 'm1');
