//! Something is in the way: what people are told, and whether the cure works that they are given.

use super::super::fakes::Fakes;
use super::super::pasted::{paste, remedies};
use super::super::server::Server;
use super::super::talker::Talker;
use super::{Case, Pair};
use crate::figures::{Outcome, Said, Told};
use crate::lan::{Addressing, Host};
use crate::options::Plan;
use crate::person::{Person, binary};
use nix::sys::signal::Signal;
use std::any::Any;
use std::io::Write;
use std::time::{Duration, Instant};

/// Which side the obstacle is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Server,
    Client,
    /// No line of a firewall would help.
    Nobody,
}

/// A network with a server, and a person who used it before the obstacle appeared.
struct Scene {
    pair: Pair,
    known: Person,
    server: Option<Server>,
    rows: Vec<(&'static str, Said)>,
    /// Kept alive for as long as the scene.
    kept: Vec<Box<dyn Any>>,
}

/// A firewall that lets in answers, and what else is said.
fn lets_in(extra: &str) -> String {
    format!(
        "flush ruleset\ntable inet f {{ chain i {{ type filter hook input priority 0; policy drop; \
         iif lo accept; ct state established,related accept; meta l4proto {{ icmp, ipv6-icmp }} accept; {extra}; }}\n}}"
    )
}

fn output(rules: &str) -> String {
    format!("flush ruleset\ntable inet f {{ chain o {{ type filter hook output priority 0; {rules} }}\n}}")
}

type Block = fn(&mut Scene);

/// Names, the words of then, who has to do something, what is in the way.
const CASES: [(&str, &str, At, Block); 18] = [
    (
        "k1-server-drops-mdns",
        "send 3; doctor 3: Nobody, 0 machines heard; known: doctor 3",
        At::Server,
        |scene| {
            scene.pair.server.nft(&lets_in("tcp dport 7667 accept"));
        },
    ),
    ("k2-server-drops-tcp", "send 3: UDP port 5353?; doctor 4: Silent; cure works", At::Server, |scene| {
        scene.pair.server.nft(&lets_in("udp dport 5353 accept"));
        scene.prompts();
    }),
    (
        "k2b-server-rejects-rst",
        "send 3; doctor 4: nothing listens, start `lanchat serve`",
        At::Server,
        |scene| {
            scene.pair.server.nft(&lets_in("udp dport 5353 accept; tcp dport 7667 reject with tcp reset"));
        },
    ),
    ("k2c-server-prohibits", "send 3: No route to host; doctor 4: Silent", At::Server, |scene| {
        let rules = "udp dport 5353 accept; tcp dport 7667 reject with icmpx admin-prohibited";
        scene.pair.server.nft(&lets_in(rules));
    }),
    ("k3-server-drops-both", "send 3; doctor 3: a guess; cure: half", At::Server, |scene| {
        scene.pair.server.nft(&lets_in("counter"));
    }),
    ("k4-client-lets-in-answers", "send 3; doctor 3: a guess", At::Client, |scene| {
        scene.pair.client.nft(&lets_in("counter"));
    }),
    (
        "k5-client-as-ufw-ships",
        "send 0; doctor 0: all is well, by multicast only; no line",
        At::Client,
        |scene| {
            let rules =
                "ip daddr 224.0.0.251 udp dport 5353 accept; ip6 daddr ff02::fb udp dport 5353 accept";
            scene.pair.client.nft(&lets_in(rules));
        },
    ),
    ("k6-client-forbids-5353", "send 3; doctor 3: ok multicast sockets, Nobody", At::Nobody, |scene| {
        scene.pair.client.nft(&output("udp dport 5353 drop;"));
    }),
    ("k7-client-forbids-7667", "send 3; doctor 4: blames the server's firewall", At::Nobody, |scene| {
        scene.pair.client.nft(&output("tcp dport 7667 drop;"));
    }),
    ("k8-isolation", "send 3; doctor 3: one of three; --host: blames a firewall", At::Nobody, |scene| {
        scene.pair.lan.isolate();
        let host = scene.pair.server.v4().to_string();
        scene.ask("doctor --host", &["doctor", "--host", &host]);
    }),
    ("k9-no-server", "send 3: UDP port 5353?; doctor 3: Nobody", At::Nobody, |scene| {
        if let Some(server) = scene.server.take() {
            server.stop(Signal::SIGTERM);
        }
    }),
    (
        "k10-server-hangs",
        "send 3; doctor --host 4: does not answer as a lanchat server",
        At::Nobody,
        |scene| {
            scene.server.iter().for_each(|server| server.signal(Signal::SIGSTOP));
            let host = scene.pair.server.v4().to_string();
            scene.ask("send --host", &["send", "--host", &host, "hello"]);
            scene.ask("doctor --host", &["doctor", "--host", &host]);
        },
    ),
    ("vpn-kill-switch", "send 3; doctor 3: as k6", At::Nobody, |scene| {
        tunnel(scene);
        scene.pair.client.nft(&output("policy drop; oif lo accept; oifname \"tun0\" accept;"));
    }),
    ("vpn-route", "send 3; doctor 4: blames the server's firewall", At::Nobody, |scene| {
        tunnel(scene);
        scene.pair.client.ip("route add default dev tun0 src 10.8.0.2 table 100\n\
             rule add pref 100 to 10.77.1.0/24 lookup 100");
    }),
    ("other-subnet", "send 3: Network is unreachable; doctor 4: firewalls", At::Nobody, |scene| {
        let own = scene.pair.server.v4();
        scene.pair.server.ip(&format!("addr del {own}/24 dev lan0\naddr add 192.168.7.1/24 dev lan0"));
        std::thread::sleep(Duration::from_millis(2500));
    }),
    (
        "docker-bridges-only",
        "send 3: on docker0, ...; doctor 3: interfaces ok, Nobody",
        At::Nobody,
        |scene| {
            scene.pair.client.link_down("lan0");
            scene.pair.client.add_dead_bridge();
            scene.pair.client.add_container_bridge();
        },
    ),
    ("stale-announcement", "send 3: refused; doctor 4: start `lanchat serve` there", At::Nobody, |scene| {
        if let Some(server) = scene.server.take() {
            server.stop(Signal::SIGTERM);
        }
        let liar = scene.pair.lan.host();
        scene.kept.push(Box::new((Fakes::start(&liar, 1, Some(liar.v4())), liar)));
    }),
    ("wrong-server", "send 3 after 5 s: UDP port 5353?; doctor: not among them", At::Nobody, |scene| {
        scene.ask("send --server", &["send", "--server", "offcie", "hello"]);
        scene.ask("doctor --server", &["doctor", "--server", "offcie"]);
    }),
];

pub fn all() -> Vec<Case> {
    let mut all: Vec<Case> = CASES
        .into_iter()
        .map(|(name, then, at, block)| Case::new(name, then, move |plan| told(plan, at, block)).waits())
        .collect();
    all.push(Case::new("dns-dead", "send 3, 5.0 s; --host nosuch 4: check the spelling", no_names).waits());
    all
}

impl Scene {
    fn new(addressing: Addressing) -> Self {
        let pair = Pair::new(addressing);
        let server = Server::settled(&pair.server, &pair.owner, &["--name", "office"]);
        let known = pair.acquainted();
        Self { pair, known, server: Some(server), rows: Vec::new(), kept: Vec::new() }
    }

    /// What the program tells a newcomer on the client's host.
    fn ask(&mut self, what: &'static str, args: &[&str]) -> String {
        let said = Person::new().run(&self.pair.client, args);
        let text = said.text.clone();
        self.rows.push((what, said));
        text
    }

    /// What the program asks a newcomer at a terminal.
    fn prompts(&mut self) {
        let prompt = Talker::at_terminal(&self.pair.client, &Person::new(), &[]);
        let asked = prompt.until("/n]", 0, Duration::from_secs(9)).or(prompt.until("/N]", 0, Duration::ZERO));
        let took = asked.unwrap_or_else(Instant::now) - prompt.start;
        let text = prompt.text();
        self.rows.push(("prompt", Said { status: None, text, took }));
    }
}

fn told(plan: &Plan, at: At, block: Block) -> Outcome {
    let mut scene = Scene::new(Addressing::V4);
    block(&mut scene);
    if !scene.rows.iter().any(|(what, _)| what.starts_with("send")) {
        scene.ask("send", &["send", "hello"]);
    }
    let is_asked = scene.rows.iter().any(|(what, _)| what.starts_with("doctor"));
    let text = if is_asked { String::new() } else { scene.ask("doctor", &["doctor"]) };
    let known = scene.known.send(&scene.pair.client, &[]);
    scene.rows.push(("send, known", known));
    let known = scene.known.run(&scene.pair.client, &["doctor"]);
    scene.rows.push(("doctor, known", known));
    let mut texts = vec![text];
    if at == At::Server {
        let own = scene.pair.owner.run(&scene.pair.server, &["doctor"]);
        texts.push(own.text.clone());
        scene.rows.push(("doctor, server", own));
    }
    let host = match at {
        At::Server => Some(&scene.pair.server),
        At::Client => Some(&scene.pair.client),
        At::Nobody => None,
    };
    let cure = host.and_then(|host| cure(&scene, host, &texts));
    Outcome::Told(Told { rows: scene.rows, cure, full: plan.all })
}

/// Pastes what doctor told a newcomer, where it has to be, and whether it helped. If it did not, the newcomer follows
/// doctor's other advice, to run it on the server, and pastes what it says there.
fn cure(scene: &Scene, host: &Host, texts: &[String]) -> Option<(String, bool)> {
    let mut pasted: Option<(String, bool)> = None;
    for lines in texts.iter().map(|text| remedies(text)).filter(|lines| !lines.is_empty()) {
        let taken = lines.iter().map(|line| paste(host, line)).fold(false, |any, taken| any | taken);
        let said = Person::new().send(&scene.pair.client, &[]);
        let before = pasted.map_or(String::new(), |(before, _)| format!("{before}, then on the server "));
        let words = format!("{before}{} ({} ms)", lines.join(" and "), said.took.as_millis());
        let works = taken && said.is_good();
        pasted = Some((words, works));
        if works {
            break;
        }
    }
    pasted
}

/// An interface as a VPN has one: what goes into it is not seen again, and nobody is asked for an address.
fn tunnel(scene: &mut Scene) {
    let far = scene.pair.lan.unplugged();
    let path = far.prefix()[1].replace("--net=", "");
    let client = &scene.pair.client;
    client.ip(&format!(
        "link add tun0 type veth peer name far0 netns {path}\nlink set tun0 addrgenmode none\n\
         link set tun0 arp off\naddr add 10.8.0.2/24 dev tun0"
    ));
    far.ip("link set far0 addrgenmode none\nlink set far0 up");
    client.link_up("tun0");
    scene.kept.push(Box::new(far));
}

/// Names cannot be looked up, as the only resolver swallows the questions.
fn no_names(plan: &Plan) -> Outcome {
    let pair = Pair::new(Addressing::V4);
    let resolver = pair.lan.host();
    resolver.nft(
        "table inet f { chain i { type filter hook input priority 0; udp dport 53 drop; tcp dport 53 drop; }
}",
    );
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let text = format!("search lan\nnameserver {}\noptions timeout:2 attempts:1\n", resolver.v4());
    file.write_all(text.as_bytes()).expect("a file");
    let program = binary().display().to_string();
    let path = file.path().display().to_string();
    let rows = [("send", &["send", "hello"][..]), ("doctor --host", &["doctor", "--host", "nosuch"][..])];
    let rows = rows.map(|(what, args)| {
        let script = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
        let words = [&["--mount", "--", "sh", "-c", script, &path, &program], args].concat();
        (what, Person::new().run_program("unshare", &pair.client, &words))
    });
    Outcome::Told(Told { rows: rows.into(), cure: None, full: plan.all })
}
