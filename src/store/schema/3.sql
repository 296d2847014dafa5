-- Changes of messages, and up to where people have read.

-- The number of the message that it answers.
ALTER TABLE message ADD COLUMN reply INTEGER;

-- 1: its author has replaced the text. Of kind 5 (edited) and 6 (deleted), last is the number of the message.
ALTER TABLE message ADD COLUMN edited INTEGER;

-- A message with another text keeps only the latest change.
CREATE INDEX message_edit ON message (last) WHERE kind = 5;

CREATE TABLE read_upto (
    -- As in account.
    identity BLOB PRIMARY KEY,
    -- A list in JSON, the conversation that was read most recently last.
    places TEXT NOT NULL,
    -- Milliseconds since 1970, UTC.
    changed INTEGER NOT NULL
) WITHOUT ROWID;
