//! Hostile clients, each of which attacks in one way, again and again.
//!
//! Each is a thread that attacks, is closed by the server or ends, and comes again after a pause. None
//! leaves loopback, and each attack is bounded in time and in what it sends. A new way is a function and
//! a line in [`KINDS`].

mod ends;
mod foe;
mod frames;
mod readers;
mod talkers;

use foe::Foe;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// An attack, until the server closes the connection (an error) or the client has done enough.
type Attack = fn(&Foe) -> io::Result<()>;

const KINDS: [(&str, Attack); 15] = [
    ("a frame that is never finished", frames::unfinished),
    ("many packets with nothing in them", frames::empty),
    ("frames of 64 KiB that are no packets", frames::junk),
    ("answers that are not read", readers::deaf),
    ("answers that are read byte by byte", readers::slow),
    ("resets right after a packet", ends::reset),
    ("ends in the segment of the last packet", ends::last),
    ("handshakes that are not finished", ends::half),
    ("connections that are dropped", ends::dropped),
    ("names that are taken", talkers::renames),
    ("messages to an address", talkers::addressed),
    ("many names of one key", talkers::names),
    ("mail for somebody who is away", talkers::mail),
    ("searches", talkers::searches),
    ("old messages", talkers::resumes),
];

/// Time between two attacks of one.
const PAUSE: Duration = Duration::from_millis(250);

/// See the module. They end with this.
pub struct Hostiles {
    is_over: Arc<AtomicBool>,
    attacks: Arc<[AtomicU64; KINDS.len()]>,
    threads: Vec<JoinHandle<()>>,
}

impl Hostiles {
    /// So many, at least one of each kind, against a server that so many addresses of honest people use.
    pub fn start(server: SocketAddr, wanted: usize, honest: u8) -> io::Result<Self> {
        let mut all = Self { is_over: Arc::default(), attacks: Arc::default(), threads: Vec::new() };
        for number in 0..count(wanted) {
            let foe = Foe::new(server, number, honest, Arc::clone(&all.is_over));
            let attacks = Arc::clone(&all.attacks);
            let name = format!("hostile-{number}");
            let thread = std::thread::Builder::new().name(name).stack_size(1024 * 1024);
            all.threads.push(thread.spawn(move || attack(&foe, number % KINDS.len(), &attacks[..]))?);
        }
        Ok(all)
    }

    /// How often each kind attacked.
    pub fn attacks(&self) -> Vec<(&'static str, u64)> {
        let counts = self.attacks.iter().map(|count| count.load(Ordering::Relaxed));
        KINDS.iter().map(|(name, _)| *name).zip(counts).collect()
    }
}

impl Drop for Hostiles {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A panic is told where it happens.
            let _ = thread.join();
        }
    }
}

/// How many there are if so many are wanted.
pub fn count(wanted: usize) -> usize {
    wanted.max(KINDS.len())
}

/// Descriptors that one has open at the most, here and at the server.
pub const CONNECTIONS_EACH: usize = talkers::NAMES;

fn attack(foe: &Foe, kind: usize, attacks: &[AtomicU64]) {
    while !foe.is_over() {
        attacks[kind].fetch_add(1, Ordering::Relaxed);
        // An error is that the server closed it, as it should.
        let _ = KINDS[kind].1(foe);
        foe.wait(PAUSE);
    }
}
