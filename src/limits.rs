//! Every bound of lanchat in one place: its value, its unit, and the reason for it.
//!
//! Whoever enforces a bound takes it from here; PROTOCOL.md and the man pages quote these values.

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

/// Most clients a server takes unless told otherwise, if the descriptors allow it.
pub const DEFAULT_MAX_CLIENTS: usize = 10_000;

/// Descriptors kept back for what is no client: listeners, discovery, logs, and the connections
/// that are only told `server_full`.
pub const RESERVED_DESCRIPTORS: usize = 64;

/// From accept to a registered name. A LAN round trip takes under 5 ms; a person typing a first
/// packet by hand needs longer.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long joins and leaves are gathered into one packet.
pub const PRESENCE_WINDOW: Duration = Duration::from_secs(1);

/// Rooms with more members than this are told counts instead of names, so that a crowd's joins
/// cost a packet a second and not one for each member.
pub const PRESENCE_NAMES_MAX_MEMBERS: usize = 500;

/// Names told in one `joined` or `left` packet; more are told as a count.
pub const PRESENCE_NAMES_PER_PACKET: usize = 50;

/// Bytes that may wait for one client that does not read, unless `--backlog` says otherwise.
pub const DEFAULT_BACKLOG_BYTES: usize = 1024 * 1024;

/// Smallest `--backlog`: one frame must always fit.
pub const MIN_BACKLOG_BYTES: usize = MAX_FRAME_BYTES;

/// How long a client may take nothing at all from a backlog before it is closed.
pub const BACKLOG_STALL: Duration = Duration::from_secs(20);

/// Bytes of messages waiting for the flusher before readers stop taking more from their sockets:
/// a sender that is faster than the fan-out is slowed down by TCP, not stored. With a smaller
/// `--backlog` it is a quarter of that, so that no single turn closes a client that reads.
pub const MAX_TURN_BYTES: usize = 256 * 1024;

/// What one connection's packets may add to a turn, in bytes, before others get their chance.
pub const PORTION_BYTES: usize = 64 * 1024;

/// How long they may take. Half of what a LAN's round trip takes at the most.
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

// --- discovery ------------------------------------------------------------------------------

/// Servers kept of one search. A LAN has a handful; this stops a host that announces thousands.
pub const MAX_SERVERS: usize = 64;

/// Addresses kept of one server. Hosts with containers announce a dozen, few of which are reachable.
pub const MAX_SERVER_ADDRS: usize = 16;

/// Bytes of a server's human name as announced. A DNS label holds as many (RFC 1035 2.3.4).
pub const MAX_ANNOUNCED_NAME_BYTES: usize = 63;

/// Bytes of the name's part of the announced label, which with `-` and 8 digits fits one DNS label.
pub const MAX_SLUG_BYTES: usize = 40;

/// Bytes of the largest mDNS packet (RFC 6762 17).
pub const MAX_MDNS_PACKET_BYTES: usize = 9000;

/// Observations waiting for a search's reader. When it is full, one-shot answers are dropped (the
/// question is repeated) and the browser's wait.
pub const SEARCH_QUEUE: usize = 256;

/// How often the announcer looks for new and lost interfaces; the finest its library can do.
pub const INTERFACE_CHECK: Duration = Duration::from_secs(1);

/// The pause after the goodbye, in which it is sent once more. It may be lost like any packet.
pub const GOODBYE_WAIT: Duration = Duration::from_millis(150);

/// When the one-shot question is sent, counted from the start. Dense at first, so that a lost packet
/// costs little; then it ends, because the browser goes on.
pub const ONE_SHOT_SCHEDULE: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(350),
    Duration::from_millis(750),
    Duration::from_millis(1500),
];

/// The pause between the starts of attempts at one server's addresses. No attempt waits for another
/// to fail: a dead address takes 3 to 10 s for that.
pub const PROBE_STAGGER: Duration = Duration::from_millis(25);

/// How long one address may take to connect and answer.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Attempts at the same time, which bounds the descriptors that a hostile announcement costs.
pub const MAX_PROBES: usize = 256;

/// How long to wait for further servers after the first has answered. Twenty of them were complete
/// within 50 ms of the first.
pub const SETTLE: Duration = Duration::from_millis(150);

/// The same while a server that was seen has not answered yet, neither well nor badly.
pub const SETTLE_PENDING: Duration = Duration::from_millis(500);

/// When a search is called slow: the user is told, and the fallbacks start.
pub const SLOW_SEARCH: Duration = Duration::from_secs(1);

/// When a search that found nothing ends, unless the user says otherwise.
pub const SEARCH_TIMEOUT: Duration = Duration::from_secs(3);

/// Networks that a scan goes through, 254 addresses each.
pub const MAX_SCAN_NETWORKS: usize = 4;

/// How long one address may take in a scan. On a LAN an answer takes milliseconds.
pub const SCAN_TIMEOUT: Duration = Duration::from_millis(500);

/// How long `lanchat doctor` waits for further servers after the last that it heard of: longer than
/// the second in which an ordinary browse may find nothing, so that both ways of hearing show.
pub const DOCTOR_QUIET: Duration = Duration::from_millis(1200);
