//! Some clients stop reading: what the others notice, and what becomes of those.

use super::figures::Figures;
use super::phases::Flood;
use crate::rig::clients::Clients;
use crate::rig::peer::State;
use crate::rig::say;
use crate::rig::serve::Server;
use anyhow::Result;
use std::time::{Duration, Instant};

/// One in so many clients is slow.
const SHARE: usize = 100;

/// Bytes of a message, so that buffers fill within the time.
const BYTES: usize = 8 * 1024;

/// Messages that fill what the server keeps for one client, and what the kernel does.
const MESSAGES: u64 = 250;

/// Messages in flight, fewer where they would fill the machine's memory.
const WINDOW: u64 = 16;
const WINDOW_DELIVERIES: u64 = 32_000;

/// How often the server's memory is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How long the slow ones may take to read what is theirs in the end.
const PATIENCE: Duration = Duration::from_secs(6);

/// A flood with all reading, then one with the slow ones stopped. Once the server has given them all
/// up they read again, as somebody whose machine was asleep, and should find out why.
pub fn measure(clients: &mut Clients, server: &Server, time: Duration, figures: &mut Figures) -> Result<()> {
    let first = clients.peers.len();
    let count = (clients.present / SHARE).max(1);
    clients.join(count, 64, Duration::from_secs(30), |_| true)?;
    let window = (WINDOW_DELIVERIES / clients.present as u64).clamp(2, WINDOW);
    let mut memory = Peak::new(server);
    let base = Flood { time, messages: 0, window, bytes: BYTES }.run(clients, |_| memory.look())?;
    clients.idle(Duration::from_millis(200))?;
    let before = memory.most.max(server.process.memory_now()?);
    let faults = clients.tally.faults();
    clients.pause_slow(true)?;
    let (mut memory, mut are_stopped) = (Peak::new(server), true);
    let run = Flood { time, messages: MESSAGES, window, bytes: BYTES }.run(clients, |clients| {
        memory.look()?;
        if are_stopped && server.given_up() >= count {
            are_stopped = false;
            clients.pause_slow(false)?;
        }
        Ok(())
    })?;
    if are_stopped {
        clients.pause_slow(false)?;
    }
    let deadline = Instant::now() + PATIENCE;
    while clients.peers[first..].iter().any(|peer| peer.state == State::In) && Instant::now() < deadline {
        clients.idle(LOOK)?;
    }
    let rate = |run: &super::phases::Run| run.deliveries as f64 / run.time.as_secs_f64();
    let slow = &clients.peers[first..];
    let share = |number: usize| number as f64 / count as f64;
    figures.put("slow_rate", rate(&run) / rate(&base));
    figures.put("slow_bytes", memory.most.saturating_sub(before) as f64 / count as f64);
    figures.put("slow_told", share(slow.iter().filter(|peer| peer.told_slow).count()));
    figures.put("slow_closed", share(slow.iter().filter(|peer| peer.state == State::Closed).count()));
    figures.put("slow_faults", (clients.tally.faults() - faults) as f64);
    say(&format!(
        "  {count} slow readers: the others kept {:.2} of {:.0}/s",
        rate(&run) / rate(&base),
        rate(&base)
    ));
    (first..first + count).for_each(|n| clients.leave(n));
    clients.idle(Duration::from_secs(1))
}

/// The most that a server's memory was.
struct Peak<'a> {
    server: &'a Server,
    next: Instant,
    most: u64,
}

impl<'a> Peak<'a> {
    fn new(server: &'a Server) -> Self {
        Self { server, next: Instant::now(), most: 0 }
    }

    fn look(&mut self) -> Result<()> {
        if Instant::now() >= self.next {
            self.next = Instant::now() + LOOK;
            self.most = self.most.max(self.server.process.memory_now()?);
        }
        Ok(())
    }
}
