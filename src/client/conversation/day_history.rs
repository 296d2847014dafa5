//! The messages of a day: `/history 2026-11-24`.

use super::past::{MessagesQuery, RequestedMessages, Title};
use super::{Conversation, Effect};
use crate::protocol::Target;
use crate::protocol::command::Day;
use crate::protocol::packet::stamp;
use crate::protocol::request::{SearchRequest, Span};
use crate::protocol::target::LOBBY;

impl Conversation {
    /// Asks for the last messages of a day, in a room or here. The server can only search rooms by date, or by
    /// date and author.
    pub(super) fn ask_day(&mut self, place: Option<String>, day: Day, limit: Option<u64>) -> Vec<Effect> {
        let here = || match &self.target {
            Target::All => LOBBY.to_owned(),
            target => target.to_string(),
        };
        let room = place.unwrap_or_else(here);
        let Some((since, until, date)) = self.view.day(day) else {
            return self.failure("no calendar has that day; give a date such as 2026-11-24");
        };
        if !room.starts_with('#') {
            let name = room.trim_start_matches('@');
            return self.failure(&format!(
                "/history shows days only of rooms; for what {name} wrote to you: /search from:{name} after:{date}"
            ));
        }
        let subject = format!("messages of {room} on {date}");
        let request = SearchRequest {
            room: Some(room),
            since: Some(stamp(since)),
            until: Some(stamp(until)),
            span: Span { before: None, limit },
            ..SearchRequest::default()
        };
        let query = MessagesQuery::found(request, subject.clone());
        self.ask_messages(RequestedMessages::new(query, Title::Note(subject)).asked())
    }
}
