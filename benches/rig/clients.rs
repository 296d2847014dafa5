//! The clients: all of them on one thread and one poll, so that they cost little themselves.

use super::account::Account;
use super::directs::Directs;
use super::groups::Groups;
use super::keys::Keys;
use super::link::{Buffers, Link, Route};
use super::news::News;
use super::peer::{Peer, State};
use super::stretch::{Found, MIN_BYTES, SENDERS, Stretch};
use super::tally::Tally;
use super::web::Web;
use anyhow::{Context, Result, bail, ensure};
use mio::{Events, Poll, Token};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The clients' protocol.
#[derive(Debug, Clone)]
pub enum Speech {
    /// Lines that everybody gets, as at the floor.
    Lines,
    Packets,
}

/// The clients' server, and how they connect.
#[derive(Debug, Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub speech: Speech,
    /// With them the clients speak TLS.
    pub keys: Option<Rc<Keys>>,
    /// Loopback addresses that they come from.
    pub sources: u8,
    /// One of so many is a browser, with keys over https; 0: none is.
    pub web: usize,
    /// Number of the first client, so that several processes have different ones.
    pub first: usize,
}

impl Target {
    fn is_web(&self, n: usize) -> bool {
        self.web > 0 && n.is_multiple_of(self.web)
    }
}

/// See the module. The first [`SENDERS`] of them send.
pub struct Clients {
    target: Target,
    poll: Poll,
    events: Events,
    buffers: Buffers,
    pub peers: Vec<Peer>,
    started: Instant,
    stretch: Stretch,
    /// Between connecting and welcome.
    pub joining: usize,
    /// Clients that read their messages.
    pub present: usize,
    pub tally: Tally,
    /// Of the slow ones.
    aside: Tally,
    /// Whether the server may end connections now.
    pub may_end: bool,
    /// Connections that did not come about or that the server ended, oldest first.
    pub ended: Vec<usize>,
    directs: Directs,
    /// While there are some, nothing but their messages is on the way.
    pub groups: Option<Groups>,
}

impl Clients {
    pub fn new(target: Target) -> Result<Self> {
        Ok(Self {
            target,
            poll: Poll::new()?,
            // Few at a time, so that sending is never far from its time.
            events: Events::with_capacity(256),
            buffers: Buffers::default(),
            peers: Vec::new(),
            started: Instant::now(),
            stretch: Stretch::new(0, MIN_BYTES),
            joining: 0,
            present: 0,
            tally: Tally::default(),
            aside: Tally::default(),
            may_end: false,
            ended: Vec::new(),
            directs: Directs::default(),
            groups: None,
        })
    }

    /// Brings `count` more in, at most `at_a_time` on their way, and those for which `is_slow` with
    /// the buffers of a LAN.
    pub fn join(
        &mut self,
        count: usize,
        at_a_time: usize,
        patience: Duration,
        is_slow: impl Fn(usize) -> bool,
    ) -> Result<()> {
        let first = self.peers.len();
        let (all, deadline) = (first + count, Instant::now() + patience);
        while self.peers.len() < all || self.joining > 0 {
            while self.peers.len() < all && self.joining < at_a_time {
                let n = self.peers.len();
                self.peers.push(Peer::default());
                self.peers[n].slow = is_slow(n);
                self.open(n)?;
            }
            self.turn(Duration::from_millis(20))?;
            if Instant::now() > deadline {
                bail!("only {} of {all} clients were welcomed in {patience:?}", self.present);
            }
        }
        let lost = self.peers[first..].iter().filter(|peer| peer.state == State::Closed).count();
        ensure!(lost == 0, "{lost} were not let in: {:?}", self.tally.complaint);
        Ok(())
    }

    /// Connects a client that is not connected.
    pub fn open(&mut self, n: usize) -> Result<()> {
        let number = self.target.first + n;
        let sources = u32::from(self.target.sources);
        let from = (sources > 1).then(|| Ipv4Addr::new(127, 0, 0, 2 + (number as u32 % sources) as u8));
        let connection = |keys: &Rc<Keys>| match self.target.is_web(n) {
            true => keys.web_connection(),
            false => keys.connection(number),
        };
        let tls = self.target.keys.as_ref().map(connection).transpose()?;
        let route = Route { from, lan: self.peers[n].slow };
        let slow = self.peers[n].slow;
        let mut link = match Link::open(self.target.address, route, tls) {
            Ok(link) => link,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                self.ended.push(n);
                return Ok(());
            }
            Err(error) => return Err(error).context("a client can't connect"),
        };
        link.watch(self.poll.registry(), n)?;
        self.peers[n] = Peer { link: Some(link), state: State::Connecting, slow, ..Peer::default() };
        self.joining += 1;
        Ok(())
    }

    /// Makes so many clients that stay outside for now.
    pub fn add_outside(&mut self, count: usize) {
        self.peers.extend((0..count).map(|_| Peer::default()));
    }

    /// Has a client close in good order when it leaves, and not with a reset.
    pub fn part(&mut self, n: usize) -> Result<()> {
        self.peers[n].link.as_mut().map_or(Ok(()), |link| Ok(link.part()?))
    }

    /// Ends a connection from this side, which is not an error.
    pub fn leave(&mut self, n: usize) {
        let gone = self.forget(n);
        self.tally.expected -= gone;
    }

    /// Begins a stretch with messages of that many bytes. All of the last one is settled.
    pub fn begin(&mut self, bytes: usize) {
        self.stretch = self.stretch.next(bytes);
        for peer in &mut self.peers {
            peer.account = peer.account.next_stretch(peer.state == State::In);
        }
        self.present = self.peers.iter().filter(|peer| peer.counts()).count();
    }

    /// Receivers of each message: everybody but its sender.
    pub fn receivers(&self) -> usize {
        self.present.saturating_sub(1)
    }

    /// Sends a sender's next message to everybody; its time is the one planned. `false`: the socket
    /// has not taken the last ones yet.
    pub fn send(&mut self, sender: usize, planned: Instant) -> Result<bool> {
        let Some(link) = self.peers[sender].link.as_mut().filter(|link| !link.is_behind()) else {
            ensure!(self.peers[sender].link.is_some(), "a sender is gone: {:?}", self.tally.complaint);
            return Ok(false);
        };
        let text = self.stretch.write(sender, planned.saturating_duration_since(self.started));
        let line = match self.target.speech {
            Speech::Lines => format!("{text}\n"),
            Speech::Packets => format!("{{\"to\":\"all\",\"msg\":\"{text}\"}}\n"),
        };
        link.send(line.as_bytes()).context("a sender's connection broke")?;
        self.tally.expected += self.present.saturating_sub(1) as u64;
        Ok(true)
    }

    /// Sends a line as it is, if that client is in.
    pub fn say(&mut self, n: usize, line: &str) -> Result<()> {
        match &mut self.peers[n].link {
            Some(link) => link.send(line.as_bytes()).context("a connection broke"),
            None => Ok(()),
        }
    }

    /// Sends what a member of a group may send now.
    pub fn push(&mut self, n: usize) -> Result<()> {
        let Some(groups) = &mut self.groups else { return Ok(()) };
        let floor = matches!(self.target.speech, Speech::Lines);
        let lines: String = (0..groups.due(n)).map(|_| groups.write(n, floor)).collect();
        if lines.is_empty() { Ok(()) } else { self.say(n, &lines) }
    }

    /// Sends one message of a member of a group.
    pub fn send_to_group(&mut self, n: usize) -> Result<()> {
        let floor = matches!(self.target.speech, Speech::Lines);
        let line = self.groups.as_mut().map(|groups| groups.write(n, floor));
        line.map_or(Ok(()), |line| self.say(n, &line))
    }

    /// Begins messages within groups, which all clients join, or ends them.
    pub fn group(&mut self, groups: Option<Groups>) -> Result<()> {
        let floor = matches!(self.target.speech, Speech::Lines);
        for n in 0..self.peers.len() {
            if let Some(line) = groups.as_ref().and_then(|groups| groups.joining(n, floor)) {
                self.say(n, &line)?;
            }
        }
        self.groups = groups;
        Ok(())
    }

    /// Sends a message to one client, who stays and has the name it came with.
    pub fn send_direct(&mut self, from: usize, to: usize) -> Result<()> {
        if from == to {
            return Ok(());
        }
        let text = self.directs.write(to);
        let name = self.target.first + to;
        self.say(from, &format!("{{\"to\":\"user{name}\",\"msg\":\"{text}\"}}\n"))
    }

    /// Reads until all direct messages came; what did not in that time is lost.
    pub fn settle_directs(&mut self, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        while self.directs.waiting() > 0 && Instant::now() < deadline {
            self.turn(Duration::from_millis(20))?;
        }
        self.tally.lost += self.directs.waiting() as u64;
        Ok(())
    }

    /// Messages that are sent and, at the mean, not delivered yet.
    pub fn in_flight(&self) -> u64 {
        self.tally.expected.saturating_sub(self.tally.deliveries).div_ceil(self.receivers().max(1) as u64)
    }

    /// Reads until everybody has everything, or nothing came for `patience`: then it is lost. A zero
    /// `pause` never sleeps.
    pub fn settle(&mut self, pause: Duration, patience: Duration) -> Result<()> {
        let mut last = (self.tally.deliveries, Instant::now());
        while self.tally.deliveries < self.tally.expected {
            self.turn(pause)?;
            if self.tally.deliveries > last.0 {
                last = (self.tally.deliveries, Instant::now());
            } else if last.1.elapsed() > patience {
                self.tally.lost += self.tally.expected - self.tally.deliveries;
                self.tally.expected = self.tally.deliveries;
            }
        }
        Ok(())
    }

    /// Reads for that long, whatever comes.
    pub fn idle(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(end.saturating_duration_since(Instant::now()))?;
        }
        Ok(())
    }

    /// Reads what there is, waiting at most that long for something.
    pub fn turn(&mut self, patience: Duration) -> Result<()> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let polled = self.poll.poll(&mut events, Some(patience));
        for event in &events {
            let Token(n) = event.token();
            self.serve(n, event.is_writable(), event.is_read_closed() || event.is_error())?;
        }
        self.events = events;
        match polled {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            polled => Ok(polled?),
        }
    }

    /// Stops or goes on reading at the slow ones.
    pub fn pause_slow(&mut self, pause: bool) -> Result<()> {
        for (n, peer) in self.peers.iter_mut().enumerate().filter(|(_, peer)| peer.slow) {
            match &mut peer.link {
                Some(link) if pause => link.ignore(self.poll.registry())?,
                Some(link) => link.watch(self.poll.registry(), n)?,
                None => {}
            }
        }
        Ok(())
    }

    fn serve(&mut self, n: usize, is_writable: bool, has_ended: bool) -> Result<()> {
        let Some(peer) = self.peers.get_mut(n) else { return Ok(()) };
        let Some(link) = &mut peer.link else { return Ok(()) };
        if peer.state == State::Connecting {
            if link.refusal().is_some() {
                self.forget(n);
                self.ended.push(n);
                return Ok(());
            }
            if !is_writable {
                return Ok(());
            }
            peer.state = State::Joining;
            peer.account = Account::new(self.stretch.counts());
            let hello = match self.target.speech {
                // TLS begins by itself all the same.
                Speech::Lines => String::new(),
                Speech::Packets => hello(self.target.first + n),
            };
            let first = match (&self.target.speech, self.target.is_web(n)) {
                (_, false) => hello,
                (Speech::Lines, true) => {
                    link.speak(Web::default());
                    hello
                }
                (Speech::Packets, true) => {
                    let keys = self.target.keys.as_ref();
                    let key = keys.map(|keys| keys.web_key(self.target.first + n)).transpose()?;
                    let (web, request) = Web::enter(self.target.address, key, keys.is_some(), hello);
                    link.speak(web);
                    request
                }
            };
            if link.send_raw(first.as_bytes()).is_err() {
                self.closed(n);
                return Ok(());
            }
        } else if is_writable && link.is_behind() && link.flush().is_err() {
            self.closed(n);
            return Ok(());
        }
        if !self.read(n, has_ended) {
            self.closed(n);
        }
        Ok(())
    }

    fn read(&mut self, n: usize, has_ended: bool) -> bool {
        let now = self.started.elapsed();
        let peer = &mut self.peers[n];
        let Some(link) = &mut peer.link else { return true };
        let tally = if peer.slow { &mut self.aside } else { &mut self.tally };
        let (account, stretch, directs) = (&mut peer.account, &mut self.stretch, &mut self.directs);
        let (mut news, mut senders) = (News::default(), Vec::new());
        let (bytes, goes_on) = link.read(&mut self.buffers, has_ended, |line| match stretch.find(line) {
            _ if self.groups.is_some() => {
                let sender = self.groups.as_mut().and_then(|groups| groups.take(n, line, tally));
                match sender {
                    Some(sender) if senders.last() == Some(&sender) => {}
                    Some(sender) => senders.push(sender),
                    None => _ = news.take(line),
                }
            }
            Found::Message { sender, .. } if sender == n => {}
            Found::Message { sender, number, sent } => {
                account.take(sender, number, tally);
                if tally.keep_latencies {
                    tally.latencies.push(now.saturating_sub(sent));
                }
            }
            Found::Stale => tally.doubled += u64::from(account.refuses_stale()),
            Found::Corrupt => tally.corrupt += 1,
            Found::Nothing if directs.take(n, line, tally) => {}
            Found::Nothing => {
                if news.take(line) {
                    account.welcome(stretch.counts());
                }
            }
        });
        self.tally.bytes += bytes as u64;
        peer.told_slow |= news.slow;
        peer.told_bye |= news.bye;
        if news.welcome && peer.state == State::Joining {
            peer.state = State::In;
            self.joining -= 1;
            self.present += usize::from(!peer.slow);
        }
        if !peer.slow {
            self.tally.errors += news.errors;
            self.tally.complaint = self.tally.complaint.take().or(news.complaint);
        }
        // One that can't be reached counts as dropped once its own socket says so.
        senders.into_iter().for_each(|sender| drop(self.push(sender)));
        goes_on
    }

    /// The server has ended it, or never let it in.
    fn closed(&mut self, n: usize) {
        let excused = self.peers[n].slow || self.may_end;
        let gone = self.forget(n);
        self.ended.push(n);
        self.tally.expected -= gone;
        if !excused {
            self.tally.dropped += 1;
        }
    }

    /// Returns what it had to get and did not.
    fn forget(&mut self, n: usize) -> u64 {
        let peer = &mut self.peers[n];
        peer.link = None;
        match std::mem::replace(&mut peer.state, State::Closed) {
            State::Closed => 0,
            State::Connecting | State::Joining => {
                self.joining -= 1;
                0
            }
            State::In if peer.slow => 0,
            State::In => {
                self.present -= 1;
                peer.account.outstanding(self.stretch.counts(), (n < SENDERS).then_some(n))
            }
        }
    }
}

fn hello(number: usize) -> String {
    format!(
        "{{\"type\":\"hello\",\"v\":1,\"from\":{{\"name\":\"user{number}\"}},\"to\":\"server\",\"msg\":\"\"}}\n"
    )
}
