//! The last messages, with which `tail --last` starts: asks for them, and holds back live messages until they
//! have come.

use crate::name::RoomName;
use crate::protocol::event::HistoryEnd;
use crate::protocol::request::{Act, SearchRequest, Span};
use crate::protocol::{Event, Request};

/// A time before the first message of any server: the search needs a filter.
const EVER: &str = "2000-01-01T00:00:00Z";

/// Live messages that are held back. Beyond that, the last messages are those that have come.
const MAX_HELD: usize = 1000;

#[derive(Debug)]
pub(super) struct LatestMessages {
    limit: u64,
    /// The rooms to ask for; `None`: everything that the user may read.
    places: Vec<Option<RoomName>>,
    /// Requests without a complete answer.
    open: usize,
    found: Vec<Event>,
    live: Vec<Event>,
}

impl LatestMessages {
    /// Asks for that many messages of these rooms, or of everything.
    pub(super) fn new(limit: u64, rooms: &[RoomName]) -> Self {
        let places: Vec<_> = match rooms {
            [] => vec![None],
            rooms => rooms.iter().cloned().map(Some).collect(),
        };
        let open = places.len();
        Self { limit, places, open, found: Vec::new(), live: Vec::new() }
    }

    pub(super) fn requests(&self) -> impl Iterator<Item = Request> {
        self.places.iter().map(|place| {
            let room = place.as_ref().map(ToString::to_string);
            let span = Span { before: None, limit: Some(self.limit) };
            let since = Some(EVER.to_owned());
            Act::Search(SearchRequest { room, since, span, ..SearchRequest::default() }).into()
        })
    }

    /// Takes a part of the answers; true if all have come.
    pub(super) fn answer(&mut self, event: &Event) -> bool {
        match event {
            Event::History(HistoryEnd { .. }) | Event::Error { .. } => {
                self.open = self.open.saturating_sub(1)
            }
            event if number(event).is_some() => self.found.push(event.clone()),
            _ => {}
        }
        self.open == 0
    }

    /// Holds back a live message; false if there are too many.
    pub(super) fn hold(&mut self, event: &Event) -> bool {
        if self.live.len() >= MAX_HELD {
            return false;
        }
        self.live.push(event.clone());
        true
    }

    /// The last messages in their order, then the live ones that are not among them.
    pub(super) fn into_messages(self) -> Vec<Event> {
        let Self { limit, mut found, live, .. } = self;
        found.sort_by_key(number);
        let surplus = found.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
        found.drain(..surplus);
        let last = found.last().and_then(number);
        let is_new = |event: &Event| number(event).is_none_or(|seq| last.is_none_or(|last| seq > last));
        found.extend(live.into_iter().filter(is_new));
        found
    }
}

fn number(event: &Event) -> Option<u64> {
    match event {
        Event::Chat { seq, .. } | Event::Alert { seq, .. } => *seq,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(number: u64) -> Event {
        let (by, ts) = ("bob".to_owned(), String::new());
        Event::Alert { by, msg: number.to_string(), seq: Some(number), ts, history: false }
    }

    #[test]
    fn the_last_ones_come_in_order_and_live_ones_after_them_once() {
        let rooms = ["#a", "#b"].map(|name| RoomName::new(name).unwrap());
        let mut latest = LatestMessages::new(3, &rooms);
        assert_eq!(latest.requests().count(), 2);
        assert!(latest.hold(&alert(8)) && latest.hold(&alert(9)));
        let end = Event::History(HistoryEnd::default());
        for event in [&alert(2), &alert(7), &alert(8)] {
            assert!(!latest.answer(event));
        }
        assert!(!latest.answer(&end));
        assert!(!latest.answer(&alert(5)));
        assert!(latest.answer(&end));
        let numbers: Vec<_> = latest.into_messages().iter().filter_map(number).collect();
        assert_eq!(numbers, [5, 7, 8, 9]);
    }
}
