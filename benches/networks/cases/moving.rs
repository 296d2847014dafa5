//! A running prompt through restarts, and changes of addresses and links.

use super::super::server::Server;
use super::super::talker::Talker;
use super::{Case, Pair, tries};
use crate::figures::Outcome;
use crate::lan::{Addressing, Host};
use crate::options::Plan;
use crate::person::Person;
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

/// How long a prompt may take to come back.
const PATIENCE: Duration = Duration::from_secs(32);

/// How long others may take to notice that a host sleeps, whose connections stay open.
const NOTICED: Duration = Duration::from_secs(90);

/// How long it sleeps then: longer than a new server counts as young.
const SLEEP: Duration = Duration::from_secs(70);

/// A change in a network.
type Change = fn(&Pair);

pub fn all() -> Vec<Case> {
    let mut all = Vec::new();
    for (signal, what, thens) in [
        (Signal::SIGTERM, "term", ["7000", "6700", "6000", "4000", "6000"]),
        (Signal::SIGKILL, "kill", ["180", "3100", "2600", "450", "3400"]),
    ] {
        for (down, then) in [0, 300, 1000, 3000, 8000].into_iter().zip(thens) {
            let case =
                Case::new(format!("restart-{what}-{down}ms"), then, move |plan| restart(plan, signal, down));
            all.push(case.waits());
        }
    }
    let moves: [(&str, &str, Change); 5] = [
        ("server-address-changes", "23-25 s", |pair| renumber(pair, true)),
        ("client-address-changes", "about 25 s", |pair| renumber(pair, false)),
        ("client-link-5s", "1900 (30 s down)", |pair| {
            pair.client.link_down("lan0");
            std::thread::sleep(Duration::from_secs(5));
            pair.client.link_up("lan0");
        }),
        ("server-link-5s", "400 (30 s down)", |pair| {
            pair.server.link_down("lan0");
            std::thread::sleep(Duration::from_secs(5));
            pair.server.link_up("lan0");
        }),
        ("server-roams", "20 s", |pair| {
            pair.server.link_down("lan0");
            std::thread::sleep(Duration::from_secs(5));
            renumber(pair, true);
            pair.server.link_up("lan0");
        }),
    ];
    for (name, then, change) in moves {
        all.push(Case::new(name, then, move |plan| moved(plan, change)).waits());
    }
    all.push(Case::new("sleeper-wakes", "never", sleeper_wakes).slow().waits());
    all
}

fn prompt(pair: &Pair, who: &Person) -> Talker {
    let prompt = Talker::at_terminal(&pair.client, who, &["--name", "prompt"]);
    assert!(prompt.until("connected to", 0, Duration::from_secs(10)).is_some(), "the prompt did not connect");
    prompt
}

/// From the server's second start until the prompt is connected again.
fn restart(plan: &Plan, signal: Signal, down: u64) -> Outcome {
    let (pair, who) = (Pair::new(Addressing::Dual), Person::new());
    tries(plan, if down > 1000 { 2 } else { 4 }, |_| {
        let server = Server::settled(&pair.server, &pair.owner, &[]);
        let prompt = prompt(&pair, &who);
        let printed = prompt.printed();
        server.stop(signal);
        std::thread::sleep(Duration::from_millis(down));
        let server = Server::start(&pair.server, &pair.owner, &[]);
        let back = prompt.until("connected again", printed, PATIENCE);
        back.map(|back| back - server.start)
    })
}

/// From the end of a change until the prompt shows a message that was sent right after it.
fn moved(plan: &Plan, change: Change) -> Outcome {
    tries(plan, 2, |n| {
        // IPv4 only, so that nothing else carries the connection.
        let (pair, who) = (Pair::new(Addressing::V4), Person::new());
        let _server = Server::settled(&pair.server, &pair.owner, &[]);
        let prompt = prompt(&pair, &who);
        change(&pair);
        let changed = Instant::now();
        let text = format!("after the change {n}");
        let other = Person::new();
        let sent = other.run(&pair.server, &["send", "--no-discovery", "--host", "127.0.0.1", &text]);
        assert!(sent.is_good(), "the message was not sent: {}", sent.verdict());
        prompt.until(&text, 0, PATIENCE).map(|shown| shown - changed)
    })
}

/// A machine that hosts goes to sleep, two others go on without it, and it wakes: from then until its user
/// reads what one of them says.
fn sleeper_wakes(plan: &Plan) -> Outcome {
    tries(plan, 2, |_| {
        let pair = Pair::new(Addressing::V4);
        let third = pair.lan.host_with(Addressing::V4);
        let (alice, bob, carol) = (Person::new(), Person::new(), Person::new());
        alice.calls_server("alice's desk");
        bob.calls_server("bob's desk");
        let mut sleeper = hosting(&pair.server, &alice)?;
        let mut stays = Talker::at_terminal(&pair.client, &bob, &["--name", "bob"]);
        stays.until("connected to", 0, PATIENCE)?;
        let other = Talker::at_terminal(&third, &carol, &["--name", "carol"]);
        other.until("connected to", 0, PATIENCE)?;
        sleeper.signal(Signal::SIGSTOP);
        pair.server.link_down("lan0");
        stays.until("Start one here anyway?", 0, NOTICED)?;
        let (before, others) = (stays.printed(), other.printed());
        stays.enter("y");
        stays.until("connected to", before, PATIENCE)?;
        // Past the time in which a young server gives way to any.
        std::thread::sleep(SLEEP);
        other.until("connected", others, PATIENCE)?;
        pair.server.link_up("lan0");
        sleeper.signal(Signal::SIGCONT);
        let woken = Instant::now();
        let (slept, deadline) = (sleeper.printed(), woken + SLEEP);
        let mut said = 0;
        while Instant::now() < deadline {
            said += 1;
            stays.enter(&format!("are you there {said}"));
            if let Some(heard) = sleeper.until("<bob> are you there", slept, Duration::from_secs(1)) {
                let answered = stays.printed();
                sleeper.enter("yes");
                return stays.until("<alice> yes", answered, PATIENCE).map(|_| heard - woken);
            }
        }
        None
    })
}

/// A prompt whose user takes the offer to host.
fn hosting(host: &Host, who: &Person) -> Option<Talker> {
    let mut prompt = Talker::at_terminal(host, who, &["--name", "alice"]);
    prompt.until("Start one here?", 0, PATIENCE)?;
    let before = prompt.printed();
    prompt.enter("y");
    prompt.until("connected to", before, PATIENCE)?;
    Some(prompt)
}

/// Another address for the server or the client, as a new lease of DHCP gives it.
fn renumber(pair: &Pair, server: bool) {
    let (host, new) = if server { (&pair.server, 201) } else { (&pair.client, 202) };
    let [a, b, c, _] = host.v4().octets();
    host.ip(&format!("addr del {}/24 dev lan0\naddr add {a}.{b}.{c}.{new}/24 dev lan0", host.v4()));
}
