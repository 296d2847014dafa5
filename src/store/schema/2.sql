-- The incarnations of the history.

-- Each start of a server begins one, so that no two ever give numbers under the same: not when a copy of
-- the database lives on beside it, nor when an older one is put back.
CREATE TABLE incarnation (
    -- The order in which they began.
    number INTEGER PRIMARY KEY,
    -- Random.
    id TEXT NOT NULL UNIQUE,
    -- The first number that it gave, or could have given.
    first INTEGER NOT NULL,
    -- The last that it gave; first - 1 if it gave none. Null: it goes on.
    last INTEGER,
    -- Whether the history was put back to an earlier state, or replaced, before it.
    restored INTEGER NOT NULL DEFAULT 0
);

-- What was one history is its first. Up to where it went is not known exactly after a crash.
INSERT INTO incarnation (id, first, last)
SELECT value, 1, (
    SELECT max(reserved.value, ifnull((SELECT max(seq) FROM message), 0))
    FROM meta AS reserved WHERE reserved.key = 'reserved'
) FROM meta WHERE key = 'log';
DELETE FROM meta WHERE key = 'log';

-- Names, operators, members, bans and mutes. Keys are the 32 bytes of a fingerprint, times milliseconds since
-- 1970, UTC; rest is JSON with what this version does not know.
CREATE TABLE owned_name (
    id INTEGER PRIMARY KEY,
    -- As its owner wrote it first.
    name TEXT NOT NULL UNIQUE,
    key BLOB NOT NULL,
    -- When it was last used; of one in use, since when what is in used goes on.
    last INTEGER NOT NULL,
    -- For how long it was used in all, in seconds.
    used INTEGER NOT NULL,
    in_use INTEGER NOT NULL
);

CREATE TABLE operator (
    key BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    made_by TEXT NOT NULL,
    since INTEGER NOT NULL,
    rest TEXT
) WITHOUT ROWID;

-- Who may enter a closed server without the passphrase. (Table member is of rooms.)
CREATE TABLE server_member (
    key BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    ip TEXT,
    since INTEGER NOT NULL,
    rest TEXT
) WITHOUT ROWID;

CREATE TABLE sanction (
    -- 0 ban, 1 mute.
    kind INTEGER NOT NULL,
    number INTEGER NOT NULL,
    key BLOB,
    -- Addresses and networks, with spaces between them.
    ips TEXT NOT NULL,
    name TEXT,
    imposed_by TEXT NOT NULL,
    since INTEGER NOT NULL,
    -- NULL: it never ends.
    until INTEGER,
    rest TEXT,
    PRIMARY KEY (kind, number)
) WITHOUT ROWID;

-- The clock, and what goes with age and size.

-- For what is too old: of all messages, wherever they stand, as a clock may have been wrong.
CREATE INDEX message_at ON message (at);

-- For what is too much: each author's in their order, and those of nobody who can be known again.
CREATE INDEX message_by ON message (author);

-- How much is kept of whom, in bytes, about, but for the newest messages; of author 0 what is nobody's.
CREATE TABLE weight (
    author INTEGER PRIMARY KEY,
    bytes INTEGER NOT NULL
);

CREATE INDEX weight_bytes ON weight (bytes);

-- 300 bytes for each besides its text, as the program counts.
INSERT INTO weight
    SELECT ifnull(author, 0), sum(300 + length(CAST(text AS BLOB))) FROM message GROUP BY author;

-- Mail that waited and was removed for its age, until its author is told.
CREATE TABLE lost (
    author INTEGER NOT NULL,
    account INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    -- Whom it was for, as the author wrote it.
    name TEXT NOT NULL,
    PRIMARY KEY (author, account, seq)
) WITHOUT ROWID;

CREATE INDEX lost_account ON lost (account);

-- Messages that were dated by a clock that was not right. Times in milliseconds.
CREATE TABLE doubtful (
    -- Their numbers, both inclusive. Without a last it goes on.
    first INTEGER PRIMARY KEY,
    last INTEGER,
    -- The settled time when it began: they are not older.
    since INTEGER NOT NULL,
    -- How far the clock had been set when it began; NULL: in an earlier run.
    shift INTEGER,
    -- By how much to date them later, or when the clock was found right: those that can't be are of then.
    later INTEGER,
    found INTEGER
);

-- What a message is known again by.

-- Whom a direct message is for, if that is somebody who can be known again: whatever they were called. Their
-- account stays as long as the message does, as it is in their mail.
ALTER TABLE message ADD COLUMN receiver INTEGER;

-- Of older ones it is whoever has it in the mail besides its author, or the author alone. What went to an
-- address is for nobody in particular.
UPDATE message SET receiver = (
    SELECT CASE
        WHEN count(*) = 1 AND (l.account IS NOT message.author OR lower(to_text) = lower(from_name))
            THEN min(l.account)
        WHEN count(*) = 2 THEN max(CASE WHEN l.account IS NOT message.author THEN l.account END)
    END
    FROM mail l WHERE l.seq = message.seq
)
WHERE to_text IS NOT NULL
    AND NOT (to_text GLOB '*.*.*.*' AND to_text NOT GLOB '*[^0-9.]*')
    AND NOT (to_text GLOB '*:*:*' AND to_text NOT GLOB '*[^0-9a-f:.]*');

-- The words of messages.

-- What messages are found by, by their seq; see words.rs. Each token is between spaces: pieces of the text,
-- and behind a character that no text has n and the name of a sender, r and a room's id, a and the id of each
-- account that has it in its mail. So who may see what is part of the search. No places in the text are kept:
-- what is found is held against the text.
DROP TABLE words;

CREATE VIRTUAL TABLE pieces USING fts5 (
    tokens,
    content = '', contentless_delete = 1, detail = 'none',
    tokenize = "ascii tokenchars '!""#$%&''()*+,-./:;<=>?@[\]^_`{|}~'"
);

-- The lowest and the highest seq of the messages of an hour, which is at / 3600000.
CREATE TABLE hour (
    hour INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
);

CREATE TRIGGER message_dated AFTER UPDATE OF at ON message BEGIN
    INSERT INTO hour VALUES (new.at / 3600000, new.seq, new.seq)
    ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last);
END;

-- Up to which number messages are still to be put into the index, and behind which it is still to be written what
-- follows from them: their pieces, their hours and their weights.
INSERT INTO meta SELECT 'unindexed', ifnull(max(seq), 0) FROM message;
INSERT INTO meta SELECT 'indexed', ifnull(max(seq), 0) FROM message;
