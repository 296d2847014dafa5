//! A client and servers that restart, crash, are restored and grow apart from one another, by the rules
//! of the real ones on both sides: nothing of the server that the client is on is hidden from it, and
//! nothing is shown twice.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::chat::{Incarnation, Lineage, ResumeClaim};
use crate::client::connection::StartFrom;
use crate::protocol::Since;

/// Numbers that a crash loses.
const RESERVED: u64 = 4;

/// Messages that newcomers get.
const NEWEST: usize = 3;

/// A message: its number, and what no other one is.
type Message = (u64, u32);

#[derive(Debug, Clone)]
struct Server {
    rows: Vec<Incarnation>,
    messages: Vec<Message>,
    latest: u64,
    /// Which it was a copy of, for telling a restart from another history.
    life: u32,
}

impl Server {
    fn start(&mut self, id: u32, is_crash: bool) {
        let last = self.messages.last().map_or(0, |(seq, _)| *seq);
        if let Some(row) = self.rows.last_mut() {
            let told = if is_crash { last } else { self.latest };
            row.last = Some(told.max(row.first - 1));
        }
        self.latest += if is_crash { RESERVED } else { 0 };
        let first = self.latest + 1;
        self.rows.push(Incarnation { id: format!("i{id}").into(), first, last: None, restored: false });
    }

    fn has(&self, uid: u32) -> bool {
        self.messages.iter().any(|(_, known)| *known == uid)
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Say(usize),
    Stop(usize),
    Crash(usize),
    /// Keeps what the server has.
    Backup(usize),
    /// The latest backup takes the server's place.
    Restore(usize),
    /// The latest backup becomes another server.
    Fork,
    /// A new history takes the server's place.
    Delete(usize),
    Visit(usize),
    /// The link breaks after so many of the missed messages.
    Glance(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let server = 0..3usize;
    prop_oneof![
        12 => server.clone().prop_map(Step::Say),
        2 => server.clone().prop_map(Step::Stop),
        2 => server.clone().prop_map(Step::Crash),
        3 => server.clone().prop_map(Step::Backup),
        2 => server.clone().prop_map(Step::Restore),
        1 => Just(Step::Fork),
        1 => server.clone().prop_map(Step::Delete),
        8 => server.clone().prop_map(Step::Visit),
        2 => (server, 0..4usize).prop_map(|(server, most)| Step::Glance(server, most)),
    ]
}

struct Play {
    servers: Vec<Server>,
    backup: Option<Server>,
    next: u32,
    seen: SeenMessages,
    /// The server that the client is on, live.
    on: Option<usize>,
    /// Which life of which server it saw last, and where it had it all last.
    last_life: Option<u32>,
    full_life: Option<u32>,
    /// The messages on that server when the client had all of them.
    had: HashSet<u32>,
    shown: HashMap<u32, usize>,
    /// Messages from before the client's first visit, or reported as a gap.
    old: HashSet<u32>,
    /// May come twice: shown while something was missed, and then the client went elsewhere.
    loose: HashSet<u32>,
    half: HashSet<u32>,
}

impl Play {
    fn new() -> Self {
        let mut server = Server { rows: Vec::new(), messages: Vec::new(), latest: 0, life: 0 };
        server.start(0, false);
        let position = HistoryPosition::new(StartFrom::Newest, None);
        position.enter("server", true);
        Self {
            servers: vec![server],
            backup: None,
            next: 1,
            seen: SeenMessages::new(position),
            on: None,
            last_life: None,
            full_life: None,
            had: HashSet::new(),
            shown: HashMap::new(),
            old: HashSet::new(),
            loose: HashSet::new(),
            half: HashSet::new(),
        }
    }

    fn next(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn step(&mut self, step: Step) {
        let count = self.servers.len();
        match step {
            Step::Say(at) => self.say(at % count),
            Step::Stop(at) => self.start(at % count, false),
            Step::Crash(at) => self.start(at % count, true),
            Step::Backup(at) => self.backup = Some(self.servers[at % count].clone()),
            Step::Restore(at) => {
                let Some(backup) = self.backup.clone() else { return };
                self.servers[at % count] = Server { life: self.next(), ..backup };
                self.start(at % count, true);
            }
            Step::Fork => {
                let Some(backup) = self.backup.clone().filter(|_| count < 3) else { return };
                let life = self.next();
                self.servers.push(Server { life, ..backup });
                self.start(count, true);
            }
            Step::Delete(at) => {
                let life = self.next();
                self.servers[at % count] = Server { rows: Vec::new(), messages: Vec::new(), latest: 0, life };
                self.start(at % count, false);
            }
            Step::Visit(at) => self.visit(at % count, usize::MAX),
            Step::Glance(at, most) => self.visit(at % count, most),
        }
    }

    fn start(&mut self, at: usize, is_crash: bool) {
        let id = self.next();
        self.servers[at].start(id, is_crash);
        self.on = self.on.filter(|on| *on != at);
    }

    fn say(&mut self, at: usize) {
        let uid = self.next();
        let server = &mut self.servers[at];
        server.latest += 1;
        let seq = server.latest;
        server.messages.push((seq, uid));
        if self.on == Some(at) {
            assert!(self.seen.is_new(arrival(seq, is_direct(uid), false)), "a live message is hidden");
            self.show(uid);
            self.had.insert(uid);
        }
    }

    fn show(&mut self, uid: u32) {
        let times = self.shown.entry(uid).or_default();
        *times += 1;
        assert!(*times == 1 || self.loose.contains(&uid) || self.old.contains(&uid), "{uid} twice");
    }

    fn visit(&mut self, at: usize, most: usize) {
        self.on = None;
        let server = self.servers[at].clone();
        let is_same = self.last_life == Some(server.life);
        if !is_same {
            self.loose.extend(self.half.drain());
        }
        let (since, log, logs) = self.seen.position.hello();
        let Some(Since::Seq(since)) = since else { panic!("a number") };
        let lineage = Lineage::new(server.rows.clone()).unwrap();
        let is_first = log.is_none();
        let meeting = (!is_first).then(|| {
            lineage.diverge(ResumeClaim { since, log: log.as_deref(), logs: logs.as_deref() }, server.latest)
        });
        let (common, rewound, stranger) = meeting
            .as_ref()
            .map_or((0, false, None), |meeting| (meeting.common, meeting.rewound, meeting.stranger));
        let welcome = Welcome {
            log: Some(lineage.id().into()),
            logs: lineage.told(meeting.as_ref()),
            since: meeting.as_ref().map(|meeting| meeting.common),
            rewound,
            seq: server.latest,
            ..Welcome::default()
        };
        let has_lost = self.had.iter().any(|uid| !server.has(*uid));
        assert!(!has_lost || rewound, "the client hears of losses");
        assert!(self.full_life != Some(server.life) || has_lost || !rewound, "after a restart nothing is");
        assert_eq!(self.seen.welcomed(&welcome, true).rewound, rewound);
        let newest = server.messages.len().saturating_sub(NEWEST);
        let after = if is_first { server.latest } else { stranger.unwrap_or(common) };
        let is_given = |(place, message): &(usize, &Message)| {
            message.0 > after || *place >= newest && (is_first || stranger.is_some())
        };
        if is_first {
            self.old.extend(server.messages.iter().filter(|(seq, _)| *seq <= after).map(|(_, uid)| *uid));
        }
        let given: Vec<Message> =
            server.messages.iter().enumerate().filter(is_given).map(|(_, message)| *message).collect();
        for (seq, uid) in given.iter().take(most) {
            if self.seen.is_new(arrival(*seq, is_direct(*uid), true)) {
                self.show(*uid);
                self.half.insert(*uid);
            }
        }
        self.last_life = Some(server.life);
        if most < given.len() {
            return;
        }
        self.seen.caught_up(&end(server.latest));
        self.half.clear();
        for (_, uid) in &server.messages {
            let is_had = self.shown.contains_key(uid) || self.old.contains(uid);
            assert!(is_had, "{uid} is hidden on {server:?}");
        }
        self.had =
            server.messages.iter().map(|(_, uid)| *uid).filter(|uid| self.shown.contains_key(uid)).collect();
        self.full_life = Some(server.life);
        self.on = Some(at);
    }
}

fn arrival(seq: u64, is_direct: bool, history: bool) -> IncomingMessage {
    IncomingMessage { seq: Some(seq), is_direct, history }
}

fn end(seq: u64) -> HistoryEnd {
    HistoryEnd { seq, ..HistoryEnd::default() }
}

/// Direct messages are remembered one by one.
fn is_direct(uid: u32) -> bool {
    uid.is_multiple_of(3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nothing_of_the_server_at_hand_is_hidden_or_shown_twice(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        let mut play = Play::new();
        for step in steps {
            play.step(step);
        }
        (0..play.servers.len()).for_each(|at| play.visit(at, usize::MAX));
    }
}

#[test]
fn mail_that_waits_and_is_given_again_is_shown_once_over_a_restart_and_anew_after_a_rewind() {
    let position = HistoryPosition::new(StartFrom::Newest, None);
    position.enter("server", true);
    let mut seen = SeenMessages::new(position);
    let welcome = |log: &str, since: Option<u64>, rewound| Welcome {
        log: Some(log.into()),
        seq: 90,
        since,
        rewound,
        ..Welcome::default()
    };
    seen.welcomed(&welcome("a", None, false), true);
    assert!(seen.is_new(arrival(7, true, true)) && seen.is_new(arrival(40, true, true)));
    seen.caught_up(&end(50));
    seen.welcomed(&welcome("b", Some(50), false), true);
    assert!(!seen.is_new(arrival(40, true, true)));
    seen.caught_up(&end(60));
    seen.welcomed(&welcome("c", Some(20), true), true);
    assert!(!seen.is_new(arrival(7, true, true)));
    assert!(seen.is_new(arrival(40, true, true)), "it is another message");
}
