//! Questions about what is kept: whether they may be asked, and what exactly is meant.

use super::archive::{MailView, Question, Scope, Search, View, Wanted};
use super::delivery::Delivery;
use super::user::SessionId;
use super::{Chat, Deliveries, Now};
use crate::limits::{DEFAULT_ASKED, MAX_HISTORY_ASKED, MAX_SEARCH_ASKED, MAX_WORD_BYTES};
use crate::name::RoomName;
use crate::protocol::Code;
use crate::protocol::request::{Refusal, Request, Span};

impl Chat {
    /// A `history` or `search` of a session.
    pub(super) fn ask_history(
        &self,
        session: SessionId,
        request: Request,
        echo: Option<String>,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<(), Refusal> {
        if self.log.is_none() {
            return Err(Refusal::new(Code::NoHistory, "this server keeps nothing of what was said"));
        }
        let question = match request {
            Request::History { room, name, span } => {
                let scope = match (room, name) {
                    (Some(room), _) => Scope::Room(self.readable(&room)?),
                    (None, Some(name)) => self.correspondence(session, &name, now)?,
                    (None, None) => Scope::Room(RoomName::lobby()),
                };
                let limit = asked(&span, MAX_HISTORY_ASKED);
                Question::History(Wanted { scope, before: span.before, limit })
            }
            Request::Search { words, name, room, span } => {
                Question::Search(self.search(session, words, name, room, &span)?)
            }
            _ => return Err(Refusal::new(Code::BadCommand, "that can't be asked here; try /help")),
        };
        out.push(Delivery::Ask { session, echo, question });
        Ok(())
    }

    fn search(
        &self,
        session: SessionId,
        words: String,
        from: Option<String>,
        room: Option<String>,
        span: &Span,
    ) -> Result<Search, Refusal> {
        let words = words.trim().to_owned();
        if words.is_empty() {
            return Err(Refusal::new(Code::BadPacket, "the words are missing; put them into \"msg\""));
        }
        if words.len() > MAX_WORD_BYTES {
            let msg = format!("the words have {} bytes; at most {MAX_WORD_BYTES} are taken", words.len());
            return Err(Refusal::new(Code::TooLong, msg));
        }
        let view = match room {
            Some(room) => {
                let rooms = vec![(self.readable(&room)?, 0)];
                View { account: None, mail: MailView::All, rooms }
            }
            // What was said before they joined, others could read too.
            None => self.view(session).map_or_else(View::default, |(view, _)| View {
                rooms: view.rooms.into_iter().map(|(room, _)| (room, 0)).collect(),
                ..view
            }),
        };
        let limit = asked(span, MAX_SEARCH_ASKED);
        Ok(Search { words, from, view, before: span.before, limit })
    }

    /// A room that there is: rooms are open, and so is what was said in them.
    fn readable(&self, room: &str) -> Result<RoomName, Refusal> {
        let name = self.room_name(room)?;
        match self.rooms.find(name.key()) {
            None if !name.is_lobby() => Err(self.no_such_room(&name)),
            _ => Ok(name),
        }
    }

    /// What the session's user and that one have written to each other.
    fn correspondence(&self, session: SessionId, name: &str, now: &Now) -> Result<Scope, Refusal> {
        let own = self.asking(session).and_then(|asking| asking.who.account().cloned());
        let own = own.ok_or_else(|| {
            Refusal::new(
                Code::KeyRequired,
                "without a key or token nothing is kept of what you write to others",
            )
        })?;
        let other = self.recipient(name, now)?;
        let account = other.account.ok_or_else(|| {
            let msg = format!("{} has no key or token, so nothing is kept of what they write", other.name);
            Refusal::new(Code::NoSuchUser, msg)
        })?;
        Ok(Scope::Mail(own, account))
    }
}

fn asked(span: &Span, most: u64) -> usize {
    let limit = span.limit.unwrap_or(DEFAULT_ASKED).clamp(1, most);
    usize::try_from(limit).unwrap_or(usize::MAX)
}
