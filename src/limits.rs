//! Every bound of lanchat in one place: its value, its unit, and the reason for it.
//!
//! Whoever enforces a bound takes it from here; PROTOCOL.md and the man pages quote these values.

mod clock;
mod discovery;
mod fairness;
mod gate;
mod history;
mod memory;
mod portions;
mod store;

pub use clock::*;
pub use discovery::*;
pub use fairness::*;
pub use gate::*;
pub use history::*;
pub use memory::*;
pub use portions::*;
pub use store::*;

use std::time::Duration;

/// The port a server listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 7667;

/// The version of the wire that this program speaks.
pub const PROTOCOL_VERSION: u32 = 1;

// --- wire -----------------------------------------------------------------------------------

/// Longest frame (one JSON object, without its line feed), in bytes, both ways.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Longest text of a message, in bytes of UTF-8. JSON escaping is six-fold at worst (`\u0001`),
/// and the escaped text must fit [`MAX_FRAME_BYTES`] together with names and other members.
pub const MAX_TEXT_BYTES: usize = 10_000;

/// Longest `id` (the sender's own token for a packet), in bytes. It is echoed, so it is bounded.
pub const MAX_ID_BYTES: usize = 64;

/// Longest `token` in a hello, in bytes: 128 bits in hexadecimal are 32.
pub const MAX_TOKEN_BYTES: usize = 64;

/// Longest of the other members that are looked up or quoted (`to`, `name`, `type`, ...), in bytes:
/// a name of [`MAX_NAME_CHARS`] characters at 4 bytes fits twice over.
pub const MAX_WORD_BYTES: usize = 256;

/// Longest text of an error or notice that quotes what a client sent, in characters.
pub const MAX_QUOTE_CHARS: usize = 600;

/// Longest user name, in characters.
pub const MAX_NAME_CHARS: usize = 32;

/// Longest name of a room after its `#`, in characters.
pub const MAX_ROOM_NAME_CHARS: usize = 31;

/// Lines in a row that are no packet before the connection ends: a person who types by hand slips
/// once or twice, a browser or a scanner sends nothing else.
pub const MAX_BAD_PACKETS_IN_A_ROW: u8 = 5;

/// Names in one answer to `users`; the rest is asked for with `after`. The page is cut by size as
/// well.
pub const USERS_PER_PAGE: usize = 500;

/// Room in a frame for the users of one page, in bytes as they are written: names that JSON has to
/// escape take twice their length, and stand both in `users` and in `msg`.
pub const USERS_PAGE_BYTES: usize = 60 * 1024;

// --- server ---------------------------------------------------------------------------------

/// Most clients a server takes unless told otherwise, if the descriptors allow it. Encrypted and
/// idle they take 7 KiB each, 140 MB in all.
pub const DEFAULT_MAX_CLIENTS: usize = 20_000;

/// From the handshake on to a registered name: a person who types a first packet by hand needs that long.
/// Where plaintext is allowed it is also the time to the first byte.
pub const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// The kernel's buffer for what a client has not read, in bytes; it doubles the value. By default
/// it grows to 4 MB for one client that does not read.
pub const SEND_BUFFER_BYTES: usize = 32 * 1024;

/// The same of what a client has sent and the server has not read, as a client may have to wait for its
/// pace. By default it grows to 6 MB for one client that floods.
pub const RECEIVE_BUFFER_BYTES: usize = 64 * 1024;

/// How long joins and leaves are gathered into one packet.
pub const PRESENCE_WINDOW: Duration = Duration::from_secs(1);

/// Rooms with more members than this are told counts instead of names, so that a crowd's joins
/// cost a packet a second and not one for each member.
pub const PRESENCE_NAMES_MAX_MEMBERS: usize = 500;

/// Names told in one `joined` or `left` packet; more are told as a count.
pub const PRESENCE_NAMES_PER_PACKET: usize = 50;

/// Bytes of messages waiting for the flusher before readers stop taking more from their sockets:
/// a sender that is faster than the fan-out is slowed down by TCP, not stored. With a smaller
/// `--backlog` it is a quarter of that, so that no single turn closes a client that reads.
pub const MAX_BATCH_BYTES: usize = 256 * 1024;

/// What one connection's packets may add to a turn, in bytes, before others get their chance.
pub const PORTION_BYTES: usize = 64 * 1024;

/// How long that may take. Half of what a LAN's round trip takes at the most.
pub const PORTION_TIME: Duration = Duration::from_millis(1);

/// How long a closing connection may take to read its last packet (`error`, `bye`).
pub const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// How long a shutdown waits for all clients to read what is theirs.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// First and longest pause after accept failed for want of descriptors or memory.
pub const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(50);
/// See [`ACCEPT_PAUSE_MIN`].
pub const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// TCP keep-alive: a peer whose machine is gone is noticed 60 + 4 x 15 = 120 s after its last
/// sign of life, within the promised 150 s, with no timer of our own and with clients that know
/// nothing of pings.
pub const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
/// See [`KEEPALIVE_IDLE`].
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// See [`KEEPALIVE_IDLE`].
pub const KEEPALIVE_PROBES: u32 = 4;

/// Longest `--motd` file, in bytes: it travels in the welcome packet.
pub const MAX_MOTD_BYTES: usize = 4 * 1024;

// --- security -------------------------------------------------------------------------------

/// Bytes kept of a connection whose handshake is not done. A whole one is under 4 kB even with a
/// post-quantum key exchange; the library alone would keep 64 kB for a stranger.
pub const MAX_HANDSHAKE_BYTES: usize = 16 * 1024;

/// Bytes of the longest record: 16 kB, what encryption adds, and the header (RFC 8446 5.2).
pub const MAX_RECORD_BYTES: usize = 16 * 1024 + 256 + 5;

/// Bytes of a peer's certificate. Ours have under 400; only the key in it counts.
pub const MAX_CERTIFICATE_BYTES: usize = 2 * 1024;

/// Bytes of a file with a private key or a passphrase. Keys of the accepted kinds have under 300.
pub const MAX_SECRET_FILE_BYTES: usize = 4 * 1024;

/// Bytes of the line that is read from a server which does not speak TLS, to tell what it says.
pub const MAX_FOREIGN_LINE_BYTES: usize = 4 * 1024;

/// How long the rest of that line may take.
pub const FOREIGN_LINE_TIMEOUT: Duration = Duration::from_millis(500);

/// Shortest passphrase of one's own, in characters.
pub const MIN_PASSPHRASE_CHARS: usize = 8;

// --- rules of the chat ----------------------------------------------------------------------

/// Names that one key owns. One more frees the one that was used longest ago.
pub const NAMES_PER_KEY: usize = 3;

/// Names that are owned, by all keys. 50,000 take about 20 MB.
pub const MAX_OWNED_NAMES: usize = 50_000;

/// How long a name stays its owner's without being used: somebody comes back from a holiday.
pub const NAME_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// The same for a name that was used for less than [`NAME_TRIED`]: who only looks in leaves little. A
/// wrong clock takes [`CLOCK_CREDIT`] of it.
pub const NAME_KEPT_TRIED: Duration = Duration::from_secs(2 * 86_400);

/// See [`NAME_KEPT_TRIED`].
pub const NAME_TRIED: Duration = Duration::from_secs(600);

/// Names that become owned from one address in an hour, and [`ADDRESSES_PER_NETWORK`] times as many from an
/// IPv6 network. Beyond that a name can be used but is not
/// kept: everybody behind a school's one address gets in, and nobody takes all names at once.
pub const NEW_NAMES_PER_HOUR: u32 = 5;

/// How long it takes until it is written down that the use of a name has begun or ended: a crash loses at
/// most that. Of a new name it is written at once.
pub const NAMES_GATHERED: Duration = Duration::from_secs(5);

/// The pause between two portions of these ([`RECORDS_PORTION`] rows), so that the crowd of a morning holds
/// up nobody: 15,000 people take 12 s.
pub const NAMES_PAUSE: Duration = Duration::from_millis(25);

/// How often it is noted that the server runs, while names are in use: after a power cut they count as used
/// until then. As long as it takes for a name to count as used ([`NAME_TRIED`]).
pub const ALIVE_EVERY: Duration = NAME_TRIED;

/// How old what is written down of a name in use may get: with [`NAMES_ROUND`] it is refreshed every day,
/// and not all of them at the same time.
pub const NAMES_REFRESHED: Duration = Duration::from_secs(12 * 3600);

/// How long it takes to look at all names for those that are over or to be refreshed.
pub const NAMES_ROUND: Duration = Duration::from_secs(4 * 3600);

/// Addresses whose new names are counted.
pub const MAX_NEW_NAME_BUCKETS: usize = 8192;

/// How long the one-time code of the console makes an operator: long enough to walk to the other
/// machine.
pub const OPERATOR_CODE_TIME: Duration = Duration::from_secs(600);

/// Wrong codes of one network; its further ones do not count, so that nobody makes the code void for the one
/// whom it is for.
pub const OPERATOR_CODE_TRIES: u8 = 5;

/// The same of all networks, before it is void: 50 of 100,000,000 is no chance.
pub const OPERATOR_CODE_TRIES_IN_ALL: u8 = 50;

/// Operators there may be.
pub const MAX_OPERATORS: usize = 1000;

/// Keys that may enter a closed server without the passphrase. The one that came first is forgotten,
/// and needs the passphrase again.
pub const MAX_MEMBERS: usize = 50_000;

/// Bans there may be, and mutes, which lie in memory. More are better written as one network.
pub const MAX_BANS: usize = 1000;

/// Addresses of one ban: those at which a user was met.
pub const MAX_BAN_ADDRESSES: usize = 16;

/// Bans and mutes told in one packet: each takes up to 800 bytes, in `bans` and in `msg`.
pub const BANS_SHOWN: usize = 75;

/// How long a ban holds unless the operator says otherwise.
pub const DEFAULT_BAN: Duration = Duration::from_secs(86_400);

/// How long a mute holds unless the operator says otherwise.
pub const DEFAULT_MUTE: Duration = Duration::from_secs(3600);

/// Rooms that a user is in. All of them travel in the welcome, each with its topic: 26 kB.
pub const MAX_ROOMS_PER_USER: usize = 32;

/// Rooms there may be.
pub const MAX_ROOMS: usize = 4096;

/// Rooms from which on only people who are known make one, as keys are free: they have had a name for
/// [`NAME_TRIED`].
pub const MAX_ROOMS_OF_NEWCOMERS: usize = MAX_ROOMS / 4 * 3;

/// Memberships of all rooms. They take 25 MB.
pub const MAX_MEMBERSHIPS: usize = 262_144;

/// Memberships from which on only people who are known join.
pub const MAX_MEMBERSHIPS_OF_NEWCOMERS: usize = MAX_MEMBERSHIPS / 4 * 3;

/// Longest topic of a room, in bytes: two lines of a terminal.
pub const MAX_TOPIC_BYTES: usize = 300;

/// Rooms in one answer to `rooms`; the page is cut by [`USERS_PAGE_BYTES`] as well.
pub const ROOMS_PER_PAGE: usize = 100;

/// Messages in an answer to `history` and to `search` unless the client says otherwise.
pub const DEFAULT_ASKED: u64 = 20;

/// Most messages in an answer to `history`.
pub const MAX_HISTORY_ASKED: u64 = 200;

/// Most messages in an answer to `search`.
pub const MAX_SEARCH_ASKED: u64 = 100;

/// Names that are told to somebody who wrote to one that nobody has.
pub const NAMES_SUGGESTED: usize = 3;

// --- trust ----------------------------------------------------------------------------------

/// Servers that a user's `known_servers` keeps; of those past it the ones that are not verified and
/// were not used for longest go first.
pub const MAX_KNOWN_SERVERS: usize = 256;

/// Bytes read of a `known_servers` file: four times what that many servers take.
pub const MAX_KNOWN_FILE_BYTES: u64 = 1024 * 1024;
