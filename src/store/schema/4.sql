-- What need not be written with each message.

-- The messages of each author in their order, to remove the oldest; of author 0 those of nobody who can be known
-- again. It is written with what else follows from messages (see 2.sql), as an index of the messages themselves
-- costs each commit another page per author.
CREATE TABLE authored (
    author INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (author, seq)
) WITHOUT ROWID;

INSERT INTO authored SELECT ifnull(author, 0), seq FROM message
    WHERE seq <= (SELECT value FROM meta WHERE key = 'indexed') ORDER BY author, seq;

DROP INDEX message_by;

-- Merging eight parts of the index at a time instead of four copies each word less often.
INSERT INTO pieces (pieces, rank) VALUES ('automerge', 8);
