//! What happens to real servers, over and over, under people who talk: kills, older backups put back, a clock
//! that is wrong, a full disk, a database that is deleted. Judged message by message.

mod diary;
mod judge;
mod person;
mod point;
mod selfcheck;
mod stage;
mod truth;

use crate::storm::dice::Dice;
use crate::storm::herald::{DEADLINE, Herald, comes_to};
use crate::storm::member::Identity;
use crate::storm::server::names;
use crate::tls::Key;
use diary::{Diary, Said};
use judge::{Case, Fault, Verdict};
use person::{Orders, Part, Person, ROOM};
use stage::Stage;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// The talkers; the last one has a token and no key.
const TALKERS: [&str; 4] = ["ann", "bob", "cleo", "eve"];

/// The user who is offline most of the time.
const AWAY: &str = "olaf";

/// How long people talk from one fault to the next, in milliseconds.
const TALK_MS: (u64, u64) = (300, 1_200);

/// Within this time after there is room again, messages are stored again.
const MENDED: Duration = Duration::from_secs(15);

const DAY: i64 = 86_400;

/// How wrong the clock gets, in seconds.
const WRONG: [i64; 5] = [0, DAY, -DAY, 365 * DAY, -365 * DAY];

/// How big a run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    pub rounds: usize,
    /// When it ends in any case.
    pub minutes: u64,
    /// A message is taken away behind everybody's back: the judge is to find that.
    pub lose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Kill,
    Stop,
    Restore,
    Clock,
    Disk,
    Delete,
}

/// One round each, in a new order every time.
const ROUNDS: [Kind; 10] = [
    Kind::Kill,
    Kind::Kill,
    Kind::Kill,
    Kind::Stop,
    Kind::Restore,
    Kind::Restore,
    Kind::Clock,
    Kind::Clock,
    Kind::Disk,
    Kind::Delete,
];

/// The result.
pub struct Report {
    verdict: Verdict,
    rounds: BTreeMap<Kind, usize>,
    figures: Vec<(String, usize)>,
    lose: bool,
}

impl Report {
    /// Whether all is as it should be.
    pub fn is_good(&self) -> bool {
        match self.lose {
            true => self.verdict.faults.iter().any(|(kind, _)| *kind == Fault::Lost),
            false => self.verdict.faults.is_empty(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, count) in &self.rounds {
            let what = match kind {
                Kind::Kill => "kills",
                Kind::Stop => "stops",
                Kind::Restore => "older states put back",
                Kind::Clock => "steps of the clock",
                Kind::Disk => "full disks",
                Kind::Delete => "deletions of the database",
            };
            writeln!(f, "{count:>8} {what}")?;
        }
        for (what, count) in &self.figures {
            writeln!(f, "{count:>8} {what}")?;
        }
        let mut kinds: BTreeMap<Fault, Vec<&str>> = BTreeMap::new();
        for (kind, what) in &self.verdict.faults {
            kinds.entry(*kind).or_default().push(what);
        }
        for (kind, faults) in &kinds {
            writeln!(f, "{:>8} FAULTS: {kind}", faults.len())?;
            for fault in faults.iter().take(4) {
                writeln!(f, "           {fault}")?;
            }
        }
        writeln!(f, "{:>8} faults", self.verdict.faults.len())
    }
}

/// Runs it; what is wrong is in the report, or what is wrong with the judge.
pub fn run(plan: Plan) -> Result<Report, Vec<String>> {
    let wrong = selfcheck::run();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut run = Run::begin(plan);
    let until = Instant::now() + Duration::from_secs(60 * plan.minutes);
    let mut deck = Vec::new();
    for round in 0..plan.rounds {
        if Instant::now() > until {
            println!("ended after {round} rounds, as {} minutes are over", plan.minutes);
            break;
        }
        if deck.is_empty() {
            deck = ROUNDS.to_vec();
        }
        let kind = deck.swap_remove(run.dice.below(deck.len()));
        run.round(kind);
    }
    Ok(run.end())
}

struct Run {
    plan: Plan,
    dice: Dice,
    stage: Stage,
    orders: Arc<Orders>,
    people: Vec<Person>,
    rounds: BTreeMap<Kind, usize>,
    wrong: i64,
    faults: Vec<String>,
}

impl Run {
    /// Everybody is there, and talks.
    fn begin(plan: Plan) -> Self {
        let mut dice = Dice::new(plan.seed);
        let parts: Vec<Part> = TALKERS.iter().chain([&AWAY]).map(|name| part(name)).collect();
        let stage = Stage::begin(&names(parts.iter().map(|part| (part.name.as_str(), &part.identity))));
        let orders = Arc::new(Orders::default());
        let start = |part| Person::start(part, stage.place(), &orders, dice.fork());
        let people: Vec<_> = parts.into_iter().map(start).collect();
        let mut faults = Vec::new();
        if !comes_to(|| people.iter().all(|one| !one.diary().returns.is_empty())) {
            faults.push("not everybody comes in".to_owned());
        }
        orders.talk.store(true, Ordering::Relaxed);
        Self { plan, dice, stage, orders, people, rounds: BTreeMap::new(), wrong: 0, faults }
    }

    fn round(&mut self, kind: Kind) {
        thread::sleep(self.dice.millis(TALK_MS.0, TALK_MS.1));
        if self.dice.chance(30) && !self.stage.back_up() {
            self.faults.push("lanchat backup fails".into());
        }
        let kind = match kind {
            Kind::Restore if !self.stage.has_state() => Kind::Kill,
            Kind::Clock if !self.stage.has_clock() => Kind::Stop,
            Kind::Disk if !self.stage.has_disk() => Kind::Kill,
            possible => possible,
        };
        *self.rounds.entry(kind).or_default() += 1;
        match kind {
            Kind::Kill | Kind::Stop => {
                self.stage.end(kind == Kind::Kill);
                if self.dice.chance(30) {
                    self.stage.copy(self.dice.chance(50));
                }
                self.stage.start();
            }
            Kind::Restore => {
                thread::sleep(self.dice.millis(TALK_MS.0, TALK_MS.1));
                self.stage.end(self.dice.chance(50));
                self.stage.put_back(self.dice.below(usize::MAX));
                self.stage.start();
            }
            Kind::Clock => self.set_clock(),
            Kind::Disk => self.fill_disk(),
            Kind::Delete => {
                self.stage.delete();
                thread::sleep(self.dice.millis(1_000, 3_000));
                self.stage.end(true);
                self.stage.start();
            }
        }
    }

    /// Another time, under the server or at its start.
    fn set_clock(&mut self) {
        let others: Vec<i64> = WRONG.into_iter().filter(|wrong| *wrong != self.wrong).collect();
        self.wrong = *self.dice.pick(&others);
        let at_start = self.dice.chance(50);
        if at_start {
            self.stage.end(self.dice.chance(50));
        }
        self.stage.set_clock(self.wrong);
        if at_start {
            self.stage.start();
        }
        thread::sleep(self.dice.millis(TALK_MS.0, TALK_MS.1));
    }

    fn fill_disk(&mut self) {
        self.orders.loud.store(true, Ordering::Relaxed);
        self.stage.fill_disk();
        let full = Instant::now();
        if !self.has_receipt(full, false) {
            self.faults.push("the disk is full, and everything is stored".into());
        }
        thread::sleep(self.dice.millis(200, 1_000));
        if self.dice.chance(30) {
            // The server also forgets messages that it could not store.
            self.stage.end(true);
            self.stage.free_disk();
            self.stage.start();
        } else {
            self.stage.free_disk();
        }
        self.orders.loud.store(false, Ordering::Relaxed);
        let free = Instant::now();
        if !self.has_receipt(free, true) {
            self.faults.push(format!("there is room again, and after {MENDED:?} nothing is stored"));
        }
    }

    /// Waits for a receipt of something said after that, which is stored or not.
    fn has_receipt(&self, after: Instant, is_stored: bool) -> bool {
        let start = Instant::now();
        let is_one = |said: &Said| {
            said.receipts.iter().any(|receipt| receipt.sent > after && receipt.seq.is_some() == is_stored)
        };
        while start.elapsed() < MENDED {
            if self.people.iter().any(|one| one.diary().said.iter().rev().take(200).any(is_one)) {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// All is well again: everything gets its receipt, and everybody has the last words.
    fn end(mut self) -> Report {
        self.stage.set_clock(0);
        if self.plan.lose {
            thread::sleep(self.dice.millis(TALK_MS.0, TALK_MS.1));
            self.stage.end(true);
            println!("a message is taken away: {}", self.stage.lose_one());
            self.stage.start();
        }
        self.orders.talk.store(false, Ordering::Relaxed);
        self.orders.settle.store(true, Ordering::Relaxed);
        self.wait("has receipts for all", |diary| diary.is_live && diary.unsent() == 0);
        let address = self.stage.place().lock().expect("a place").expect("a server").0;
        let mut herald = Herald::new();
        let last = "herald 0 to all: the last words";
        let sent = Instant::now();
        let seq = herald.say(address, "all", last);
        self.wait("is shown the last words", |diary| diary.has_shown(last));
        let mut people: Vec<Diary> = std::mem::take(&mut self.people).into_iter().map(Person::stop).collect();
        let receipt = diary::Receipt { life: self.stage.life, sent, seq: Some(seq) };
        people.push(Diary {
            name: "herald".into(),
            said: vec![Said {
                id: "h0".into(),
                to: "all".into(),
                text: last.into(),
                sends: vec![(self.stage.life, sent)],
                receipts: vec![receipt],
                refused: None,
                is_back: false,
            }],
            ..Diary::default()
        });
        self.stage.end(false);
        self.report(&people)
    }

    /// If this never happens for a user, that is a fault.
    fn wait(&mut self, what: &str, is_so: impl Fn(&Diary) -> bool) {
        if comes_to(|| self.people.iter().all(|one| is_so(&one.diary()))) {
            return;
        }
        for one in self.people.iter().filter(|one| !is_so(&one.diary())) {
            let diary = one.diary();
            let (is_live, unsent) = (diary.is_live, diary.unsent());
            self.faults.push(format!(
                "within {DEADLINE:?} it never is so that {} {what} (live: {is_live}, {unsent} unsent, {:?})",
                diary.name, diary.errors
            ));
        }
    }

    fn report(self, people: &[Diary]) -> Report {
        let truth = self.stage.truth();
        let Stage { undone, unsafe_lives, lives, .. } = &self.stage;
        let mut verdict = judge::judge(&Case { people, undone, unsafe_lives, truth: &truth, lives });
        verdict.faults.extend(self.faults.into_iter().map(|fault| (Fault::Wrong, fault)));
        let sum = |of: fn(&Diary) -> usize| people.iter().map(of).sum::<usize>();
        let row = |what: &str, count| (what.to_owned(), count);
        let mut figures = vec![
            row("lives of the server", self.stage.life + 1),
            row("connections broken", sum(|diary| diary.breaks)),
            row("times somebody had caught up", sum(|diary| diary.returns.len())),
            row("messages said", sum(|diary| diary.said.len())),
            row("of them, with a receipt that it is stored", verdict.receipts),
            row("of them, with one that it is not", verdict.unstored),
            row("repeats", sum(|diary| diary.repeats)),
            row("kept in the end", truth.kept.len()),
            row("stored and undone", verdict.undone),
            row("shown", verdict.shown),
            row("times that somebody had to have a message when a life ended", verdict.checked),
            row("shown again, when that is right", verdict.again),
            row("gaps told", sum(|diary| diary.returns.iter().filter(|seen| seen.is_gap).count())),
            row("of them, to whom something was undone", verdict.told),
        ];
        let mut errors: BTreeMap<&str, usize> = BTreeMap::new();
        for (code, count) in people.iter().flat_map(|diary| &diary.errors) {
            *errors.entry(code).or_default() += count;
        }
        figures.extend(errors.into_iter().map(|(code, count)| (format!("refused: {code}"), count)));
        Report { verdict, rounds: self.rounds, figures, lose: self.plan.lose }
    }
}

/// The work of each.
fn part(name: &str) -> Part {
    let is_keyless = name == TALKERS[3];
    let others = TALKERS[..3].iter().filter(|other| **other != name).map(|other| (*other).to_owned());
    let count = |name: &str, times| std::iter::repeat_n(name.to_owned(), times);
    let targets = count("all", 5).chain(count(ROOM, 4)).chain(others).chain(count(AWAY, 1));
    let is_away = name == AWAY;
    Part {
        name: name.into(),
        identity: match is_keyless {
            true => Identity::Token(format!("the secret of {name}")),
            false => Identity::Key(Box::new(Key::new())),
        },
        targets: if is_away { Vec::new() } else { targets.collect() },
        every: Duration::from_millis(70),
        is_in_room: !is_away,
        stays: if is_away { (200, 800) } else { (300, 4_000) },
        is_away: if is_away { (2_000, 9_000) } else { (1, 60) },
    }
}
