//! Limits on memory for clients: how much, and for how long.

use super::MAX_FRAME_BYTES;
use std::time::Duration;

/// The part of the allowed memory above which the server accepts no clients, in percent.
pub const MEMORY_FULL_PERCENT: u64 = 80;

/// The part of the machine's memory that the process may use if neither `--memory` nor a control group limits
/// it, in percent: other programs need some, too.
pub const MEMORY_OF_MACHINE_PERCENT: u64 = 50;

/// The allowed memory if the machine's memory is unknown, in bytes.
pub const MEMORY_ELSEWHERE_BYTES: u64 = 1024 * 1024 * 1024;

/// Smallest `--memory`, in bytes: the server alone, with its history.
pub const MIN_MEMORY_BYTES: u64 = 32 * 1024 * 1024;

/// The part of the allowed memory for data that clients make the server hold, in percent: backlogs,
/// unfinished frames, packets that wait for their pace. One budget covers all connections; over it, the
/// server closes those that hold most, at the address that holds most. The rest is for connections (7 KiB
/// each), the history's caches, and the allocator's overhead.
pub const HELD_PERCENT: u64 = 25;

/// How much of that is left after the server has closed enough, in percent, so it need not do so for each
/// byte.
pub const HELD_FREED_PERCENT: usize = 75;

/// How far memory use must fall below its peak before the allocator returns memory, in bytes: less is soon
/// needed again.
pub const STORM_BYTES: usize = 8 * 1024 * 1024;

/// How long memory use must stay low before the allocator returns memory.
pub const STORM_OVER: Duration = Duration::from_secs(1);

/// Default backlog: bytes that may wait for one client that does not read.
pub const DEFAULT_BACKLOG_BYTES: usize = 1024 * 1024;

/// Smallest `--backlog`: one frame must always fit.
pub const MIN_BACKLOG_BYTES: usize = MAX_FRAME_BYTES;

/// How long a client may take to read [`BACKLOG_STEP_BYTES`] of its backlog before it is closed.
pub const BACKLOG_STALL: Duration = Duration::from_secs(20);

/// Bytes of its backlog that a client must read in that time, or all if it is less: 2 KiB per second, a fifth
/// of the slowest radio link. A byte now and then does not count.
pub const BACKLOG_STEP_BYTES: usize = 40 * 1024;

/// How long a client must have read less than that before the kernel's buffer for it counts as held by the
/// server.
pub const BACKLOG_STUCK: Duration = Duration::from_secs(5);

/// Overhead of a backlog's chunk, in bytes.
pub const BACKLOG_CHUNK_BYTES: usize = 128;

/// Bytes to read from a connection at a time if users have a pace.
pub const PACED_SLICE_BYTES: usize = 512;

/// Such slices in a row without the end of a packet: those of the longest frame, and as many again for what encryption
/// and WebSocket add. More are blank lines, pings, or a message in needless pieces.
pub const MAX_EMPTY_SLICES: u8 = 255;

/// How long a connection waits after each further one. So 25 KB of these are read per second, however many come.
pub const EMPTY_SLICE_PAUSE: Duration = Duration::from_millis(20);

/// Packets to parse from a connection at a time if users have a pace: each takes some 600 bytes while it
/// waits. Later ones stay unparsed.
pub const PACED_PACKETS: usize = 4;

/// The same without a pace.
pub const UNPACED_PACKETS: usize = 64;

/// How long to keep a connection after the peer has closed it while its last packets wait for their pace, as at
/// the end of a script. The server cannot tell whether the peer is dead.
pub const LAST_WORDS: Duration = Duration::from_secs(60);

/// How long a frame, or the record that holds it, may take from its first byte to its last. A person who
/// types one sends it as a whole line.
pub const FRAME_TIMEOUT: Duration = Duration::from_secs(30);
