-- The incarnations of the history.

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

-- What a message is known again by.

-- The words of messages.
