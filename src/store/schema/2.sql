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

-- Names, operators, members, bans and mutes.

-- The clock, and what goes with age and size.

-- What a message is known again by.

-- The words of messages.
