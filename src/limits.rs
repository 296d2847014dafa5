//! Every limit of lanchat in one place: its value, its unit, and the reason for it.
//!
//! Code that enforces a limit takes it from here; PROTOCOL.md and the man pages quote these values.

mod changes;
mod clock;
mod cluster;
mod cluster_files;
mod discovery;
mod fairness;
mod gate;
mod history;
mod memory;
mod nodes;
mod portions;
mod seen;
mod store;
mod transfers;
mod web;

pub use changes::*;
pub use clock::*;
pub use cluster::*;
pub use cluster_files::*;
pub use discovery::*;
pub use fairness::*;
pub use gate::*;
pub use history::*;
pub use memory::*;
pub use nodes::*;
pub use portions::*;
pub use seen::*;
pub use store::*;
pub use transfers::*;
pub use web::*;

use std::time::Duration;

/// The server's default port.
pub const DEFAULT_PORT: u16 = 7667;

/// The protocol version of this program.
pub const PROTOCOL_VERSION: u32 = 1;

// --- wire -----------------------------------------------------------------------------------

/// Longest frame (one JSON object, without its line feed), in bytes, in both directions.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Longest text of a message, in bytes of UTF-8. JSON escapes at most six-fold (`\u0001`), and the escaped
/// text must fit [`MAX_FRAME_BYTES`] together with names and other members.
pub const MAX_TEXT_BYTES: usize = 10_000;

/// Longest `id` (the sender's own token for a packet), in bytes. Limited because answers echo it.
pub const MAX_ID_BYTES: usize = 64;

/// Longest `token` in a hello, in bytes: 128 bits take 32 hexadecimal digits.
pub const MAX_TOKEN_BYTES: usize = 64;

/// Longest other member that the server looks up or quotes (`to`, `name`, `type`, ...), in bytes: twice a
/// name of [`MAX_NAME_CHARS`] characters with 4 bytes each.
pub const MAX_WORD_BYTES: usize = 256;

/// Longest error or notice that quotes a client's input, in characters.
pub const MAX_QUOTE_CHARS: usize = 600;

pub const MAX_NAME_CHARS: usize = 32;

/// Longest room name after its `#`, in characters.
pub const MAX_ROOM_NAME_CHARS: usize = 31;

/// Consecutive invalid lines before the connection ends: a person makes one or two typing errors, a browser
/// or a scanner sends nothing else.
pub const MAX_BAD_PACKETS_IN_A_ROW: u8 = 5;

/// Most users in an answer to `users`; `after` continues the list. [`USERS_PAGE_BYTES`] also limits the page.
pub const USERS_PER_PAGE: usize = 500;

/// The part of a frame for a page's users, in bytes as written: names that JSON has to escape take twice
/// their length, and appear both in `users` and in `msg`.
pub const USERS_PAGE_BYTES: usize = 60 * 1024;

// --- server ---------------------------------------------------------------------------------

/// Default for the most clients, if there are enough descriptors. Idle encrypted clients take 7 KiB each, 140
/// MB in all.
pub const DEFAULT_MAX_CLIENTS: usize = 20_000;

/// From the handshake to a registered name: enough to type a first packet by hand. If plaintext is allowed,
/// also the time to the first byte.
pub const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// The kernel's buffer for data that a client has not read, in bytes; the kernel doubles the value. By
/// default, it grows to 4 MB for a client that does not read.
pub const SEND_BUFFER_BYTES: usize = 32 * 1024;

/// The kernel's buffer for data that the server has not read, as a client may have to wait for its pace. By
/// default, it grows to 6 MB for a client that floods.
pub const RECEIVE_BUFFER_BYTES: usize = 64 * 1024;

/// How long to collect joins and leaves for one packet.
pub const PRESENCE_WINDOW: Duration = Duration::from_secs(1);

/// In rooms with more members, presence packets carry counts instead of names, so a crowd's joins cost one
/// packet per second, not one per member.
pub const PRESENCE_NAMES_MAX_MEMBERS: usize = 500;

/// Most names in a `joined` or `left` packet; a count stands for the others.
pub const PRESENCE_NAMES_PER_PACKET: usize = 50;

/// Bytes that may wait for the output task before packet readers stop reading: TCP then slows senders that exceed
/// the fan-out. With a smaller `--backlog`, a quarter of that, so no single batch closes a client that reads.
pub const MAX_BATCH_BYTES: usize = 256 * 1024;

/// Deliveries to single sessions in a batch that the reactor may write itself, each one write at most. Bigger
/// batches go to the output task, so that the reactor can read on.
pub const SMALL_BATCH_STEPS: usize = 16;

/// Bytes of such a batch.
pub const SMALL_BATCH_BYTES: usize = 32 * 1024;

/// Bytes that one connection's packets may add to a batch before others get their chance.
pub const PORTION_BYTES: usize = 64 * 1024;

/// How long that may take: half a LAN's round trip at most.
pub const PORTION_TIME: Duration = Duration::from_millis(1);

/// How long a closing connection may take to read its last packet (`error`, `bye`).
pub const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// How long a shutdown waits for clients to read their last packets.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// First and longest pause after accept failed for lack of descriptors or memory.
pub const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(50);
/// See [`ACCEPT_PAUSE_MIN`].
pub const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// TCP keep-alive detects a dead machine 60 + 4 x 15 = 120 s after its last packet, within the promised 150
/// s, without a timer here and with clients that do not know pings.
pub const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
/// See [`KEEPALIVE_IDLE`].
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// See [`KEEPALIVE_IDLE`].
pub const KEEPALIVE_PROBES: u32 = 4;

/// Longest `--motd` file, in bytes: it is part of the welcome packet.
pub const MAX_MOTD_BYTES: usize = 4 * 1024;

// --- security -------------------------------------------------------------------------------

/// Bytes buffered for an unfinished handshake. A complete one is under 4 kB even with a post-quantum key
/// exchange; the library alone would buffer 64 kB for a stranger.
pub const MAX_HANDSHAKE_BYTES: usize = 16 * 1024;

/// Bytes of the longest record: 16 kB, the overhead of encryption, and the header (RFC 8446 5.2).
pub const MAX_RECORD_BYTES: usize = 16 * 1024 + 256 + 5;

/// Bytes of a peer's certificate. Ours take under 400; only the key in it counts.
pub const MAX_CERTIFICATE_BYTES: usize = 2 * 1024;

/// Bytes of a file with a private key or a passphrase. Keys of the accepted kinds take under 300.
pub const MAX_SECRET_FILE_BYTES: usize = 4 * 1024;

/// Bytes to read of the first line from a server that does not speak TLS, to identify it.
pub const MAX_FOREIGN_LINE_BYTES: usize = 4 * 1024;

/// How long the rest of that line may take.
pub const FOREIGN_LINE_TIMEOUT: Duration = Duration::from_millis(500);

/// Shortest passphrase that users may choose, in characters.
pub const MIN_PASSPHRASE_CHARS: usize = 8;

// --- rules of the chat ----------------------------------------------------------------------

/// Most names per key. One more frees the least recently used one.
pub const NAMES_PER_KEY: usize = 3;

/// Most owned names in all. 50,000 take about 20 MB.
pub const MAX_OWNED_NAMES: usize = 50_000;

/// How long an unused name stays its owner's: longer than a holiday.
pub const NAME_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// The same for a name that was used for less than [`NAME_TRIED`], so brief visits leave little behind. A
/// wrong clock may take [`CLOCK_CREDIT`] of it.
pub const NAME_KEPT_TRIED: Duration = Duration::from_secs(2 * 86_400);

/// See [`NAME_KEPT_TRIED`].
pub const NAME_TRIED: Duration = Duration::from_secs(600);

/// How many names may become owned per public IPv4 address and hour on an open server, and
/// [`ADDRESSES_PER_NETWORK`] times as many per network. Further names work but are not reserved.
pub const NEW_NAMES_PER_HOUR: u32 = 5;

/// How many at once per private or link-local address, or IPv6 network, and on a closed server per any
/// address: a school behind one address, on its first morning.
pub const NEW_NAMES_AT_ONCE_NEARBY: u32 = 600;

/// How many of these per hour after that. With what lasts for [`NAME_KEPT_TRIED`], a hostile host has 3,480
/// names, a fourteenth of [`MAX_OWNED_NAMES`].
pub const NEW_NAMES_PER_HOUR_NEARBY: u32 = 60;

/// How long until the start or end of a name's use is stored: a crash loses at most that. A new name is
/// stored at once.
pub const NAMES_GATHERED: Duration = Duration::from_secs(5);

/// The pause between two portions of these ([`RECORDS_PORTION`] rows), so a morning's crowd delays nobody:
/// 15,000 people take 12 s.
pub const NAMES_PAUSE: Duration = Duration::from_millis(25);

/// How often to record that the server runs while names are in use: after a power cut, they count as used
/// until then. Equal to [`NAME_TRIED`], the time for a name to count as used.
pub const ALIVE_EVERY: Duration = NAME_TRIED;

/// The oldest a stored row of a name in use may get. Together with [`NAMES_ROUND`], rows are refreshed daily,
/// but not all at once.
pub const NAMES_REFRESHED: Duration = Duration::from_secs(12 * 3600);

/// How long a scan of all names takes, for those to expire or to refresh.
pub const NAMES_ROUND: Duration = Duration::from_secs(4 * 3600);

/// Most addresses whose new names are counted.
pub const MAX_NEW_NAME_BUCKETS: usize = 8192;

/// How long the console's one-time code is valid: long enough to walk to the other machine.
pub const OPERATOR_CODE_TIME: Duration = Duration::from_secs(600);

/// Wrong codes per network. Further ones do not count, so nobody can void the code for its intended user.
pub const OPERATOR_CODE_TRIES: u8 = 5;

/// Wrong codes from all networks before the code is void: 50 guesses of 100,000,000 have no chance.
pub const OPERATOR_CODE_TRIES_IN_ALL: u8 = 50;

pub const MAX_OPERATORS: usize = 1000;

/// Most keys that may enter a closed server without the passphrase. The oldest one gives way, and needs the
/// passphrase again.
pub const MAX_MEMBERS: usize = 50_000;

/// Most bans, and most mutes; they are in memory. A network covers many addresses in one.
pub const MAX_BANS: usize = 1000;

/// Most addresses per ban: those where the user was connected.
pub const MAX_BAN_ADDRESSES: usize = 16;

/// Most bans and mutes in a packet: each takes up to 800 bytes, in `bans` and in `msg`.
pub const BANS_SHOWN: usize = 75;

/// Default duration of a ban.
pub const DEFAULT_BAN: Duration = Duration::from_secs(86_400);

/// Default duration of a mute.
pub const DEFAULT_MUTE: Duration = Duration::from_secs(3600);

/// Most rooms per user. The welcome lists all of them with their topics: 26 kB.
pub const MAX_ROOMS_PER_USER: usize = 32;

pub const MAX_ROOMS: usize = 4096;

/// Above this many rooms, only established users create rooms, those with a name for at least [`NAME_TRIED`]:
/// keys cost nothing to make.
pub const MAX_ROOMS_OF_NEWCOMERS: usize = MAX_ROOMS / 4 * 3;

/// Most memberships in all rooms. They take 25 MB.
pub const MAX_MEMBERSHIPS: usize = 262_144;

/// Above this many memberships, only established users join rooms.
pub const MAX_MEMBERSHIPS_OF_NEWCOMERS: usize = MAX_MEMBERSHIPS / 4 * 3;

/// Longest topic, in bytes: two lines on a terminal.
pub const MAX_TOPIC_BYTES: usize = 300;

/// Most rooms in an answer to `rooms`; [`USERS_PAGE_BYTES`] also limits the page.
pub const ROOMS_PER_PAGE: usize = 100;

/// Default number of messages in an answer to `history` or `search`.
pub const DEFAULT_ASKED: u64 = 20;

pub const MAX_HISTORY_ASKED: u64 = 200;

pub const MAX_SEARCH_ASKED: u64 = 100;

/// Most names to suggest for an unknown one.
pub const NAMES_SUGGESTED: usize = 3;

// --- trust ----------------------------------------------------------------------------------

/// Most servers in a user's `known_servers`. Unverified and least recently used ones go first.
pub const MAX_KNOWN_SERVERS: usize = 256;

/// Bytes to read of a `known_servers` file: four times what that many servers take.
pub const MAX_KNOWN_FILE_BYTES: u64 = 1024 * 1024;
