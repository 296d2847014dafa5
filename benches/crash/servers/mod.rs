//! A chat of three servers with real engines, whose machines fail in turn while people talk, and a judge who
//! compares what each of them holds with what all three servers kept.

mod house;
mod kind;
mod people;
mod process;

use crate::storm::dice::Dice;
use crate::storm::herald::Herald;
use crate::storm::judge::{self, Stored, Verdict};
use crate::storm::record::Record;
use crate::storm::words;
use house::{House, NAMES};
use kind::Kind;
use people::People;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long anything may take to come about.
const DEADLINE: Duration = Duration::from_secs(90);

/// How often to look.
const LOOK: Duration = Duration::from_millis(20);

/// The time from one fault to the next, as far as can be told before.
const FAULT: Duration = Duration::from_secs(12);

#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    pub faults: usize,
    pub messages: usize,
    pub minutes: u64,
}

#[derive(Debug, Default)]
pub struct Report {
    verdict: Verdict,
    people: Vec<Record>,
    /// How long it took until everybody talked again: with the fault, and once it was over.
    times: BTreeMap<Kind, Vec<(Duration, Duration)>>,
}

/// Runs it, in namespaces of its own.
pub fn run(plan: Plan) -> Report {
    let time = FAULT * u32::try_from(plan.faults).expect("a bounded number");
    let roles = people::roles(plan.messages, time);
    let house = House::build(&people::names(&roles));
    let street = Arc::clone(&house.street);
    // All people are children of that thread.
    street.run(move || {
        let mut trouble = Trouble::begin(plan, house, roles);
        trouble.rage(Instant::now() + Duration::from_secs(60 * plan.minutes));
        trouble.report()
    })
}

struct Trouble {
    plan: Plan,
    dice: Dice,
    house: House,
    people: People,
    herald: Herald,
    /// For whom all waited last.
    last: Vec<String>,
    times: BTreeMap<Kind, Vec<(Duration, Duration)>>,
    faults: Vec<String>,
}

impl Trouble {
    fn begin(plan: Plan, mut house: House, roles: Vec<crate::storm::member::Role>) -> Self {
        let mut dice = Dice::new(plan.seed);
        let start = Instant::now();
        house.start_all();
        let people = People::come(roles, &house.addresses(), &mut dice);
        let mut trouble = Self {
            plan,
            dice,
            house,
            people,
            herald: Herald::new(),
            last: Vec::new(),
            times: BTreeMap::new(),
            faults: Vec::new(),
        };
        // Nobody can talk in a room before it is there.
        trouble.wait_for("all are in their rooms", |people| {
            people.without(|record| record.name == "hana" || record.joined.is_answered)
        });
        trouble.people.talk(true);
        let said = trouble.people.said();
        trouble.wait_for_talk("at the beginning", &said);
        println!("{:>7} everybody talks after {:.1} s", "", start.elapsed().as_secs_f64());
        trouble
    }

    fn rage(&mut self, until: Instant) {
        // Those with these words in their line.
        let words = std::env::var("LANCHAT_FAULTS").unwrap_or_default();
        let kinds: Vec<Kind> = Kind::ROUND.into_iter().filter(|kind| kind.words().contains(&words)).collect();
        assert!(!kinds.is_empty(), "no fault has {words:?} in its line");
        for number in 0..self.plan.faults {
            if Instant::now() >= until || self.faults.len() > 20 {
                break;
            }
            let kind = kinds[number % kinds.len()];
            let pause = self.dice.millis(0, 1_500);
            std::thread::sleep(pause);
            self.look_after();
            let Some((with, after, note)) = self.inflict(kind) else { continue };
            self.times.entry(kind).or_default().push((with, after));
            println!(
                "{} {number:>4}: {}{note}: everybody talks after {:.1} s, and {:.1} s after its end",
                jiff::Timestamp::now().strftime("%T"),
                kind.words(),
                with.as_secs_f64(),
                after.as_secs_f64()
            );
        }
    }

    /// How long it took until everybody talked again: meanwhile, and after all was as before.
    fn inflict(&mut self, kind: Kind) -> Option<(Duration, Duration, String)> {
        let number = self.victim(kind)?;
        let name = NAMES[number];
        let start = Instant::now();
        let (hits_server, hits_engine) = kind.hits();
        let mut note = format!(", {name}");
        match kind {
            _ if kind.is_rolling() => return Some(self.roll(hits_engine)),
            _ if kind.is_cut() => self.house.cut(number),
            _ if kind.is_freeze() => self.freeze(number, hits_engine, Signal::STOP),
            _ => {
                for is_engine in [false, true] {
                    if if is_engine { hits_engine } else { hits_server } {
                        note += &self.end(number, is_engine, kind.is_orderly());
                    }
                }
            }
        }
        // A service manager starts what has ended again at once; else somebody does so later.
        let is_at_once = self.dice.chance(50) && !kind.is_cut() && !kind.is_freeze();
        let said = self.people.said();
        if kind == Kind::OlderCopy {
            if self.house.has_copy(number) {
                self.house.put_copy_back(number);
                note += " with a copy";
            }
        } else if kind == Kind::EmptyDatabase {
            self.house.empty(number);
        } else if kind == Kind::RelayKilled {
            self.house.take_copy(number);
        }
        if is_at_once {
            let pause = self.dice.millis(100, 2_000);
            std::thread::sleep(pause);
            self.start(number);
            note += ", started again at once";
        }
        let with = self.wait_for_talk(kind.words(), &said).map_or(DEADLINE, |done| done - start);
        note += &format!(" [last: {}]", self.last.join(", "));
        if kind.is_cut() || kind.is_freeze() {
            let long = self.dice.millis(15_000, 30_000).saturating_sub(start.elapsed());
            std::thread::sleep(if kind.is_freeze() { long / 2 } else { long });
        }
        let again = Instant::now();
        if kind.is_cut() {
            self.house.heal(number);
        } else if kind.is_freeze() {
            self.freeze(number, hits_engine, Signal::CONT);
        } else if !is_at_once {
            self.start(number);
        }
        self.people.call_home();
        let said = self.people.said();
        let what = format!("after {}", kind.words());
        let after = self.wait_for_talk(&what, &said).map_or(DEADLINE, |done| done - again);
        note += &format!(" [{}]", self.last.join(", "));
        Some((with, after, note))
    }

    fn victim(&mut self, kind: Kind) -> Option<usize> {
        let is_of_engine = kind.hits() == (false, true) || kind == Kind::EngineLeaderCut;
        let leader = self.leader(is_of_engine)?;
        let other = (leader + 1 + self.dice.below(2)) % 3;
        Some(match kind {
            Kind::LeaderKilled
            | Kind::LeaderStopped
            | Kind::LeaderCut
            | Kind::LeaderFrozen
            | Kind::MachineKilled => leader,
            Kind::EngineLeaderKilled
            | Kind::EngineLeaderStopped
            | Kind::EngineLeaderCut
            | Kind::EngineLeaderFrozen => leader,
            _ => other,
        })
    }

    fn leader(&mut self, is_engine: bool) -> Option<usize> {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            let leader = if is_engine { self.house.engine_leader() } else { self.house.leader() };
            if leader.is_some() {
                return leader;
            }
            std::thread::sleep(LOOK);
        }
        self.fault(format!("nobody leads the {}", if is_engine { "engines" } else { "servers" }));
        None
    }

    fn end(&mut self, number: usize, is_engine: bool, is_orderly: bool) -> String {
        let machine = &mut self.house.machines[number];
        let program = if is_engine { &mut machine.engine } else { &mut machine.lanchat };
        if !is_orderly {
            program.kill();
            return String::new();
        }
        match program.stop() {
            Some(time) => format!(", which took {:.1} s", time.as_secs_f64()),
            None => {
                let what = if is_engine { "engine" } else { "server" };
                self.fault(format!("the {what} {} does not end", NAMES[number]));
                ", which it did not".into()
            }
        }
    }

    fn freeze(&self, number: usize, is_engine: bool, signal: Signal) {
        let machine = &self.house.machines[number];
        (if is_engine { &machine.engine } else { &machine.lanchat }).signal(signal);
    }

    /// What of a machine does not run.
    fn start(&mut self, number: usize) {
        let machine = &mut self.house.machines[number];
        for program in [&mut machine.engine, &mut machine.lanchat] {
            if !program.is_up() {
                program.start(&machine.host);
            }
        }
    }

    /// Restarts what has ended by itself, as a service manager does.
    fn look_after(&mut self) {
        for (machine, name) in self.house.machines.iter_mut().zip(NAMES) {
            for (what, program) in [("engine", &mut machine.engine), ("server", &mut machine.lanchat)] {
                if program.has_ended() {
                    program.kill();
                    program.start(&machine.host);
                    println!("  the {what} {} has ended by itself, and is started again", name);
                }
            }
        }
    }

    /// Each server in turn, as an administrator updates them; the worst of the three.
    fn roll(&mut self, is_engine: bool) -> (Duration, Duration, String) {
        let (mut worst, mut worst_after, mut note) = (Duration::ZERO, Duration::ZERO, String::new());
        for number in 0..NAMES.len() {
            let start = Instant::now();
            note += &self.end(number, is_engine, true);
            let said = self.people.said();
            let done = self.wait_for_talk("a server is stopped", &said);
            worst = worst.max(done.map_or(DEADLINE, |done| done - start));
            let start = Instant::now();
            self.start(number);
            self.people.call_home();
            let said = self.people.said();
            let done = self.wait_for_talk("a server is started again", &said);
            worst_after = worst_after.max(done.map_or(DEADLINE, |done| done - start));
            if is_engine {
                self.wait_for_engines();
            }
        }
        (worst, worst_after, note)
    }

    /// Until all engines have all records, as `lanchat cluster status` shows it to people.
    fn wait_for_engines(&mut self) {
        let start = Instant::now();
        while !self.house.engines_are_alike() {
            if start.elapsed() > DEADLINE {
                return self.fault("an engine stays behind".into());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Until everybody has a receipt for something that they said since then, and has heard of all those.
    fn wait_for_talk(&mut self, what: &str, said: &[usize]) -> Option<Instant> {
        let start = Instant::now();
        let mut seq = None;
        let mut missing = Vec::new();
        while start.elapsed() < DEADLINE {
            self.look_after();
            missing = match seq {
                None => self.people.silent_since(said),
                Some(seq) => self.people.behind(seq),
            };
            if std::env::var_os("LANCHAT_STEPS").is_some() && missing != self.last {
                let (at, which) =
                    (start.elapsed().as_secs_f64(), if seq.is_none() { "silent" } else { "behind" });
                println!("    {at:>5.2} s: {which}: {}", missing.join(", "));
            }
            if !missing.is_empty() {
                self.last.clone_from(&missing);
            }
            match (missing.is_empty(), seq) {
                (true, None) => seq = Some(self.people.last_seq()),
                (true, Some(_)) => return Some(Instant::now()),
                (false, _) => std::thread::sleep(LOOK),
            }
        }
        if std::env::var_os("LANCHAT_STEPS").is_some() {
            self.house.show_status();
        }
        let positions = self.house.positions();
        self.fault(format!("{what}: not everybody talks again, but {missing:?}; positions {positions:?}"));
        self.people.summaries().iter().for_each(|summary| println!("    {summary}"));
        None
    }

    fn fault(&mut self, what: String) {
        println!("  FAULT: {what}");
        self.faults.push(what);
    }

    /// Everybody has receipts for everything, and has all, and all servers have the same.
    fn end_of_talk(&mut self) {
        self.people.talk(false);
        self.people.settle();
        if !self.wait_for("all has receipts", |people| people.without(|record| record.unsent() == 0)) {
            return;
        }
        let last = self.herald.say(self.house.addresses()[0], "all", "the last words");
        self.wait_for("all have heard all", |people| people.behind(last));
        let start = Instant::now();
        loop {
            let positions = self.house.positions();
            if positions.iter().all(|position| *position == positions[0]) {
                return;
            }
            if start.elapsed() > DEADLINE {
                return self.fault(format!("servers stay behind: {positions:?}"));
            }
            std::thread::sleep(LOOK);
        }
    }

    fn wait_for(&mut self, what: &str, missing: impl Fn(&People) -> Vec<String>) -> bool {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            self.look_after();
            if missing(&self.people).is_empty() {
                return true;
            }
            std::thread::sleep(LOOK);
        }
        let missing = missing(&self.people);
        self.fault(format!("it does not come to this: {what}: {missing:?}"));
        self.people.summaries().iter().for_each(|summary| println!("    {summary}"));
        false
    }

    fn report(mut self) -> Report {
        self.end_of_talk();
        let Self { people, mut house, herald, times, faults, .. } = self;
        let mut people = people.go();
        people.push(herald.record);
        let mut faults = faults;
        for (machine, name) in house.machines.iter_mut().zip(NAMES) {
            if machine.lanchat.stop().is_none() {
                faults.push(format!("the server {name} does not end"));
            }
        }
        let stored: Vec<Vec<Stored>> =
            house.machines.iter().map(|machine| judge::read_store(&machine.data)).collect();
        let mut verdict = judge::judge(&stored[0], &people);
        verdict.faults.extend(faults);
        for (other, name) in stored.iter().zip(NAMES).skip(1) {
            verdict.faults.extend(differences(&stored[0], other, name));
        }
        judge::judge_arrivals(&people, &mut verdict);
        for record in &people {
            // A server that is cut off sends newcomers to the others.
            let errors = record.errors.iter().filter(|(code, _)| code.as_str() != "server_full");
            verdict
                .faults
                .extend(errors.map(|(code, count)| format!("{}: {count} errors {code}", record.name)));
        }
        verdict.faults.extend(words::not_found(&house.machines[2].data, &stored[2]));
        Report { verdict, people, times }
    }
}

/// Messages that two servers do not have alike.
fn differences(first: &[Stored], other: &[Stored], name: &str) -> Vec<String> {
    let row = |stored: &Stored| {
        let heard = &stored.heard;
        (heard.seq, (heard.from.clone(), heard.to.clone(), heard.text.clone(), stored.id.clone()))
    };
    let (first, other): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (first.iter().map(row).collect(), other.iter().map(row).collect());
    let missing = first.iter().filter(|(seq, message)| other.get(*seq) != Some(*message));
    let more = other.iter().filter(|(seq, _)| !first.contains_key(*seq));
    let of = |(seq, message): (&u64, &(String, String, String, Option<String>)), what: &str| {
        format!("{name} has {what} {seq} of {} ({:.20})", NAMES[0], message.2)
    };
    let missing = missing.map(|row| of(row, "not, or otherwise, message"));
    missing.chain(more.map(|row| of(row, "more than all messages: "))).collect()
}

impl Report {
    pub fn is_good(&self) -> bool {
        self.verdict.faults.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |of: fn(&Record) -> usize| self.people.iter().map(of).sum::<usize>();
        writeln!(f, "\n times  with the fault: median, worst;  after its end: median, worst")?;
        for (kind, times) in &self.times {
            let spread = |of: fn(&(Duration, Duration)) -> Duration| {
                let mut all: Vec<f64> = times.iter().map(|pair| of(pair).as_secs_f64()).collect();
                all.sort_by(f64::total_cmp);
                (all[all.len() / 2], all[all.len() - 1])
            };
            let ((median, worst), (median_after, worst_after)) =
                (spread(|pair| pair.0), spread(|pair| pair.1));
            writeln!(
                f,
                "{:>6}  {median:>5.1} {worst:>5.1}   {median_after:>5.1} {worst_after:>5.1}   {}",
                times.len(),
                kind.words()
            )?;
        }
        let figures = [
            ("times somebody was welcomed", sum(|record| record.connections)),
            ("messages said", sum(|record| record.said.len())),
            ("kept by each server", self.verdict.stored),
            ("receipts", self.verdict.receipts),
            ("without receipt: kept, and had by all", self.verdict.unsure_kept),
            ("without receipt: not kept, and had by none", self.verdict.unsure_lost),
            ("sent again", sum(|record| record.resends)),
            ("of them, known to the servers already", sum(|record| record.duplicates)),
            ("messages that came as history", sum(|record| record.caught_up)),
            ("deliveries checked", self.verdict.deliveries),
        ];
        for (what, count) in figures {
            writeln!(f, "{count:>8} {what}")?;
        }
        for fault in self.verdict.faults.iter().take(40) {
            writeln!(f, "  FAULT: {fault}")?;
        }
        writeln!(f, "{:>8} faults", self.verdict.faults.len())
    }
}
