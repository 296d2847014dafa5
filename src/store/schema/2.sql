-- The incarnations of the history.

-- Names, operators, members, bans and mutes.

-- The clock, and what goes with age and size.

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
