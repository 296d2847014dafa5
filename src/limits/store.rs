//! Limits of the store.

use std::time::Duration;

/// Jobs that wait for each thread of the store; when the queue is full, the task that asks waits. Each batch is
/// one job, and each read worker has at most one.
pub const STORE_QUEUE: usize = 64;

/// Message numbers to reserve on disk at a time: after a crash, counting continues behind them, and 2^63 last
/// in any case.
pub const SEQ_RESERVE: u64 = 10_000;

/// Most accounts, and most rooms, whose rows the writer remembers from batch to batch: 80 bytes each.
pub const MAX_KNOWN_IDS: usize = 8192;

/// How many earlier messages of an author with the same id to compare with a new one, the newest first: ids
/// should be unique, and reusing one must not cost a look at all of them.
pub const SAME_ID_LOOKED_AT: u32 = 64;

/// Most messages to remember that went out but were not stored, so nobody sees a repeat: up to 6 MB. Beyond
/// it, the author with the most loses the oldest.
pub const MAX_PASSED: usize = 32_768;

/// The same per author: a client repeats fewer after a lost connection. Beyond it, the oldest goes.
pub const MAX_PASSED_OF_AUTHOR: usize = 1_024;

/// Most incarnations to remember, one per start: three years of daily starts, 40 bytes each, on disk and in
/// memory. A client whose resume point is in an older one counts as a stranger.
pub const MAX_INCARNATIONS: usize = 1000;

/// Pieces of a search's words to look up in the index. Results are checked against all words, and this many
/// leave few wrong ones.
pub const SEARCH_PIECES: usize = 24;

/// Messages that a search checks before it uses the index: 2 ms.
pub const SEARCH_SAMPLE: usize = 500;

/// Further messages that a search for words of one or two characters checks without the index, if these are
/// likely to be enough: 25 ms.
pub const SEARCH_SCAN: usize = 3000;

/// The longest that reading an answer may take. A search for common words that rarely meet would take seconds
/// in a big history; most take some ms.
pub const SEARCH_TIME: Duration = Duration::from_millis(250);

/// How often to check that limit, in SQLite instructions: the index does most of its work in few of them.
pub const SEARCH_STEPS: i32 = 100;

/// How often to look for messages to remove by age or size.
pub const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Messages to remove per step, during which no message can be stored.
pub const PRUNE_ROWS: usize = 200;

/// How long a step's deletions may take, so they delay a message by about 10 ms at most.
pub const PRUNE_TIME: Duration = Duration::from_millis(4);

/// The pause between two steps, so they take at most a fifth of the disk's time.
pub const PRUNE_PAUSE: Duration = Duration::from_millis(25);

/// The longest that steps give way to waiting messages: under load, some 2,500 are removed per second, more
/// than people write.
pub const PRUNE_PATIENCE: Duration = Duration::from_millis(50);

/// Messages to redate per step after the clock was wrong; during a step, no message can be stored.
pub const DATED_ROWS: usize = 200;

/// The part of `--retain-size` for waiting mail, in thousandths: mail is not removed for size, and other
/// messages need room, too.
pub const MAIL_SHARE_THOUSANDTHS: u64 = 500;

/// The mail's space is measured again once one in this many parts of it has been added, so it may exceed its
/// limit by that much. A measurement reads all waiting mail, a second per 500 MB.
pub const MAIL_ROOM_PARTS: u64 = 256;

/// How long no batch must have come before the writer indexes new messages: shorter than people notice, and
/// longer than the server takes between two batches while messages flood it.
pub const TAIL_REST: Duration = Duration::from_millis(5);

/// How often the writer indexes new messages between batches that follow each other without a rest, unless more
/// came in that time than it indexes in a step: a flood of more than 8,000 per second is first stored.
pub const INDEX_ALONG: Duration = Duration::from_millis(250);

/// Unindexed messages from which to index while the store rests: fewer would write almost as many pages. A
/// search checks them one by one, in 1 ms.
pub const TAIL_IDLE_ROWS: usize = 256;

/// The same in bytes of text.
pub const TAIL_IDLE_BYTES: usize = 128 * 1024;

/// Most unindexed messages: 10 seconds of a flood that the server can just take. Beyond it, each batch waits
/// for as many to be indexed as it brings.
pub const TAIL_MOST_ROWS: usize = 500_000;

/// The same in bytes of text.
pub const TAIL_MOST_BYTES: usize = 128 * 1024 * 1024;

/// New messages to index per step, during which no message can be stored: 20 ms. More at a time cost little
/// less each.
pub const INDEX_STEP_ROWS: usize = 2048;

/// The same in bytes of text.
pub const INDEX_STEP_BYTES: usize = 256 * 1024;

/// Most unindexed messages that a search checks, the newest first: 40 ms, and what comes in a second or more.
/// If there are more, the answer says that some are still being indexed.
pub const SEARCH_TAIL: usize = 20_000;

/// Messages of an older database to index per step, during which no message can be stored: 8 ms.
pub const INDEX_ROWS: usize = 128;

/// The same in bytes of text.
pub const INDEX_BYTES: usize = 32 * 1024;

/// The pause between two such steps: a million messages take 5 minutes.
pub const INDEX_PAUSE: Duration = Duration::from_millis(25);
/// How often to check that the database is still in its place while nothing is written.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);

/// When to start the check of the whole database, after a start or after another program wrote to it: once
/// earlier clients are back.
pub const CHECK_AFTER: Duration = Duration::from_secs(1);

/// Pages to check before a rest of [`CHECK_REST`] times as long, so the check takes a quarter of a core. It
/// rests less after each time that it gave way.
pub const CHECK_PAGES: i32 = 64;

/// See [`CHECK_PAGES`].
pub const CHECK_REST: u32 = 3;

/// The largest database to check at once, in bytes; in a bigger one, each table separately, so none blocks
/// the log for long.
pub const CHECK_WHOLE_BYTES: u64 = 64 * 1024 * 1024;

/// The log's size at which a check gives way, in bytes: while it reads, the log cannot restart and grows.
pub const CHECK_LOG_BYTES: u64 = 64 * 1024 * 1024;

/// The pause of a check that gave way, and how often it may do so.
pub const CHECK_AGAIN: Duration = Duration::from_secs(60);

/// See [`CHECK_AGAIN`].
pub const CHECK_TRIES: u32 = 30;

/// Largest file in a backup besides the history, in bytes: the records of a server that never removed a name
/// take 20 MB.
pub const MAX_KEPT_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Most accounts whose departure the server remembers, to tell them later of messages that were never stored:
/// 24 bytes each.
pub const MAX_LEFT: usize = 16_384;

/// Most accounts for which it remembers such messages: 56 bytes each. Beyond it, it remembers only that there
/// were some.
pub const MAX_UNSTORED_MAILBOXES: usize = 4096;

/// How long the copy of a history from before a change of its schema stays: long enough to notice that the
/// new version does not suit. It has messages that `--retain` would have removed.
pub const UPGRADE_COPY_KEPT: Duration = Duration::from_secs(30 * 86_400);
