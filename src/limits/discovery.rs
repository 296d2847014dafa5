//! Bounds of finding a server and being found.

use std::time::Duration;

/// The port of mDNS (RFC 6762 5).
pub const MDNS_PORT: u16 = 5353;

/// Servers kept of one search. A LAN has a handful; of a host that announces thousands, those that it
/// named last are kept.
pub const MAX_SERVERS: usize = 64;

/// Announced servers that one search tries or has tried, besides the remembered ones. When there are more,
/// the one that failed first makes room, so that nobody who announces much keeps a real server out.
pub const MAX_CONTENDERS: usize = 1024;

/// The lowest port that is tried because somebody announced it. What listens below is the machine's own
/// business (RFC 6335 6), and nobody is to have it knocked at by all who search.
pub const MIN_ANNOUNCED_PORT: u16 = 1024;

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

/// Interfaces that a socket listens on, each by a multicast group. Linux lets it be in 20
/// (`net.ipv4.igmp_max_memberships`), and the mDNS library joins others for a moment when it begins.
pub const LINKS_OF_A_SOCKET: usize = 15;

/// Daemons of the mDNS library that a server is announced by: one a network, until there are so many.
/// Each is a thread with two sockets.
pub const MAX_ANNOUNCERS: usize = 8;

/// How often a server tries to share UDP port 5353 while another program keeps it.
pub const PORT_RETRY: Duration = Duration::from_secs(3);

/// The pause after the goodbye, in which it is sent once more. It may be lost like any packet.
pub const GOODBYE_WAIT: Duration = Duration::from_millis(150);

/// When the one-shot question is first sent on a link, counted from the start. Dense, so that a lost packet
/// costs little.
pub const ONE_SHOT_SCHEDULE: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(50), Duration::from_millis(150), Duration::from_millis(350)];

/// The pause between two later questions while nobody has answered on the link: Wi-Fi loses up to 80 % of
/// multicast packets, and of 26 questions in 5 s one gets through all the same.
pub const ONE_SHOT_PAUSE: Duration = Duration::from_millis(200);

/// How long the questions are that frequent: as long as somebody waits at a prompt.
pub const ONE_SHOT_EAGER: Duration = Duration::from_secs(10);

/// The pause once somebody has answered, or after that time: for as long as the search goes on.
pub const ONE_SHOT_LONG_PAUSE: Duration = Duration::from_secs(1);

/// When a question for a `.local` name is sent, counted from the start.
pub const LOCAL_NAME_SCHEDULE: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(250), Duration::from_millis(1000)];

/// When nobody has answered to a `.local` name.
pub const LOCAL_NAME_TIMEOUT: Duration = Duration::from_secs(2);

/// How long further addresses of a `.local` name are waited for: other links and families answer within
/// milliseconds of each other.
pub const LOCAL_NAME_SETTLE: Duration = Duration::from_millis(30);

/// The pause between the starts of attempts at one server's addresses. No attempt waits for another
/// to fail: a dead address takes 3 to 10 s for that.
pub const PROBE_STAGGER: Duration = Duration::from_millis(25);

/// How long a search waits before it tries an announced fe80 address: the server may have another address, in this
/// packet or the next. People can read and type the others, and the client tells networks apart by a server's
/// address, which an fe80 address does not.
pub const LINK_LOCAL_PAUSE: Duration = Duration::from_millis(100);

/// How long an attempt may be silent before a search begins a second one beside it. Each costs a server a
/// handshake, and the last of 15,000 who come at once is answered after 8 s. Lost packets need no second attempt:
/// the system sends them again, and [`HEDGE`] is for connections.
pub const BESIDE_PAUSE: Duration = Duration::from_secs(10);

/// When an attempt of a search is given up. A server at which everybody comes at once after its start answers the
/// last of 15,000 after 8 s; each attempt that is given up before that costs it a handshake for nothing.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// How long one address may take to connect and answer where nobody waits for longer, as in a race of the addresses
/// of one server. A handshake costs a server a third of a millisecond.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Attempts at one address beside each other. The first to prove itself wins.
pub const MAX_BESIDE: usize = 2;

/// Attempts at the same time, which bounds the descriptors that a hostile announcement costs.
pub const MAX_PROBES: usize = 256;

/// How long an attempt may be under way before it has to give way to another, when there are
/// [`MAX_PROBES`]. On a LAN an answer takes milliseconds.
pub const PROBE_TURN: Duration = Duration::from_millis(250);

/// The pause before an address that failed is tried again: a quarter less at random, so that clients do not
/// come at the same moment. A refusal costs the server's machine some microseconds, and its server nothing.
pub const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// What the pause grows to, by a twentieth each time: after 3 s it is 300 ms. So a prompt is never out for
/// longer than that after a restart, and a server that is started later is joined within half a second.
pub const RETRY_LONGEST: Duration = Duration::from_millis(400);

/// The pause for each address that a search knows: who remembers 200 servers tries each a little less often,
/// so that a search makes no more than 500 attempts a second.
pub const RETRY_SHARE: Duration = Duration::from_millis(2);

/// The least pause between two attempts at an address, however often it is announced anew.
pub const RETRY_LEAST: Duration = Duration::from_millis(100);

/// The pause before the next attempt where something answered and was not the server, or did not let us in:
/// that cost it a handshake. It doubles each time.
pub const ANSWERED_PAUSE: Duration = Duration::from_secs(1);

/// What that pause grows to.
pub const ANSWERED_LONGEST: Duration = Duration::from_secs(4);

/// How long a connection may be silent before a second is begun beside it. On a LAN one takes milliseconds;
/// where a packet was lost, the system itself would send the next after a second. It costs a server no
/// handshake, as that begins on the first of them that comes about.
pub const HEDGE: Duration = Duration::from_millis(300);

/// The pause between further ones.
pub const HEDGE_PAUSE: Duration = Duration::from_millis(500);

/// Connections to one address beside each other: an older one is given up for a new one.
pub const MAX_HEDGES: usize = 3;

/// How long to wait for further servers after the first was heard of. Twenty of them were complete within
/// 50 ms of the first.
pub const SETTLE: Duration = Duration::from_millis(150);

/// The same while a server that was seen has not answered yet, neither well nor badly.
pub const SETTLE_PENDING: Duration = Duration::from_millis(500);

/// When a host named `lanchat` is looked up: later than mDNS takes to answer.
pub const LOOKUP_AFTER: Duration = Duration::from_millis(300);

/// When a search is called slow: the user is told, and the default gateway is tried, which is the host of a
/// container or of a Linux in Windows.
pub const SLOW_SEARCH: Duration = Duration::from_secs(1);

/// How long to wait for a server of a certain name after the last other one was heard of, if nobody has
/// heard of it: longer than the second in which an ordinary browse may find nothing.
pub const OTHERS_QUIET: Duration = Duration::from_millis(1200);

/// When a search that found nothing ends, unless the user says otherwise.
pub const SEARCH_TIMEOUT: Duration = Duration::from_secs(3);

/// Networks that a scan goes through.
pub const MAX_SCAN_NETWORKS: usize = 4;

/// Bits of the network's part in the largest network that is gone through whole: 1,022 addresses. Of a
/// larger one it is as many around this machine's own address.
pub const SCAN_PREFIX: u8 = 22;

/// Ports that a scan tries at each address: the usual one, and those of servers that are known.
pub const MAX_SCAN_PORTS: usize = 4;

/// Attempts of a scan at the same time. Each has a descriptor, of which processes have 1,024.
pub const MAX_SCAN_PROBES: usize = 384;

/// How long one address may take in a scan. On a LAN an answer takes milliseconds.
pub const SCAN_TIMEOUT: Duration = Duration::from_millis(600);

/// How long a list of servers waits for further ones after the last that it heard of.
pub const LIST_QUIET: Duration = Duration::from_millis(500);

/// How long it listens at least: answers to port 5353 come within 200 ms, and one may be lost.
pub const LIST_LEAST: Duration = Duration::from_millis(600);

/// How long a server that was just heard of is not printed yet: the addresses of its other families come
/// 1 to 20 ms after the first.
pub const LIST_PAUSE: Duration = Duration::from_millis(80);

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
pub const DOCTOR_CONNECT: Duration = Duration::from_millis(3500);

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
