//! A member: a client of its own in a thread, which keeps what it says until there is a receipt, says
//! it again with the same ids after each break, and writes down everything that it gets.

use super::super::tls::Key;
use super::dice::Dice;
use super::doors::Doors;
use super::line::Line;
use super::record::{Arrival, Heard, Record, Said};
use serde_json::{Value, json};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The room of these tests.
pub const ROOM: &str = "#room";

/// How long an idle member looks for orders.
const LOOK: Duration = Duration::from_millis(10);

/// How long a connection may take until it has caught up.
const CATCH_UP_DEADLINE: Duration = Duration::from_secs(20);

/// Who a member is.
pub enum Identity {
    /// TLS, and a key of its own.
    Key(Box<Key>),
    /// Plaintext, and a secret of its own.
    Token(String),
}

/// What a member chats with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// With lines.
    Program,
    /// With messages of WebSocket.
    Browser,
}

/// What a member is to do.
pub struct Role {
    pub name: String,
    pub identity: Identity,
    pub client: Client,
    /// To whom it talks, each as often as it stands here.
    pub targets: Vec<String>,
    /// How many messages, and how far apart on average.
    pub messages: usize,
    pub every: Duration,
    /// How many may be without a receipt before it waits: a machine that is slow has less to do then.
    pub window: usize,
    /// After how many own messages it joins and leaves the room.
    pub join_after: Option<usize>,
    pub part_after: Option<usize>,
    /// Takes its own messages in the history for receipts, as clients should. Else it says them again,
    /// and the server is to know them.
    pub reads_own_history: bool,
    /// `None`: it stays for good.
    pub visits: Option<Visits>,
}

/// Comings and goings, from-to in milliseconds.
#[derive(Clone, Copy)]
pub struct Visits {
    /// How long it stays after it has caught up.
    pub stays: (u64, u64),
    pub is_away: (u64, u64),
}

impl Role {
    /// Somebody who only listens, with a key.
    pub fn listener(name: &str) -> Self {
        Self {
            name: name.into(),
            identity: Identity::Key(Box::new(Key::new())),
            client: Client::Program,
            targets: Vec::new(),
            messages: 0,
            every: Duration::ZERO,
            window: usize::MAX,
            join_after: None,
            part_after: None,
            reads_own_history: true,
            visits: None,
        }
    }
}

/// What all members are told.
#[derive(Default)]
pub struct Orders {
    /// Talk, as your role says.
    pub talk: AtomicBool,
    /// Be there and stay: no own comings and goings any more.
    pub settle: AtomicBool,
}

/// Drops the connection when told to stop.
pub struct Member {
    record: Arc<Mutex<Record>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Role>,
}

impl Member {
    /// Somebody new, who has nothing yet.
    pub fn start(role: Role, doors: impl Into<Doors>, orders: &Arc<Orders>, dice: Dice) -> Self {
        let record = Record { name: role.name.clone(), ..Record::default() };
        Self::go_on(role, record, doors, orders, dice)
    }

    /// Somebody who has been there before.
    pub fn go_on(
        role: Role,
        record: Record,
        doors: impl Into<Doors>,
        orders: &Arc<Orders>,
        mut dice: Dice,
    ) -> Self {
        let record = Arc::new(Mutex::new(record));
        let stop = Arc::new(AtomicBool::new(false));
        let life = Life {
            prefix: format!("{:08x}", dice.throw() >> 32),
            role,
            doors: doors.into(),
            orders: Arc::clone(orders),
            stop: Arc::clone(&stop),
            record: Arc::clone(&record),
            dice,
            next: Instant::now(),
        };
        Self { record, stop, thread: thread::spawn(move || life.live()) }
    }

    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().expect("a record")
    }

    /// Ends the connection without a word. What it knows, and who it was.
    pub fn stop(self) -> (Record, Role) {
        self.stop.store(true, Ordering::Relaxed);
        let role = self.thread.join().expect("a member");
        let record = self.record.lock().expect("a record").clone();
        (record, role)
    }
}

struct Life {
    role: Role,
    doors: Doors,
    orders: Arc<Orders>,
    stop: Arc<AtomicBool>,
    record: Arc<Mutex<Record>>,
    dice: Dice,
    /// What all ids of this member begin with.
    prefix: String,
    /// When it says something next.
    next: Instant,
}

/// What a connection is in the middle of.
struct Stage {
    welcomed: bool,
    live: bool,
    /// What `since` was in the hello, and what is live from.
    resumed_at: u64,
    began: Instant,
    /// How long it stays when it is live, and since when it is.
    stay: Option<Duration>,
    live_since: Instant,
    /// When something last came.
    heard: Instant,
}

impl Life {
    fn live(mut self) -> Role {
        while !self.is_stopped() {
            // Its end is no failure here, whatever it was.
            if self.one_connection().is_err() {
                self.doors.next();
            }
            self.record().is_live = false;
            let settled = self.orders.settle.load(Ordering::Relaxed);
            let (from, to) = match self.role.visits {
                Some(visits) if !settled => visits.is_away,
                _ => (1, 40),
            };
            let time = self.dice.millis(from, to);
            self.rest(time);
        }
        self.role
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().expect("a record")
    }

    fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_stopped() && Instant::now() < until {
            thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
        }
    }

    fn one_connection(&mut self) -> io::Result<()> {
        let key = match &self.role.identity {
            Identity::Key(key) => Some(&**key),
            Identity::Token(_) => None,
        };
        let address = self.doors.address();
        self.record().at = Some(address);
        let mut line = match self.role.client {
            Client::Program => Line::open(address, key)?,
            Client::Browser => Line::browse(address, key)?,
        };
        line.send(&self.hello())?;
        let began = Instant::now();
        let stay = self.role.visits.map(|Visits { stays: (from, to), .. }| self.dice.millis(from, to));
        let resumed_at = self.record().since;
        let mut stage =
            Stage { welcomed: false, live: false, resumed_at, began, stay, live_since: began, heard: began };
        loop {
            let wait = self.next.saturating_duration_since(Instant::now()).min(LOOK);
            for packet in line.read(wait)? {
                self.take(&packet, &mut stage, &mut line)?;
                stage.heard = Instant::now();
            }
            if self.doors.is_slow(stage.heard, stage.live && self.record().unsent() == 0) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if self.is_stopped() || self.doors.is_called_home() || self.has_had_enough(&stage) {
                return Ok(());
            }
            self.speak(&stage, &mut line)?;
        }
    }

    fn has_had_enough(&self, stage: &Stage) -> bool {
        if !stage.live && stage.began.elapsed() > CATCH_UP_DEADLINE {
            self.record().fault("does not become live", &Value::Null);
            return true;
        }
        // Who goes before it has caught up would never get anywhere.
        stage.live
            && !self.orders.settle.load(Ordering::Relaxed)
            && stage.stay.is_some_and(|stay| stage.live_since.elapsed() >= stay)
    }

    fn hello(&self) -> Value {
        let record = self.record();
        let mut hello = json!({
            "type": "hello", "v": 1, "from": {"name": self.role.name}, "to": "server", "msg": "",
            "since": record.since,
        });
        if let Some(log) = &record.log {
            hello["log"] = json!(log);
        }
        if let Identity::Token(token) = &self.role.identity {
            hello["token"] = json!(token);
        }
        hello
    }

    /// What is due, if anything.
    fn speak(&mut self, stage: &Stage, line: &mut Line) -> io::Result<()> {
        let talks = self.orders.talk.load(Ordering::Relaxed);
        let record = self.record();
        let said = record.said.len();
        let talks = talks && record.unsent() < self.role.window;
        drop(record);
        if talks && said < self.role.messages && Instant::now() >= self.next {
            let average = self.role.every.as_micros().try_into().unwrap_or(u64::MAX / 2);
            // Who was not there has more to say.
            let due = if said == 0 { Instant::now() } else { self.next };
            self.next = due + Duration::from_micros(self.dice.between(0, 2 * average));
            let message = self.compose(said);
            let packet = packet_of(&message);
            let mut record = self.record();
            record.said.push(message);
            // Without a connection it waits in the outbox.
            if stage.live {
                record.said[said].times = 1;
                drop(record);
                line.send(&packet)?;
            }
        }
        if stage.live { self.come_and_go(said, line) } else { Ok(()) }
    }

    fn compose(&mut self, n: usize) -> Said {
        let to = self.dice.pick(&self.role.targets).clone();
        // Characters of two to four bytes, so that there is something to split.
        let padding = "äŁ漢🙂 ".repeat(self.dice.below(20));
        let text = format!("{} {n} to {to}: {padding}.", self.role.name);
        let id = format!("{}-{n}", self.prefix);
        Said { id, to, text, times: 0, seq: None, waits: false, is_done: false }
    }

    /// Joins and leaves the room when it is time.
    fn come_and_go(&self, said: usize, line: &mut Line) -> io::Result<()> {
        let mut record = self.record();
        let since = record.since;
        for (kind, after) in [("join", self.role.join_after), ("part", self.role.part_after)] {
            let moment = if kind == "join" { &mut record.joined } else { &mut record.parted };
            if after.is_some_and(|after| said >= after) && moment.asked.is_none() {
                moment.asked = Some(since);
                moment.times = 1;
                return line.send(&json!({"type": kind, "room": ROOM, "id": kind, "to": "server"}));
            }
        }
        Ok(())
    }

    fn take(&self, packet: &Value, stage: &mut Stage, line: &mut Line) -> io::Result<()> {
        let mut record = self.record();
        for member in ["from", "to", "msg"] {
            if packet[member].is_null() {
                record.fault(format!("no {member}"), packet);
            }
        }
        match packet["type"].as_str().unwrap_or_default() {
            "welcome" => {
                stage.welcomed = true;
                welcome(&mut record, packet);
            }
            "history" => {
                take_history_end(&mut record, stage, packet);
                drop(record);
                return self.catch_up_done(line);
            }
            "chat" => self.take_chat(&mut record, stage, packet),
            "delivered" => {
                let number = |member: &str| packet[member].as_u64().unwrap_or_default();
                let name = packet["name"].as_str().unwrap_or_default().to_owned();
                let arrival =
                    Arrival { name, count: number("count"), last: number("last"), seq: number("seq") };
                if arrival.seq <= record.since {
                    record.fault("a notice of delivery out of order", packet);
                }
                record.learn(arrival.seq);
                record.arrivals.push(arrival);
            }
            "sent" => take_receipt(&mut record, stage, packet),
            "room" => drop(answered(&mut record, packet)),
            "error" => {
                if !answered(&mut record, packet) {
                    let code = packet["code"].as_str().unwrap_or_default().to_owned();
                    *record.errors.entry(code).or_default() += 1;
                }
                if record.said.iter().any(|said| packet["id"] == said.id) {
                    record.fault("a message was refused", packet);
                }
            }
            "joined" | "left" | "topic" | "alert" if !stage.live => {
                record.fault("live before it has caught up", packet);
            }
            _ => {}
        }
        Ok(())
    }

    fn take_chat(&self, record: &mut Record, stage: &Stage, packet: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let history = packet["history"] == true;
        let Some(seq) = packet["seq"].as_u64() else { return record.fault("no number", packet) };
        let heard = Heard {
            seq,
            from: text(&packet["from"]["name"]),
            to: text(&packet["to"]),
            text: text(&packet["msg"]),
            history,
        };
        if history == stage.live {
            record.fault(if history { "history after the live stream began" } else { "not history" }, packet);
        }
        if seq <= record.since {
            record.fault(format!("number {seq} after {}", record.since), packet);
        }
        record.caught_up += usize::from(history);
        if heard.from == self.role.name {
            let own = record.said.iter_mut().find(|said| said.text == heard.text);
            match own {
                None => record.fault("an own message that it never said", packet),
                Some(own) => {
                    own.seq = Some(seq);
                    own.is_done |= self.role.reads_own_history && history && packet["id"] == own.id;
                }
            }
            if history && packet["id"].is_null() {
                record.fault("an own message without its id", packet);
            }
        }
        if heard.to == "all" {
            // Newcomers are shown the latest only.
            record.lobby_from.get_or_insert(seq - 1);
        }
        record.learn(seq);
        record.heard.push(heard);
    }

    /// Acknowledges mail, and says again what has no receipt.
    fn catch_up_done(&self, line: &mut Line) -> io::Result<()> {
        let mut record = self.record();
        record.is_live = true;
        let since = record.since;
        let mut packets = vec![json!({"type": "received", "seq": since, "to": "server"})];
        let Record { joined, parted, .. } = &mut *record;
        for (kind, moment) in [("join", joined), ("part", parted)] {
            if moment.asked.is_some() && !moment.is_answered {
                moment.times += 1;
                packets.push(json!({"type": kind, "room": ROOM, "id": kind, "to": "server"}));
            }
        }
        let mut resends = 0;
        for said in record.said.iter_mut().filter(|said| !said.is_done) {
            resends += usize::from(said.times > 0);
            said.times += 1;
            packets.push(packet_of(said));
        }
        record.resends += resends;
        drop(record);
        packets.iter().try_for_each(|packet| line.send(packet))
    }
}

fn packet_of(said: &Said) -> Value {
    json!({"type": "chat", "to": said.to, "msg": said.text, "id": said.id})
}

fn welcome(record: &mut Record, packet: &Value) {
    record.connections += 1;
    record.resumes += usize::from(record.since > 0);
    let log = packet["log"].as_str().map(str::to_owned);
    if log.is_none() || packet["rewound"] == true || record.log.is_some() && packet["since"] != record.since {
        record.fault(format!("another history than {:?} up to {}", record.log, record.since), packet);
    }
    record.log = log;
    let rooms = packet["rooms"].as_array();
    let is_member = rooms.is_some_and(|rooms| rooms.iter().any(|room| room["name"] == ROOM));
    if record.joined.is_answered && record.parted.asked.is_none() && !is_member {
        record.fault("not back in its room", packet);
    }
    if record.parted.is_answered && is_member {
        record.fault("back in a room that it has left", packet);
    }
}

fn take_history_end(record: &mut Record, stage: &mut Stage, packet: &Value) {
    if !stage.welcomed || stage.live {
        record.fault("an end of the history out of place", packet);
    }
    if packet["gap"] == true {
        record.fault("a gap", packet);
    }
    (stage.live, stage.live_since) = (true, Instant::now());
    let Some(seq) = packet["seq"].as_u64() else { return record.fault("no number", packet) };
    if seq < record.since {
        record.fault(format!("live from {seq}, before {}", record.since), packet);
    }
    record.lobby_from.get_or_insert(seq);
    stage.resumed_at = seq;
    record.learn(seq);
}

fn take_receipt(record: &mut Record, stage: &Stage, packet: &Value) {
    if !stage.live {
        record.fault("a receipt for nothing that this connection has sent", packet);
    }
    if packet["stored"] == false {
        return record.fault("a message was not stored", packet);
    }
    let Some(seq) = packet["seq"].as_u64() else { return record.fault("a receipt without number", packet) };
    let Some(said) = record.said.iter_mut().find(|said| packet["id"] == said.id) else {
        return record.fault("a receipt for what it never said", packet);
    };
    let (was_known, times) = (said.seq, said.times);
    said.waits |= packet["waits"] == true;
    let is_again = std::mem::replace(&mut said.is_done, true);
    said.seq = Some(seq);
    // It came before this connection began to talk, or meanwhile by the connection before, of which the
    // server did not know yet that it was broken.
    let is_again_said = times > 1 && seq <= record.since;
    let is_duplicate = seq <= stage.resumed_at || was_known.is_some() || is_again_said;
    record.duplicates += usize::from(is_duplicate);
    if was_known.is_some_and(|known| known != seq) {
        record.fault(format!("it had the number {was_known:?}"), packet);
    }
    if is_again {
        record.fault("a second receipt", packet);
    }
    if !is_duplicate && seq <= record.since {
        record.fault(format!("number {seq} after {}", record.since), packet);
    }
    record.learn(seq);
}

/// The answer to a join or part; an error is a good one only to what was asked for again.
fn answered(record: &mut Record, packet: &Value) -> bool {
    let moment = match packet["id"].as_str() {
        Some("join") => &mut record.joined,
        Some("part") => &mut record.parted,
        _ => return false,
    };
    moment.is_answered = packet["type"] == "room" || moment.times > 1;
    moment.is_answered
}
