//! Queries over stored messages: whether they are allowed, and what exactly they mean.

use super::archive::{MailView, Question, Scope, Search, View, Wanted};
use super::call::Call;
use super::who::SessionId;
use super::{Chat, Now};
use crate::limits::{DEFAULT_ASKED, MAX_HISTORY_ASKED, MAX_SEARCH_ASKED, MAX_WORD_BYTES};
use crate::name::RoomName;
use crate::protocol::command::IN_QUOTES;
use crate::protocol::request::{Refusal, SearchRequest, Span};
use crate::protocol::{Code, Moment};
use crate::text::Sought;
use jiff::Timestamp;

impl Call<'_> {
    pub(super) fn wanted(
        &self,
        (room, name): (Option<String>, Option<String>),
        span: &Span,
    ) -> Result<Question, Refusal> {
        self.chat.check_history()?;
        let scope = match (room, name) {
            (Some(room), _) => Scope::Room(self.chat.readable(&room)?),
            (None, Some(name)) => self.chat.correspondence(self.session, &name, self.now)?,
            (None, None) => Scope::Room(RoomName::lobby()),
        };
        let limit = asked(span, MAX_HISTORY_ASKED);
        Ok(Question::History(Wanted {
            scope,
            before: span.before,
            limit,
            deleted: self.chat.is_operator(self.session),
        }))
    }

    pub(super) fn sought(&self, asked: SearchRequest) -> Result<Question, Refusal> {
        self.chat.check_history()?;
        let SearchRequest { words, name, room, since, until, span } = asked;
        let (since, until) = (then("after", since, self.now)?, then("before", until, self.now)?);
        if since.zip(until).is_some_and(|(since, until)| since >= until) {
            let msg = "after: is not earlier than before:, so nothing can match; swap them";
            return Err(Refusal::new(Code::BadPacket, msg));
        }
        let sifted = Search { words: sought(&words)?, from: by(name)?, since, until, ..Search::default() };
        self.chat.search(self.session, sifted, room, &span).map(Question::Search)
    }
}

impl Chat {
    pub(super) fn check_history(&self) -> Result<(), Refusal> {
        match self.lineage {
            Some(_) => Ok(()),
            None => Err(Refusal::new(Code::NoHistory, "this server does not store messages")),
        }
    }

    /// Completes the search with where to look.
    fn search(
        &self,
        session: SessionId,
        sifted: Search,
        room: Option<String>,
        span: &Span,
    ) -> Result<Search, Refusal> {
        let Search { words, from, since, until, .. } = &sifted;
        let is_sifted = from.is_some() || room.is_some() || since.is_some() || until.is_some();
        if words.is_empty() && !is_sifted {
            let msg = "nothing to search for; put words into \"msg\", or give \"name\", \"room\", \
                       \"since\" or \"until\"";
            return Err(Refusal::new(Code::BadPacket, msg));
        }
        let view = match room {
            Some(room) => {
                let readable = self.readable(&room).map_err(|refusal| match refusal.code {
                    Code::BadRoom => Refusal { msg: format!("{}; {IN_QUOTES}", refusal.msg), ..refusal },
                    _ => refusal,
                });
                let rooms = vec![(readable?, 0)];
                View { account: None, mail: MailView::All, rooms }
            }
            // Other members could read what was written before they joined, so they may, too.
            None => self.view(session).map_or_else(View::default, |(view, _)| View {
                rooms: view.rooms.into_iter().map(|(room, _)| (room, 0)).collect(),
                ..view
            }),
        };
        let limit = asked(span, MAX_SEARCH_ASKED);
        Ok(Search { view, before: span.before, limit, ..sifted })
    }

    /// An existing room: rooms are open, and so are their messages.
    fn readable(&self, room: &str) -> Result<RoomName, Refusal> {
        let name = self.room_name(room)?;
        match self.rooms.find(name.key()) {
            None if !name.is_lobby() => Err(self.no_such_room(&name)),
            _ => Ok(name),
        }
    }

    /// The messages between the session's user and another one.
    fn correspondence(&self, session: SessionId, name: &str, now: &Now) -> Result<Scope, Refusal> {
        let own = self.asking(session).and_then(|asking| asking.who.account().cloned());
        let own = own.ok_or_else(|| {
            Refusal::new(
                Code::KeyRequired,
                "the server does not store direct messages of a client without a key or token, such as \
                 yours",
            )
        })?;
        let other = self.recipient(name, now)?;
        let account = other.account.ok_or_else(|| {
            let msg = format!(
                "{} has no key or token, so the server does not store their direct messages",
                other.name
            );
            Refusal::new(Code::NoSuchUser, msg)
        })?;
        Ok(Scope::Mail(own, account))
    }
}

/// The words of a search, unless they contain only punctuation.
fn sought(words: &str) -> Result<String, Refusal> {
    let words = words.trim();
    if words.len() > MAX_WORD_BYTES {
        let msg = format!("the words have {} bytes; the limit is {MAX_WORD_BYTES}", words.len());
        return Err(Refusal::new(Code::TooLong, msg));
    }
    if !words.is_empty() && Sought::read(words).is_empty() {
        let msg = "nothing to search for; the text needs a letter, a sign or an emoji";
        return Err(Refusal::new(Code::BadPacket, msg));
    }
    Ok(words.to_owned())
}

fn by(name: Option<String>) -> Result<Option<String>, Refusal> {
    match name {
        Some(name) if name.trim().is_empty() => {
            let msg = format!("from: needs a name, such as from:alice; {IN_QUOTES}");
            Err(Refusal::new(Code::BadPacket, msg))
        }
        name => Ok(name),
    }
}

/// The time of a filter: a date is in the server's time zone.
fn then(filter: &str, text: Option<String>, now: &Now) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    match Moment::read(text.trim(), now.clock.time_zone()) {
        Ok(moment) => Ok(Some(moment.timestamp(now.clock.timestamp()))),
        Err(error) => {
            let msg = format!("{filter}:{text} is not a time: {error}; {IN_QUOTES}");
            Err(Refusal::new(Code::BadPacket, msg))
        }
    }
}

fn asked(span: &Span, most: u64) -> usize {
    let limit = span.limit.unwrap_or(DEFAULT_ASKED).clamp(1, most);
    usize::try_from(limit).unwrap_or(usize::MAX)
}
