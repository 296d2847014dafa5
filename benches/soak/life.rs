//! What people do: they talk, flood and keep silent in turn, and all the time some leave and others
//! come.
//!
//! Of the clients four fifths stay, among them those who talk to all. A tenth more than there is room
//! for wait outside.

use super::watch::Watch;
use crate::rig::clients::Clients;
use crate::rig::peer::State;
use crate::rig::stretch::SENDERS;
use anyhow::Result;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spell {
    Flood,
    /// Many talk, no faster than people may.
    Crowd,
    Talk,
    /// Now and then a message.
    Quiet,
    Silence,
}

impl Spell {
    /// In their order, and how long each lasts: a minute together.
    pub const FREE: [(Self, Duration); 3] = [
        (Self::Flood, Duration::from_secs(10)),
        (Self::Talk, Duration::from_secs(20)),
        (Self::Silence, Duration::from_secs(30)),
    ];

    /// The same of people who keep to a pace: a third of a minute.
    pub const PACED: [(Self, Duration); 3] = [
        (Self::Crowd, Duration::from_secs(6)),
        (Self::Talk, Duration::from_secs(8)),
        (Self::Quiet, Duration::from_secs(6)),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Flood => "flood",
            Self::Crowd => "crowd",
            Self::Talk => "talk",
            Self::Quiet => "quiet",
            Self::Silence => "silence",
        }
    }
}

/// Bytes of a message.
const BYTES: usize = 128;

/// Messages in flight in a flood.
const WINDOW: u64 = 16;

/// Time between two leavings, each with a coming.
const CHURN: Duration = Duration::from_millis(50);

/// Time between two things that people do while they talk.
const ACT: Duration = Duration::from_millis(25);

/// The same while a crowd talks: four senders stay below five a second each.
const SAY: Duration = Duration::from_millis(60);

/// Direct messages of a crowd for each message to all.
const DIRECTS: usize = 10;

/// Time between two messages while it is quiet.
const SAY_QUIETLY: Duration = Duration::from_millis(250);

/// The least time between two comings of somebody, on the average: ten a minute are too many.
const AWAY: Duration = Duration::from_secs(15);

/// Memberships of rooms that are kept.
const JOINED: usize = 100;

/// How long a delivery may be missing before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// Logins in progress at the beginning.
const AT_A_TIME: usize = 64;

/// See the module.
pub struct Life {
    pub clients: Clients,
    /// Of all clients the first so many stay.
    regulars: usize,
    /// Time between two leavings.
    churn: Duration,
    random: u64,
    next_churn: Instant,
    next_act: Instant,
    acts: u64,
    /// Users who joined a room and have not left it yet.
    joined: VecDeque<(usize, usize)>,
    /// Users who left and came back.
    pub churned: u64,
}

impl Life {
    /// All but those who wait outside come in. Those who come and go do so no faster than a pace allows if
    /// they are `paced`.
    pub fn new(mut clients: Clients, count: usize, paced: bool) -> Result<Self> {
        clients.join(count, AT_A_TIME, Duration::from_secs(180), |_| false)?;
        clients.add_outside(count / 10);
        let now = Instant::now();
        let regulars = count * 4 / 5;
        let visitors = (clients.peers.len() - regulars) as u32;
        let churn = if paced { CHURN.max(AWAY / visitors) } else { CHURN };
        Ok(Self {
            clients,
            regulars,
            churn,
            random: 7,
            next_churn: now,
            next_act: now,
            acts: 0,
            joined: VecDeque::new(),
            churned: 0,
        })
    }

    /// Lives through a spell, and is watched.
    pub fn spell(&mut self, spell: Spell, time: Duration, watch: &mut Watch) -> Result<()> {
        self.clients.begin(BYTES);
        self.next_act = Instant::now();
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.churn()?;
            match spell {
                Spell::Flood => self.flood()?,
                Spell::Crowd => self.crowd()?,
                Spell::Talk => self.talk()?,
                Spell::Quiet => self.say_quietly()?,
                Spell::Silence => {}
            }
            self.clients.turn(Duration::from_millis(5))?;
            watch.look(spell, end, &self.clients)?;
        }
        self.clients.settle(Duration::from_millis(5), PATIENCE)?;
        watch.note(spell, &mut self.clients.tally);
        Ok(())
    }

    /// One leaves, another comes.
    fn churn(&mut self) -> Result<()> {
        if Instant::now() < self.next_churn {
            return Ok(());
        }
        self.next_churn += self.churn;
        if let (Some(leaving), Some(coming)) = (self.visitor(State::In), self.visitor(State::Closed)) {
            // As often in good order as by a broken connection.
            if self.churned.is_multiple_of(2) {
                self.clients.part(leaving)?;
            }
            self.clients.leave(leaving);
            self.clients.open(coming)?;
            self.churned += 1;
        }
        Ok(())
    }

    fn flood(&mut self) -> Result<()> {
        for sender in 0..SENDERS {
            if self.clients.in_flight() < WINDOW {
                self.clients.send(sender, Instant::now())?;
            }
        }
        Ok(())
    }

    /// Whether it is time for the next thing that people do, and then it is done.
    fn is_time(&mut self, every: Duration) -> bool {
        let is_time = Instant::now() >= self.next_act;
        if is_time {
            self.next_act = Instant::now() + every;
            self.acts += 1;
        }
        is_time
    }

    /// The senders talk to all in turn, and everybody to somebody they know.
    fn crowd(&mut self) -> Result<()> {
        if !self.is_time(SAY) {
            return Ok(());
        }
        self.clients.send(self.acts as usize % SENDERS, Instant::now())?;
        let people = self.regulars - SENDERS;
        for n in 0..DIRECTS {
            let who = (self.acts as usize * DIRECTS + n) % people;
            self.clients.send_direct(SENDERS + who, SENDERS + (who + 1) % people)?;
        }
        Ok(())
    }

    fn say_quietly(&mut self) -> Result<()> {
        if self.is_time(SAY_QUIETLY) {
            self.clients.send(self.acts as usize % SENDERS, Instant::now())?;
        }
        Ok(())
    }

    /// People do this and that, one thing at a time.
    fn talk(&mut self) -> Result<()> {
        if !self.is_time(ACT) {
            return Ok(());
        }
        let who = SENDERS + self.below(self.regulars - SENDERS);
        let room = self.below(50);
        match self.acts % 8 {
            0 | 4 => {
                let sender = self.below(SENDERS);
                self.clients.send(sender, Instant::now()).map(drop)
            }
            1 | 5 => {
                let to = SENDERS + self.below(self.regulars - SENDERS);
                self.clients.send_direct(who, to)
            }
            2 => self.clients.say(who, "{\"type\":\"users\"}\n"),
            3 => {
                self.joined.push_back((who, room));
                self.clients.say(who, &format!("{{\"type\":\"join\",\"room\":\"#room{room}\"}}\n"))
            }
            6 => self.part(),
            _ => self.rename(),
        }
    }

    /// Whoever joined a room before the last ones leaves it.
    fn part(&mut self) -> Result<()> {
        let Some((who, room)) = (self.joined.len() > JOINED).then(|| self.joined.pop_front()).flatten()
        else {
            return Ok(());
        };
        self.clients.say(who, &format!("{{\"type\":\"part\",\"room\":\"#room{room}\"}}\n"))
    }

    /// A visitor changes the name, whom nobody writes to.
    fn rename(&mut self) -> Result<()> {
        let Some(who) = self.visitor(State::In) else { return Ok(()) };
        let name = format!("guest{who}x{}", self.acts % 4);
        self.clients.say(who, &format!("{{\"type\":\"nick\",\"name\":\"{name}\"}}\n"))
    }

    /// Anybody of those who do not stay and are in that state.
    fn visitor(&mut self, state: State) -> Option<usize> {
        let visitors = self.clients.peers.len() - self.regulars;
        let start = self.below(visitors);
        let places = (0..visitors).map(|n| self.regulars + (start + n) % visitors);
        let mut those = places.filter(|n| self.clients.peers[*n].state == state);
        those.next()
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % bound as u64) as usize
    }
}
