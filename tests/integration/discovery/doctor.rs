//! What `lanchat doctor` says of networks on which something is wrong.

use super::find::block_multicast;
use super::station::{Station, announcement, ask};
use crate::support::avahi::Avahi;
use crate::support::lan::{Addressing, Host, Lan};
use lanchat::cli::doctor::{Cause, Class, Diagnosis, Examination, Prober, checks};
use lanchat::client::{Error, PageReport, ProbedServer, Untested};
use lanchat::discovery::Proof;
use lanchat::protocol::request::TestToken;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

const OFFICE: &str = "3f9a1c7700112233";
const WAIT: Duration = Duration::from_secs(2);

/// All of it ends in this time, whatever is out there; a little is for a machine that is busy.
const MOST: Duration = Duration::from_millis(7500);

/// Asks stations, of whose keys nothing is known.
#[derive(Clone, Default)]
struct Introduced(Vec<(String, Vec<SocketAddr>)>);

impl Prober for Introduced {
    async fn ask(self, addr: SocketAddr) -> Result<Proof<ProbedServer>, Error> {
        match ask(addr).await {
            Ok(Proof { id, name, .. }) => {
                let link = ProbedServer { key: Ok("new".into()), run: None, closed: false, web: None };
                Ok(Proof { id, name, link })
            }
            Err(error) => Err(Error::Protocol(error.to_string())),
        }
    }

    async fn test(self, _: SocketAddr, _: TestToken) -> Result<bool, Untested> {
        Err(Untested::Impossible("a station knows no tests".into()))
    }

    async fn page(self, _: SocketAddr) -> PageReport {
        unreachable!("a station serves no page")
    }

    fn remembered(&self) -> Vec<(String, Vec<SocketAddr>)> {
        self.0.clone()
    }
}

/// The verdict on the network of a host, and the lines that led to it.
fn examine(host: &Host) -> (Diagnosis, String) {
    examine_by(host, Introduced::default(), None)
}

fn examine_by(host: &Host, prober: Introduced, wanted: Option<&str>) -> (Diagnosis, String) {
    let wanted = wanted.map(str::to_owned);
    let findings = host.block_on(async || Examination::start(prober, wanted).of_network(WAIT).await);
    let lines = checks(&findings).iter().map(|check| format!("{check}\n")).collect();
    (Diagnosis::of(&findings), lines)
}

/// The verdict on a server's address.
fn examine_host(host: &Host, target: &str, port: u16) -> Diagnosis {
    let prober = Introduced::default();
    Diagnosis::of(&host.block_on(async || Examination::start(prober, None).of_host(target, port, true).await))
}

fn helps(verdict: &Diagnosis, line: &str) -> bool {
    verdict.remedies.iter().any(|remedy| remedy.line.contains(line))
}

#[test]
fn a_server_that_answers_is_all_well() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let station = Station::start(&server, OFFICE, "office");
    let (verdict, lines) = examine(&client);
    assert_eq!(verdict.cause, Cause::Well, "{verdict}\n{lines}");
    for line in ["network interfaces: lan0", "multicast sockets", "UDP port 5353", "office (3f9a1c77)"] {
        assert!(lines.lines().any(|told| told.starts_with("ok") && told.contains(line)), "{line}:\n{lines}");
    }
    assert_eq!(examine_by(&client, Introduced::default(), Some("OFFICE")).0.cause, Cause::Well);
    let (verdict, _) = examine_by(&client, Introduced::default(), Some("lab"));
    assert_eq!(verdict.cause, Cause::NotAmongThem);
    assert!(verdict.line.contains("these are here: office (3f9a1c77)"), "{verdict}");
    assert_eq!(examine_host(&client, &server.v6().to_string(), station.port).cause, Cause::Well);
    assert_eq!(examine_host(&client, &format!("[{}]", server.v6()), station.port).cause, Cause::Well);
}

#[test]
fn a_machine_without_network_is_told_to_connect() {
    let Some(lan) = Lan::new() else { return };
    let host = lan.unplugged();
    assert_eq!(examine(&host).0.cause, Cause::NoNetwork);
    host.add_dead_bridge();
    host.ip("link add veth0 type veth peer name veth1\nlink set veth0 up\nlink set veth1 up");
    let (verdict, lines) = examine(&host);
    assert_eq!((verdict.cause, verdict.cause.class()), (Cause::NoNetwork, Class::Here), "{verdict}\n{lines}");
}

#[test]
fn blocked_multicast_is_named_and_a_server_of_before_is_found_all_the_same() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    block_multicast(&client);
    let station = Station::start(&server, OFFICE, "office");
    let (verdict, lines) = examine(&client);
    assert_eq!(verdict.cause, Cause::NobodyHeard, "{verdict}\n{lines}");
    assert!(helps(&verdict, "udp dport 5353 accept") || helps(&verdict, "5353/udp"), "{verdict}");
    let known = Introduced(vec![("office".into(), vec![SocketAddr::from((server.v4(), station.port))])]);
    let (verdict, lines) = examine_by(&client, known, None);
    assert_eq!((verdict.cause, verdict.cause.class()), (Cause::Unheard, Class::Well), "{verdict}\n{lines}");
    assert!(verdict.line.contains("found where it was last time"), "{verdict}");
}

#[test]
fn where_all_are_kept_apart_isolation_is_named() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    lan.isolate();
    let _station = Station::start(&server, OFFICE, "office");
    let (verdict, lines) = examine(&client);
    assert_eq!(verdict.cause, Cause::Alone, "{verdict}\n{lines}");
    assert!(verdict.line.contains("AP isolation"), "{verdict}");
    let verdict = examine_host(&client, &server.v4().to_string(), 7667);
    assert_eq!(verdict.cause, Cause::NotThere, "{verdict}");
}

#[test]
fn where_others_are_heard_there_is_just_no_server() {
    let Some(lan) = Lan::new() else { return };
    let (peer, client) = (lan.host(), lan.host());
    let Some(_avahi) = Avahi::start(&peer) else { return };
    let (verdict, lines) = examine(&client);
    assert_eq!(verdict.cause, Cause::NoServer, "{verdict}\n{lines}");
    assert!(helps(&verdict, "lanchat serve"), "{verdict}");
}

#[test]
fn a_program_that_keeps_the_port_is_told_of() {
    let Some(lan) = Lan::new() else { return };
    let client = lan.host();
    let _selfish = client.run(|| UdpSocket::bind("0.0.0.0:5353").unwrap());
    let (verdict, lines) = examine(&client);
    assert_eq!(verdict.cause, Cause::PortTaken, "{verdict}\n{lines}");
    assert!(helps(&verdict, "ss -ulpn"), "{verdict}");
}

#[test]
fn a_server_behind_a_firewall_is_told_what_to_allow() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let station = Station::start(&server, OFFICE, "office");
    for (rule, cause) in [
        ("meta l4proto tcp drop", Cause::Dropped),
        ("meta l4proto tcp reject with tcp reset", Cause::Refused),
        ("meta l4proto tcp reject with icmpx admin-prohibited", Cause::Rejected),
        // What a limit on ICMP or a lost packet does: only the repeat of each first packet is answered.
        (
            "tcp sport @seen reject with icmpx admin-prohibited; meta l4proto tcp add @seen { tcp sport }; \
             meta l4proto tcp drop",
            Cause::Rejected,
        ),
    ] {
        let seen = "set seen { type inet_service; size 1000; flags dynamic; }";
        let chain = format!("chain input {{ type filter hook input priority 0; {rule}; }}");
        server.nft(&format!("flush ruleset\ntable inet filter {{\n{seen}\n{chain}\n}}\n"));
        let start = Instant::now();
        let (verdict, lines) = examine(&client);
        assert_eq!(verdict.cause, cause, "{rule}: {verdict}\n{lines}");
        assert!(helps(&verdict, &format!("ufw allow {}/tcp", station.port)), "{rule}: {verdict}");
        assert!(start.elapsed() < MOST, "{rule}: {:?}", start.elapsed());
    }
}

#[test]
fn a_machine_that_lets_nothing_out_is_told_so_and_not_the_server() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let station = Station::start(&server, OFFICE, "office");
    let chain = |rule: &str| {
        format!(
            "flush ruleset\ntable inet f {{\nchain o {{ type filter hook output priority 0; {rule}; }}\n}}\n"
        )
    };
    client.nft(&chain("udp dport 5353 drop"));
    let (verdict, lines) = examine(&client);
    // What a server says by itself may still be heard.
    let is_named = matches!(verdict.cause, Cause::SendingForbidden | Cause::QuestionsForbidden);
    assert!(is_named, "{verdict}\n{lines}");
    let known = Introduced(vec![("office".into(), vec![SocketAddr::from((server.v4(), station.port))])]);
    assert_eq!(examine_by(&client, known, None).0.cause, Cause::QuestionsForbidden);
    client.nft(&chain(&format!("tcp dport {} drop", station.port)));
    let (verdict, lines) = examine(&client);
    assert_eq!(verdict.cause, Cause::SendingForbidden, "{verdict}\n{lines}");
}

#[test]
fn a_vpn_that_takes_the_local_network_is_named() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host_with(Addressing::V4), lan.host_with(Addressing::V4));
    let _station = Station::start(&server, OFFICE, "office");
    let net = server.v4().octets()[2];
    client.ip(&format!(
        "link add vpn0 type veth peer name vpn1\nlink set vpn0 up\nlink set vpn1 up\naddr add 10.8.0.2/24 dev vpn0\n\
         route add 10.77.{net}.0/24 dev vpn0 src 10.8.0.2 table 51\nrule add to 10.77.{net}.0/24 lookup 51 pref 100"
    ));
    let (verdict, lines) = examine(&client);
    assert_eq!((verdict.cause, verdict.cause.class()), (Cause::Vpn, Class::Here), "{verdict}\n{lines}");
    assert!(verdict.line.contains("vpn0"), "{verdict}");
}

#[test]
fn many_dead_announcements_take_no_longer_than_one() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let net = server.v4().octets()[2];
    let dead = |from: u8| (from..from + 16).map(|host| IpAddr::from([10, 77, net, host])).collect();
    let _stations: Vec<Station> = [100, 120, 140, 160]
        .into_iter()
        .map(|from| {
            let name = format!("dead {from}");
            let mut announced = announcement(&format!("{from:016x}"), &name);
            announced.advertise = dead(from);
            Station::announced(&server, announced, OFFICE)
        })
        .collect();
    let start = Instant::now();
    let (verdict, lines) = examine(&client);
    assert_eq!(verdict.cause.class(), Class::Unreachable, "{verdict}\n{lines}");
    assert!(start.elapsed() < MOST, "{:?}", start.elapsed());
    assert!(lines.lines().count() < 30, "{lines}");
}

#[test]
fn a_host_is_told_apart_from_its_port_and_from_other_programs() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let addr = SocketAddr::from((server.v4(), 7667));
    let text = server.v4().to_string();
    assert_eq!(examine_host(&client, &text, 7667).cause, Cause::Refused);
    let listener = server.run(|| TcpListener::bind(addr).unwrap());
    // Something that takes connections and ends them.
    let hanging_up = std::thread::spawn(move || listener.incoming().take(2).for_each(drop));
    assert_eq!(examine_host(&client, &text, 7667).cause, Cause::Foreign);
    hanging_up.join().unwrap();
    // Something that takes connections and is silent.
    let _silent = server.run(|| TcpListener::bind((server.v4(), 7668)).unwrap());
    assert_eq!(examine_host(&client, &text, 7668).cause, Cause::Hung);
    let verdict = examine_host(&client, "no-such-host.invalid", 7667);
    assert!(matches!(verdict.cause, Cause::UnknownHost | Cause::NameServers), "{verdict}");
}
