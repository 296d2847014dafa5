//! How much is done in one go under the lock of the server's hub: what is more waits for others to have
//! had their turn. Each is a matter of some microseconds.

/// Names whose use has begun or ended that are written down in one go.
pub const RECORDS_PORTION: usize = 32;

/// Names that are looked at in one go for whether their time is over; some microseconds each if it is.
pub const NAMES_LOOKED_AT: usize = 16;

/// Operators, members or owners of names in one answer.
pub const KEYS_PER_PAGE: usize = 50;

/// Rows of a list that somebody asked for that are gathered in one go: nobody is served meanwhile.
pub const LIST_PORTION: usize = 64;

/// Sessions that are ended in one go, when a ban or a kick ends many.
pub const EXPELLED_PORTION: usize = 4;

/// What is due that is told in one go: rooms with comings and goings, or authors whose mail has arrived.
pub const DUE_PORTION: usize = 4;

/// Connections that are looked at in one go for whether they are still to register.
pub const HANDSHAKES_PORTION: usize = 8;

/// Members that are looked at, when there are [`MAX_ROOMS`](super::MAX_ROOMS) or
/// [`MAX_MEMBERSHIPS`](super::MAX_MEMBERSHIPS) and somebody wants to join, for one who is not
/// known any more. Who finds none tries again, and others are looked at: nobody else is served meanwhile.
pub const ROOMS_LOOKED_AT: usize = 64;

/// Rooms that such a member is removed from at a time.
pub const ROOMS_SWEPT: usize = 4;
