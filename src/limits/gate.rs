//! Limits of the gate: what strangers may take of the server, alone and together.
//!
//! The gate counts per address, per network, and in total. A network is the /24 of an IPv4 address or the /64
//! of an IPv6 address, even a local one, as a host may have any number of addresses in it. One network gets
//! only a part of the total, so others have the rest.

use std::time::Duration;

// --- connections ----------------------------------------------------------------------------

/// One in this many places is reserved for keys that the server knows (of members, operators and owners of
/// names), so they get in even if strangers take all others.
pub const PLACES_PER_KEPT: usize = 10;

/// Connections per known key on reserved places: a person's devices. The server answers more with
/// `server_full`, so one key cannot take all reserved places.
pub const CONNECTIONS_PER_KNOWN_KEY: usize = 4;

/// Connections per address that the server accepts however many its neighbours have: a person's devices.
pub const LIGHT_CONNECTIONS: usize = 4;

/// Default connections per address that the server accepts however few places are left, if its network has
/// room: people behind one router fit. Beyond it, an address may have half as many as there are free places,
/// so a single one gets a third of all. More need a known key.
pub const DEFAULT_MAX_PER_ADDRESS: usize = 64;

/// How many times [`LIGHT_CONNECTIONS`] a network may always have: a LAN of 500 fits.
pub const ADDRESSES_PER_NETWORK: u32 = 8;

/// How many times the free places a network may have besides: a single one gets four fifths of all.
pub const NETWORK_FACTOR: usize = 4;

/// Connections without a place that may prove a known key at the same time. One more closes the oldest of the
/// busiest address in the busiest network. They take 20 kB each.
pub const MAX_RESTRICTED: usize = 128;

/// How long such a connection may take to prove its key.
pub const RESTRICTED_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections per second, and at once, that give way to owners of names when all places are taken. Each
/// takes a search through all: 3 ms at 20,000.
pub const EVICTIONS_PER_SECOND: u32 = 10;

/// The same for known keys of one network, which then wait and try again.
pub const EVICTIONS_PER_SECOND_OF_NETWORK: u32 = 3;

/// How long an owner waits for the other connection to end; reading its last packet may take that 2 s.
pub const EVICTION_TIMEOUT: Duration = Duration::from_secs(4);

/// Descriptors reserved for everything without a place: listeners, discovery, logs, and [`MAX_RESTRICTED`] with
/// those about to be closed.
pub const RESERVED_DESCRIPTORS: usize = 256;

/// Rejected connections that stay open, for up to 2 s each, until the reason has arrived; more are closed at
/// once.
pub const MAX_FAREWELLS: usize = 64;

/// Addresses and networks that the gate keeps counts of: many times a LAN's. Those beyond it share one entry.
pub const MAX_ADDRESSES: usize = 16_384;

// --- handshakes -----------------------------------------------------------------------------

/// From accept to the first byte, which tells TLS from plaintext. Until then, a connection costs a task of 1
/// kB and no TLS state.
pub const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(5);

/// From accept to the end of the TLS handshake, however slow the peer. A LAN round trip takes under 5 ms.
pub const TLS_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of that a connection may wait in line, so it has time left for the handshake. Clients wait for 10
/// s in all; by then, 15,000 are in, on one slow core.
pub const TLS_LINE: Duration = Duration::from_secs(8);

/// How long a handshake may take while others wait in line: slow peers then give way.
pub const TLS_TIMEOUT_CROWDED: Duration = Duration::from_secs(1);

/// TLS handshakes at the same time; more wait. Up to 20 kB each, 10 MB in all.
pub const HANDSHAKES_IN_PROGRESS: usize = 512;

/// The same per address.
pub const HANDSHAKES_IN_PROGRESS_PER_ADDRESS: usize = 32;

/// The same per penalized address, whose known keys still get in.
pub const HANDSHAKES_IN_PROGRESS_PER_OFFENDER: usize = 8;

/// The same per network; half of them only for addresses with none in progress and no penalty.
/// Four busy networks leave nothing, and then [`TLS_TIMEOUT_CROWDED`] applies.
pub const HANDSHAKES_IN_PROGRESS_PER_NETWORK: usize = 128;

/// TLS handshakes per second; more wait. One costs 240 us, so these take a quarter of two cores, and 20,000
/// clients return within 10 s.
pub const HANDSHAKES_PER_SECOND: u32 = 2000;

/// The same per address: a room of people behind one router joins at once.
pub const HANDSHAKES_PER_ADDRESS: u32 = 50;

/// Handshakes that an address may start at once before its pace applies.
pub const HANDSHAKE_BURST_PER_ADDRESS: u32 = 200;

/// Handshakes per second of a penalized address, after the same burst as any other.
pub const HANDSHAKES_PER_OFFENDER: u32 = 10;

/// Handshakes per second of an address that has started few, so it does not wait for busy neighbours.
pub const HANDSHAKES_LIGHT: u32 = 4;

/// Handshakes per second of a network, leaving enough for others when three of them flood.
pub const HANDSHAKES_PER_NETWORK: u32 = 500;

/// Handshakes that a network may start at once before its pace applies: a LAN returns at once.
pub const HANDSHAKE_BURST_PER_NETWORK: u32 = 2000;

// --- passphrase attempts and penalties --------------------------------------------------------------------

/// Passphrase attempts per address and minute; enough for typing errors. Successful ones do not count.
pub const TRIES_PER_ADDRESS: u32 = 5;

/// The same per network, after a burst of [`TRY_BURST_PER_NETWORK`]: three networks that guess at full pace
/// leave a quarter of [`TRIES_PER_MINUTE`] to others.
pub const TRIES_PER_NETWORK: u32 = 15;

/// The burst of a network: a class joins.
pub const TRY_BURST_PER_NETWORK: u32 = 30;

/// The same from all addresses: 2^40 guesses take 35,000 years.
pub const TRIES_PER_MINUTE: u32 = 60;

/// How long an address counts as having tried. The last half of its network's attempts, and of all attempts,
/// is only for addresses that have not.
pub const TRY_REMEMBERED: Duration = Duration::from_secs(3600);

/// The penalty above which an address is kept out: two errors are free. Above it, only known keys get in.
pub const PENALTY_ENFORCED_ABOVE: Duration = Duration::from_secs(10);

/// The longest that an address is kept out.
pub const PENALTY_MAX: Duration = Duration::from_secs(600);
