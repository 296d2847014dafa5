//! The options of the command line.

use super::kind::Kind;
use crate::rig::cpus::Cpus;
use std::path::PathBuf;
use std::time::Duration;

pub const HELP: &str = "\
cargo bench --bench load -- [OPTIONS]

  --clients N[,N...]    connections in the room; a table for each count (5000)
  --turns N             times each server is measured; medians are shown (5)
  --only KIND[,KIND...] of floor, plaintext, kept, floor-tls, tls, kept-tls (all that fit);
                        and of floor-ws, ws, half-ws, floor-wss, wss: browsers, only if named;
                        and of leader, follower: one of three servers, only if named (nats-server)
  --brief               without idle time, slow readers and further logins
  --quick               1000 clients, one turn, shorter phases: under a minute
  --chart FILE          draws CPU a delivery over those counts, also with --directs and --rooms, as SVG
  --directs             instead: messages from person to person, in pairs of the clients (400)
  --rooms               instead: 100 rooms of 50, 20 of 500 and 1000 of 3, and a lobby of as many
  --window N            with these: messages of each sender that are under way (8, in rooms 2)
  --storm               instead: all log in in one burst, and come back after a restart (15000)
  --crowd               instead: as many as a process can have, for a minute of silence (19900);
                        both of plaintext, tls, and if named of ws and wss
  --starts              instead: start of the server, and of a client with its prompt
  --prompt              instead: a prompt in a busy room (500)
  --against FILE        with --prompt: another lanchat binary, in the same room
  --cpus S,C|off        CPUs of the server and of its clients (the first two; off if there is one)
  --json                figures as JSON on standard output

Traffic stays on 127.0.0.0/8. Every phase is bounded in messages and time.";

/// Rooms, and members of each.
pub const ROOMS: [(usize, usize); 3] = [(100, 50), (20, 500), (1000, 3)];

/// Clients at most in a short run.
const QUICK_CLIENTS: usize = 1000;

/// The measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Phases,
    Directs,
    Rooms,
    Storm,
    Crowd,
    Starts,
    Prompt,
}

/// The work at each server.
#[derive(Debug, Clone)]
pub struct Plan {
    pub subject: Subject,
    pub clients: Vec<usize>,
    pub turns: usize,
    pub kinds: Vec<Kind>,
    /// Messages of each sender that are under way, where they write to groups.
    pub window: Option<u64>,
    is_quick: bool,
    pub cpus: Cpus,
    pub json: bool,
    pub chart: Option<PathBuf>,
    pub against: Option<PathBuf>,
    pub paced: Duration,
    /// One of the floods, of which the median counts.
    pub flood: Duration,
    pub floods: usize,
    /// Quiet time in which the server's CPU is looked at; zero: none.
    pub idle: Duration,
    /// Flood with slow readers; zero: none.
    pub slow: Duration,
    /// Clients that log in when all others are in.
    pub logins: usize,
}

impl Subject {
    /// The servers, unless it is said.
    fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Directs => &Kind::OF_DIRECTS,
            Self::Rooms => &Kind::OF_ROOMS,
            _ => &Kind::OF_LOBBY,
        }
    }

    /// How many unless it is said.
    fn clients(self) -> usize {
        match self {
            Self::Phases => 5000,
            Self::Directs => 400,
            Self::Rooms => ROOMS.iter().map(|(rooms, members)| rooms * members).max().unwrap_or_default(),
            Self::Storm => 15_000,
            Self::Crowd => 19_900,
            Self::Starts => 1,
            Self::Prompt => 500,
        }
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            subject: Subject::Phases,
            clients: Vec::new(),
            turns: 5,
            kinds: Vec::new(),
            window: None,
            is_quick: false,
            cpus: Cpus::choose(),
            json: false,
            chart: None,
            against: None,
            paced: Duration::from_secs(3),
            flood: Duration::from_secs(1),
            floods: 3,
            idle: Duration::from_secs(5),
            slow: Duration::from_secs(2),
            logins: 2000,
        }
    }
}

impl Plan {
    /// `None`: help was asked for.
    pub fn parse(args: &[String]) -> Result<Option<Self>, String> {
        let mut plan = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--clients" => plan.clients = numbers(arg, value()?)?,
                "--turns" => plan.turns = number(arg, value()?)?,
                "--only" => plan.kinds = kinds(value()?)?,
                "--brief" => plan.be_brief(),
                "--quick" => plan.be_quick(),
                "--cpus" => {
                    let value = value()?;
                    plan.cpus = Cpus::parse(value).ok_or(format!("--cpus: {value:?} is not S,C or off"))?;
                }
                "--chart" => plan.chart = Some(value()?.into()),
                "--directs" => plan.subject = Subject::Directs,
                "--rooms" => plan.subject = Subject::Rooms,
                "--window" => plan.window = Some(number(arg, value()?)? as u64),
                "--storm" => plan.subject = Subject::Storm,
                "--crowd" => plan.subject = Subject::Crowd,
                "--starts" => plan.subject = Subject::Starts,
                "--prompt" => plan.subject = Subject::Prompt,
                "--against" => plan.against = Some(value()?.into()),
                "--json" => plan.json = true,
                // Cargo adds it.
                "--bench" => {}
                "--help" | "-h" => return Ok(None),
                other => return Err(format!("unknown option {other}")),
            }
        }
        if plan.clients.is_empty() {
            let most = if plan.is_quick { QUICK_CLIENTS } else { usize::MAX };
            plan.clients.push(plan.subject.clients().min(most));
        }
        // For the chart.
        plan.clients.sort_unstable();
        if plan.kinds.is_empty() {
            plan.kinds = plan.subject.kinds().to_vec();
        }
        Ok(Some(plan))
    }

    fn be_brief(&mut self) {
        (self.idle, self.slow, self.logins) = (Duration::ZERO, Duration::ZERO, 0);
    }

    fn be_quick(&mut self) {
        (self.is_quick, self.turns) = (true, 1);
        (self.paced, self.idle, self.slow) = (self.paced / 3, Duration::from_millis(500), self.slow / 2);
        (self.flood, self.floods, self.logins) = (self.flood / 2, 1, 200);
    }

    /// The most connections at a time.
    pub fn connections(&self) -> usize {
        let most = self.clients.iter().max().copied().unwrap_or_default();
        match self.subject {
            Subject::Phases => most + most / 100 + 1 + self.logins,
            Subject::Rooms => Subject::Rooms.clients(),
            _ => most,
        }
    }
}

fn number(option: &str, text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or(format!("{option}: {text:?} is no number above 0"))
}

fn numbers(option: &str, text: &str) -> Result<Vec<usize>, String> {
    text.split(',').map(|number_text| number(option, number_text)).collect()
}

fn kinds(text: &str) -> Result<Vec<Kind>, String> {
    text.split(',').map(|name| Kind::parse(name).ok_or(format!("--only: {name:?} is none of them"))).collect()
}
