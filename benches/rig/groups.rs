//! Conversations side by side: pairs that write to each other, rooms, or one lobby. Each message must
//! reach each other member of its group once, in its sender's order and byte by byte, and a message to
//! one person has one receipt.

use super::tally::Tally;
use memchr::{memchr, memmem};

/// Members of a group that send at most: its first ones.
const SENDERS: usize = 4;

/// `^` sender, number `^`, in hexadecimal.
const HEAD_BYTES: usize = 1 + 6 + 8 + 1;

/// The kind of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Client 0 and 1, 2 and 3, and so on.
    Pairs,
    /// Rooms of so many.
    Rooms(usize),
    /// All clients.
    Lobby,
}

/// The books on all clients.
#[derive(Debug)]
pub struct Groups {
    shape: Shape,
    size: usize,
    filling: String,
    members: Vec<Member>,
    /// Messages that each sender keeps on their way; 0: it sends none by itself.
    pub window: u64,
}

#[derive(Debug, Default, Clone)]
struct Member {
    sent: u32,
    /// Deliveries of its messages that are still to come.
    outstanding: u64,
    receipts: u32,
    /// The next number of each sender.
    next: [u32; SENDERS],
}

impl Groups {
    pub fn new(shape: Shape, clients: usize, bytes: usize) -> Self {
        let size = match shape {
            Shape::Pairs => 2,
            Shape::Rooms(members) => members,
            Shape::Lobby => clients,
        };
        // Each byte differs from its neighbours, so that a shift shows.
        let filling = ('a'..='z').cycle().take(bytes.saturating_sub(HEAD_BYTES)).collect();
        Self { shape, size, filling, members: vec![Member::default(); clients], window: 0 }
    }

    /// How a client joins its group, at the floor or at the server, if it must.
    pub fn joining(&self, n: usize, floor: bool) -> Option<String> {
        let group = n / self.size;
        match self.shape {
            Shape::Pairs => floor.then(|| format!("user{n}\n")),
            Shape::Rooms(_) if floor => Some(format!("#room{group}\n")),
            Shape::Rooms(_) => Some(format!("{{\"type\":\"join\",\"room\":\"#room{group}\"}}\n")),
            Shape::Lobby => floor.then(|| "all\n".to_owned()),
        }
    }

    /// A sender's next message as a line, which is sent now.
    pub fn write(&mut self, n: usize, floor: bool) -> String {
        let to = match self.shape {
            Shape::Pairs => format!("user{}", n ^ 1),
            Shape::Rooms(size) => format!("#room{}", n / size),
            Shape::Lobby => "all".to_owned(),
        };
        let (receivers, filling) = (self.receivers(), &self.filling);
        let member = &mut self.members[n];
        let number = member.sent;
        member.sent += 1;
        member.outstanding += receivers;
        let id = if self.shape == Shape::Pairs { number.to_string() } else { String::new() };
        let text = format!("^{n:06x}{number:08x}^{filling}");
        match (floor, self.shape) {
            (true, _) => format!("{to} {id} {text}\n"),
            (false, Shape::Pairs) => format!("{{\"to\":\"{to}\",\"id\":\"{id}\",\"msg\":\"{text}\"}}\n"),
            (false, _) => format!("{{\"to\":\"{to}\",\"msg\":\"{text}\"}}\n"),
        }
    }

    /// Takes a line that a client got; returns the sender of the message in it.
    pub fn take(&mut self, n: usize, line: &[u8], tally: &mut Tally) -> Option<usize> {
        let Some(place) = memchr(b'^', line) else {
            self.take_receipt(n, line, tally);
            return None;
        };
        let Some((sender, number)) =
            self.parse(&line[place..]).filter(|(sender, _)| self.may_get(n, *sender))
        else {
            tally.corrupt += 1;
            return None;
        };
        let next = &mut self.members[n].next[sender % self.size];
        match number.cmp(next) {
            std::cmp::Ordering::Less => {
                tally.doubled += 1;
                return None;
            }
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => tally.disordered += 1,
        }
        *next = number + 1;
        tally.deliveries += 1;
        self.members[sender].outstanding -= 1;
        Some(sender)
    }

    /// Messages that a client may send now.
    pub fn due(&self, n: usize) -> u64 {
        if !self.sends(n) {
            return 0;
        }
        self.window.saturating_sub(self.members[n].outstanding.div_ceil(self.receivers()))
    }

    pub fn sends(&self, n: usize) -> bool {
        n % self.size < SENDERS && n < self.members.len()
    }

    /// The first members of all groups.
    pub fn firsts(&self) -> impl Iterator<Item = usize> + Clone + use<> {
        (0..self.members.len()).step_by(self.size)
    }

    /// Deliveries and receipts that are still to come.
    pub fn outstanding(&self) -> u64 {
        let receipts = |member: &Member| match self.shape {
            Shape::Pairs => u64::from(member.sent - member.receipts),
            _ => 0,
        };
        self.members.iter().map(|member| member.outstanding + receipts(member)).sum()
    }

    /// Whether a sender's messages have all come, and its receipts.
    pub fn is_settled(&self, n: usize) -> bool {
        let member = &self.members[n];
        member.outstanding == 0 && (self.shape != Shape::Pairs || member.sent == member.receipts)
    }

    pub fn messages(&self) -> u64 {
        self.members.iter().map(|member| u64::from(member.sent)).sum()
    }

    fn receivers(&self) -> u64 {
        self.size.saturating_sub(1) as u64
    }

    fn may_get(&self, n: usize, sender: usize) -> bool {
        sender != n && sender / self.size == n / self.size && self.sends(sender)
    }

    /// `sent ID` at the floor.
    fn take_receipt(&mut self, n: usize, line: &[u8], tally: &mut Tally) {
        const ID: &[u8] = b"\"id\":\"";
        let id = match line.strip_prefix(b"sent ") {
            Some(id) => id,
            None if memmem::find(line, b"\"type\":\"sent\"").is_none() => return,
            None => match memmem::find(line, ID) {
                Some(place) => {
                    line[place + ID.len()..].split(|byte| *byte == b'"').next().unwrap_or_default()
                }
                None => &[],
            },
        };
        let member = &mut self.members[n];
        let number = std::str::from_utf8(id).ok().and_then(|id| id.parse::<u32>().ok());
        match number {
            Some(number) if number == member.receipts && number < member.sent => member.receipts += 1,
            _ => tally.disordered += 1,
        }
    }

    fn parse(&self, text: &[u8]) -> Option<(usize, u32)> {
        let hex = |from: usize, to: usize| {
            u32::from_str_radix(std::str::from_utf8(text.get(from..to)?).ok()?, 16).ok()
        };
        let (sender, number) = (hex(1, 7)? as usize, hex(7, 15)?);
        let body = text.get(HEAD_BYTES..)?.strip_prefix(self.filling.as_bytes())?;
        let was_sent = number < self.members.get(sender)?.sent;
        // In a packet a quotation mark ends it, at the floor the line.
        (was_sent && text[15] == b'^' && matches!(body.first(), None | Some(b'"')))
            .then_some((sender, number))
    }
}
