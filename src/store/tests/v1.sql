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

PRAGMA application_id = 1279477844;
PRAGMA user_version = 1;
INSERT INTO meta VALUES ('log', '0123456789abcdef'), ('reserved', 12000), ('pruned', 2);
INSERT INTO account VALUES
    (1, X'6b0101010101010101010101010101010101010101010101010101010101010101'),
    (2, X'6b0202020202020202020202020202020202020202020202020202020202020202'),
    (3, X'74736563726574');
INSERT INTO room VALUES (1, '#lobby', '#lobby', 'welcome', 'user1'), (2, '#Games', '#games', 'chess', 'user2');
INSERT INTO member VALUES (2, 1, 'user1', 3), (2, 3, 'guest', 4);
INSERT INTO message VALUES
    (3, 1770000003000, 0, 1, NULL, 'user1', '10.0.0.1', 'tag', 1, 'id-3', 'hello lobby', NULL, NULL),
    (4, 1770000004000, 1, 2, NULL, 'guest', '10.0.0.3', NULL, 3, NULL, 'plays', NULL, NULL),
    (5, 1770000005000, 0, NULL, 'user2', 'user1', '10.0.0.1', 'tag', 1, 'id-5', 'are you there', NULL, NULL),
    (6, 1770000006000, 2, 1, NULL, 'user1', '10.0.0.1', 'tag', 1, NULL, 'fire', NULL, NULL),
    (7, 1770000007000, 0, NULL, 'user1', 'user2', '10.0.0.2', 'tag', 2, NULL, 'I am', NULL, NULL),
    (8, 1770000008000, 3, NULL, 'user2', 'user1', '10.0.0.1', 'tag', 1, NULL, '', 1, 7);
INSERT INTO mail VALUES (1, 5, 2), (2, 5, 0), (1, 7, 1), (2, 7, 2), (2, 8, 0);
INSERT INTO words (rowid, text, sender, venue) VALUES
    (3, 'hello lobby', 'nuser1', 'r1'),
    (4, 'plays', 'nguest', 'r2'),
    (5, 'are you there', 'nuser1', 'a2 a1'),
    (6, 'fire', 'nuser1', 'r1'),
    (7, 'I am', 'nuser2', 'a1 a2');
