//! How much to do in one go under the lock of the server's hub: the rest waits until others have had their
//! turn. Each portion takes some microseconds.

/// Names whose use has begun or ended to store in one go.
pub const RECORDS_PORTION: usize = 32;

/// Names to check for expiry in one go; some microseconds per expired one.
pub const NAMES_LOOKED_AT: usize = 16;

/// Operators, members or owners of names in one answer.
pub const KEYS_PER_PAGE: usize = 50;

/// Rows of a requested list to collect in one go.
pub const LIST_PORTION: usize = 64;

/// Sessions to end in one go, when a ban or a kick ends many.
pub const EXPELLED_PORTION: usize = 4;

/// Due announcements in one go: rooms with joins and leaves, or authors whose mail has arrived.
pub const DUE_PORTION: usize = 4;

/// Connections to check in one go for a late registration.
pub const HANDSHAKES_PORTION: usize = 8;

/// Members to check per join, when [`MAX_ROOMS`](super::MAX_ROOMS) or
/// [`MAX_MEMBERSHIPS`](super::MAX_MEMBERSHIPS) is reached, for one whom the server no longer knows. The next
/// attempt checks others.
pub const ROOMS_LOOKED_AT: usize = 64;

/// Rooms to remove such a member from at a time.
pub const ROOMS_SWEPT: usize = 4;
