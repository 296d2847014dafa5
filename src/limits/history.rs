//! Bounds of what is kept, and of what is given back of it.

use super::MIN_BACKLOG_BYTES;
use std::time::Duration;

/// How long messages are kept unless `--retain` says otherwise: a quarter.
pub const DEFAULT_RETAIN: Duration = Duration::from_secs(90 * 86_400);

/// Bytes of history that are kept unless `--retain-size` says otherwise: some 3 million messages.
pub const DEFAULT_RETAIN_BYTES: u64 = 1024 * 1024 * 1024;

/// Smallest `--retain-size`, in bytes: what an empty history and its index take must fit.
pub const MIN_RETAIN_BYTES: u64 = 1024 * 1024;

/// Messages of the lobby that somebody gets who comes for the first time.
pub const FIRST_JOIN_MESSAGES: usize = 50;

/// Most messages that somebody gets who was away; of more only the newest, and they are told so.
pub const RESUME_MAX: usize = 10_000;

/// Incarnations of histories that a hello or a welcome names, beside the present one: 1.5 kB. A client that
/// knows the newest of them finds itself again however far a server went back within them.
pub const MAX_LOGS: usize = 32;

/// Messages read at a time for somebody who was away.
pub const PAGE_MESSAGES: usize = 256;

/// The same in bytes of their frames, which wait for a peer between two pages: no more than the smallest
/// backlog.
pub const PAGE_BYTES: usize = MIN_BACKLOG_BYTES;

/// How near to the present a session that catches up goes over to the live stream: it is read in the
/// turn, while everybody waits, and costs 2 us a message. If more has come when that turn is closed, it
/// goes on catching up.
pub const CUTOVER_MESSAGES: usize = 200;

/// The same in bytes of their frames: with what the turn has for the session, the smallest backlog.
pub const CUTOVER_BYTES: usize = PAGE_BYTES / 2;

/// Bytes of frames in one answer to `history` or `search`, and half of a backlog at the most: 200 messages
/// as people write them. It is read once the session has taken what it was sent before.
pub const ANSWER_BYTES: usize = PAGE_BYTES;

/// Seams of one turn: further sessions that come so near to the present wait for the next.
pub const CUTOVERS: usize = 64;

/// Questions of one session that wait for an answer to `history`; another is `rate_limited`.
pub const MAX_ASKED: usize = 16;

/// The same of `search`: the one that is read and the next.
pub const MAX_SEARCHES: usize = 2;

/// Questions of one address that wait, of each of the two kinds; another is `rate_limited`. All people
/// behind one router fit, as an answer takes some ms.
pub const ASKED_PER_ADDRESS: usize = 64;

/// The same of all addresses, 2 kB each. Once half of it is taken an address has one: who wants all takes
/// half of it with 16 addresses, and needs 1,024 more to leave others none.
pub const ASKED_WAITING: usize = 2048;

/// How many times the time that its questions took an address rests, for each of the two kinds: so one that
/// asks all the time, with however many sessions, takes a quarter of a core. Its questions wait for that.
pub const ASKED_REST: u32 = 3;

/// How much of the rest it is spared: people who look something up do not notice it.
pub const ASKED_SPARED: Duration = Duration::from_secs(1);

/// What an entry takes in a turn besides its text, in bytes, as far as the turn's bound goes.
pub const ENTRY_BYTES: usize = 128;

/// Changes of rooms and mail that wait for a store which fails, and as many rows of names and members.
pub const MAX_DEFERRED: usize = 10_000;

/// How often a store that fails is tried again.
pub const MEND_EVERY: Duration = Duration::from_secs(5);
