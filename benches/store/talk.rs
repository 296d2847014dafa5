//! Messages such as people write: few words are common and many are rare.

use jiff::Timestamp;
use lanchat::chat::{Account, Entry, Kind, Mail, Message, Venue};
use lanchat::fingerprint::Fingerprint;
use lanchat::name::RoomName;
use lanchat::protocol::packet::Sender;
use lanchat::store::WriteBatch;

/// Words that are used.
const VOCABULARY: f64 = 60_000.0;

/// People who write.
const PEOPLE: u64 = 200;

/// Rooms besides the lobby.
const ROOMS: u64 = 10;

/// Where the numbers of a run come from.
pub struct Talk {
    random: u64,
    seq: u64,
    at: i64,
    rooms: Vec<RoomName>,
}

impl Talk {
    /// Goes on after the number `seq`.
    pub fn after(seq: u64) -> Self {
        let room = |number| RoomName::new(&format!("#room{number}")).expect("a name");
        // A second apart, and the last one now.
        let at = Timestamp::now().as_millisecond() - 2_000_000_000 + seq as i64 * 1000;
        Self { random: seq * 2 + 1, seq, at, rooms: (0..ROOMS).map(room).collect() }
    }

    pub fn seq(&self) -> u64 {
        self.seq
    }

    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// The word of rank n has a share of about 1 / n.
    fn word(&mut self) -> String {
        let share = self.next() as f64 / (1_u64 << 53) as f64;
        format!("w{}", VOCABULARY.powf(share) as u64)
    }

    fn text(&mut self, words: usize) -> String {
        (0..words).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    /// Of ten messages, seven are to the lobby, two to rooms, one to a user.
    pub fn message(&mut self, words: usize) -> Message {
        self.seq += 1;
        self.at += 1000;
        let author = self.next() % PEOPLE;
        let (venue, receiver, mail) = match self.next() % 10 {
            0 => {
                let to = self.next() % PEOPLE;
                let mail = [to, author].map(|number| Mail { account: account(number), waits: false });
                (Venue::Direct(format!("user{to}")), Some(account(to)), mail.to_vec())
            }
            1 | 2 => {
                let number = (self.next() % ROOMS) as usize;
                (Venue::Room(self.rooms[number].clone()), None, Vec::new())
            }
            _ => (Venue::Room(RoomName::lobby()), None, Vec::new()),
        };
        Message {
            seq: self.seq,
            at: Timestamp::from_millisecond(self.at).expect("a time"),
            kind: Kind::Chat,
            venue,
            receiver,
            from: Sender {
                name: format!("user{author}"),
                ip: "192.168.1.20".into(),
                key: Some("I3aEaKt5".into()),
            },
            author: Some(account(author)),
            id: Some(format!("{:016x}-{}", author, self.seq)),
            text: self.text(words),
            reply: None,
            edited: false,
            mail,
        }
    }

    /// So many messages, of ten words each.
    pub fn batch(&mut self, messages: usize) -> WriteBatch {
        self.batch_of(messages, 10)
    }

    pub fn batch_of(&mut self, messages: usize, words: usize) -> WriteBatch {
        let entries = (0..messages).map(|_| Entry::Message(Box::new(self.message(words)))).collect();
        WriteBatch { entries, seq: self.seq, ..WriteBatch::default() }
    }
}

pub fn account(number: u64) -> Account {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    Account::Key(Fingerprint::new(hash))
}
