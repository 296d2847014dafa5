//! How long it takes to find a server that is there, or comes a little later.

use super::super::server::Server;
use super::super::talker::Talker;
use super::{Case, Pair, sends, tries};
use crate::figures::Outcome;
use crate::lan::{Addressing, Host};
use crate::options::Plan;
use crate::person::Person;
use nix::sys::signal::Signal;
use std::time::Duration;

/// When a server starts after its client, in milliseconds.
const LATER: [u64; 5] = [200, 500, 1000, 2000, 3500];

pub fn all() -> Vec<Case> {
    let mut all = vec![
        Case::new("known", "15 / 31 / 315, 50/50", |plan| there(plan, true, &[])),
        Case::new("unknown", "192 / 257 / 287, 30/30", |plan| there(plan, false, &[])),
        Case::new("host", "12 / 19 / 20, all", |plan| {
            let pair = Pair::new(Addressing::Dual);
            let _server = Server::settled(&pair.server, &pair.owner, &[]);
            sends(plan, 10, &pair.client, None, &["--host", &pair.server.v4().to_string()])
        }),
        Case::new("just-started", "195 / 282 / 391, 20/20", just_started),
        Case::new("later-known", "0/48", |plan| later(plan, true)).waits(),
        Case::new("later-unknown", "302 / 380 / 2823, 20/20", |plan| later(plan, false)).waits(),
        Case::new("ipv6-link-local", "165 / 167 / 170, 20/20", |plan| {
            let pair = Pair::new(Addressing::LinkLocal);
            let _server = Server::settled(&pair.server, &pair.owner, &[]);
            sends(plan, 10, &pair.client, None, &[])
        }),
        Case::new("fe80-client", "0", fe80_client),
        Case::new("169.254", "169 / 171 / 177, 20/20", no_dhcp),
    ];
    for (share, known, then) in [
        (20, true, "434 / 2052 / 8472, 27/30"),
        (20, false, "1766 / 4142 / 6664, 24/30"),
        (50, true, "3119 / – / 8830, 9/30"),
        (50, false, "4093 / – / 4935, 2/30"),
    ] {
        let name = format!("loss-{share}-{}", if known { "known" } else { "unknown" });
        all.push(Case::new(name, then, move |plan| lossy(plan, share, known)).waits());
    }
    all.push(Case::new("loss-20-unknown-joined", "–", lossy_join).waits());
    all.push(Case::new("multicast-loss-80", "359 / 1709 / 1948, 21/30", multicast_loss).waits());
    all
}

fn there(plan: &Plan, known: bool, args: &[&str]) -> Outcome {
    let pair = Pair::new(Addressing::Dual);
    let _server = Server::settled(&pair.server, &pair.owner, &[]);
    let known = known.then(|| pair.acquainted());
    sends(plan, 20, &pair.client, known.as_ref(), args)
}

fn just_started(plan: &Plan) -> Outcome {
    let pair = Pair::new(Addressing::Dual);
    tries(plan, 10, |_| {
        let _server = Server::start(&pair.server, &pair.owner, &[]);
        let said = Person::new().send(&pair.client, &[]);
        said.is_good().then_some(said.took)
    })
}

/// From the server's start to the client's words that it is connected.
fn later(plan: &Plan, known: bool) -> Outcome {
    let pair = Pair::new(Addressing::Dual);
    let known = known.then(|| {
        let server = Server::settled(&pair.server, &pair.owner, &[]);
        let person = pair.acquainted();
        server.stop(Signal::SIGTERM);
        person
    });
    tries(plan, 10, |n| {
        let newcomer = known.is_none().then(Person::new);
        let person = known.as_ref().or(newcomer.as_ref()).expect("a person");
        let client = Talker::piped(&pair.client, person, &["--timeout", "6s"]);
        std::thread::sleep(Duration::from_millis(LATER[n % LATER.len()]));
        let server = Server::start(&pair.server, &pair.owner, &[]);
        let joined = client.until("connected to", 0, Duration::from_secs(7));
        let took = joined.map(|joined| joined - server.start);
        drop(client);
        server.stop(Signal::SIGTERM);
        took
    })
}

fn fe80_client(plan: &Plan) -> Outcome {
    let mut pair = Pair::new(Addressing::Dual);
    pair.client = pair.lan.host_with(Addressing::LinkLocal);
    let _server = Server::settled(&pair.server, &pair.owner, &[]);
    sends(plan, 5, &pair.client, None, &[])
}

fn no_dhcp(plan: &Plan) -> Outcome {
    let pair = Pair::new(Addressing::LinkLocal);
    pair.server.ip("addr add 169.254.3.1/16 dev lan0");
    pair.client.ip("addr add 169.254.3.2/16 dev lan0");
    let _server = Server::settled(&pair.server, &pair.owner, &[]);
    sends(plan, 10, &pair.client, None, &[])
}

/// Drops that share of what comes in and matches.
fn lose(host: &Host, matching: &str, share: u32) {
    host.nft(&format!(
        "table netdev loss {{ chain i {{ type filter hook ingress device lan0 priority 0; \
         {matching} numgen random mod 100 < {share} drop; }}\n}}"
    ));
}

fn lossy(plan: &Plan, share: u32, known: bool) -> Outcome {
    let pair = Pair::new(Addressing::Dual);
    let _server = Server::settled(&pair.server, &pair.owner, &[]);
    let known = known.then(|| pair.acquainted());
    lose(&pair.server, "", share);
    lose(&pair.client, "", share);
    sends(plan, 15, &pair.client, known.as_ref(), &[])
}

/// From the start until the client says that it is connected, without the message and its receipt.
fn lossy_join(plan: &Plan) -> Outcome {
    let pair = Pair::new(Addressing::Dual);
    let _server = Server::settled(&pair.server, &pair.owner, &[]);
    lose(&pair.server, "", 20);
    lose(&pair.client, "", 20);
    tries(plan, 15, |_| {
        let client = Talker::piped(&pair.client, &Person::new(), &[]);
        client.until("connected to", 0, Duration::from_secs(7)).map(|joined| joined - client.start)
    })
}

fn multicast_loss(plan: &Plan) -> Outcome {
    let pair = Pair::new(Addressing::Dual);
    let _server = Server::settled(&pair.server, &pair.owner, &[]);
    lose(&pair.server, "meta pkttype multicast", 80);
    lose(&pair.client, "meta pkttype multicast", 80);
    sends(plan, 15, &pair.client, None, &[])
}
