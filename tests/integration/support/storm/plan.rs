//! The storm itself: eight members who talk in the lobby, in a room and to one another, three who are
//! away, some who leave in the middle of a word, and a server that is killed again and again.

use super::super::tls::Key;
use super::dice::Dice;
use super::herald::{DEADLINE, Herald, comes_to, until};
use super::judge::{self, Verdict};
use super::member::{Client, Identity, Member, Orders, ROOM, Role, Visits};
use super::record::Record;
use super::server::Mortal;
use super::wild::Wild;
use super::words;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long the server lives from one kill to the next, in milliseconds.
const LIFE_MS: (u64, u64) = (200, 900);

/// Who talk all the time. Those with a secret instead of a key can't be written to while away.
const MEMBERS: [&str; 8] = ["ann", "bob", "cleo", "dan", "eve", "finn", "gus", "hana"];
const KEYLESS: [&str; 2] = ["eve", "hana"];

/// Who are away from the beginning: one goes on where it was, one has lost what it had, and one asks
/// for nothing but its mail.
const AWAY: [&str; 3] = ["olaf", "pia", "quinn"];

/// A third of all chat in a browser. The one with a secret does so over http, the others over https.
const BROWSERS: [&str; 4] = ["cleo", "finn", "hana", "pia"];

/// How big a storm.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    pub kills: usize,
    pub messages: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    pub verdict: Verdict,
    figures: Vec<(&'static str, usize)>,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (what, count) in &self.figures {
            writeln!(f, "{count:>8} {what}")?;
        }
        for fault in self.verdict.faults.iter().take(12) {
            writeln!(f, "  FAULT: {fault}")?;
        }
        writeln!(f, "{:>8} faults", self.verdict.faults.len())
    }
}

/// Runs it; what is wrong is in the report.
pub fn run(plan: Plan) -> Report {
    let mut storm = Storm::begin(plan);
    storm.rage();
    storm.calm_down();
    storm.bring_back_the_absent();
    storm.report()
}

struct Storm {
    plan: Plan,
    dice: Dice,
    server: Mortal,
    address: SocketAddr,
    wild: Wild,
    orders: Arc<Orders>,
    herald: Herald,
    members: Vec<Member>,
    /// Those who are away, with who they are.
    absent: Vec<(Record, Role)>,
    gone: Vec<Record>,
    faults: Vec<String>,
}

impl Storm {
    /// Everybody has come, those of the room are in it, and the absent have gone again.
    fn begin(plan: Plan) -> Self {
        let mut dice = Dice::new(plan.seed);
        let members: Vec<_> = MEMBERS.iter().map(|name| role(name, plan)).collect();
        let listener = |name: &&str| Role { client: client(name), ..Role::listener(name) };
        let absent: Vec<_> = AWAY.iter().map(listener).collect();
        let args = ["--rate-limit", "off", "--web=plaintext"];
        let mut server = Mortal::start_with(&args, members.iter().chain(&absent));
        let address = server.address();
        let wild = Wild::to(address, dice.fork());
        let orders = Arc::new(Orders::default());
        let mut start = |role| Member::start(role, wild.address, &orders, dice.fork());
        let members: Vec<_> = members.into_iter().map(&mut start).collect();
        let absent: Vec<_> = absent.into_iter().map(start).collect();
        let mut herald = Herald::new();
        let everybody = || members.iter().chain(&absent);
        until("everybody is there", || everybody().all(|member| member.record().is_live));
        let first = herald.say(address, "all", "the first words");
        until("everybody has heard", || everybody().all(|member| member.record().since >= first));
        let is_in = |member: &Member| {
            let joined = member.record().joined;
            joined.asked.is_none() || joined.is_answered
        };
        until("those of the room are in it", || members.iter().all(is_in));
        let absent = absent.into_iter().map(Member::stop).collect();
        herald.see_them_gone(address, &AWAY);
        Self {
            plan,
            dice,
            server,
            address,
            wild,
            orders,
            herald,
            members,
            absent,
            gone: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Everybody talks, and everything breaks.
    fn rage(&mut self) {
        self.orders.talk.store(true, Ordering::Relaxed);
        self.wild.set_wild(true);
        while self.server.kills < self.plan.kills {
            let leaver = self.leaver();
            let life = self.dice.millis(LIFE_MS.0, LIFE_MS.1);
            let before = life.mul_f64(f64::from(self.dice.throw() as u32) / f64::from(u32::MAX));
            std::thread::sleep(before);
            let leaver = if self.dice.chance(50) {
                self.gone.push(leaver.stop().0);
                None
            } else {
                Some(leaver)
            };
            std::thread::sleep(life - before);
            self.server.kill();
            std::thread::sleep(self.dice.millis(0, 60));
            self.restart();
            self.gone.extend(leaver.map(|leaver| leaver.stop().0));
        }
    }

    /// Now and then it is killed again before it is up.
    fn restart(&mut self) {
        loop {
            self.server.start_again();
            let is_let_live = self.server.kills >= self.plan.kills || self.dice.chance(85);
            let patience = if is_let_live { DEADLINE } else { self.dice.millis(0, 80) };
            match self.server.address_within(patience) {
                Some(address) if is_let_live => break self.address = address,
                _ => self.server.kill(),
            }
        }
        self.wild.lead_to(self.address);
    }

    /// Somebody new who says a few things at once and may be gone before there are receipts.
    fn leaver(&mut self) -> Member {
        let is_browser = self.gone.len().is_multiple_of(3);
        let role = Role {
            client: if is_browser { Client::Browser } else { Client::Program },
            // A newcomer: a mailbox has less room for what those write.
            targets: vec!["all".into(), ROOM.into(), "all".into(), AWAY[0].into()],
            messages: 8,
            every: Duration::from_millis(20),
            ..Role::listener(&format!("leaver{}", self.gone.len()))
        };
        Member::start(role, self.wild.address, &self.orders, self.dice.fork())
    }

    /// Everybody has said everything and has receipts for it, and has everything that came before the
    /// last words.
    fn calm_down(&mut self) {
        let messages = self.plan.messages / MEMBERS.len();
        self.wait("all is said", |record| record.said.len() >= messages || AWAY.contains(&&*record.name));
        self.wild.set_wild(false);
        self.orders.settle.store(true, Ordering::Relaxed);
        self.wait("all has receipts", |record| record.unsent() == 0);
        let last = self.herald.say(self.address, "all", "the last words");
        self.wait("all have heard the last words", |record| record.is_live && record.since >= last);
    }

    fn bring_back_the_absent(&mut self) {
        let last = self.members.iter().map(|member| member.record().since).max().unwrap_or_default();
        let mut absent = std::mem::take(&mut self.absent).into_iter();
        let (olaf, mut pia, mut quinn) =
            (absent.next().expect("olaf"), absent.next().expect("pia"), absent.next().expect("quinn"));
        for (record, _) in [&mut pia, &mut quinn] {
            *record = Record { name: record.name.clone(), ..Record::default() };
        }
        self.wild.set_wild(true);
        for (record, role) in [olaf, pia] {
            let dice = self.dice.fork();
            self.members.push(Member::go_on(role, record, self.wild.address, &self.orders, dice));
        }
        self.wait("they are back", |record| record.since >= last);
        self.wild.set_wild(false);
        let connection = self.herald.fetch_mail(self.address, &mut quinn.0, &quinn.1);
        // The server may be a moment behind the client, and until then gives the mail again: it must not get lost.
        self.wait("authors know of all arrivals", judge::has_all_arrivals);
        drop(connection);
        self.herald.fetch_mail(self.address, &mut quinn.0, &quinn.1);
        self.gone.push(quinn.0);
    }

    /// Waits until it is so for all members; if it never is, that is a fault of those for whom it is not.
    fn wait(&mut self, what: &str, is_so: impl Fn(&Record) -> bool) {
        let is_missing = |member: &&Member| !is_so(&member.record());
        if comes_to(|| !self.members.iter().any(|member| is_missing(&member))) {
            return;
        }
        for member in self.members.iter().filter(is_missing) {
            self.faults.push(format!("it does not come to this: {what}: {}", member.record().summary()));
        }
    }

    fn report(mut self) -> Report {
        let mut records: Vec<_> = self.members.into_iter().map(|member| member.stop().0).collect();
        self.server.stop();
        let stored = judge::read_store(self.server.home.path());
        records.extend(self.gone);
        records.push(self.herald.record);
        let mut verdict = judge::judge(&stored, &records);
        verdict.faults.extend(self.faults);
        verdict.faults.extend(words::not_found(self.server.home.path(), &stored));
        judge::judge_arrivals(&records[..MEMBERS.len()], &mut verdict);
        for (record, (code, count)) in
            records.iter().flat_map(|record| record.errors.iter().map(move |error| (record, error)))
        {
            verdict.faults.push(format!("{}: {count} errors {code}", record.name));
        }
        let figures = figures(&records, &verdict, self.wild.damage(), self.server.kills);
        Report { verdict, figures }
    }
}

fn figures(
    records: &[Record],
    verdict: &Verdict,
    damage: &super::wild::Damage,
    kills: usize,
) -> Vec<(&'static str, usize)> {
    let sum = |of: fn(&Record) -> usize| records.iter().map(of).sum::<usize>();
    let count = |of: &std::sync::atomic::AtomicUsize| of.load(Ordering::Relaxed);
    vec![
        ("kills of the server", kills),
        ("connections cut by the proxy", count(&damage.cuts)),
        ("stalls", count(&damage.stalls)),
        ("writes split", count(&damage.splits)),
        ("times somebody was welcomed", sum(|record| record.connections)),
        (
            "of them, four browsers",
            records
                .iter()
                .filter(|record| BROWSERS.contains(&&*record.name))
                .map(|record| record.connections)
                .sum(),
        ),
        ("of them, went on where they had been", sum(|record| record.resumes)),
        ("messages said", sum(|record| record.said.len())),
        ("kept by the server", verdict.stored),
        ("receipts", verdict.receipts),
        ("without receipt: kept, and had by all", verdict.unsure_kept),
        ("without receipt: not kept, and had by none", verdict.unsure_lost),
        ("sent again", sum(|record| record.resends)),
        ("of them, known to the server already", sum(|record| record.duplicates)),
        (
            "messages that had to wait for somebody",
            sum(|record| record.said.iter().filter(|said| said.waits).count()),
        ),
        ("notices of their arrival", sum(|record| record.arrivals.len())),
        ("messages that came as history", sum(|record| record.caught_up)),
        ("own messages seen from a broken connection", verdict.echoes),
        ("deliveries checked", verdict.deliveries),
    ]
}

fn client(name: &str) -> Client {
    if BROWSERS.contains(&name) { Client::Browser } else { Client::Program }
}

/// What each of the eight does.
fn role(name: &str, plan: Plan) -> Role {
    let count = |name: &str, times: usize| std::iter::repeat_n(name.to_owned(), times);
    let keyed = MEMBERS.iter().filter(|other| **other != name && !KEYLESS.contains(*other));
    let people = keyed.chain(&AWAY).map(|name| (*name).to_owned());
    let messages = plan.messages / MEMBERS.len();
    let mean_life = Duration::from_millis(LIFE_MS.0.midpoint(LIFE_MS.1));
    let length = mean_life * u32::try_from(plan.kills).expect("a bounded number");
    Role {
        name: name.into(),
        identity: match KEYLESS.contains(&name) {
            true => Identity::Token(format!("the secret of {name}")),
            false => Identity::Key(Box::new(Key::new())),
        },
        client: client(name),
        targets: count("all", 6).chain(count(ROOM, 6)).chain(people).collect(),
        messages,
        every: length / u32::try_from(messages.max(1)).expect("a bounded number"),
        window: usize::MAX,
        join_after: match name {
            "hana" => None,
            "gus" => Some(messages / 3),
            _ => Some(0),
        },
        part_after: (name == "finn").then_some(messages * 2 / 3),
        reads_own_history: ["bob", "dan", "finn", "hana"].contains(&name),
        visits: (name == "dan").then_some(Visits { stays: (100, 1_000), is_away: (100, 700) }),
    }
}
