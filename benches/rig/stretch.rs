//! The messages of one measured stretch: what each sender sent, so that what comes is held against it
//! byte by byte.

use std::time::Duration;

/// Clients that send: the first ones.
pub const SENDERS: usize = 4;

/// `~` stretch, sender, number, time `~`, in hexadecimal.
const HEAD_BYTES: usize = 1 + 2 + 2 + 8 + 16 + 1;

/// Smallest message.
pub const MIN_BYTES: usize = HEAD_BYTES + 1;

/// The parts of a message in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// None: it is something else.
    Nothing,
    /// One of an earlier stretch.
    Stale,
    /// One that nobody sent.
    Corrupt,
    Message {
        sender: usize,
        number: u32,
        sent: Duration,
    },
}

/// See the module.
#[derive(Debug)]
pub struct Stretch {
    number: u8,
    filling: Vec<u8>,
    sent: [Vec<([u8; HEAD_BYTES], Duration)>; SENDERS],
    /// Where the message began in the last line: mostly the same place.
    place: usize,
}

impl Stretch {
    /// Messages of `bytes` each.
    pub fn new(number: u8, bytes: usize) -> Self {
        // Each byte differs from its neighbours, so that a shift shows.
        let filling = (b'a'..=b'z').cycle().take(bytes.max(MIN_BYTES) - HEAD_BYTES).collect();
        Self { number, filling, sent: Default::default(), place: 0 }
    }

    /// The next stretch.
    pub fn next(&self, bytes: usize) -> Self {
        Self::new(self.number.wrapping_add(1), bytes)
    }

    /// Messages that each sender sent.
    pub fn counts(&self) -> [u32; SENDERS] {
        self.sent.each_ref().map(|sent| sent.len() as u32)
    }

    /// The sender's next message.
    pub fn write(&mut self, sender: usize, at: Duration) -> String {
        let number = self.sent[sender].len();
        let mut text = format!("~{:02x}{sender:02x}{number:08x}{:016x}~", self.number, at.as_nanos() as u64);
        let mut head = [0; HEAD_BYTES];
        head.copy_from_slice(&text.as_bytes()[..HEAD_BYTES]);
        self.sent[sender].push((head, at));
        text.extend(self.filling.iter().map(|byte| char::from(*byte)));
        text
    }

    /// Looks for a message in a line without its line feed.
    pub fn find(&mut self, line: &[u8]) -> Found {
        if line.get(self.place) != Some(&b'~') {
            match memchr::memchr(b'~', line) {
                Some(place) => self.place = place,
                None => return Found::Nothing,
            }
        }
        self.check(&line[self.place..]).unwrap_or(Found::Corrupt)
    }

    fn check(&self, text: &[u8]) -> Option<Found> {
        let hex = |from: usize, to: usize| {
            u32::from_str_radix(std::str::from_utf8(text.get(from..to)?).ok()?, 16).ok()
        };
        if hex(1, 3)? != u32::from(self.number) {
            return Some(Found::Stale);
        }
        let (sender, number) = (hex(3, 5)? as usize, hex(5, 13)?);
        let (head, sent) = self.sent.get(sender)?.get(number as usize)?;
        let (body, rest) = text.split_at_checked(HEAD_BYTES + self.filling.len())?;
        // In a packet a quotation mark ends it, at the floor the line.
        let is_whole = body[..HEAD_BYTES] == *head
            && body[HEAD_BYTES..] == *self.filling
            && matches!(rest.first(), None | Some(b'"'));
        is_whole.then_some(Found::Message { sender, number, sent: *sent })
    }
}
