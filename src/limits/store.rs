//! Bounds of the store.

use std::time::Duration;

/// Questions that wait for each thread of the store; who asks then waits for a place. Turns take one
/// each, and so does each of those who read for others.
pub const STORE_QUEUE: usize = 64;

/// Numbers of messages that are reserved on disk at a time: after a crash counting goes on behind
/// them, and 2^63 of them last whatever happens.
pub const SEQ_RESERVE: u64 = 10_000;

/// Messages with one id of one author that a further one is compared with, the newest: an id is meant to come
/// once, and who always gives the same must not have all of theirs looked at each time.
pub const SAME_ID_LOOKED_AT: u32 = 64;

/// Messages that were passed on and not stored, of which it is remembered that they were, so that none is
/// shown twice: some 6 MB at the most. Beyond it the oldest of whoever has most are forgotten.
pub const MAX_PASSED: usize = 32_768;

/// The same of one author: what a client sends again after a break is less. Beyond it their oldest is forgotten.
pub const MAX_PASSED_OF_AUTHOR: usize = 1_024;

/// Incarnations of the history that are remembered, one a start: three years of a start a day. Whoever
/// has a point in one that is forgotten counts as a stranger. 40 bytes each, on disk and in memory.
pub const MAX_INCARNATIONS: usize = 1000;

/// Pieces of the words of one search that the index is asked for: what is found is held against all of its
/// words, and so many leave little of what is not meant.
pub const SEARCH_PIECES: usize = 24;

/// Messages that a search looks at before it asks the index for words: 2 ms.
pub const SEARCH_SAMPLE: usize = 500;

/// Further messages that a search for words of one or two characters looks at, if these are likely to be all or
/// enough, rather than ask the index: 25 ms.
pub const SEARCH_SCAN: usize = 3000;

/// How long it may take to read what is asked for. A search for words that are common, though not together,
/// would take seconds in a big history; most take some ms.
pub const SEARCH_TIME: Duration = Duration::from_millis(250);

/// How often it is looked whether that is over, in instructions of SQLite: the index of words does most of
/// its work with few of them.
pub const SEARCH_STEPS: i32 = 100;

/// How often it is looked whether something is to be removed by age or size.
pub const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Messages removed in one step, in which no message can be stored.
pub const PRUNE_ROWS: usize = 200;

/// How long the deletions of a step may take, so that it holds up a message by some 10 ms at most.
pub const PRUNE_TIME: Duration = Duration::from_millis(4);

/// The pause between two steps, so that they take a fifth of the disk's time at most.
pub const PRUNE_PAUSE: Duration = Duration::from_millis(25);

/// Longest time that steps give way to messages that wait: some 2,500 go a second under load, which is
/// more than people write.
pub const PRUNE_PATIENCE: Duration = Duration::from_millis(50);

/// Messages that are dated anew in one step, after the clock was wrong, in which no message can be stored.
pub const DATED_ROWS: usize = 200;

/// How much of `--retain-size` mail that waits may take, in thousandths: it is not removed for size, and
/// what else is said needs room too.
pub const MAIL_SHARE_THOUSANDTHS: u64 = 500;

/// How often at most it is looked whether there is room for more mail while the last of that room fills up: once
/// for one in so many parts of it, and so much may be too much. A look reads all mail that waits, a second for 500 MB.
pub const MAIL_ROOM_PARTS: u64 = 256;

/// Messages of which it is not written yet what follows from them, from which on that is done while nobody waits:
/// 8 ms. A search looks at them one by one, in 2 ms.
pub const TAIL_IDLE_ROWS: usize = 256;

/// The same from which on it is done whoever waits, and in one step: 30 ms.
pub const TAIL_ROWS: usize = 1024;

/// The same in bytes of their text.
pub const TAIL_BYTES: usize = 128 * 1024;

/// Messages of an older database that are put into the index in one step, in which no message can be stored:
/// 8 ms.
pub const INDEX_ROWS: usize = 128;

/// The same in bytes of their text.
pub const INDEX_BYTES: usize = 32 * 1024;

/// The pause between two such steps: a million messages are in the index after 5 minutes.
pub const INDEX_PAUSE: Duration = Duration::from_millis(25);
/// How often it is looked whether the database is still where it was, while nothing is written.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);

/// When the check of the whole database begins, after the start or after another program wrote to it: when
/// those who were connected are back.
pub const CHECK_AFTER: Duration = Duration::from_secs(1);

/// Pages that the check reads before it rests for [`CHECK_REST`] times as long as they took, so that it takes
/// a quarter of a core. Each time that it had to give way it rests less.
pub const CHECK_PAGES: i32 = 64;

/// See [`CHECK_PAGES`].
pub const CHECK_REST: u32 = 3;

/// Bytes of a database that is checked at once; of a bigger one, each table by itself, so that none holds
/// up the log for long.
pub const CHECK_WHOLE_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of the log at which a check gives way: while it reads, the log can't begin anew and grows.
pub const CHECK_LOG_BYTES: u64 = 64 * 1024 * 1024;

/// How long a check that gave way waits before it tries again, and how often it does that.
pub const CHECK_AGAIN: Duration = Duration::from_secs(60);

/// See [`CHECK_AGAIN`].
pub const CHECK_TRIES: u32 = 30;

/// Most bytes of a file that a backup holds besides the history: the books of a server that never removed a
/// name are 20 MB.
pub const MAX_KEPT_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Accounts of which the server remembers when they went, to tell them later that something was said meanwhile
/// that is stored nowhere: 24 bytes each.
pub const MAX_LEFT: usize = 16_384;

/// Accounts of which it remembers that they were written to meanwhile: 56 bytes each. Of those beyond it only
/// that somebody was.
pub const MAX_UNSTORED_MAILBOXES: usize = 4096;
