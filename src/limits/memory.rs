//! What is kept for clients: how much, and for how long.

use super::MAX_FRAME_BYTES;
use std::time::Duration;

/// Share of the memory that the process may use from which on no clients are taken, in percent.
pub const MEMORY_FULL_PERCENT: u64 = 80;

/// Share of the machine's memory that the process may use where neither `--memory` nor a control group
/// says how much, in percent: others want some, too.
pub const MEMORY_OF_MACHINE_PERCENT: u64 = 50;

/// What it may use where the machine does not tell how much it has, in bytes.
pub const MEMORY_ELSEWHERE_BYTES: u64 = 1024 * 1024 * 1024;

/// Smallest `--memory`, in bytes: the server alone, with its history.
pub const MIN_MEMORY_BYTES: u64 = 32 * 1024 * 1024;

/// Share of the memory that the process may use for what it keeps for clients, in percent: backlogs,
/// unfinished frames, packets that wait for their pace. All connections together are charged; over it
/// those for whom most is kept are closed, of the address for which most is kept. The rest is for
/// connections (7 KiB each), the history's caches, and what the allocator can't use.
pub const HELD_PERCENT: u64 = 25;

/// How much of that is kept when enough have been closed, in percent, so that it is not for each byte.
pub const HELD_FREED_PERCENT: usize = 75;

/// How much less must be kept than there was at most before the allocator is asked to give memory back,
/// in bytes: less is needed again soon.
pub const STORM_BYTES: usize = 8 * 1024 * 1024;

/// How long after that.
pub const STORM_OVER: Duration = Duration::from_secs(1);

/// Bytes that may wait for one client that does not read, unless `--backlog` says otherwise.
pub const DEFAULT_BACKLOG_BYTES: usize = 1024 * 1024;

/// Smallest `--backlog`: one frame must always fit.
pub const MIN_BACKLOG_BYTES: usize = MAX_FRAME_BYTES;

/// How long a client may take for [`BACKLOG_STEP_BYTES`] of a backlog before it is closed.
pub const BACKLOG_STALL: Duration = Duration::from_secs(20);

/// What a client must take of a backlog in that time, or all of it if it is less, in bytes: 2 KiB a
/// second, a fifth of what the slowest radio link carries. A byte now and then keeps no backlog alive.
pub const BACKLOG_STEP_BYTES: usize = 40 * 1024;

/// How long a client must not have taken as much before what the kernel keeps for it counts as kept by the
/// server.
pub const BACKLOG_STUCK: Duration = Duration::from_secs(5);

/// Memory that a chunk of a backlog takes besides its bytes, in bytes.
pub const BACKLOG_CHUNK_BYTES: usize = 128;

/// Bytes of one connection that are read at a time where users have a pace.
pub const PACED_SLICE_BYTES: usize = 512;

/// Packets of one connection that are parsed at a time where users have a pace: each takes some 600 bytes
/// while it waits for that, and may be of two. What follows is kept as the bytes that came.
pub const PACED_PACKETS: usize = 4;

/// The same where they have none.
pub const UNPACED_PACKETS: usize = 64;

/// How long a connection whose peer has closed it lives on for what the peer had sent before, which has to wait for
/// its pace: the end of a script. The peer may be gone altogether, which nothing tells.
pub const LAST_WORDS: Duration = Duration::from_secs(60);

/// How long a frame, or a record that holds one, may take from its first byte to its last. A person who
/// types one by hand sends it as a line.
pub const FRAME_TIMEOUT: Duration = Duration::from_secs(30);
