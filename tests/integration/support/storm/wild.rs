//! A wire as bad as a wire can be: it splits and merges what passes at any byte, stalls, and breaks in
//! several ways, by dice that can be thrown again.

use super::dice::Dice;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long a pump waits for bytes before it looks whether the wire is to break.
const LOOK: Duration = Duration::from_millis(10);

/// How long somebody may read nothing.
const WRITE_DEADLINE: Duration = Duration::from_secs(5);

/// A connection breaks after at most twice this many milliseconds.
const MEAN_LIFE_MS: u64 = 1_200;

/// What it has done.
#[derive(Debug, Default)]
pub struct Damage {
    pub connections: AtomicUsize,
    pub cuts: AtomicUsize,
    pub stalls: AtomicUsize,
    pub splits: AtomicUsize,
}

/// A proxy on a port of its own. Its threads end with their connections, the last one with the process.
pub struct Wild {
    pub address: SocketAddr,
    weather: Arc<Weather>,
}

struct Weather {
    /// Where the server is at the moment.
    server: Mutex<SocketAddr>,
    is_wild: AtomicBool,
    damage: Damage,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Both sides see its end at once, wherever in a frame that is.
    Cut,
    /// The client's last words are on their way for a while, and arrive when it is back already.
    Limbo,
}

/// One connection.
struct Wire {
    client: TcpStream,
    server: TcpStream,
    fate: Fate,
    ends: Instant,
    stalled_until: Mutex<Instant>,
    /// It breaks from here on, for both pumps, even if the weather is calm by the time the second one looks.
    is_breaking: AtomicBool,
    is_over: AtomicBool,
}

impl Wild {
    /// Calm until told otherwise.
    pub fn to(server: SocketAddr, mut dice: Dice) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let weather = Arc::new(Weather {
            server: Mutex::new(server),
            is_wild: AtomicBool::new(false),
            damage: Damage::default(),
        });
        let shared = Arc::clone(&weather);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let dice = dice.fork();
                let server = *shared.server.lock().expect("an address");
                // While the server is down its clients find nobody.
                let Ok(server) = TcpStream::connect(server) else { continue };
                shared.damage.connections.fetch_add(1, Ordering::Relaxed);
                carry(client, server, dice, &shared);
            }
        });
        Self { address, weather }
    }

    /// The server is somewhere else now.
    pub fn lead_to(&self, server: SocketAddr) {
        *self.weather.server.lock().expect("an address") = server;
    }

    /// From now on it does its worst, or nothing.
    pub fn set_wild(&self, is_wild: bool) {
        self.weather.is_wild.store(is_wild, Ordering::Relaxed);
    }

    pub fn damage(&self) -> &Damage {
        &self.weather.damage
    }
}

impl Weather {
    fn is_wild(&self) -> bool {
        self.is_wild.load(Ordering::Relaxed)
    }
}

fn carry(client: TcpStream, server: TcpStream, mut dice: Dice, weather: &Arc<Weather>) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(LOOK)).expect("an option");
        stream.set_write_timeout(Some(WRITE_DEADLINE)).expect("an option");
    }
    let now = Instant::now();
    let wire = Arc::new(Wire {
        client,
        server,
        fate: if dice.chance(30) { Fate::Limbo } else { Fate::Cut },
        ends: now + dice.millis(20, 2 * MEAN_LIFE_MS),
        stalled_until: Mutex::new(now),
        is_breaking: AtomicBool::new(false),
        is_over: AtomicBool::new(false),
    });
    for upward in [true, false] {
        let (wire, weather, dice) = (Arc::clone(&wire), Arc::clone(weather), dice.fork());
        thread::spawn(move || Pump { wire: &wire, weather: &weather, dice, upward }.run());
    }
}

impl Wire {
    fn end(&self, damage: Option<&Damage>) {
        if let (false, Some(damage)) = (self.is_over.swap(true, Ordering::Relaxed), damage) {
            damage.cuts.fetch_add(1, Ordering::Relaxed);
        }
        for stream in [&self.client, &self.server] {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// One direction of a wire.
struct Pump<'a> {
    wire: &'a Wire,
    weather: &'a Weather,
    dice: Dice,
    /// From the client to the server.
    upward: bool,
}

impl Pump<'_> {
    fn run(mut self) {
        let mut buffer = vec![0; 16_384];
        while !self.wire.is_over.load(Ordering::Relaxed) {
            if self.is_due() {
                return self.break_down(&mut buffer);
            }
            // Short reads split as well as short writes.
            let room = if self.weather.is_wild() { self.dice.below(buffer.len()) + 1 } else { buffer.len() };
            match self.from().read(&mut buffer[..room]) {
                Ok(0) => break,
                Ok(length) => {
                    if self.pass_on(&buffer[..length]).is_none() {
                        break;
                    }
                }
                Err(error) if is_idle(error.kind()) => {}
                Err(_) => break,
            }
        }
        self.wire.end(self.is_due().then_some(&self.weather.damage));
    }

    fn from(&self) -> &TcpStream {
        if self.upward { &self.wire.client } else { &self.wire.server }
    }

    fn to(&self) -> &TcpStream {
        if self.upward { &self.wire.server } else { &self.wire.client }
    }

    fn is_due(&self) -> bool {
        let is_due = self.weather.is_wild() && Instant::now() >= self.wire.ends;
        self.wire.is_breaking.fetch_or(is_due, Ordering::Relaxed) || is_due
    }

    /// In pieces, with pauses, and perhaps not to the end.
    fn pass_on(&mut self, mut bytes: &[u8]) -> Option<()> {
        if !self.weather.is_wild() {
            return self.to().write_all(bytes).ok();
        }
        if self.dice.chance(3) {
            let stall = Instant::now() + self.dice.millis(10, 200);
            *self.wire.stalled_until.lock().expect("an instant") = stall;
            self.weather.damage.stalls.fetch_add(1, Ordering::Relaxed);
        }
        self.wait_out_stall();
        if self.dice.chance(30) {
            // What comes meanwhile is merged into the next read.
            thread::sleep(self.dice.millis(0, 4));
        }
        while !bytes.is_empty() {
            let whole = self.dice.chance(60);
            let length = if whole { bytes.len() } else { self.dice.below(bytes.len()) + 1 };
            let (piece, rest) = bytes.split_at(length);
            self.to().write_all(piece).ok()?;
            if !rest.is_empty() {
                self.weather.damage.splits.fetch_add(1, Ordering::Relaxed);
                if self.is_due() && self.wire.fate == Fate::Cut {
                    // In the middle of what was to pass.
                    return None;
                }
                thread::sleep(Duration::from_micros(self.dice.between(0, 500)));
            }
            bytes = rest;
        }
        Some(())
    }

    fn wait_out_stall(&self) {
        let until = *self.wire.stalled_until.lock().expect("an instant");
        thread::sleep(until.saturating_duration_since(Instant::now()));
    }

    fn break_down(mut self, buffer: &mut [u8]) {
        if self.wire.fate == Fate::Limbo {
            if !self.upward {
                // What the server still says is lost; the other pump ends the wire.
                return;
            }
            self.hold_last_words(buffer);
        }
        self.wire.end(Some(&self.weather.damage));
    }

    fn hold_last_words(&mut self, buffer: &mut [u8]) {
        let mut held = Vec::new();
        let until = Instant::now() + self.dice.millis(20, 200);
        while Instant::now() < until {
            match (&self.wire.client).read(buffer) {
                Ok(0) => break,
                Ok(length) => held.extend_from_slice(&buffer[..length]),
                Err(error) if is_idle(error.kind()) => {}
                Err(_) => break,
            }
        }
        let _ = self.wire.client.shutdown(Shutdown::Both);
        thread::sleep(self.dice.millis(20, 300));
        let _ = (&self.wire.server).write_all(&held);
    }
}

fn is_idle(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[test]
fn what_passes_is_torn_and_delayed_but_never_changed() {
    let echo = TcpListener::bind("127.0.0.1:0").expect("a port");
    let wild = Wild::to(echo.local_addr().expect("an address"), Dice::new(super::dice::seed()));
    wild.set_wild(true);
    thread::spawn(move || {
        for stream in echo.incoming().flatten() {
            thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
        }
    });
    let text: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let damage = wild.damage();
    let start = Instant::now();
    let mut passed = 0;
    while passed == 0 || damage.cuts.load(Ordering::Relaxed) < 3 || damage.splits.load(Ordering::Relaxed) < 10
    {
        assert!(start.elapsed() < Duration::from_secs(20), "{damage:?}");
        let stream = TcpStream::connect(wild.address).expect("a connection");
        let writer = stream.try_clone().expect("a clone");
        let sent = text.clone();
        let writing = thread::spawn(move || (&writer).write_all(&sent).is_ok());
        let mut came = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = (&stream).read(&mut buffer) {
            came.extend_from_slice(&buffer[..length]);
        }
        let _ = stream.shutdown(Shutdown::Both);
        writing.join().expect("a writer");
        assert!(text.starts_with(&came), "after {} bytes", came.len());
        passed += came.len();
    }
}
