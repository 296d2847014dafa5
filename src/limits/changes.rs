//! Limits on changes of messages, read positions and absence.

use std::time::Duration;

/// How long an author may change or delete a message: people correct what others still look at. Operators may
/// delete older ones.
pub const CHANGE_TIME: Duration = Duration::from_secs(24 * 3600);

/// Messages that a user without key and token may change, the newest: nothing but the session proves that they
/// wrote them. 8 bytes each.
pub const MAX_CHANGED_BY_STRANGER: usize = 32;

/// Longest reason for an absence, in bytes: a line on a terminal. Each receipt of a direct message repeats it.
pub const MAX_AWAY_BYTES: usize = 100;

/// Most conversations per user whose read position the server knows: all rooms, and as many people. Beyond it,
/// the one that was read least recently goes. The welcome lists them: at most 12 kB, as names are valid.
pub const MAX_READ_POSITIONS_OF_USER: usize = 64;

/// The same for all users together: up to 10 MB. Beyond it, a user who has read nothing for long loses theirs,
/// and sees everything as unread at the next start of a client.
pub const MAX_READ_POSITIONS: usize = 65_536;

/// How long to gather read positions before they are stored, so that reading costs the disk little. A crash
/// loses them, and people see some messages as unread again.
pub const READ_GATHERED: Duration = Duration::from_secs(10);
