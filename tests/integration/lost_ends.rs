//! Whoever is gone is gone: an end is never missed, however it comes and whatever it comes with.

use crate::support::peer::{DEADLINE, Peer};
use crate::support::process::Serve;
use crate::support::soon;
use crate::support::tls::Key;
use lanchat::limits::PLACES_PER_KEPT;
use rustix::process::Signal;
use serde_json::json;
use socket2::SockRef;
use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant};

const CROWD: usize = 40;

/// A server that can be held still, and somebody on it who stays.
struct Stage {
    server: Serve,
    watcher: Peer,
    /// Descriptors while only the watcher is here.
    before: usize,
}

impl Stage {
    fn new(args: &[&str]) -> Self {
        let server = Serve::start(args);
        let mut watcher = Peer::join(server.address, "watcher");
        watcher.settle();
        let before = descriptors(&server);
        Self { server, watcher, before }
    }

    fn crowd(&self, tls: bool) -> Vec<Peer> {
        let name = |n| format!("guest{n}");
        let join = |n| match tls {
            true => Peer::join_with(self.server.address, &name(n), &Key::new()),
            false => Peer::join(self.server.address, &name(n)),
        };
        (0..CROWD).map(join).collect()
    }

    /// What happens while the server is held still, it finds all at once.
    fn while_still(&self, act: impl FnOnce()) {
        self.server.signal(Signal::STOP);
        act();
        self.server.signal(Signal::CONT);
    }

    /// Waits until nobody else is here, nor has left anything behind.
    fn is_alone(&mut self) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            self.watcher.send(json!({"type": "users", "to": "server", "msg": "", "id": "who"}));
            let users = self.watcher.wait_until(|packet| packet["id"] == "who");
            let open = descriptors(&self.server);
            if users["total"] == 1 && open == self.before {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{} users, {open} descriptors, not {}",
                users["total"],
                self.before
            );
        }
    }
}

fn descriptors(server: &Serve) -> usize {
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap();
    // The store opens files of its own now and then.
    let is_socket = |link: std::path::PathBuf| link.to_string_lossy().starts_with("socket:");
    open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|link| is_socket(link.clone()))
        .count()
}

/// Closes without a word: the other side is told with a reset.
fn reset(peer: Peer) {
    SockRef::from(&peer.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
}

fn is_reset_right_after_a_packet(tls: bool) {
    let mut stage = Stage::new(&[]);
    let crowd = stage.crowd(tls);
    stage.while_still(|| {
        for mut peer in crowd {
            peer.send(json!({"type": "time", "to": "server", "msg": ""}));
            reset(peer);
        }
    });
    stage.is_alone();
}

#[test]
fn who_is_reset_right_after_a_packet_is_gone() {
    is_reset_right_after_a_packet(false);
}

#[test]
fn the_same_with_tls() {
    is_reset_right_after_a_packet(true);
}

#[test]
fn who_is_reset_in_the_middle_of_a_frame_or_record_is_gone() {
    let mut stage = Stage::new(&[]);
    // Nothing is written to such a session, so that no write tells of the end.
    let silent = |mut peer: Peer, name: String| {
        let welcome = peer.hello(json!({"from": {"name": name}, "mode": "send"}));
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        peer
    };
    let address = stage.server.address;
    let plain: Vec<Peer> = (0..CROWD).map(|n| silent(Peer::connect(address), format!("plain{n}"))).collect();
    let tls: Vec<Peer> = (0..CROWD)
        .map(|n| silent(Peer::connect_tls(address, Some(&Key::new())), format!("tls{n}")))
        .collect();
    stage.while_still(|| {
        for mut peer in plain {
            peer.send_raw(br#"{"to":"all","msg":"never fini"#);
            reset(peer);
        }
        for peer in tls {
            // The head of a record of application data, and a part of it.
            (&peer.stream).write_all(&[0x17, 3, 3, 0x20, 0, 1, 2, 3]).unwrap();
            reset(peer);
        }
    });
    stage.is_alone();
}

fn says_a_last_word(tls: bool) {
    let mut stage = Stage::new(&[]);
    let mut crowd = stage.crowd(tls);
    stage.while_still(|| {
        for (n, peer) in crowd.iter_mut().enumerate() {
            peer.send(json!({"to": "watcher", "msg": format!("last word {n}")}));
            if tls {
                peer.end_tls();
            }
            peer.close_sending();
        }
    });
    // The connections end, though nobody here has closed them, and what was said counts.
    for peer in &mut crowd {
        peer.read_to_end();
    }
    let mut heard: Vec<String> = (0..CROWD).map(|_| stage.watcher.text()).collect();
    heard.sort_unstable();
    let mut said: Vec<String> = (0..CROWD).map(|n| format!("last word {n}")).collect();
    said.sort_unstable();
    assert_eq!(heard, said);
    drop(crowd);
    stage.is_alone();
}

#[test]
fn an_end_in_one_segment_with_the_last_word_is_seen() {
    says_a_last_word(false);
}

#[test]
fn the_same_end_with_tls() {
    says_a_last_word(true);
}

#[test]
fn who_is_gone_does_not_go_on_at_their_pace() {
    let mut stage = Stage::new(&["--rate-limit", "1:1"]);
    let crowd = stage.crowd(false);
    stage.while_still(|| {
        for mut peer in crowd {
            // An hour's worth.
            peer.send_raw(&b"{\"type\":\"time\"}\n".repeat(3600));
            reset(peer);
        }
    });
    stage.is_alone();
}

#[test]
fn who_does_not_read_and_is_reset_is_gone() {
    let mut stage = Stage::new(&["--rate-limit", "off"]);
    let crowd = stage.crowd(false);
    for peer in &crowd {
        (&peer.stream).write_all(&b"{\"type\":\"help\"}\n".repeat(200)).unwrap();
    }
    // Their answers have been written as far as the sockets take them.
    stage.watcher.settle();
    stage.while_still(|| crowd.into_iter().for_each(reset));
    stage.is_alone();
}

#[test]
fn a_storm_of_connects_and_resets_leaves_every_place_free() {
    // The last tenth is kept for keys that the server knows, and one is the watcher's.
    const PLACES: usize = 80 - 80 / PLACES_PER_KEPT - 1;
    let mut stage = Stage::new(&["--max-clients", "80"]);
    let address = stage.server.address;
    let storm = |seed: usize| {
        for n in 0..300 {
            let peer = Peer::connect(address);
            let hello =
                json!({"type": "hello", "from": {"name": format!("s{seed}-{n}")}, "to": "server", "msg": ""});
            let _ = (&peer.stream).write_all(format!("{hello}\n").as_bytes());
            match (n + seed) % 4 {
                0 => reset(peer),
                1 => drop(peer),
                2 => drop(peer.stream.shutdown(Shutdown::Write)),
                _ => {
                    let _ = (&peer.stream).write_all(b"{\"type\":\"time\"}\n{\"to\":");
                    reset(peer);
                }
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|seed| drop(scope.spawn(move || storm(seed)))));
    stage.is_alone();
    // The kernel may hold connections of the storm that the server has yet to accept and see ended.
    let join = |n| {
        soon::until(|| {
            let mut peer = Peer::connect(address);
            let answer = peer.hello(json!({"from": {"name": format!("after{n}")}}));
            assert!(answer["type"] == "welcome" || answer["code"] == "server_full", "{answer}");
            (answer["type"] == "welcome").then_some(peer)
        })
    };
    let _again: Vec<Peer> = (0..PLACES).map(join).collect();
}
