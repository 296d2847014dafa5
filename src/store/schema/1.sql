CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    -- 'k' and the 32 bytes of a fingerprint, or 't' and a token.
    identity BLOB NOT NULL UNIQUE
);

-- A room's row outlives the room as long as there are messages of it.
CREATE TABLE room (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    topic TEXT,
    topic_by TEXT
);

CREATE TABLE member (
    room INTEGER NOT NULL,
    account INTEGER NOT NULL,
    name TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (room, account)
) WITHOUT ROWID;

CREATE INDEX member_account ON member (account);

CREATE TABLE message (
    seq INTEGER PRIMARY KEY,
    -- Milliseconds since 1970, UTC.
    at INTEGER NOT NULL,
    -- 0 chat, 1 action, 2 alert, 3 delivered.
    kind INTEGER NOT NULL,
    -- One of room and to_text is there.
    room INTEGER,
    to_text TEXT,
    from_name TEXT NOT NULL,
    from_ip TEXT NOT NULL,
    from_key TEXT,
    author INTEGER,
    -- The author's own id for it.
    token TEXT,
    text TEXT NOT NULL,
    -- Of kind delivered.
    count INTEGER,
    last INTEGER
);

-- Each entry of an index ends with the row's seq, so that these are in its order too.
CREATE INDEX message_room ON message (room) WHERE room IS NOT NULL;
CREATE INDEX message_author ON message (author, token) WHERE author IS NOT NULL;

CREATE TABLE mail (
    account INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    -- 0 waits, 1 has arrived and its author is to be told, 2 done.
    state INTEGER NOT NULL,
    PRIMARY KEY (account, seq)
) WITHOUT ROWID;

CREATE INDEX mail_seq ON mail (seq);
CREATE INDEX mail_open ON mail (state, account, seq) WHERE state < 2;

-- The words of messages, by their seq. Sender and venue are tokens of their own, so that who may see
-- what is part of the search: the name of a sender, r and a room's id, a and the id of each account
-- that has it in its mail.
CREATE VIRTUAL TABLE words USING fts5 (
    text, sender, venue,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2'
);
