//! Bounds of finding a server and being found.

use std::time::Duration;

/// The port of mDNS (RFC 6762 5).
pub const MDNS_PORT: u16 = 5353;

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

/// All that `lanchat doctor` does ends in this time, whatever is out there.
pub const DOCTOR_TIME: Duration = Duration::from_millis(5700);

/// How long `lanchat doctor` listens for servers, at most: what is announced at the beginning is heard by
/// then, and an address that was heard last can still be tried.
pub const DOCTOR_LISTEN: Duration = Duration::from_millis(2500);

/// When `lanchat doctor` goes on to what it does only if need be: a test of multicast with a server that it
/// reached and did not hear, and trying each address of the network.
pub const DOCTOR_SEARCH_ON: Duration = Duration::from_millis(1200);

/// How long `lanchat doctor` waits for a connection: the system gives up after 3.0 to 3.1 s where nobody
/// has the address, which tells that from a firewall.
pub const DOCTOR_KNOCK: Duration = Duration::from_millis(3500);

/// How long `lanchat doctor` waits for an address that is a mere guess, such as the router's.
pub const DOCTOR_GUESS: Duration = Duration::from_millis(1200);

/// Servers that were joined before, and machines that speak mDNS, at which `lanchat doctor` knocks: the
/// latest ones.
pub const MAX_KNOWN_TRIED: usize = 32;

/// Addresses that `lanchat doctor` tries, each of them once; of announced ones first.
pub const DOCTOR_TARGETS: usize = 256;

/// How long a program that is asked about this machine's firewall may take.
pub const DOCTOR_COMMAND: Duration = Duration::from_millis(1500);

/// When each side of a test of multicast sends a packet, counted from its start. Several, as one may be lost;
/// the first not at once, as the other side opens its socket when it is asked to.
pub const MULTICAST_TEST_SCHEDULE: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(800),
];

/// How long each side of such a test listens.
pub const MULTICAST_TEST_TIME: Duration = Duration::from_millis(1200);

/// Tests of multicast that a server does at the same time: a handful of small packets a second in all.
pub const MULTICAST_TESTS: usize = 2;

/// The pause between two tests of one address.
pub const MULTICAST_TEST_PAUSE: Duration = Duration::from_secs(5);
