//! Somebody who talks all the time, breaks off at any moment, comes back, goes on as PROTOCOL.md says, and
//! writes down everything.

use super::diary::{Diary, Life, Receipt, Return, Said, Shown};
use super::point::{Point, Welcomed};
use crate::storm::dice::Dice;
use crate::storm::line::Line;
use crate::storm::member::Identity;
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub const ROOM: &str = "#room";

/// How long anybody looks for orders at most, and for what comes.
const LOOK: Duration = Duration::from_millis(10);

/// How long a connection may take until it has caught up.
const CATCH_UP_DEADLINE: Duration = Duration::from_secs(20);

/// Messages without a receipt before a user waits.
const WINDOW: usize = 40;

/// Where the server is, and which life of it that is.
pub type Place = Arc<Mutex<Option<(SocketAddr, Life)>>>;

/// What everyone needs to know.
#[derive(Default)]
pub struct Orders {
    pub talk: AtomicBool,
    /// Say much at a time.
    pub loud: AtomicBool,
    /// Be there and stay.
    pub settle: AtomicBool,
}

/// A user, and what they do.
pub struct Part {
    pub name: String,
    pub identity: Identity,
    /// To whom they talk, each as often as it stands here.
    pub targets: Vec<String>,
    /// How far apart on average.
    pub every: Duration,
    pub is_in_room: bool,
    /// How long they stay and are away, from-to in milliseconds.
    pub stays: (u64, u64),
    pub is_away: (u64, u64),
}

pub struct Person {
    diary: Arc<Mutex<Diary>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Person {
    pub fn start(part: Part, place: &Place, orders: &Arc<Orders>, mut dice: Dice) -> Self {
        let diary = Diary { name: part.name.clone(), is_in_room: part.is_in_room, ..Diary::default() };
        let diary = Arc::new(Mutex::new(diary));
        let stop = Arc::new(AtomicBool::new(false));
        let run = Run {
            prefix: format!("{:08x}", dice.throw() >> 32),
            part,
            place: Arc::clone(place),
            orders: Arc::clone(orders),
            stop: Arc::clone(&stop),
            diary: Arc::clone(&diary),
            dice,
            next: Instant::now(),
            point: Point::default(),
        };
        Self { diary, stop, thread: thread::spawn(move || run.live()) }
    }

    pub fn diary(&self) -> MutexGuard<'_, Diary> {
        self.diary.lock().expect("a diary")
    }

    pub fn stop(self) -> Diary {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("somebody");
        self.diary.lock().expect("a diary").clone()
    }
}

struct Run {
    part: Part,
    place: Place,
    orders: Arc<Orders>,
    stop: Arc<AtomicBool>,
    diary: Arc<Mutex<Diary>>,
    dice: Dice,
    /// The start of all ids.
    prefix: String,
    /// When something is said next.
    next: Instant,
    point: Point,
}

/// One connection.
struct Visit {
    life: Life,
    welcomed: Option<Welcomed>,
    /// What came before the end of catching up: it counts only then.
    missed: Vec<Shown>,
    is_live: bool,
    /// The server could not read all that was missed: the point stays where that ends.
    is_broken: bool,
    /// The highest number of the live stream.
    latest: u64,
    /// Whether the server has confirmed the room.
    is_member: bool,
    began: Instant,
    ends: Instant,
}

impl Run {
    fn live(mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            let place = *self.place.lock().expect("a place");
            if let Some((address, life)) = place {
                // Its end is not a failure here, whatever the reason.
                let _ = self.visit(address, life);
                let mut diary = self.diary();
                diary.is_live = false;
                diary.breaks += 1;
            }
            let (from, to) = if self.is_settled() { (1, 40) } else { self.part.is_away };
            let until = Instant::now() + self.dice.millis(from, to);
            while !self.stop.load(Ordering::Relaxed)
                && Instant::now() < until
                && !(self.is_settled() && to > 40)
            {
                thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
            }
        }
    }

    fn diary(&self) -> MutexGuard<'_, Diary> {
        self.diary.lock().expect("a diary")
    }

    fn is_settled(&self) -> bool {
        self.orders.settle.load(Ordering::Relaxed)
    }

    fn visit(&mut self, address: SocketAddr, life: Life) -> io::Result<()> {
        let key = match &self.part.identity {
            Identity::Key(key) => Some(&**key),
            Identity::Token(_) => None,
        };
        let mut line = Line::open(address, key)?;
        let hello = self.hello();
        line.send(&hello)?;
        let asked = ["since", "log", "logs"].map(|member| format!("{member} {}", hello[member]));
        self.diary().visits.push((life, asked.join(", ")));
        let began = Instant::now();
        // Some break off while they catch up.
        let stay = match self.dice.chance(15) {
            true => self.dice.millis(0, 40),
            false => self.dice.millis(self.part.stays.0, self.part.stays.1),
        };
        let mut visit = Visit {
            life,
            welcomed: None,
            missed: Vec::new(),
            is_live: false,
            is_broken: false,
            latest: 0,
            is_member: false,
            began,
            ends: began + stay,
        };
        loop {
            let wait = self.next.saturating_duration_since(Instant::now()).min(LOOK);
            for packet in line.read(wait)? {
                self.take(&packet, &mut visit, &mut line)?;
            }
            if !visit.is_live && visit.began.elapsed() > CATCH_UP_DEADLINE {
                self.diary().fault("does not become live");
                return Ok(());
            }
            let is_over = Instant::now() >= visit.ends && !self.is_settled();
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            if is_over {
                // The last words have no receipt yet.
                self.next = Instant::now();
            }
            if visit.is_live && !visit.is_broken {
                let seq = self.point.seq;
                self.diary().reached.insert(life, seq);
            }
            self.speak(&visit, &mut line)?;
            if is_over {
                return Ok(());
            }
        }
    }

    fn hello(&self) -> Value {
        let mut hello = json!({
            "type": "hello", "v": 1, "from": {"name": self.part.name}, "to": "server", "msg": "",
        });
        self.point.tell(&mut hello);
        if let Identity::Token(token) = &self.part.identity {
            hello["token"] = json!(token);
        }
        hello
    }

    /// The next action that is due.
    fn speak(&mut self, visit: &Visit, line: &mut Line) -> io::Result<()> {
        let talks = self.orders.talk.load(Ordering::Relaxed) && !self.part.targets.is_empty();
        let (said, unsent) = {
            let diary = self.diary();
            (diary.said.len(), diary.unsent())
        };
        if !visit.is_live || !talks || unsent >= WINDOW || Instant::now() < self.next {
            return Ok(());
        }
        let average = u64::try_from(self.part.every.as_micros()).expect("a short time");
        self.next = Instant::now() + Duration::from_micros(self.dice.between(0, 2 * average));
        let to = self.dice.pick(&self.part.targets).clone();
        if to == ROOM && !visit.is_member {
            return Ok(());
        }
        let most = if self.orders.loud.load(Ordering::Relaxed) { 600 } else { 20 };
        // Characters of two to four bytes.
        let padding = "äŁ漢🙂 ".repeat(self.dice.below(most));
        let message = Said {
            id: format!("{}-{said}", self.prefix),
            text: format!("{} {said} to {to}: {padding}.", self.part.name),
            to,
            sends: vec![(visit.life, Instant::now())],
            receipts: Vec::new(),
            refused: None,
            is_back: false,
        };
        let packet = packet_of(&message);
        self.diary().said.push(message);
        line.send(&packet)
    }

    fn take(&mut self, packet: &Value, visit: &mut Visit, line: &mut Line) -> io::Result<()> {
        match packet["type"].as_str().unwrap_or_default() {
            "welcome" => {
                let answer = ["seq", "log", "logs", "since", "rewound"];
                let answer = answer.map(|member| format!("{member} {}", packet[member])).join(", ");
                self.diary().answered(&format!("; welcome: {answer}"));
                visit.welcomed = Some(self.point.read(packet));
                let rooms = packet["rooms"].as_array();
                visit.is_member = rooms.is_some_and(|rooms| rooms.iter().any(|room| room["name"] == ROOM));
            }
            "history" => return self.arrive(packet, visit, line),
            "chat" => self.take_chat(packet, visit),
            "delivered" if visit.is_live => {
                self.learn(packet["seq"].as_u64(), "a notice of delivery", visit);
            }
            "sent" => self.take_receipt(packet, visit),
            "room" if packet["id"] == "join" => visit.is_member = true,
            "error" => {
                let code = packet["code"].as_str().unwrap_or_default().to_owned();
                let mut diary = self.diary();
                *diary.errors.entry(code.clone()).or_default() += 1;
                if let Some(said) = diary.said.iter_mut().rev().find(|said| packet["id"] == said.id) {
                    said.refused = Some(code);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take_chat(&mut self, packet: &Value, visit: &mut Visit) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let shown = Shown {
            from: text(&packet["from"]["name"]),
            to: text(&packet["to"]),
            text: text(&packet["msg"]),
            seq: packet["seq"].as_u64(),
            life: visit.life,
            at: Instant::now(),
            is_ahead: visit.is_broken,
        };
        let is_history = packet["history"] == true;
        if is_history == visit.is_live {
            self.diary().fault(format!("live or history in the wrong place: {packet}"));
        }
        if !visit.is_live {
            if visit.missed.last().is_some_and(|last| last.seq >= shown.seq) {
                self.diary().fault(format!("out of order in the history: {packet}"));
            }
            return visit.missed.push(shown);
        }
        self.learn(shown.seq, &shown.text, visit);
        self.diary().shown.push(shown);
    }

    /// A number of the live stream: these only rise.
    fn learn(&mut self, seq: Option<u64>, what: &str, visit: &mut Visit) {
        let Some(seq) = seq else { return };
        if seq <= visit.latest {
            let what: String = what.chars().take(30).collect();
            self.diary().fault(format!("out of order: number {seq} ({what:?}) after {}", visit.latest));
        }
        self.reach(seq, visit);
    }

    /// All up to that number has come, unless something before is missing.
    fn reach(&mut self, seq: u64, visit: &mut Visit) {
        visit.latest = seq.max(visit.latest);
        if !visit.is_broken {
            self.point.seq = visit.latest;
        }
    }

    /// It has caught up: what came so far counts, and the end is a point. Then what has no receipt is said
    /// again.
    fn arrive(&mut self, packet: &Value, visit: &mut Visit, line: &mut Line) -> io::Result<()> {
        let (Some(welcomed), Some(seq), false) =
            (visit.welcomed.take(), packet["seq"].as_u64(), visit.is_live)
        else {
            self.diary().fault(format!("an end of the history out of place: {packet}"));
            return Ok(());
        };
        visit.is_live = true;
        (visit.is_broken, visit.latest) = (seq < welcomed.latest, seq.max(welcomed.latest));
        let answer = ["seq", "count", "gap"].map(|member| format!("{member} {}", packet[member])).join(", ");
        self.diary().answered(&format!("; history: {answer}"));
        let is_gap = packet["gap"] == true || welcomed.is_rewound;
        let was = self.point.clone();
        self.point.arrive(welcomed, seq);
        let mut diary = self.diary.lock().expect("a diary");
        diary.is_live = true;
        if was.log == self.point.log && seq < was.seq && !is_gap {
            diary.fault(format!("live from {seq}, before {}", was.seq));
        }
        diary.returns.push(Return { life: visit.life, is_gap });
        for shown in visit.missed.drain(..) {
            if shown.from == self.part.name
                && let Some(said) = diary.said.iter_mut().rev().find(|said| said.text == shown.text)
            {
                said.is_back = true;
            }
            diary.shown.push(shown);
        }
        let mut packets = vec![json!({"type": "received", "seq": seq, "to": "server"})];
        if self.part.is_in_room && !visit.is_member {
            packets.push(json!({"type": "join", "room": ROOM, "id": "join", "to": "server"}));
        }
        let mut repeats = 0;
        for said in diary.said.iter_mut().filter(|said| !said.is_done()) {
            said.sends.push((visit.life, Instant::now()));
            repeats += 1;
            packets.push(packet_of(said));
        }
        diary.repeats += repeats;
        drop(diary);
        packets.iter().try_for_each(|packet| line.send(packet))
    }

    fn take_receipt(&mut self, packet: &Value, visit: &mut Visit) {
        let seq = packet["seq"].as_u64().filter(|_| packet["stored"] != false);
        let mut diary = self.diary.lock().expect("a diary");
        let Some(said) = diary.said.iter_mut().rev().find(|said| packet["id"] == said.id) else {
            return diary.fault(format!("a receipt for what it never said: {packet}"));
        };
        let Some((_, sent)) = said.sends.last().copied().filter(|(life, _)| *life == visit.life) else {
            return diary.fault(format!("a receipt for what this connection has not sent: {packet}"));
        };
        said.receipts.push(Receipt { life: visit.life, sent, seq });
        drop(diary);
        // That of a repeat is the number of the first.
        self.reach(seq.unwrap_or_default(), visit);
    }
}

fn packet_of(said: &Said) -> Value {
    json!({"type": "chat", "to": said.to, "msg": said.text, "id": said.id})
}
