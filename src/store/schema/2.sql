-- The incarnations of the history.

-- Names, operators, members, bans and mutes.

-- The clock, and what goes with age and size.

-- For what is too old: of all messages, wherever they stand, as a clock may have been wrong.
CREATE INDEX message_at ON message (at);

-- For what is too much: each author's in their order, and those of nobody who can be known again.
CREATE INDEX message_by ON message (author);

-- How much is kept of whom, in bytes, about; of author 0 what is nobody's.
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

-- The words of messages.
