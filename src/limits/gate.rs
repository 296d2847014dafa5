//! Bounds of the gate: what strangers may take of the server, one by one and together.
//!
//! Who is charged is an address (an IPv4 address, a single IPv6 address), its network (the first 24 bits
//! of an IPv4 address, the first 64 of an IPv6 address, also of the local network: a host gives itself
//! as many addresses of that as it likes), and all together. What one network may take is a part of
//! what there is for all, so that others have the rest.

use std::time::Duration;

// --- connections ----------------------------------------------------------------------------

/// One in so many places is kept for connections with a key that the server knows: it owns a name, or
/// is a member's or an operator's. Whoever takes all the others, owners come in.
pub const PLACES_PER_KEPT: usize = 10;

/// Connections that one known key has where its key alone lets it in: a person's devices. Beyond it the
/// key is told `server_full`, so that nobody takes the kept places with one key.
pub const CONNECTIONS_PER_KNOWN_KEY: usize = 4;

/// Connections of one address that are taken however many its neighbours have: a person's devices.
pub const LIGHT_CONNECTIONS: usize = 4;

/// Connections of one address that are taken however few places are left, unless `--max-per-ip` says
/// otherwise, as long as its network has room: people behind one router fit. Beyond it an address may
/// have half as many as there are places left, so that one alone gets a third of all. Further ones need
/// a known key.
pub const DEFAULT_MAX_PER_ADDRESS: usize = 64;

/// How many times as many [light](LIGHT_CONNECTIONS) connections as an address has of any kind a network has
/// in any case: a LAN of 500 fits.
pub const ADDRESSES_PER_NETWORK: u32 = 8;

/// How many times as many connections as there are places left a network may have besides: one alone
/// gets four fifths of all.
pub const NETWORK_FACTOR: usize = 4;

/// Connections at a time that have no place and may show that their key is known. With one more, the
/// network with the most of them loses the oldest one of its address with the most. They take 20 kB each.
pub const MAX_RESTRICTED: usize = 128;

/// How long they may take for that.
pub const RESTRICTED_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections a second that give way to owners of names when all places are taken, and as many at
/// once. For each one the server looks through all: 3 ms at 20,000.
pub const EVICTIONS_PER_SECOND: u32 = 10;

/// The same for known keys of one network, which then wait and knock again.
pub const EVICTIONS_PER_SECOND_OF_NETWORK: u32 = 3;

/// How long an owner waits until the other connection is gone, which may take 2 s to read why.
pub const EVICTION_TIMEOUT: Duration = Duration::from_secs(4);

/// Descriptors kept back for what has no place: listeners, discovery, logs, and [`MAX_RESTRICTED`] with
/// those that are being cut.
pub const RESERVED_DESCRIPTORS: usize = 256;

/// Connections at a time that are being told why they may not come in, for up to 2 s each, so that it arrives;
/// others are told and closed.
pub const MAX_FAREWELLS: usize = 64;

/// Addresses and networks that the gate keeps books on: a LAN's, many times over. Those for which there
/// is no room share one entry.
pub const MAX_ADDRESSES: usize = 16_384;

// --- handshakes -----------------------------------------------------------------------------

/// From accept to the first byte, which tells TLS from plaintext. Until then a connection costs a
/// task of 1 kB and no TLS state.
pub const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(5);

/// From accept to the end of the TLS handshake, however it is dragged out. A LAN round trip takes
/// under 5 ms.
pub const TLS_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of that a connection may wait for its turn, which leaves it time for the handshake. Clients
/// wait for 10 s in all: in that time 15,000 are in, on one slow core.
pub const TLS_LINE: Duration = Duration::from_secs(8);

/// How long a handshake may take while others wait for its place: whoever drags theirs out then gives
/// way to those who do not.
pub const TLS_TIMEOUT_CROWDED: Duration = Duration::from_secs(1);

/// TLS handshakes under way at a time; further ones wait. At most 20 kB each, 10 MB in all.
pub const HANDSHAKES_IN_PROGRESS: usize = 512;

/// The same of one address.
pub const HANDSHAKES_IN_PROGRESS_PER_ADDRESS: usize = 32;

/// The same of an address in the penalty box, whose known keys are still let in.
pub const HANDSHAKES_IN_PROGRESS_PER_OFFENDER: usize = 8;

/// The same of a network, half of them for addresses that have none under way and are not in the
/// penalty box. Four networks at their most leave nothing, and then each handshake has
/// [`TLS_TIMEOUT_CROWDED`].
pub const HANDSHAKES_IN_PROGRESS_PER_NETWORK: usize = 128;

/// TLS handshakes a second; further ones wait. One costs 240 us, so these take a quarter of two
/// cores, and 20,000 clients are back in 10 s.
pub const HANDSHAKES_PER_SECOND: u32 = 2000;

/// The same of one address: a room of people behind one router joins at once.
pub const HANDSHAKES_PER_ADDRESS: u32 = 50;

/// Handshakes that one address may begin at once before its pace counts.
pub const HANDSHAKE_BURST_PER_ADDRESS: u32 = 200;

/// Handshakes a second of an address in the penalty box, after as many at once as of any other.
pub const HANDSHAKES_PER_OFFENDER: u32 = 10;

/// Handshakes a second of an address that counts as one which has begun few, and does not wait for
/// those of its network that have begun many.
pub const HANDSHAKES_LIGHT: u32 = 4;

/// Handshakes a second of a network: what is left to others when three of them flood.
pub const HANDSHAKES_PER_NETWORK: u32 = 500;

/// Handshakes that one network may begin at once before its pace counts: a LAN comes back at once.
pub const HANDSHAKE_BURST_PER_NETWORK: u32 = 2000;

// --- tries and penalties --------------------------------------------------------------------

/// Tries at a passphrase a minute, of one address: a person's slips. A try that is right is given back.
pub const TRIES_PER_ADDRESS: u32 = 5;

/// The same of a network, after [`TRY_BURST_PER_NETWORK`] at once: three that guess as fast as they may
/// leave a quarter of [`TRIES_PER_MINUTE`] to others.
pub const TRIES_PER_NETWORK: u32 = 15;

/// Tries at once of a network: a class joins.
pub const TRY_BURST_PER_NETWORK: u32 = 30;

/// The same of all addresses: 2^40 guesses take 35,000 years.
pub const TRIES_PER_MINUTE: u32 = 60;

/// How long an address counts as one that has tried. It gets no try from the last half of those that
/// its network has, or all have: that is for addresses that have not tried yet.
pub const TRY_REMEMBERED: Duration = Duration::from_secs(3600);

/// Penalties of an address above which it is kept out: two slips are free. Only those come in then whose
/// key is known.
pub const PENALTY_ENFORCED_ABOVE: Duration = Duration::from_secs(10);

/// Longest time that an address is kept out.
pub const PENALTY_MAX: Duration = Duration::from_secs(600);
