//! Connections that say nothing, or half of what is needed.

use crate::lan::Lan;
use crate::program::Row;
use crate::stage::{Honest, Stage, addresses, browse_time, join_time};
use crate::tls;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

/// Connections that say little.
const CONNECTIONS: usize = 2000;

/// Promised: what the server may grow by, in MiB.
const MEMORY: f64 = 64.0;

/// How long the server may take to get rid of them, in s: 5 s to the first byte, 10 s to the end of the
/// handshake.
const GONE_SILENT: f64 = 8.0;
const GONE_HALF: f64 = 13.0;

/// How much longer an honest message may take than before, in ms. Machines are shared; a stall would take seconds.
const LATENCY: f64 = 250.0;

/// How long a server is watched under attack.
const WATCHED: Duration = Duration::from_secs(6);

/// Many connections that say the same.
pub struct Attack {
    /// Of the server.
    pub args: &'static [&'static str],
    pub connections: usize,
    /// Addresses besides the first.
    pub further: u8,
    pub said: Vec<u8>,
    /// Said again and again while people talk, as fast as the server reads.
    pub flood: Vec<u8>,
    /// Promised: how long the server may take to end all, in s. `None`: it need not.
    pub gone: Option<f64>,
    /// Upgrades that the server may agree to at most; `None`: it does not matter.
    pub agreed: Option<usize>,
    /// Promised: CPU of the server, in percent of a core; `None`: it does not matter.
    pub cpu: Option<f64>,
}

impl Attack {
    fn new(further: u8, said: Vec<u8>, gone: f64) -> Self {
        let gone = Some(gone);
        Self {
            args: &[],
            connections: CONNECTIONS,
            further,
            said,
            flood: Vec::new(),
            gone,
            agreed: None,
            cpu: None,
        }
    }
}

pub fn silent(lan: &Lan) -> Vec<Row> {
    attack(lan, &Attack::new(0, Vec::new(), GONE_SILENT))
}

pub fn half_of_one(lan: &Lan) -> Vec<Row> {
    attack(lan, &Attack::new(0, half_hello(), GONE_HALF))
}

pub fn half_of_many(lan: &Lan) -> Vec<Row> {
    attack(lan, &Attack::new(63, half_hello(), GONE_HALF))
}

fn half_hello() -> Vec<u8> {
    half(tls::client(None))
}

/// Half of what a client says first.
pub fn half(mut client: rustls::ClientConnection) -> Vec<u8> {
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello.truncate(hello.len() / 2);
    hello
}

pub fn attack(lan: &Lan, attack: &Attack) -> Vec<Row> {
    let stage = Stage::new(lan, attack.args);
    let (attacker, people, newcomer, visitor) = (lan.host(), lan.host(), lan.host(), lan.host());
    let from = addresses(&attacker, attack.further);
    let mut honest = Honest::join(&people, stage.address);
    // Meanwhile the server opens its last files: it listens before it has them all.
    let calm = honest.slowest(10);
    let (before, files, cpu) = (stage.descriptors(), stage.open_files(), stage.cpu());
    let start = Instant::now();
    let (mut open, flooded, during) = std::thread::scope(|scope| {
        let flood = scope.spawn(|| (attacker.run(|| flood(&stage, &from, attack)), start.elapsed()));
        let mut during = 0.0_f64;
        while !flood.is_finished() {
            during = during.max(honest.slowest(1));
        }
        let (open, flooded) = flood.join().unwrap();
        (open, flooded, during)
    });
    let serves_browsers = !attack.args.is_empty();
    let (grown, latency, joined, browsed) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| stage.most(WATCHED, Stage::grown));
        for part in open.chunks(open.len().div_ceil(2).max(1)) {
            let attacker = &attacker;
            scope.spawn(move || attacker.run(|| go_on(part, &attack.flood)));
        }
        let joined = scope.spawn(|| join_time(&newcomer, stage.address, "newcomer"));
        let browsed = serves_browsers.then(|| {
            scope.spawn(|| browse_time(&visitor, stage.address, "visitor").unwrap_or(f64::INFINITY))
        });
        let latency = honest.slowest(20).max(during);
        let browsed = browsed.map(|browsed| browsed.join().unwrap());
        (watch.join().unwrap(), latency, joined.join().unwrap(), browsed)
    });
    let (connections, cpu) = (open.len(), (stage.cpu() - cpu) * 100.0 / start.elapsed().as_secs_f64());
    let gone = attack.gone.map(|gone| (gone, attacker.run(|| wait_for_ends(&mut open, start, gone + 5.0))));
    drop(open);
    let deadline = Instant::now() + Duration::from_secs(5);
    while stage.descriptors() > before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let left = stage.descriptors().saturating_sub(before);
    if left > 0 {
        let (mut new, mut known) = (stage.open_files(), files);
        new.retain(|file| known.iter().position(|known| known == file).map(|at| known.remove(at)).is_none());
        eprintln!("left behind: {new:?}");
    }
    let again = join_time(&newcomer, stage.address, "again");
    let mut rows = vec![
        Row::so(
            "connections made",
            format!("{connections} in {:.1} s", flooded.as_secs_f64()),
            connections > 0,
        ),
        Row::at_most("memory of the server above its start", grown, MEMORY, "MiB"),
        match attack.cpu {
            Some(most) => Row::at_most("CPU of the server, of a core", cpu, most, "%"),
            None => Row::so("CPU of the server, of a core", format!("{cpu:.0} %"), true),
        },
        Row::so("slowest of 10 honest messages before", format!("{calm:.1} ms"), true),
        Row::at_most("slowest of the honest messages meanwhile", latency, calm + LATENCY, "ms"),
        Row::at_most("an honest newcomer joins meanwhile", joined.unwrap_or(f64::INFINITY), 5000.0, "ms"),
        Row::at_most("and again afterwards", again.unwrap_or(f64::INFINITY), 1000.0, "ms"),
        Row::at_most("descriptors left behind", left as f64, 0.0, ""),
    ];
    rows.extend(browsed.map(|time| Row::at_most("an honest browser joins meanwhile", time, 5000.0, "ms")));
    if let Some((bound, (held, agreed))) = gone {
        rows.push(Row::at_most("the last of them is closed after", held, bound, "s"));
        let bound =
            attack.agreed.map(|bound| Row::at_most("upgrades agreed to", agreed as f64, bound as f64, ""));
        rows.extend(bound);
    }
    rows
}

/// Opens the connections, from the addresses in turn. One that is refused is one of them, too.
fn flood(stage: &Stage, from: &[IpAddr], attack: &Attack) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for n in 0..attack.connections {
        if let Ok(mut stream) = stage.connect_from(from[n % from.len()]) {
            // Whoever gets no answer may stop reading.
            stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
            let _ = stream.write_all(&attack.said);
            open.push(stream);
        }
    }
    open
}

/// Floods, if there is something to say, for as long as the others are watched.
fn go_on(open: &[TcpStream], flood: &[u8]) {
    let start = Instant::now();
    let mut said = vec![0; open.len()];
    while !flood.is_empty() && start.elapsed() < WATCHED {
        for (mut stream, said) in open.iter().zip(&mut said) {
            stream.set_nonblocking(true).unwrap();
            // Whole frames, in the end.
            *said = (*said + stream.write(&flood[*said..]).unwrap_or(0)) % flood.len();
        }
    }
    open.iter().for_each(|stream| stream.set_nonblocking(false).unwrap());
}

/// Until the server has ended all of them; seconds since `start`, and how many upgrades it agreed to.
fn wait_for_ends(open: &mut [TcpStream], start: Instant, patience: f64) -> (f64, usize) {
    let mut agreed = 0;
    for stream in open {
        let left =
            Duration::from_secs_f64(patience).saturating_sub(start.elapsed()).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left)).unwrap();
        // Its end may come with an alert or a line.
        let mut said = Vec::new();
        if stream.read_to_end(&mut said).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {
            return (f64::INFINITY, agreed);
        }
        agreed += usize::from(said.starts_with(b"HTTP/1.1 101 "));
    }
    (start.elapsed().as_secs_f64(), agreed)
}
