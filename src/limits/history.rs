//! Limits on what the history keeps, and on answers from it.

use super::MIN_BACKLOG_BYTES;
use std::time::Duration;

/// Default age at which messages are removed: a quarter.
pub const DEFAULT_RETAIN: Duration = Duration::from_secs(90 * 86_400);

/// Default size of the history in bytes: some 3 million messages.
pub const DEFAULT_RETAIN_BYTES: u64 = 1024 * 1024 * 1024;

/// Smallest `--retain-size`, in bytes: an empty history and its index must fit.
pub const MIN_RETAIN_BYTES: u64 = 1024 * 1024;

/// Messages of the lobby that a first-time visitor gets.
pub const FIRST_JOIN_MESSAGES: usize = 50;

/// Most messages that a returning client gets. Of more, it gets only the newest and a notice.
pub const RESUME_MAX: usize = 10_000;

/// Incarnations that a hello or a welcome lists besides the current one: 1.5 kB. A client that knows the
/// newest of them finds its place however far the server went back within them.
pub const MAX_LOGS: usize = 32;

/// Messages to read at a time for a returning client.
pub const PAGE_MESSAGES: usize = 256;

/// The same in bytes of frames, which wait for the peer between two pages: at most the smallest backlog.
pub const PAGE_BYTES: usize = MIN_BACKLOG_BYTES;

/// How close to the present a catch-up must be to switch to the live stream: the rest is read within the
/// batch, while everyone waits, at 2 us per message. If more arrives before that batch closes, the catch-up
/// continues.
pub const CUTOVER_MESSAGES: usize = 200;

/// The same in bytes of frames: with the batch's other frames for the session, the smallest backlog.
pub const CUTOVER_BYTES: usize = PAGE_BYTES / 2;

/// Bytes of frames in an answer to `history` or `search`, at most half a backlog: 200 typical messages. It is
/// read once the session has taken what came before.
pub const ANSWER_BYTES: usize = PAGE_BYTES;

/// Most cutovers per batch; further sessions wait for the next.
pub const CUTOVERS: usize = 64;

/// Most unanswered `history` requests per session; one more is `rate_limited`.
pub const MAX_ASKED: usize = 16;

/// The same for `search`: the current one and the next.
pub const MAX_SEARCHES: usize = 2;

/// Most unanswered requests per address, of each kind; one more is `rate_limited`. All people behind one
/// router fit, as an answer takes some ms.
pub const ASKED_PER_ADDRESS: usize = 64;

/// The same from all addresses, 2 kB each. Once half of it is taken, each address may have one: an attacker
/// fills half with 16 addresses, and needs 1,024 more for the rest.
pub const ASKED_WAITING: usize = 2048;

/// How long an address rests, as a multiple of the time that its requests took, for each kind: one that asks
/// all the time, with any number of sessions, takes a quarter of a core. Its requests wait for that.
pub const ASKED_REST: u32 = 3;

/// How much of the rest it is spared, so people who look something up do not notice it.
pub const ASKED_SPARED: Duration = Duration::from_secs(1);

/// The overhead of an entry besides its text, in bytes, for the limit on batches.
pub const ENTRY_BYTES: usize = 128;

/// Most changes of rooms and mail that wait while the store fails, and as many rows of names and members.
pub const MAX_DEFERRED: usize = 10_000;

/// How often to retry a store that fails.
pub const MEND_EVERY: Duration = Duration::from_secs(5);
