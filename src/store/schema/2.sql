-- The incarnations of the history.

-- Names, operators, members, bans and mutes.

-- The clock, and what goes with age and size.

-- What a message is known again by.

-- The words of messages.
