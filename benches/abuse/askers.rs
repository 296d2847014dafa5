//! People who search all the time, in a history that makes it slow.

use crate::lan::{Host, Lan};
use crate::peer::Peer;
use crate::program::Row;
use crate::stage::{LOOK, Stage};
use crate::talk::Talk;
use crate::tls::Key;
use lanchat::server::HISTORY_FILE;
use lanchat::store::{Retention, Store};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const MESSAGES: u64 = 200_000;

/// A search for text that every message may contain, according to the index, but none does.
const WORST: &str = "\"1 w w\"";

/// How long honest people ask while others search.
const TIME: Duration = Duration::from_secs(6);

/// What others' searches may hold up one's own by, in ms: the one that runs, and one of somebody who has
/// had less.
const LATENCY: f64 = 2.0 * 250.0 + 100.0;

/// Of a core, for one address that does nothing else, in percent: a quarter, and what honest people ask.
const SHARE: f64 = 35.0;

pub fn searches(lan: &Lan) -> Vec<Row> {
    let stage = Stage::with(lan, &[], fill);
    let people = lan.host();
    let mut honest = people.run(|| Peer::join_with(stage.address, "honest", &Key::new()));
    let before = ask_for(&people, &mut honest, TIME / 3);
    let mut rows = vec![
        Row::so("slowest honest /history before", format!("{:.1} ms", before.history), true),
        Row::so("slowest honest /search before", format!("{:.1} ms", before.search), true),
    ];
    let one = [lan.host()];
    let ten: Vec<Host> = (0..10).map(|_| lan.host()).collect();
    for (what, hosts, each) in [
        (
            ["one searches: slowest honest /history", "slowest honest /search", "the server's CPU"],
            &one[..],
            1,
        ),
        (
            ["ten of one address: slowest honest /history", "slowest honest /search", "the server's CPU"],
            &one,
            10,
        ),
        (
            ["ten of ten addresses: slowest honest /history", "slowest honest /search", "the server's CPU"],
            &ten,
            1,
        ),
    ] {
        let (during, cpu) = attacked(&stage, hosts, each, || ask_for(&people, &mut honest, TIME));
        rows.push(Row::at_most(what[0], during.history, before.history + LATENCY, "ms"));
        rows.push(Row::at_most(what[1], during.search, before.search + LATENCY, "ms"));
        // Ten hosts have a quarter of a core each, of the one core that there is for searches.
        rows.push(Row::at_most(what[2], cpu, if hosts.len() > 1 { 110.0 } else { SHARE }, "%"));
    }
    rows
}

fn fill(dir: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (store, archive) = Store::open(&dir.join(HISTORY_FILE), Retention::default()).unwrap();
        let mut talk = Talk::after(archive.seq);
        while talk.seq() < MESSAGES {
            store.commit(talk.batch_of(1000, 20)).await.unwrap();
        }
        store.close().await;
    });
}

/// The slowest answers, in ms.
#[derive(Default)]
struct Slowest {
    history: f64,
    search: f64,
}

/// A user searches, no faster than a person may.
fn ask_for(host: &Host, peer: &mut Peer, time: Duration) -> Slowest {
    let (start, mut slowest) = (Instant::now(), Slowest::default());
    host.run(|| {
        while start.elapsed() < time {
            slowest.history = slowest.history.max(ask(peer, json!({"type": "history", "limit": 50})));
            slowest.search = slowest.search.max(ask(peer, json!({"type": "search", "msg": "w777 w3"})));
            std::thread::sleep(Duration::from_millis(450));
        }
    });
    slowest
}

/// How long the answer takes, in ms.
fn ask(peer: &mut Peer, mut question: Value) -> f64 {
    question["to"] = "server".into();
    question["id"] = "q".into();
    let start = Instant::now();
    peer.send(question);
    peer.wait_until(|packet| packet["id"] == "q" && packet["history"].is_null());
    start.elapsed().as_secs_f64() * 1000.0
}

/// What `meanwhile` returns while `each` sessions of each host search, and the server's CPU in percent of
/// a core.
fn attacked<T>(stage: &Stage, hosts: &[Host], each: usize, meanwhile: impl FnOnce() -> T) -> (T, f64) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (is_over, round) = (&is_over, hosts.len() * 100 + each);
        for (n, host) in hosts.iter().enumerate() {
            for number in 0..each {
                scope.spawn(move || {
                    host.run(|| search(stage.address, &format!("greedy-{round}-{n}-{number}"), is_over))
                });
            }
        }
        // Their initial allowance is used up.
        std::thread::sleep(Duration::from_secs(2));
        let (start, cpu) = (Instant::now(), stage.cpu());
        let result = meanwhile();
        let share = (stage.cpu() - cpu) / start.elapsed().as_secs_f64() * 100.0;
        is_over.store(true, Ordering::Relaxed);
        (result, share)
    })
}

/// Asks as often as is allowed, and does not wait for answers.
fn search(address: SocketAddr, name: &str, is_over: &AtomicBool) {
    let mut peer = Peer::join_with(address, name, &Key::new());
    while !is_over.load(Ordering::Relaxed) {
        peer.send(json!({"type": "search", "to": "server", "msg": WORST, "id": "w"}));
        peer.settle();
        std::thread::sleep(LOOK);
    }
}
