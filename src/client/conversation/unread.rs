//! Unread messages, and the rooms and direct conversations that have them. Knows no server and no screen.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::spot::Spot;
use crate::protocol::Target;
use crate::text::width;

/// Spots with unread messages to remember: as many as anyone could visit. In a larger crowd, the quietest is
/// forgotten; its messages stay in the history.
const MAX_SPOTS: usize = 256;

/// The shortest time between two labels that differ only in what is unread. A new label costs the half-typed
/// line its undo history.
const RELABEL_EVERY: Duration = Duration::from_secs(1);

/// Unread messages of a spot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// The other user's name, for a direct conversation.
    pub(super) name: String,
    pub(super) count: usize,
    /// How many of them are mentions or direct messages.
    pub(super) for_user: usize,
    /// The number of the first one; `None`: it was not stored.
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    /// When the first one was said.
    pub(super) since: Timestamp,
    /// Whether some of them are not, or no longer, on the screen.
    pub(super) is_hidden: bool,
}

/// A message that nobody has read yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnreadMessage<'a> {
    pub(super) from: &'a str,
    pub(super) seq: Option<u64>,
    pub(super) at: Timestamp,
    pub(super) is_for_user: bool,
    pub(super) is_hidden: bool,
}

/// Unread messages by spot.
#[derive(Debug, Default)]
pub(super) struct UnreadTable {
    unread: BTreeMap<Spot, Unread>,
    /// Up to where the user has read each spot, as the server knows it.
    positions: BTreeMap<Spot, u64>,
    /// Whether the server does not take positions.
    pub(super) is_refused: bool,
    /// The user's choice for this run: whether to show only the current spot.
    pub(super) focus: Option<bool>,
    /// Where the user was before the first `/next`.
    pub(super) came_from: Option<Target>,
    /// Whether the label on the screen is outdated.
    is_label_due: bool,
    labelled: Option<Instant>,
}

impl UnreadTable {
    pub(super) fn add(&mut self, spot: Spot, message: UnreadMessage<'_>) {
        if self.unread.len() >= MAX_SPOTS && !self.unread.contains_key(&spot) {
            let quietest = self.unread.iter().min_by_key(|(_, unread)| (unread.for_user, unread.count));
            if let Some(spot) = quietest.map(|(spot, _)| spot.clone()) {
                self.unread.remove(&spot);
            }
        }
        let UnreadMessage { from, seq, at, is_for_user, is_hidden } = message;
        let unread = self.unread.entry(spot).or_insert_with(|| Unread {
            name: from.to_owned(),
            count: 0,
            for_user: 0,
            first: seq,
            last: None,
            since: at,
            is_hidden: false,
        });
        unread.count += 1;
        unread.for_user += usize::from(is_for_user);
        unread.last = unread.last.max(seq);
        unread.is_hidden |= is_hidden;
        self.is_label_due = true;
    }

    /// The user has read what is there.
    pub(super) fn take(&mut self, spot: &Spot) -> Option<Unread> {
        let unread = self.unread.remove(spot);
        self.is_label_due |= unread.is_some();
        unread
    }

    /// The server knows these positions, and no others.
    pub(super) fn welcomed(&mut self, positions: impl Iterator<Item = (Spot, u64)>) {
        self.positions.clear();
        self.is_refused = false;
        for (spot, seq) in positions.take(MAX_SPOTS) {
            self.read(&spot, seq);
        }
    }

    /// Whether the user has read that message, perhaps in another terminal.
    pub(super) fn is_read(&self, spot: &Spot, seq: Option<u64>) -> bool {
        seq.is_some_and(|seq| self.positions.get(spot).is_some_and(|read| seq <= *read))
    }

    /// Notes a position for the server; false if it knows it, or takes none.
    pub(super) fn is_news(&mut self, spot: &Spot, seq: u64) -> bool {
        !self.is_refused && !self.is_read(spot, Some(seq)) && self.note_position(spot, seq)
    }

    fn note_position(&mut self, spot: &Spot, seq: u64) -> bool {
        if self.positions.len() >= MAX_SPOTS && !self.positions.contains_key(spot) {
            self.positions.pop_first();
        }
        self.positions.insert(spot.clone(), seq);
        true
    }

    /// The user has read, in another terminal, what is there up to that number.
    pub(super) fn read(&mut self, spot: &Spot, seq: u64) {
        if !self.is_read(spot, Some(seq)) {
            self.note_position(spot, seq);
        }
        if self.unread.get(spot).is_some_and(|unread| unread.last.is_some_and(|last| last <= seq)) {
            self.take(spot);
        }
    }

    /// A user's conversation goes on under another name.
    pub(super) fn rename(&mut self, old: &str, name: &str) {
        if let Some(mut unread) = self.unread.remove(&Spot::User(old.to_lowercase())) {
            name.clone_into(&mut unread.name);
            self.unread.insert(Spot::User(name.to_lowercase()), unread);
            self.is_label_due = true;
        }
    }

    pub(super) fn forget(&mut self) {
        self.unread.clear();
        self.positions.clear();
        (self.came_from, self.is_label_due) = (None, true);
    }

    /// Spots with unread messages except the one in which the user is: first those with mentions or direct
    /// messages, then those that have waited longest.
    fn elsewhere(&self, here: Option<&Spot>) -> Vec<(&Spot, &Unread)> {
        let mut spots: Vec<_> = self.unread.iter().filter(|(spot, _)| Some(*spot) != here).collect();
        spots.sort_by_key(|(_, unread)| (unread.for_user == 0, unread.since));
        spots
    }

    /// Where to go next, with a user's name as written.
    pub(super) fn most_urgent(&self, here: Option<&Spot>) -> Option<Target> {
        let (spot, unread) = self.elsewhere(here).into_iter().next()?;
        Some(match spot {
            Spot::Room(room) if room.is_lobby() => Target::All,
            Spot::Room(room) => Target::Room(room.to_string()),
            Spot::User(_) => Target::User(unread.name.clone()),
        })
    }

    /// The number of unread mentions and direct messages, everywhere.
    pub(super) fn for_user(&self) -> usize {
        self.unread.values().map(|unread| unread.for_user).sum()
    }

    /// The unread messages elsewhere, in at most so many columns: ` · ops 2! · @carol 1 · lobby 14`.
    pub(super) fn summary(&self, here: Option<&Spot>, columns: usize) -> String {
        let spots = self.elsewhere(here);
        let mut text = String::new();
        for (done, (spot, unread)) in spots.iter().enumerate() {
            let mark = if unread.for_user > 0 && !spot.is_direct() { "!" } else { "" };
            let place = spot.label(&unread.name);
            let part = format!(" · {} {}{mark}", place.trim_start_matches('#'), unread.count);
            let left = spots.len() - done - 1;
            let more = if left > 0 { width(&format!(" · +{left}")) } else { 0 };
            if width(&text) + width(&part) + more > columns {
                return text + &format!(" · +{}", left + 1);
            }
            text += &part;
        }
        text
    }

    /// Whether it is time for a new label.
    pub(super) fn is_label_due(&self, now: Instant) -> bool {
        let is_time = self.labelled.is_none_or(|last| now.saturating_duration_since(last) >= RELABEL_EVERY);
        self.is_label_due && is_time
    }

    /// Whether there will be a new label soon.
    pub(super) fn waits_for_label(&self) -> bool {
        self.is_label_due
    }

    pub(super) fn note_label(&mut self, now: Instant) {
        (self.is_label_due, self.labelled) = (false, Some(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::RoomName;

    fn room(name: &str) -> Spot {
        Spot::Room(RoomName::new(name).unwrap())
    }

    fn user(name: &str) -> Spot {
        Spot::User(name.to_lowercase())
    }

    fn table(messages: &[(Spot, &str, bool)]) -> UnreadTable {
        let mut table = UnreadTable::default();
        for (n, (spot, from, is_for_user)) in messages.iter().enumerate() {
            let at = Timestamp::from_second(i64::try_from(n).unwrap()).unwrap();
            let seq = Some(n as u64);
            let message = UnreadMessage { from, seq, at, is_for_user: *is_for_user, is_hidden: false };
            table.add(spot.clone(), message);
        }
        table
    }

    #[test]
    fn messages_for_the_user_come_first_then_what_has_waited_longest() {
        let mut table = table(&[
            (room("#lobby"), "eve", false),
            (room("#dev"), "eve", false),
            (room("#ops"), "eve", false),
            (user("Carol"), "Carol", true),
            (room("#ops"), "eve", true),
            (room("#lobby"), "eve", false),
        ]);
        assert_eq!(table.summary(None, 80), " · ops 2! · @Carol 1 · lobby 2 · dev 1");
        assert_eq!(table.summary(Some(&room("#ops")), 80), " · @Carol 1 · lobby 2 · dev 1");
        assert_eq!(table.for_user(), 2);
        assert_eq!(table.most_urgent(None), Some(Target::Room("#ops".into())));
        table.take(&room("#ops"));
        assert_eq!(table.most_urgent(None), Some(Target::User("Carol".into())));
        table.rename("carol", "Cleo");
        assert_eq!(table.most_urgent(Some(&room("#lobby"))), Some(Target::User("Cleo".into())));
        table.take(&user("cleo"));
        assert_eq!(table.most_urgent(None), Some(Target::All));
        assert_eq!(table.most_urgent(Some(&room("#lobby"))), Some(Target::Room("#dev".into())));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let table = table(&[
            (room("#aaaa"), "eve", false),
            (room("#bbbb"), "eve", false),
            (room("#cccc"), "eve", false),
        ]);
        assert_eq!(table.summary(None, 27), " · aaaa 1 · bbbb 1 · cccc 1");
        assert_eq!(table.summary(None, 26), " · aaaa 1 · bbbb 1 · +1");
        assert_eq!(table.summary(None, 20), " · aaaa 1 · +2");
        assert_eq!(table.summary(None, 5), " · +3");
    }

    #[test]
    fn what_was_read_elsewhere_is_read_up_to_there() {
        let mut table = table(&[(room("#dev"), "eve", false), (room("#dev"), "eve", false)]);
        table.read(&room("#dev"), 0);
        assert_eq!(table.summary(None, 80), " · dev 2");
        table.read(&room("#dev"), 1);
        assert_eq!(table.summary(None, 80), "");
    }

    #[test]
    fn a_crowd_of_spots_is_bounded_and_calls_stay() {
        let mut table = UnreadTable::default();
        let at = Timestamp::UNIX_EPOCH;
        let message = |is_for_user| UnreadMessage { from: "x", seq: None, at, is_for_user, is_hidden: false };
        table.add(user("carol"), message(true));
        (0..2 * MAX_SPOTS).for_each(|n| table.add(user(&format!("u{n}")), message(false)));
        assert_eq!(table.unread.len(), MAX_SPOTS);
        assert_eq!(table.most_urgent(None), Some(Target::User("x".into())));
        assert_eq!(table.for_user(), 1);
    }
}
