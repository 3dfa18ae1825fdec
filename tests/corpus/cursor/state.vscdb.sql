CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);
CREATE TABLE cursorDiskKV (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);
CREATE TABLE composerHeaders (composerId TEXT PRIMARY KEY, workspaceId TEXT, createdAt INTEGER, lastUpdatedAt INTEGER,
  isArchived INTEGER, isSubagent INTEGER, recency INTEGER, checkpointAt INTEGER, value TEXT);

INSERT INTO composerHeaders VALUES ('c-1', '0123', 1767258000000, 1767258100000, 0, 0, 0, NULL, '{"type":"head","name":"Mend the dial","workspaceIdentifier":{"uri":{"fsPath":"/home/ann/mill"}}}');
INSERT INTO cursorDiskKV VALUES
  ('agentKv:blob:00', X'0A0B'),
  ('bubbleId:c-1:b-0', CAST('{"type":1,"bubbleId":"b-0","text":"taken back by an edit"}' AS BLOB)),
  ('bubbleId:c-1:b-1', CAST('{"type":1,"bubbleId":"b-1","text":"The dial stops after noon.","createdAt":"2026-01-01T09:00:00.000Z"}' AS BLOB)),
  ('bubbleId:c-1:b-2', '{"type":2,"bubbleId":"b-2","capabilityType":30,"text":"","thinking":{"text":"Noon is twelve."},"createdAt":"2026-01-01T09:00:05.000Z"}'),
  ('bubbleId:c-1:b-3', '{"type":2,"bubbleId":"b-3","capabilityType":15,"text":"","toolFormerData":{"name":"edit_file","params":"{\"target_file\":\"/home/ann/mill/dial.ts\"}","status":"completed","result":"{}"},"createdAt":"2026-01-01T09:00:06.000Z"}'),
  ('bubbleId:c-1:b-4', '{"type":2,"bubbleId":"b-4","text":"It counted to twelve only.","createdAt":"2026-01-01T09:00:09.000Z"}'),
  ('bubbleId:c-9:b-9', NULL),
  ('composerData:c-1', '{"composerId":"c-1","_v":10,"name":"Mend the dial","text":"half typed dra","createdAt":1767258000000,"lastUpdatedAt":1767258100000,"fullConversationHeadersOnly":[{"bubbleId":"b-1","type":1},{"bubbleId":"b-2","type":2},{"bubbleId":"b-3","type":2},{"bubbleId":"b-4","type":2}],"createdOnBranch":"main"}');
