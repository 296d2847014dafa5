//! Networks with many servers, interfaces, lies and memories.

use super::super::fakes::{Fakes, Holder};
use super::super::server::Server;
use super::super::talker::Talker;
use super::{Case, Pair, sends, tries};
use crate::figures::{Outcome, Times};
use crate::lan::{Addressing, Lan};
use crate::options::Plan;
use crate::person::Person;
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

/// Servers on one network, and how many of them a host has.
const SERVERS: [usize; 2] = [50, 10];

pub fn all() -> Vec<Case> {
    let mut all = vec![
        Case::new("two-nics", "178 / 185 / 299, 20/20", two_nics),
        Case::new("vlans-30-on-server", "VLAN 0-18 yes, 19-29 never", vlans),
        Case::new("bridges-40-on-client", "300 / – / 774, 20/20", bridges),
        Case::new("servers-50-discover", "lists 50 of 50", |_| servers(&["discover", "--timeout", "2s"]))
            .slow(),
        Case::new("servers-50-pick", "190 / 215", |_| servers(&["send", "--server", "room 33", "hello"]))
            .slow(),
        Case::new("port-held-on-client", "194 / 200 / 219, 20/20", |plan| {
            let pair = Pair::new(Addressing::Dual);
            let _holder = Holder::start(&pair.client);
            let _server = Server::settled(&pair.server, &pair.owner, &[]);
            sends(plan, 10, &pair.client, None, &[])
        }),
        Case::new("port-held-on-server-then-free", "never announced again", held).waits(),
    ];
    for (count, then) in [(10, "530-630, found"), (70, "0/3"), (1000, "0/3")] {
        all.push(Case::new(format!("fakes-{count}-first"), then, move |plan| fakes(plan, count)).waits());
    }
    for (count, then) in
        [(1, "516 / 517 / 533, 20/20"), (63, "535 / 539 / 540, 8/8"), (64, "0/8"), (250, "0/8")]
    {
        let run = move |plan: &Plan| remembered(plan, count);
        all.push(Case::new(format!("remembered-dead-{count}"), then, run).waits());
    }
    all
}

fn two_nics(plan: &Plan) -> Outcome {
    let pair = Pair::new(Addressing::Dual);
    pair.lan.plug(&pair.server, "lan1", Addressing::Dual);
    let _server = Server::settled(&pair.server, &pair.owner, &[]);
    sends(plan, 10, &pair.client, None, &[])
}

/// One try from each of some of the networks.
fn vlans(_: &Plan) -> Outcome {
    let lans: Vec<Lan> = (1..=30).map(|n| Lan::numbered(n).expect("network namespaces")).collect();
    let (server, owner) = (lans[0].unplugged(), Person::new());
    for (at, lan) in lans.iter().enumerate() {
        lan.plug(&server, &format!("vlan{at}"), Addressing::V4);
    }
    let _server = Server::settled(&server, &owner, &[]);
    let mut times = Times::default();
    for at in [0, 10, 18, 19, 24, 29] {
        let client = lans[at].host_with(Addressing::V4);
        let said = Person::new().send(&client, &[]);
        times.push(said.is_good().then_some(said.took));
    }
    Outcome::Times(times)
}

fn bridges(plan: &Plan) -> Outcome {
    let pair = Pair::new(Addressing::Dual);
    let lines: Vec<String> = (0..40)
        .map(|n| {
            format!(
                "link add br-{n:04x} type bridge\naddr add 172.20.{n}.1/24 dev br-{n:04x}\n\
                 link add veth{n}a type veth peer name veth{n}b\nlink set veth{n}a master br-{n:04x}\n\
                 link set veth{n}b up\nlink set veth{n}a up\nlink set br-{n:04x} up"
            )
        })
        .collect();
    pair.client.ip(&lines.join("\n"));
    let _server = Server::settled(&pair.server, &pair.owner, &[]);
    sends(plan, 10, &pair.client, None, &[])
}

/// Servers `room 0` and so on; what a newcomer finds of them. `discover` is good if it lists all.
fn servers(args: &[&str]) -> Outcome {
    let lan = Lan::new().expect("network namespaces");
    let client = lan.host();
    let [count, each] = SERVERS;
    let owners: Vec<Person> = (0..count).map(|_| Person::new()).collect();
    let hosts: Vec<_> = (0..count / each).map(|_| lan.host()).collect();
    let servers: Vec<Server> = (0..count)
        .map(|n| {
            let (name, port) = (format!("room {n}"), (7700 + n % each).to_string());
            Server::start(&hosts[n / each], &owners[n], &["--name", &name, "--port", &port])
        })
        .collect();
    for (n, server) in servers.iter().enumerate() {
        server.wait(&hosts[n / each], 7700 + (n % each) as u16);
    }
    std::thread::sleep(Duration::from_millis(1500));
    let mut times = Times::default();
    for _ in 0..5 {
        let said = Person::new().run(&client, args);
        let is_good = match args[0] {
            "discover" => (0..count).all(|n| said.text.contains(&format!("room {n} "))),
            _ => said.is_good(),
        };
        times.push(is_good.then_some(said.took));
    }
    Outcome::Times(times)
}

/// From the end of the program that kept the port.
fn held(plan: &Plan) -> Outcome {
    tries(plan, 2, |_| {
        let pair = Pair::new(Addressing::Dual);
        let holder = Holder::start(&pair.server);
        let _server = Server::listening(&pair.server, &pair.owner, &[]);
        let client = Talker::piped(&pair.client, &Person::new(), &["--timeout", "14s"]);
        std::thread::sleep(Duration::from_secs(1));
        drop(holder);
        let free = Instant::now();
        client.until("connected to", 0, Duration::from_secs(13)).map(|joined| joined - free)
    })
}

/// From the server's start, to a client that waits amid so many announcements of nobody.
fn fakes(plan: &Plan, count: usize) -> Outcome {
    let pair = Pair::new(Addressing::Dual);
    let liar = pair.lan.host();
    tries(plan, 3, |_| {
        let _fakes = Fakes::start(&liar, count, None);
        std::thread::sleep(Duration::from_millis(700));
        let client = Talker::piped(&pair.client, &Person::new(), &["--timeout", "8s"]);
        std::thread::sleep(Duration::from_millis(1500));
        let server = Server::start(&pair.server, &pair.owner, &[]);
        let joined = client.until("connected to", 0, Duration::from_secs(7));
        let took = joined.map(|joined| joined - server.start);
        server.stop(Signal::SIGTERM);
        took
    })
}

/// A new server, for a person who knows that many servers of other networks.
fn remembered(plan: &Plan, count: usize) -> Outcome {
    let pair = Pair::new(Addressing::Dual);
    // A router that lets nothing through, so that nobody answers there, not even with a no.
    let router = pair.lan.host();
    pair.client.ip(&format!("route add default via {}", router.v4()));
    let _server = Server::settled(&pair.server, &pair.owner, &[]);
    tries(plan, 6, |_| {
        let person = Person::new();
        person.remembers(count);
        let said = person.send(&pair.client, &[]);
        said.is_good().then_some(said.took)
    })
}
