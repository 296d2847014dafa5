//! Messages from the history: missed ones, which come at the start of a connection, and those that the user
//! asked for. A line before and a line after them say what they are.

use std::sync::Arc;

use super::missed::MissedDigest;
use super::seen_messages::{IncomingMessage, MissedMessages, Novelty};
use super::view::render_hit;
use super::{CallTime, Conversation, Effect, PendingRequest, shown};
use crate::client::connection::Resumption;
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

/// Most messages that a server sends at a time.
const PAGE: u64 = 200;

/// Requested messages to hold until all have come: more than a page. Further ones are shown at once.
const MAX_HELD: usize = 500;

/// Which messages the user asked for.
#[derive(Debug, Clone)]
pub(super) struct MessagesQuery {
    /// `History` or `Search`.
    act: Act,
    /// What they are: `messages of #lobby`.
    subject: String,
    /// Words to mark.
    sought: Option<Arc<Sought>>,
}

/// Messages that the user asked for, as they come.
#[derive(Debug)]
pub(super) struct RequestedMessages {
    query: MessagesQuery,
    /// The line before them.
    title: String,
    count: usize,
    /// The lowest number.
    oldest: Option<u64>,
    /// They are shown together, so that no other line comes in between.
    held: Vec<Event>,
    /// Whether Enter shows older ones.
    is_asked: bool,
    sift: Sift,
}

/// Which of the requested messages to show, and how.
#[derive(Debug, Default)]
pub(super) struct Sift {
    /// The number of the first one.
    pub(super) first: u64,
    /// A word that each one has, said by somebody else.
    pub(super) word: Option<String>,
    /// Whether they are unread: a thin line precedes them, and none follows.
    pub(super) is_unread: bool,
}

impl Conversation {
    /// Begins a connection, with missed messages if the hello asked for them and the server stores any.
    pub(super) fn begin(&mut self, welcome: &Welcome, resumes: bool, now: CallTime) -> Vec<Effect> {
        let back = self.seen.welcomed(welcome, resumes);
        let is_digest = self.seen.is_catching_up() && back.resumed && self.view.is_screen();
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
            let (first, word) = (past.sift.first, past.sift.word.clone());
            let is_other = word.is_some_and(|word| !self.is_mention(event, &word));
            if is_other || seq.is_some_and(|seq| seq < first) || self.is_ignored(event) {
                return Some(Vec::new());
            }
            let Some(PendingRequest::Messages(past)) = id.and_then(|id| self.requests.get_mut(id)) else {
                return None;
            };
            past.count += 1;
            past.oldest = [past.oldest, seq].into_iter().flatten().min();
            past.held.push(event.clone());
            let is_full = past.held.len() >= MAX_HELD;
            let held = if is_full { std::mem::take(&mut past.held) } else { Vec::new() };
            let title = past.title_line(held.len());
            let sought = past.query.sought.clone();
            return Some(self.show_held(&held, title, sought.as_ref()));
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

    /// The end of missed or requested messages.
    pub(super) fn history_end(
        &mut self,
        end: &HistoryEnd,
        ask: Option<PendingRequest>,
        now: CallTime,
    ) -> Vec<Effect> {
        if let Some(PendingRequest::Messages(past)) = ask {
            return self.requested_end(past, end);
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
        let title = format!("the last {}", query.subject);
        self.ask_messages(query, title, true)
    }

    /// Asks for the latest messages of a room that was just joined.
    pub(super) fn ask_room(&mut self, room: &str) -> Vec<Effect> {
        let query = MessagesQuery::history(Some(room.to_owned()), None, Some(ON_JOINING));
        let title = format!("the last {}", query.subject);
        self.ask_messages(query, title, false)
    }

    /// Asks for the messages before this number.
    pub(super) fn ask_older(&mut self, mut query: MessagesQuery, before: u64) -> Vec<Effect> {
        if let Act::History { span, .. } | Act::Search(SearchRequest { span, .. }) = &mut query.act {
            span.before = Some(before);
        }
        let title = format!("older {}", query.subject);
        self.ask_messages(query, title, true)
    }

    fn ask_messages(&mut self, query: MessagesQuery, title: String, is_asked: bool) -> Vec<Effect> {
        self.ask_sifted(query, title, is_asked, Sift::default())
    }

    /// Asks for unread messages of a room, or with a user; with neither, of the lobby.
    pub(super) fn ask_unread_messages(
        &mut self,
        place: (Option<String>, Option<String>),
        limit: u64,
        title: String,
        first: u64,
    ) -> Vec<Effect> {
        let (room, name) = place;
        let query = MessagesQuery::history(room, name, Some(limit));
        self.ask_sifted(query, title, false, Sift { first, is_unread: true, ..Sift::default() })
    }

    /// Asks for messages of others that have a word.
    pub(super) fn ask_mentions(&mut self, word: String) -> Vec<Effect> {
        let words = format!("\"{}\"", word.replace('"', ""));
        let subject = format!("mentions of {word}");
        let sought = Some(Arc::new(Sought::read(&words)));
        let search = SearchRequest { words, ..SearchRequest::default() };
        let query = MessagesQuery { act: Act::Search(search), subject: subject.clone(), sought };
        self.ask_sifted(query, subject, true, Sift { word: Some(word), ..Sift::default() })
    }

    fn ask_sifted(&mut self, query: MessagesQuery, title: String, is_asked: bool, sift: Sift) -> Vec<Effect> {
        let request = Request::Act(query.act.clone());
        let messages =
            RequestedMessages { query, title, count: 0, oldest: None, held: Vec::new(), is_asked, sift };
        self.ask(&request, PendingRequest::Messages(messages))
    }

    /// Shows requested messages, after their title if these are the first.
    fn show_held(
        &self,
        held: &[Event],
        title: Option<TitleLine>,
        sought: Option<&Arc<Sought>>,
    ) -> Vec<Effect> {
        let mut effects = match title {
            Some(TitleLine::Note(title)) => self.note(&title),
            Some(TitleLine::Rule(title)) => self.rule(&title),
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
        let title = past.title_line(past.held.len());
        let mut effects = self.show_held(&past.held, title, past.query.sought.as_ref());
        if past.sift.is_unread && past.count > 0 {
            return effects;
        }
        effects.extend(self.note(&past.end(end)));
        if let Some(before) = past.oldest.filter(|_| end.more) {
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
        self.ask_messages(query, title, true)
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
    fn history(room: Option<String>, name: Option<String>, limit: Option<u64>) -> Self {
        let subject = match (&room, &name) {
            (Some(room), _) => format!("messages of {room}"),
            (None, Some(name)) => format!("messages with {name}"),
            (None, None) => format!("messages of {LOBBY}"),
        };
        let span = Span { before: None, limit };
        Self { act: Act::History { room, name, span }, subject, sought: None }
    }

    /// Whether the user wants more messages than a server sends at a time.
    fn is_greedy(&self) -> bool {
        matches!(&self.act, Act::History { span: Span { limit: Some(limit), .. }, .. } if *limit > PAGE)
    }
}

/// The line before requested messages.
enum TitleLine {
    Note(String),
    Rule(String),
}

impl RequestedMessages {
    /// The line before so many of them, if they are the first ones.
    fn title_line(&self, count: usize) -> Option<TitleLine> {
        (count > 0 && count == self.count).then(|| match self.sift.is_unread {
            true => TitleLine::Rule(self.title.clone()),
            false => TitleLine::Note(format!("{}:", self.title)),
        })
    }

    /// The line after them.
    fn end(&self, end: &HistoryEnd) -> String {
        let what = match self.count {
            0 => format!("{}: none", self.title),
            count if self.query.is_greedy() => format!("{}, the most at a time", count_messages(count)),
            count => count_messages(count),
        };
        let how = if self.is_asked { "Enter or /more" } else { "/more" };
        match (self.count, end) {
            (_, HistoryEnd { partial: true, more: true, .. }) => what + SLOW,
            (_, HistoryEnd { partial: true, .. }) => what + BEHIND,
            (0, _) => what,
            (_, HistoryEnd { more: true, .. }) => format!("{what}; {how} shows older ones"),
            (..) => what + "; there are no older ones",
        }
    }
}
