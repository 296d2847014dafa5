//! Messages from the history: missed ones, which come at the start of a connection, and those that the user
//! asked for. A line before and a line after them say what they are.

use super::missed::MissedDigest;
use super::seen_messages::{IncomingMessage, MissedMessages, Novelty};
use super::{CallTime, Conversation, Effect, PendingRequest, shown};
use crate::client::connection::Resumption;
use crate::protocol::event::{BEHIND, GAP, HistoryEnd, SLOW, Welcome, count_messages};
use crate::protocol::packet::stamp;
use crate::protocol::request::{Act, SearchRequest, Span};
use crate::protocol::target::LOBBY;
use crate::protocol::{self, Event, Request, Target};

pub(crate) const WENT_BACK: &str = "the server went back to an earlier state (from a restored backup or \
    copy): it no longer has some messages that you have seen, and others may be missing";

/// Messages to show after joining a room.
const ON_JOINING: u64 = 20;

/// Messages that the user asked for, as they come.
#[derive(Debug)]
pub(super) struct RequestedMessages {
    /// The line before them.
    title: Title,
    shown: usize,
    /// The number of the first one to show.
    first: u64,
    /// The word that each must have, as a whole word.
    word: Option<String>,
}

/// The line before requested messages.
#[derive(Debug)]
pub(super) enum Title {
    Note(String),
    /// A thin line; no line follows the messages.
    Rule(String),
}

impl Conversation {
    /// Begins a connection, with missed messages if the hello asked for them and the server stores any.
    pub(super) fn begin(&mut self, welcome: &Welcome, resumes: bool, now: CallTime) -> Vec<Effect> {
        let back = self.seen.welcomed(welcome, resumes);
        let is_digest = self.seen.is_catching_up() && back.resumed && self.view.outlet.screen().is_some();
        self.attention.missed = is_digest.then(MissedDigest::default);
        if !self.seen.is_catching_up() {
            self.go_live(now);
        }
        if back.rewound {
            self.numbered.lock().forget();
        }
        if back.rewound { self.failure(WENT_BACK) } else { Vec::new() }
    }

    /// From here on, messages are live, so the client can ask for the users, and send.
    fn go_live(&mut self, now: CallTime) {
        self.ask_roster(None);
        self.flush(now);
    }

    /// Handles a message from the history, requested or missed. `None`: it is neither.
    pub(super) fn past(&mut self, event: &Event, id: Option<&str>, is_direct: bool) -> Option<Vec<Effect>> {
        let (seq, history) = match event {
            Event::Chat { seq, history, .. }
            | Event::Alert { seq, history, .. }
            | Event::Delivered { seq, history, .. }
            | Event::Edited { seq, history, .. }
            | Event::Deleted { seq, history, .. } => (*seq, *history),
            _ => return None,
        };
        if let Some(PendingRequest::Messages(past)) = id.and_then(|id| self.requests.get_mut(id)) {
            let word = past.word.clone();
            if seq.is_some_and(|seq| seq < past.first)
                || word.is_some_and(|word| !self.is_mention(event, &word))
            {
                return Some(Vec::new());
            }
            let lines = self.show(event);
            return Some(self.requested(id, lines));
        }
        let mut effects = match self.seen.take(IncomingMessage { seq, is_direct, history }, true) {
            Novelty::Known => return Some(Vec::new()),
            Novelty::Live => return None,
            Novelty::Missed(_) if self.attention.missed.is_some() => {
                self.miss(event);
                return Some(Vec::new());
            }
            Novelty::Missed(1) => {
                let is_return = self.seen.missed().is_some_and(|missed| missed.back.resumed);
                self.note(if is_return { "missed messages:" } else { "the latest messages:" })
            }
            Novelty::Missed(_) => Vec::new(),
        };
        effects.extend(self.show(event));
        Some(effects)
    }

    /// Shows a requested message, after the title if it is the first one.
    fn requested(&mut self, id: Option<&str>, lines: Vec<Effect>) -> Vec<Effect> {
        let asked = id.and_then(|id| self.requests.get_mut(id));
        let (Some(PendingRequest::Messages(past)), false) = (asked, lines.is_empty()) else { return lines };
        past.shown += 1;
        let mut effects = match (past.shown, &past.title) {
            (1, Title::Note(title)) => shown(self.view.notes(&format!("{title}:"))),
            (1, Title::Rule(title)) => vec![Effect::Show(self.view.rule(title))],
            _ => Vec::new(),
        };
        effects.extend(lines);
        effects
    }

    /// The end of missed or requested messages.
    pub(super) fn history_end(
        &mut self,
        end: &HistoryEnd,
        ask: Option<PendingRequest>,
        now: CallTime,
    ) -> Vec<Effect> {
        if let Some(PendingRequest::Messages(past)) = ask {
            return past.end(end).map(|text| self.note(&text)).unwrap_or_default();
        }
        let Some((missed, receipt)) = self.seen.caught_up(end) else {
            // A server that stores no messages only says whether some were missed.
            let is_news = end.gap && !self.keeps;
            return if is_news { self.note(&format!("you missed messages{GAP}")) } else { Vec::new() };
        };
        if let Some(receipt) = receipt {
            self.hand(receipt.to_frame(None));
        }
        self.go_live(now);
        let mut effects = self.missed_shown(true);
        let text = match effects.is_empty() {
            true => after_missed(&missed, end),
            false => (end.gap && !missed.back.rewound).then(|| format!("there were others{GAP}")),
        };
        effects.extend(text.map(|text| self.note(&text)).unwrap_or_default());
        self.labelled(effects)
    }

    /// Asks for the latest messages of the present target.
    pub(super) fn ask_past(&mut self, limit: Option<u64>) -> Vec<Effect> {
        let span = Span { before: None, limit };
        let (room, name, place) = match &self.target {
            Target::Room(room) => (Some(room.clone()), None, format!("of {room}")),
            Target::User(name) => (None, Some(name.clone()), format!("with {name}")),
            _ => (None, None, format!("of {LOBBY}")),
        };
        let title = format!("the last messages {place}");
        self.ask(
            &Request::Act(Act::History { room, name, span }),
            PendingRequest::Messages(RequestedMessages::new(Title::Note(title))),
        )
    }

    /// Asks for the latest messages of a room that was just joined.
    pub(super) fn ask_room(&mut self, room: &str) -> Vec<Effect> {
        let span = Span { before: None, limit: Some(ON_JOINING) };
        let title = format!("the last messages of {room}");
        let request = Request::Act(Act::History { room: Some(room.to_owned()), name: None, span });
        self.ask(&request, PendingRequest::Messages(RequestedMessages::new(Title::Note(title))))
    }

    pub(super) fn search(&mut self, mut search: SearchRequest) -> Vec<Effect> {
        let mut title = "messages".to_owned();
        let SearchRequest { words, name, room, since, until, .. } = &mut search;
        match words.as_str() {
            "" => {}
            words if words.contains('"') => title += &format!(" with {words}"),
            words => title += &format!(" with \"{words}\""),
        }
        for (what, filter) in [("from", &*name), ("in", room), ("after", since), ("before", until)] {
            title.extend(filter.iter().map(|filter| format!(" {what} {filter}")));
        }
        // Dates are in the user's time zone. The server, by its own clock, resolves "how long ago" and
        // reports invalid times.
        for time in [since, until].into_iter().flatten() {
            if let Ok(protocol::Moment::At(at)) = time.parse() {
                *time = stamp(at);
            }
        }
        self.ask(
            &Act::Search(search).into(),
            PendingRequest::Messages(RequestedMessages::new(Title::Note(title))),
        )
    }
}

/// The line after missed messages; none if there were none.
fn after_missed(missed: &MissedMessages, end: &HistoryEnd) -> Option<String> {
    let Resumption { resumed, rewound } = missed.back;
    let text = match (missed.shown, resumed) {
        (0, _) if end.gap && !rewound => return Some(format!("you missed messages{GAP}")),
        (0, _) => return None,
        (shown, true) => format!("{} while you were away", count_messages(shown)),
        (1, false) => "the last message".to_owned(),
        (shown, false) => format!("the last {}", count_messages(shown)),
    };
    // If the server went back, the user knows that something is missing.
    Some(if end.gap && !rewound { text + "; there were others" + GAP } else { text })
}

impl RequestedMessages {
    pub(super) fn new(title: Title) -> Self {
        Self { title, shown: 0, first: 0, word: None }
    }

    /// Only those from that number on.
    pub(super) fn from(self, first: Option<u64>) -> Self {
        Self { first: first.unwrap_or_default(), ..self }
    }

    /// Only those of others with that word.
    pub(super) fn of(self, word: String) -> Self {
        Self { word: Some(word), ..self }
    }

    /// The line after them.
    fn end(&self, end: &HistoryEnd) -> Option<String> {
        let title = match &self.title {
            Title::Note(title) => title,
            Title::Rule(_) if self.shown > 0 => return None,
            Title::Rule(title) => title,
        };
        let what = match self.shown {
            0 => format!("{title}: none"),
            shown => count_messages(shown),
        };
        Some(match (self.shown, end) {
            (_, HistoryEnd { partial: true, more: true, .. }) => what + SLOW,
            (_, HistoryEnd { partial: true, .. }) => what + BEHIND,
            (0, _) => what,
            (_, HistoryEnd { more: true, .. }) => what + "; there are older ones",
            (..) => what + "; there are no older ones",
        })
    }
}
