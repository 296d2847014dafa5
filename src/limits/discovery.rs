//! Limits on finding a server, and on being found.

use std::time::Duration;

/// The port of mDNS (RFC 6762 5).
pub const MDNS_PORT: u16 = 5353;

/// Servers to remember per search. A LAN has a handful; of a host that announces thousands, the latest ones
/// stay.
pub const MAX_SERVERS: usize = 64;

/// Announced servers that a search tries, besides the remembered ones. Beyond it, the one that failed first
/// makes room, so many announcements cannot keep a real server out.
pub const MAX_CANDIDATES: usize = 1024;

/// The lowest announced port to try. Ports below belong to the system (RFC 6335 6), and an announcement must
/// not make all clients connect there.
pub const MIN_ANNOUNCED_PORT: u16 = 1024;

/// Addresses to remember per server. Hosts with containers announce a dozen, few of them reachable.
pub const MAX_SERVER_ADDRS: usize = 16;

/// Bytes of a server's name as announced: the size of a DNS label (RFC 1035 2.3.4).
pub const MAX_ANNOUNCED_NAME_BYTES: usize = 63;

/// Bytes of the name's part of the announced label, which must fit a DNS label with `-` and 8 digits.
pub const MAX_SLUG_BYTES: usize = 40;

/// Bytes of the largest mDNS packet (RFC 6762 17).
pub const MAX_MDNS_PACKET_BYTES: usize = 9000;

/// Observations that wait for a search's reader. Beyond it, one-shot answers are dropped (the question is
/// repeated) and the browser's wait.
pub const SEARCH_QUEUE: usize = 256;

/// How often the announcer looks for new and lost interfaces; its library cannot do it more often.
pub const INTERFACE_CHECK: Duration = Duration::from_secs(1);

/// Interfaces per socket, each with a multicast group. Linux allows 20 (`net.ipv4.igmp_max_memberships`), and
/// the mDNS library briefly joins others at its start.
pub const LINKS_OF_A_SOCKET: usize = 15;

/// Daemons of the mDNS library that announce a server: one per network, up to this many. Each is a thread
/// with two sockets.
pub const MAX_ANNOUNCERS: usize = 8;

/// How often a server retries to share UDP port 5353 while another program blocks it.
pub const PORT_RETRY: Duration = Duration::from_secs(3);

/// When a server first looks for copies of itself, after its start: other machines of a room may start with it.
pub const COPY_FIRST_CHECK: Duration = Duration::from_secs(5);

/// How often a server looks for copies of itself: servers with its key.
pub const COPY_CHECK: Duration = Duration::from_secs(600);

/// How long it listens for their announcements each time.
pub const COPY_LISTEN: Duration = Duration::from_secs(2);

/// Addresses at which it asks, and copies that it logs; each question is a handshake.
pub const COPY_ADDRESSES: usize = 16;

/// The pause before the goodbye is repeated, as a packet may be lost.
pub const GOODBYE_WAIT: Duration = Duration::from_millis(150);

/// When to send the one-shot question on a link, from the start. Close together, so a lost packet costs
/// little.
pub const ONE_SHOT_SCHEDULE: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(50), Duration::from_millis(150), Duration::from_millis(350)];

/// The pause between later questions while nobody has answered on the link: Wi-Fi loses up to 80 % of
/// multicast packets, and of 26 questions in 5 s one still gets through.
pub const ONE_SHOT_PAUSE: Duration = Duration::from_millis(200);

/// How long questions are that frequent: as long as someone waits at a prompt.
pub const ONE_SHOT_EAGER: Duration = Duration::from_secs(10);

/// The pause after an answer, or after that time, until the search ends.
pub const ONE_SHOT_LONG_PAUSE: Duration = Duration::from_secs(1);

/// When to send a question for a `.local` name, from the start.
pub const LOCAL_NAME_SCHEDULE: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(250), Duration::from_millis(1000)];

/// How long to wait for an answer to a `.local` name.
pub const LOCAL_NAME_TIMEOUT: Duration = Duration::from_secs(2);

/// How long to wait for further addresses of a `.local` name: other links and families answer within
/// milliseconds of each other.
pub const LOCAL_NAME_SETTLE: Duration = Duration::from_millis(30);

/// The pause between attempts at one server's addresses. No attempt waits for another to fail: a dead address
/// takes 3 to 10 s for that.
pub const PROBE_STAGGER: Duration = Duration::from_millis(25);

/// How long to wait before trying an announced fe80 address: the server may have another one, in this packet
/// or the next. People can read and type those, and the client tells networks apart by a server's address,
/// which an fe80 address does not allow.
pub const LINK_LOCAL_PAUSE: Duration = Duration::from_millis(100);

/// How long an attempt may be silent before a second one starts beside it. Each costs a server a handshake,
/// and the last of 15,000 simultaneous clients gets its answer after 8 s. Lost packets need no second
/// attempt: the system retransmits them, and [`HEDGE`] covers connections.
pub const BESIDE_PAUSE: Duration = Duration::from_secs(10);

/// When to give up an attempt. If everyone comes at once after a server's start, the last of 15,000 gets its
/// answer after 8 s, and giving up earlier wastes a handshake.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// How long an address may take to connect and answer where nobody waits longer, as in a race of one server's
/// addresses. A handshake costs a server a third of a millisecond.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Simultaneous attempts at one address. The first to prove itself wins.
pub const MAX_BESIDE: usize = 2;

/// Simultaneous attempts in all, to limit the descriptors that hostile announcements cost.
pub const MAX_PROBES: usize = 256;

/// How long an attempt may take before it gives way to another, at [`MAX_PROBES`]. On a LAN, an answer takes
/// milliseconds.
pub const PROBE_TURN: Duration = Duration::from_millis(250);

/// The pause before retrying a failed address: up to a quarter less, at random, so clients do not come at the
/// same moment. A refusal costs the server's machine some microseconds, and its server nothing.
pub const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The pause grows by 1 ms per this number of milliseconds, to 300 ms after 3 s. So a prompt is never offline
/// for longer than that after a restart.
pub const RETRY_GROWTH: u32 = 30;

/// The longest such pause. So a server that starts later is joined within half a second.
pub const RETRY_LONGEST: Duration = Duration::from_millis(400);

/// The pause per known address: a client that remembers 200 servers tries each a little less often, so a
/// search makes at most 500 attempts per second.
pub const RETRY_SHARE: Duration = Duration::from_millis(2);

/// The least pause between two attempts at an address, however often it is announced.
pub const RETRY_LEAST: Duration = Duration::from_millis(100);

/// The pause after an answer that was not the server's, or that refused the client: that cost a handshake. It
/// doubles each time.
pub const ANSWERED_PAUSE: Duration = Duration::from_secs(1);

/// The longest such pause.
pub const ANSWERED_LONGEST: Duration = Duration::from_secs(4);

/// How long a connection may be silent before a second one starts beside it. On a LAN one takes milliseconds;
/// after a lost packet, the system would retry only after a second. It costs a server no handshake, as that
/// starts on the first connection to succeed.
pub const HEDGE: Duration = Duration::from_millis(300);

/// The pause before further ones.
pub const HEDGE_PAUSE: Duration = Duration::from_millis(500);

/// Simultaneous connections to one address: beyond it, a new one replaces the oldest.
pub const MAX_HEDGES: usize = 3;

/// How long to wait for further servers after the first. In tests, twenty were complete within 50 ms.
pub const SETTLE: Duration = Duration::from_millis(150);

/// The same while a server that was seen has not answered yet.
pub const SETTLE_PENDING: Duration = Duration::from_millis(500);

/// When to look up a host named `lanchat`: later than mDNS takes to answer.
pub const LOOKUP_AFTER: Duration = Duration::from_millis(300);

/// When a search counts as slow: the client tells the user, and tries the default gateway, which is the host
/// of a container or of a Linux in Windows.
pub const SLOW_SEARCH: Duration = Duration::from_secs(1);

/// How long to wait for a server by name after the last other one: longer than the second in which an
/// ordinary browse may find nothing.
pub const OTHERS_QUIET: Duration = Duration::from_millis(1200);

/// How long a search without results takes by default.
pub const SEARCH_TIMEOUT: Duration = Duration::from_secs(3);

/// Networks to scan.
pub const MAX_SCAN_NETWORKS: usize = 4;

/// The prefix of the largest network to scan as a whole: 1,022 addresses. In a larger one, a scan tries as
/// many around this machine's own address.
pub const SCAN_PREFIX: u8 = 22;

/// Ports to scan per address: the usual one, and those of known servers.
pub const MAX_SCAN_PORTS: usize = 4;

/// Simultaneous attempts of a scan. Each takes a descriptor, of which a process has 1,024.
pub const MAX_SCAN_PROBES: usize = 384;

/// Addresses that a scan tries at once: a whole /24.
///
/// Linux keeps at most 1,024 neighbours, in all its network namespaces together, and keeps those that do not
/// answer for 3 s. When the table is full, no program on the machine reaches a new IPv4 neighbour; so a scan
/// takes half of it (256 + 3 * 85).
pub const SCAN_BURST: u32 = 256;

/// Addresses per second that a scan tries after these: see [`SCAN_BURST`].
pub const SCAN_PER_SECOND: u32 = 85;

/// How long an address may take in a scan. On a LAN, an answer takes milliseconds.
pub const SCAN_TIMEOUT: Duration = Duration::from_millis(600);

/// How long to wait for further servers in a list after the last one.
pub const LIST_QUIET: Duration = Duration::from_millis(500);

/// How long to listen at least: answers to port 5353 come within 200 ms, and one may be lost.
pub const LIST_LEAST: Duration = Duration::from_millis(600);

/// How long to wait before printing a new server: its addresses of other families come 1 to 20 ms after the
/// first.
pub const LIST_PAUSE: Duration = Duration::from_millis(80);

/// How long Tab in a shell waits for the first server on the network: a delay that people hardly notice, in which
/// servers on a LAN answer several times over.
pub const TAB_SEARCH: Duration = Duration::from_millis(300);

/// How long Tab in a shell waits for further servers after the last one.
pub const TAB_SEARCH_QUIET: Duration = Duration::from_millis(100);

/// Servers on the network, and as many that were joined before, that Tab in a shell offers: more than a screen.
pub const MAX_TAB_SERVERS: usize = 50;

/// Rooms, and as many users, that Tab in a shell offers from each of its sources.
pub const MAX_TAB_NAMES: usize = 100;

/// How long `lanchat doctor` waits for further servers after the last one: longer than the second in which an
/// ordinary browse may find nothing, so the report shows both ways.
pub const DOCTOR_QUIET: Duration = Duration::from_millis(1200);

/// The longest that `lanchat doctor` takes.
pub const DOCTOR_TIME: Duration = Duration::from_millis(5700);

/// How long `lanchat doctor` listens for servers at most: enough to hear all that are announced at the start,
/// with time left to try the last address.
pub const DOCTOR_LISTEN: Duration = Duration::from_millis(2500);

/// When `lanchat doctor` starts its fallbacks: a multicast test with a server that it reached but did not
/// hear, and a scan of the network.
pub const DOCTOR_SEARCH_ON: Duration = Duration::from_millis(1200);

/// How long `lanchat doctor` scans the network: with [`DOCTOR_SEARCH_ON`], less than [`DOCTOR_TIME`].
pub const DOCTOR_SCAN: Duration = Duration::from_millis(3500);

/// How long `lanchat doctor` waits for a connection: where nobody has the address, the system gives up after
/// 3.0 to 3.1 s, which tells that from a firewall.
pub const DOCTOR_CONNECT: Duration = Duration::from_millis(3500);

/// How long `lanchat doctor` waits for an address that is a guess, such as the router's.
pub const DOCTOR_GUESS: Duration = Duration::from_millis(1200);

/// Servers joined before, and machines that speak mDNS, that `lanchat doctor` tries: the latest ones.
pub const MAX_KNOWN_TRIED: usize = 32;

/// Addresses that `lanchat doctor` tries, announced ones first.
pub const DOCTOR_TARGETS: usize = 256;

/// How long a program may take that reports on this machine's firewall.
pub const DOCTOR_COMMAND: Duration = Duration::from_millis(1500);

/// When each side of a multicast test sends a packet, from its start. Several, as one may be lost; the first
/// not at once, as the other side has yet to open its socket.
pub const MULTICAST_TEST_SCHEDULE: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(800),
];

/// How long each side of the test listens.
pub const MULTICAST_TEST_TIME: Duration = Duration::from_millis(1200);

/// Simultaneous multicast tests of a server: a handful of small packets per second.
pub const MULTICAST_TESTS: usize = 2;

/// The pause between two tests from one address.
pub const MULTICAST_TEST_PAUSE: Duration = Duration::from_secs(5);
