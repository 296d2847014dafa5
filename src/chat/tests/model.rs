//! Any steps in any order keep the invariants.

use super::*;
use proptest::prelude::*;

/// One step.
#[derive(Debug, Clone)]
enum Step {
    /// With the key of that number, or without one for 0.
    Join {
        id: u64,
        name: usize,
        token: usize,
        mode: usize,
        key: u8,
    },
    Say {
        id: u64,
        to: usize,
    },
    Nick {
        id: u64,
        name: usize,
    },
    Console {
        command: usize,
        who: usize,
    },
    /// Goes away or comes back, reads, or tries to change what nobody stores.
    Settle {
        id: u64,
        what: usize,
    },
    /// Offers a file, answers an offer, or presents a token.
    File {
        id: u64,
        what: usize,
        to: usize,
        offer: u64,
    },
    Leave {
        id: u64,
    },
    Wait {
        hours: u64,
    },
    Restart,
}

const NAMES: [&str; 8] = ["alice", "ALICE", "a1ice", "bob", "b0b", "eve", "Ivan", "two words"];
const SUBJECTS: [&str; 5] = ["alice", "bob", "key:", "ip:10.0.0.0/30", "10.0.0.5"];
const COMMANDS: [&str; 14] = [
    "kick",
    "mute",
    "ban",
    "unban",
    "unmute",
    "bans",
    "op",
    "deop",
    "admit",
    "dismiss",
    "release",
    "operators",
    "members",
    "owners",
];
const SETTLED: [&str; 5] = [
    r#"{"type":"away","msg":"lunch"}"#,
    r#"{"type":"back"}"#,
    r#"{"type":"read","name":"bob","seq":3}"#,
    r#"{"type":"read","seq":900}"#,
    r#"{"type":"delete","seq":1}"#,
];
const TOKENS: [&str; 3] = ["", "one", "two"];
const MODES: [&str; 3] = ["chat", "send", "tail"];

fn step() -> impl Strategy<Value = Step> {
    let id = 1..12_u64;
    prop_oneof![
        6 => (id.clone(), 0..NAMES.len(), 0..TOKENS.len(), 0..MODES.len(), 0..4_u8)
            .prop_map(|(id, name, token, mode, key)| Step::Join { id, name, token, mode, key }),
        4 => (id.clone(), 0..=NAMES.len()).prop_map(|(id, to)| Step::Say { id, to }),
        2 => (id.clone(), 0..NAMES.len()).prop_map(|(id, name)| Step::Nick { id, name }),
        2 => (0..COMMANDS.len(), 0..SUBJECTS.len()).prop_map(|(command, who)| Step::Console { command, who }),
        2 => (id.clone(), 0..SETTLED.len()).prop_map(|(id, what)| Step::Settle { id, what }),
        6 => (id.clone(), 0..7_usize, 0..=NAMES.len() + 1, 1..6_u64)
            .prop_map(|(id, what, to, offer)| Step::File { id, what, to, offer }),
        2 => id.prop_map(|id| Step::Leave { id }),
        1 => prop_oneof![Just(0), Just(1), Just(30), Just(800)].prop_map(|hours| Step::Wait { hours }),
        1 => Just(Step::Restart),
    ]
}

/// Connections get new numbers, as from a server; `open` maps the steps' numbers to them.
struct Play {
    house: House,
    open: HashMap<u64, u64>,
    next: u64,
}

impl Play {
    fn step(&mut self, step: &Step) {
        let Self { house, open, next } = self;
        match step {
            Step::Join { id, name, token, mode, key: number } => {
                if let Some(old) = open.insert(*id, *next) {
                    house.leave(old);
                }
                let key = (*number > 0).then(|| key(*number));
                // Addresses are reused, and people return.
                let peer = Peer { ip: House::peer(*id, None).ip, local: *id > 10, ..House::peer(*next, key) };
                house.chat.connect(SessionId(*next), peer);
                let hello = format!(
                    r#"{{"type":"hello","from":{{"name":"{}"}},"token":"{}","mode":"{}"}}"#,
                    NAMES[*name], TOKENS[*token], MODES[*mode]
                );
                house.send(*next, &hello);
                *next += 1;
            }
            Step::Say { id, to } => {
                let Some(id) = open.get(id) else { return };
                let muted = house.chat.is_silenced(SessionId(*id), &house.now);
                let before = house.chat.seq;
                let to = NAMES.get(*to).unwrap_or(&"all");
                house.send(*id, &format!(r#"{{"to":"{to}","msg":"x","id":"r"}}"#));
                assert!(!muted || house.chat.seq == before, "a muted user sends nothing");
            }
            Step::Nick { id, name } => {
                let Some(id) = open.get(id) else { return };
                house.send(*id, &format!(r#"{{"type":"nick","name":"{}"}}"#, NAMES[*name]));
            }
            Step::Console { command, who } => {
                let mut who = SUBJECTS[*who].to_owned();
                if who == "key:" {
                    who += &key(2).to_string();
                }
                let line = format!("/{} {who}", COMMANDS[*command]);
                let line = if COMMANDS[*command] == "bans" { "/bans" } else { line.as_str() };
                drop(house.console(line));
            }
            Step::Settle { id, what } => {
                let Some(id) = open.get(id) else { return };
                house.send(*id, SETTLED[*what]);
            }
            Step::File { id, what, to, offer } => {
                let Some(id) = open.get(id) else { return };
                house.file(*id, *what, NAMES.get(*to).unwrap_or(&["all", "#games"][*to % 2]), *offer);
            }
            Step::Leave { id } => {
                if let Some(id) = open.remove(id) {
                    house.leave(id);
                }
            }
            Step::Wait { hours } => house.later(PRESENCE_WINDOW + Duration::from_secs(hours * 3600)),
            Step::Restart => {
                for (_, id) in open.drain() {
                    house.leave(id);
                }
                let rules = Rules::default();
                let whole = std::mem::replace(house, House::with(rules, Records::default()));
                *house = whole.restarted();
            }
        }
        self.house.check();
    }
}

impl House {
    fn file(&mut self, id: u64, what: usize, to: &str, offer: u64) {
        let request = ["offer", "accept", "accept", "decline", "cancel", "join"];
        if let Some(request) = request.get(what) {
            return self.send(
                id,
                &format!(
                    r##"{{"type":"{request}","to":"{to}","room":"#games","offer":{offer},"file":{{"name":"x","id":"y"}}}}"##
                ),
            );
        }
        let peer = self.chat.sessions.get(&SessionId(id)).map(|session| session.peer());
        let Some(peer) = peer else { return };
        for number in 1..=2 * offer {
            let token = format!("{number:032x}");
            if let Ok(ticket) = self.chat.claim_transfer(&token, &peer, &self.now)
                && offer.is_multiple_of(2)
            {
                let end = TransferEnd::Cut(ticket.side);
                self.act(|chat, _, out| chat.transfer_ended(ticket.transfer, end, out));
            }
        }
    }

    pub(super) fn check(&self) {
        self.chat.check(&self.following.iter().map(|id| SessionId(*id)).collect(), &self.now);
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_books_agree_and_nothing_is_left_behind(
        steps in proptest::collection::vec(step(), 1..80)
    ) {
        let mut play = Play { house: House::new(), open: HashMap::new(), next: 1 };
        for step in &steps {
            play.step(step);
        }
        let Play { mut house, open, .. } = play;
        for inbox in house.inboxes.values() {
            let numbers: Vec<u64> =
                inbox.iter().filter(|p| matches!(p.kind.as_deref(), Some("chat" | "sent"))).filter_map(|p| p.seq).collect();
            prop_assert!(numbers.is_sorted_by(|one, other| one < other), "one order, nothing twice: {:?}", numbers);
        }
        for (_, id) in open {
            house.leave(id);
        }
        house.check();
        house.later(PRESENCE_WINDOW);
        let chat = &house.chat;
        prop_assert!(chat.users.is_empty() && chat.names.is_empty() && chat.sessions.is_empty());
        prop_assert_eq!(chat.looks.len(), 0);
        prop_assert!(chat.offers.as_ref().is_some_and(|offers| offers.has_nothing()));
        prop_assert_eq!((chat.presence.due(), chat.rooms.due()), (None, None));
        house.restarted();
    }
}
