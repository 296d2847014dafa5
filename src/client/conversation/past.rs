//! Messages from the history: missed ones, which come at the start of a connection, and those that the user
//! asked for. A line before and a line after them say what they are.

use std::sync::Arc;

use super::list_progress::ListProgress;
use super::missed::MissedDigest;
use super::seen_messages::{IncomingMessage, MissedMessages, Novelty};
use super::view::render_hit;
use super::{CallTime, Conversation, Effect, PendingRequest, shown};
use crate::client::connection::Resumption;
use crate::limits::MAX_HISTORY_ASKED;
use crate::protocol::event::{BEHIND, GAP, HistoryEnd, SLOW, Welcome, count_messages};
use crate::protocol::packet::stamp;
use crate::protocol::request::{Act, SearchRequest, Span};
use crate::protocol::target::LOBBY;
use crate::protocol::{self, Event, Request, Target};
use crate::text::Sought;

pub(crate) const WENT_BACK: &str = "the server went back to an earlier state (from a restored backup or \
    copy): it no longer has some messages that you have seen, and others may be missing";

/// Messages to show after joining a room.
const ON_JOINING: u64 = 20;

/// Requested messages to hold until all have come: more than a page. Further ones are shown at once.
const MAX_HELD: usize = 500;

/// Which messages the user asked for.
#[derive(Debug, Clone)]
pub(super) struct MessagesQuery {
    /// `History` or `Search`.
    act: Act,
    /// Their description: `messages of #lobby`.
    subject: String,
    /// Words to mark.
    sought: Option<Arc<Sought>>,
}

/// Messages that the user asked for, as they come.
#[derive(Debug)]
pub(super) struct RequestedMessages {
    query: MessagesQuery,
    /// The line before them.
    title: Title,
    count: usize,
    /// The lowest number.
    oldest: Option<u64>,
    /// They are shown together, so that no other line comes in between.
    held: Vec<Event>,
    /// Whether Enter shows older ones.
    is_asked: bool,
    /// Whether to omit the line that there are no messages.
    is_quiet: bool,
    /// The number of the first one to show.
    first: u64,
    /// The word that each must have, as a whole word.
    word: Option<String>,
}

/// The line before requested messages.
#[derive(Debug, Clone)]
pub(super) enum Title {
    Note(String),
    /// A thin line; no line follows the messages.
    Rule(String),
}

impl Conversation {
    /// Begins a connection, with missed messages if the hello asked for them and the server stores any.
    pub(super) fn begin(&mut self, welcome: &Welcome, resumes: bool, now: CallTime) -> Vec<Effect> {
        let back = self.seen.welcomed(welcome, resumes);
        let is_digest = self.seen.is_catching_up() && back.resumed && self.view.screen().is_some();
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
        self.ask_roster(None, ListProgress::default());
        self.follow_reading();
        self.flush(now);
    }

    /// Handles a message from the history, requested or missed. `None`: it is neither.
    pub(super) fn past(&mut self, event: &Event, id: Option<&str>) -> Option<Vec<Effect>> {
        let message = IncomingMessage::of(event)?;
        if id.is_some_and(|id| matches!(self.requests.get(id), Some(PendingRequest::Messages(_)))) {
            return Some(self.requested(event, message.seq, id));
        }
        let mut effects = match self.seen.take(message, true) {
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

    /// Shows this user's own message, whose receipt the broken link has lost, without counting it as missed.
    pub(super) fn own_past(&mut self, event: &Event) -> Vec<Effect> {
        if !IncomingMessage::of(event).is_some_and(|message| self.seen.take_own(message)) {
            return Vec::new();
        }
        let mut own = event.clone();
        if let Event::Chat { history, .. } = &mut own {
            *history = false;
        }
        self.show(&own)
    }

    /// Holds a requested message until all have come.
    fn requested(&mut self, event: &Event, seq: Option<u64>, id: Option<&str>) -> Vec<Effect> {
        let asked = id.and_then(|id| self.requests.get(id));
        let Some(PendingRequest::Messages(past)) = asked else { return Vec::new() };
        let is_other = past.word.as_ref().is_some_and(|word| !self.is_mention(event, word));
        let is_wanted = !is_other && seq.is_none_or(|seq| seq >= past.first) && !self.is_ignored(event);
        let asked = id.and_then(|id| self.requests.get_mut(id));
        let Some(PendingRequest::Messages(past)) = asked else { return Vec::new() };
        past.oldest = [past.oldest, seq].into_iter().flatten().min();
        if !is_wanted {
            return Vec::new();
        }
        past.count += 1;
        past.held.push(event.clone());
        if past.held.len() < MAX_HELD {
            return Vec::new();
        }
        let is_first = past.held.len() == past.count;
        let (held, title, sought) =
            (std::mem::take(&mut past.held), past.title.clone(), past.query.sought.clone());
        self.show_held(&held, is_first.then_some(&title), sought.as_ref())
    }

    /// The end of missed or requested messages.
    pub(super) fn history_end(
        &mut self,
        end: &HistoryEnd,
        ask: Option<PendingRequest>,
        now: CallTime,
    ) -> Vec<Effect> {
        if let Some(PendingRequest::Messages(past)) = ask {
            return self.requested_end(*past, end);
        }
        let Some((missed, receipt)) = self.seen.caught_up(end) else {
            // A server that stores no messages only says whether some were missed.
            let is_news = end.gap && !self.session.keeps;
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
        match self.target.clone() {
            Target::Room(room) => self.ask_history(Some(room), None, limit),
            Target::User(name) => self.ask_history(None, Some(name), limit),
            _ => self.ask_history(None, None, limit),
        }
    }

    /// Asks for the latest messages of a room, or with a user; with neither, of the lobby.
    pub(super) fn ask_history(
        &mut self,
        room: Option<String>,
        name: Option<String>,
        limit: Option<u64>,
    ) -> Vec<Effect> {
        let query = MessagesQuery::history(room, name, limit);
        let title = Title::Note(format!("the last {}", query.subject));
        self.ask_messages(RequestedMessages::new(query, title).asked())
    }

    /// Asks for the latest messages of a room that was just joined.
    pub(super) fn ask_room(&mut self, room: &str) -> Vec<Effect> {
        let query = MessagesQuery::history(Some(room.to_owned()), None, Some(ON_JOINING));
        let title = Title::Note(format!("the last {}", query.subject));
        self.ask_messages(RequestedMessages::new(query, title).quiet())
    }

    /// Asks for the messages before this number.
    pub(super) fn ask_older(&mut self, mut query: MessagesQuery, before: u64) -> Vec<Effect> {
        if let Act::History { span, .. } | Act::Search(SearchRequest { span, .. }) = &mut query.act {
            span.before = Some(before);
        }
        let title = Title::Note(format!("older {}", query.subject));
        self.ask_messages(RequestedMessages::new(query, title).asked())
    }

    pub(super) fn ask_messages(&mut self, messages: RequestedMessages) -> Vec<Effect> {
        let request = Request::Act(messages.query.act.clone());
        self.ask(&request, PendingRequest::Messages(Box::new(messages)))
    }

    /// Shows requested messages, after their title if these are the first.
    fn show_held(&self, held: &[Event], title: Option<&Title>, sought: Option<&Arc<Sought>>) -> Vec<Effect> {
        let mut effects = match title.filter(|_| !held.is_empty()) {
            Some(Title::Note(title)) => self.note(&format!("{title}:")),
            Some(Title::Rule(title)) => vec![Effect::Show(self.view.rule(title))],
            None => Vec::new(),
        };
        for event in held {
            effects.extend(match sought {
                Some(sought) => shown(render_hit(event, &self.view, sought)),
                None => self.show(event),
            });
        }
        effects
    }

    /// All requested messages have come.
    fn requested_end(&mut self, past: RequestedMessages, end: &HistoryEnd) -> Vec<Effect> {
        let is_first = past.held.len() == past.count;
        let mut effects =
            self.show_held(&past.held, is_first.then_some(&past.title), past.query.sought.as_ref());
        // A search may have looked further back than its last hit.
        let oldest = Some(end.seq).filter(|seq| *seq > 0).or(past.oldest);
        if end.more
            && past.query.before().is_some()
            && oldest.is_none_or(|oldest| Some(oldest) >= past.query.before())
        {
            effects.extend(self.failure(
                "the server says that there are older messages, but sends none; /more does not ask for them again",
            ));
            return effects;
        }
        if !past.is_quiet || past.count > 0 {
            effects.extend(past.end(end).map(|text| self.note(&text)).unwrap_or_default());
        }
        if let Some(before) = oldest.filter(|_| end.more) {
            self.pages.offer_older(past.query, before);
            if !past.is_asked {
                self.pages.close();
            }
        }
        effects
    }

    pub(super) fn search(&mut self, mut search: SearchRequest) -> Vec<Effect> {
        let sought = Arc::new(Sought::read(&search.words));
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
        let query = MessagesQuery { act: Act::Search(search), subject: title.clone(), sought: Some(sought) };
        self.ask_messages(RequestedMessages::new(query, Title::Note(title)).asked())
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

impl MessagesQuery {
    /// A search without words.
    pub(super) fn found(search: SearchRequest, subject: String) -> Self {
        Self { act: Act::Search(search), subject, sought: None }
    }

    /// A search for these words.
    pub(super) fn words(words: String, subject: String) -> Self {
        let sought = Some(Arc::new(Sought::read(&words)));
        Self { act: Act::Search(SearchRequest { words, ..SearchRequest::default() }), subject, sought }
    }

    pub(super) fn history(room: Option<String>, name: Option<String>, limit: Option<u64>) -> Self {
        let subject = match (&room, &name) {
            (Some(room), _) => format!("messages of {room}"),
            (None, Some(name)) => format!("messages with {name}"),
            (None, None) => format!("messages of {LOBBY}"),
        };
        let span = Span { before: None, limit };
        Self { act: Act::History { room, name, span }, subject, sought: None }
    }

    /// The number before which the messages should be.
    fn before(&self) -> Option<u64> {
        match &self.act {
            Act::History { span, .. } | Act::Search(SearchRequest { span, .. }) => span.before,
            _ => None,
        }
    }

    /// Whether the user wants more messages than a server sends at a time.
    fn is_greedy(&self) -> bool {
        matches!(&self.act, Act::History { span: Span { limit: Some(limit), .. }, .. } if *limit > MAX_HISTORY_ASKED)
    }
}

impl RequestedMessages {
    pub(super) fn new(query: MessagesQuery, title: Title) -> Self {
        let (oldest, held, word) = (None, Vec::new(), None);
        Self { query, title, count: 0, oldest, held, is_asked: false, is_quiet: false, first: 0, word }
    }

    /// A new room has no messages, which is not worth a line.
    fn quiet(self) -> Self {
        Self { is_quiet: true, ..self }
    }

    /// The user asked for them, so Enter shows older ones.
    pub(super) fn asked(self) -> Self {
        Self { is_asked: true, ..self }
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
            Title::Rule(_) if self.count > 0 => return None,
            Title::Rule(title) => title,
        };
        let what = match self.count {
            0 => format!("{title}: none"),
            count if end.more && self.query.is_greedy() => {
                format!("{}, the most at a time", count_messages(count))
            }
            count => count_messages(count),
        };
        let how = if self.is_asked { "Enter or /more" } else { "/more" };
        Some(match (self.count, end) {
            (_, HistoryEnd { partial: true, more: true, .. }) => what + SLOW,
            (_, HistoryEnd { partial: true, .. }) => what + BEHIND,
            (0, _) => what,
            (_, HistoryEnd { more: true, .. }) => format!("{what}; {how} shows older ones"),
            (..) => what + "; there are no older ones",
        })
    }
}
