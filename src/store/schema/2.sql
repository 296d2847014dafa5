-- The incarnations of the history.

-- Names, operators, members, bans and mutes.

-- The clock, and what goes with age and size.

-- What a message is known again by.

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

-- Up to which number messages are still to be put into the index.
INSERT INTO meta SELECT 'unindexed', ifnull(max(seq), 0) FROM message;
