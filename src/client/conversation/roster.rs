//! The names that Tab completes: users and rooms that this client has heard of, and who of them is likeliest.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use super::reply_target::{Addressee, ReplyTarget};
use crate::name::{Name, RoomName};

/// Names to keep. Of a larger crowd, the first ones are completed.
const MAX_NAMES: usize = 20_000;

/// Rooms to keep: as many as a server has.
const MAX_ROOMS: usize = crate::limits::MAX_ROOMS;

/// Speakers to remember, the latest first: as many as a user may want to answer.
const MAX_SPEAKERS: usize = 200;

/// Names by their lower-case form.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    users: BTreeMap<String, String>,
    rooms: BTreeMap<String, String>,
    /// The rooms that this user is in, in lower case.
    joined: BTreeSet<String>,
    /// The users whom this user ignores: a bounded list.
    ignored: Vec<String>,
    /// This user's name, which nobody needs to complete.
    pub(crate) me: String,
    /// Whether this user is an operator.
    pub(crate) is_operator: bool,
    /// The user whom `/reply` answers.
    pub(super) writer: ReplyTarget,
    /// The room that the user talks in; none in the lobby and in direct conversations.
    here: Option<String>,
    /// Users who spoke, and the room, the latest first.
    speakers: VecDeque<(String, Option<String>)>,
    /// Users with whom there were direct messages, the latest first.
    partners: VecDeque<String>,
    /// The numbers of offers that wait for this user's answer, and of offers that this user may end.
    pub(crate) offers: OfferNumbers,
}

/// The numbers of offers of files, for Tab.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct OfferNumbers {
    pub(crate) open: Vec<u64>,
    pub(crate) to_cancel: Vec<u64>,
}

impl Roster {
    /// Adds a valid name; all names here are therefore safe for the terminal.
    pub(crate) fn add(&mut self, name: &str) {
        let key = name.to_lowercase();
        // To check a name is slow, and most messages come from people who are here already.
        if self.users.get(&key).is_some_and(|known| known == name) {
            return;
        }
        if self.users.len() < MAX_NAMES && Name::new(name).is_ok() {
            self.users.insert(key, name.to_owned());
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.users.remove(&name.to_lowercase());
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.users.contains_key(&name.to_lowercase())
    }

    pub(crate) fn clear(&mut self) {
        self.users.clear();
        self.rooms.clear();
        self.joined.clear();
    }

    /// Adds a valid room name.
    pub(crate) fn add_room(&mut self, name: &str) {
        if self.rooms.len() < MAX_ROOMS && RoomName::new(name).is_ok() {
            self.rooms.insert(name.to_lowercase(), name.to_owned());
        }
    }

    /// Forgets rooms that no longer exist.
    pub(crate) fn forget_rooms(&mut self, is_gone: impl Fn(&str) -> bool) {
        self.rooms.retain(|_, name| !is_gone(name));
    }

    /// Notes whom this user ignores.
    pub(crate) fn set_ignored<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        self.ignored = names.filter(|name| Name::new(name).is_ok()).map(str::to_owned).collect();
    }

    /// The users whom this user ignores, with that start.
    pub(crate) fn ignored(&self, start: &str) -> impl Iterator<Item = &str> {
        let start = start.to_lowercase();
        self.ignored.iter().map(String::as_str).filter(move |name| name.to_lowercase().starts_with(&start))
    }

    /// Notes whether this user is in a room.
    pub(crate) fn set_joined(&mut self, room: &str, is_joined: bool) {
        match is_joined {
            true => self.joined.insert(room.to_lowercase()),
            false => self.joined.remove(&room.to_lowercase()),
        };
    }

    /// Notes where the user talks.
    pub(crate) fn set_here(&mut self, room: Option<&str>) {
        self.here = room.map(str::to_lowercase);
    }

    /// Notes that a user spoke in a room, or in the lobby.
    pub(crate) fn note_speaker(&mut self, name: &str, room: Option<&str>) {
        let speaker = (name.to_owned(), room.map(str::to_lowercase));
        let is_known = self.speakers.iter().any(|(known, _)| known == name) || self.contains(name);
        if is_known || Name::new(name).is_ok() {
            bring_forward(&mut self.speakers, speaker);
        }
    }

    /// Notes a direct message to or from a user.
    pub(crate) fn note_partner(&mut self, name: &str) {
        if Name::new(name).is_ok() {
            bring_forward(&mut self.partners, name.to_owned());
        }
    }

    /// Notes whom `/reply` answers.
    pub(crate) fn set_writer(&mut self, name: &str, now: Instant) {
        if Name::new(name).is_ok() {
            self.writer.note(name, now);
        }
    }

    /// The user whom `/reply` answers, safe for the terminal, and whether they have written just after another
    /// user.
    pub(crate) fn writer(&self, now: Instant) -> Option<(&str, bool)> {
        let is_doubtful = matches!(self.writer.addressee(now), Addressee::Doubtful(..));
        self.writer.latest().map(|name| (name.as_str(), is_doubtful))
    }

    /// Follows a user who has changed their name.
    pub(crate) fn rename(&mut self, old: &str, new: &str) {
        self.remove(old);
        self.add(new);
        if self.me == old {
            new.clone_into(&mut self.me);
        }
        self.writer.rename(old, new);
        let speakers = self.speakers.iter_mut().map(|(name, _)| name);
        speakers.chain(&mut self.partners).filter(|name| *name == old).for_each(|name| new.clone_into(name));
    }

    /// Users whose names have that start, in any case: who wrote to this user, then who spoke last, here and
    /// then elsewhere, then the others. `with_offline` adds partners of direct messages who are offline.
    pub(crate) fn people(&self, start: &str, with_offline: bool) -> Vec<&str> {
        let start = start.to_lowercase();
        let here = self.speakers.iter().filter(|(_, room)| *room == self.here);
        let elsewhere = self.speakers.iter().filter(|(_, room)| *room != self.here);
        let recent = self.writer.latest().into_iter().chain(here.chain(elsewhere).map(|(name, _)| name));
        let recent = recent.filter(|name| self.contains(name));
        let others = self.users.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start));
        let offline = self.partners.iter().filter(|name| with_offline && !self.contains(name));
        let all = recent.chain(others.map(|(_, name)| name)).chain(offline).map(String::as_str);
        let mut known = BTreeSet::from([self.me.to_lowercase()]);
        all.filter(|name| {
            let key = name.to_lowercase();
            key.starts_with(&start) && known.insert(key)
        })
        .collect()
    }

    /// Rooms with that start, in any case, with or without `#`: those that this user is in or not, or all. The
    /// rooms that the user is in come first, each part in alphabetical order.
    pub(crate) fn rooms(&self, start: &str, joined: Option<bool>) -> impl Iterator<Item = &str> + use<'_> {
        let start = match start.strip_prefix('#') {
            Some(_) => start.to_lowercase(),
            None => format!("#{}", start.to_lowercase()),
        };
        let matching = self.rooms.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start));
        let (theirs, others): (Vec<_>, Vec<_>) =
            matching.partition(|(key, _)| self.joined.contains(key.as_str()));
        let theirs = theirs.into_iter().filter(move |_| joined != Some(false));
        let others = others.into_iter().filter(move |_| joined != Some(true));
        theirs.chain(others).map(|(_, name)| name.as_str())
    }
}

/// Puts a value at the front, once.
fn bring_forward<T: PartialEq>(values: &mut VecDeque<T>, value: T) {
    if values.front() == Some(&value) {
        return;
    }
    if let Some(at) = values.iter().position(|other| *other == value) {
        values.remove(at);
    }
    values.truncate(MAX_SPEAKERS - 1);
    values.push_front(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster() -> Roster {
        let mut roster = Roster { me: "bea".into(), ..Roster::default() };
        for name in ["Bob", "bert", "alice", "bea", "b\x1b[2J", "two words"] {
            roster.add(name);
        }
        roster
    }

    #[test]
    fn names_are_found_in_any_case_and_what_is_no_name_is_not_kept() {
        let mut roster = roster();
        assert_eq!(roster.people("B", false), ["bert", "Bob"], "never this user");
        roster.remove("BOB");
        assert_eq!(roster.people("", true), ["alice", "bert"]);
        for room in ["#Games", "#two words", "games", "#go"] {
            roster.add_room(room);
        }
        roster.set_joined("#Games", true);
        let rooms = |start, joined| roster.rooms(start, joined).collect::<Vec<_>>();
        assert_eq!(rooms("#g", None), ["#Games", "#go"]);
        assert_eq!(rooms("GA", Some(true)), ["#Games"]);
        assert_eq!(rooms("g", Some(false)), ["#go"]);
    }

    #[test]
    fn who_is_likeliest_comes_first() {
        let mut roster = roster();
        roster.note_speaker("bert", None);
        roster.note_speaker("Bob", Some("#Dev"));
        roster.note_speaker("gone", None);
        assert_eq!(roster.people("", false), ["bert", "Bob", "alice"]);
        roster.set_here(Some("#dev"));
        assert_eq!(roster.people("", false), ["Bob", "bert", "alice"]);
        roster.set_writer("alice", Instant::now());
        assert_eq!(roster.people("", false), ["alice", "Bob", "bert"]);
        roster.note_partner("carol");
        roster.note_partner("alice");
        assert_eq!(roster.people("", true), ["alice", "Bob", "bert", "carol"]);
        roster.rename("alice", "zoe");
        assert_eq!(roster.people("", true), ["zoe", "Bob", "bert", "carol"]);
        assert_eq!(roster.writer(Instant::now()), Some(("zoe", false)));
    }

    #[test]
    fn speakers_are_bounded() {
        let mut roster = Roster::default();
        (0..MAX_SPEAKERS + 5).for_each(|n| roster.note_speaker(&format!("user{n}"), None));
        assert_eq!(roster.speakers.len(), MAX_SPEAKERS);
    }
}
