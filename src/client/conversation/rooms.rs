//! The rooms that this user is in, and the one that plain lines go to.

use super::spot::Spot;
use super::{Conversation, Effect, Outlet, PendingRequest};
use crate::name::RoomName;
use crate::protocol::packet::RoomInfo;
use crate::protocol::request::Act;
use crate::protocol::target::LOBBY;
use crate::protocol::{Event, Target};
use crate::text::width;

/// The most columns for the place before each line; a longer name moves its own line to the right.
const MAX_PLACE_WIDTH: usize = 16;

impl Conversation {
    /// Takes the list of this user's rooms from the server.
    pub(super) fn take_rooms(&mut self, rooms: &[RoomInfo]) {
        self.rooms = rooms.iter().filter_map(|room| RoomName::new(&room.name).ok()).collect();
        self.with_roster(|roster| {
            roster.clear();
            rooms.iter().for_each(|room| {
                roster.add_room(&room.name);
                roster.set_joined(&room.name, true);
            });
        });
        self.name_places();
    }

    /// Has each line say its place, in columns of the same width, if the user is in more than the lobby.
    fn name_places(&mut self) {
        let is_told = self.view.outlet != Outlet::Pipe && self.rooms.iter().any(|room| !room.is_lobby());
        let names = self.rooms.iter().map(RoomName::as_str).chain([LOBBY]);
        let longest = names.map(width).max().unwrap_or_default();
        self.view.place_width = is_told.then_some(longest.min(MAX_PLACE_WIDTH));
    }

    pub(super) fn join(&mut self, room: String) -> Vec<Effect> {
        self.ask(&Act::Join { room }.into(), PendingRequest::Join)
    }

    /// Makes the room the target of plain lines.
    pub(super) fn query_room(&mut self, room: String) -> Vec<Effect> {
        let name = match RoomName::new(&room) {
            Ok(name) => name,
            Err(error) => return self.failure(&error.to_string()),
        };
        let mut effects = match self.rooms.contains(&name) {
            true => Vec::new(),
            false => self.note(&format!(
                "you are not in {name}, so you do not see its messages; to join: /join {name}"
            )),
        };
        let target = if name.is_lobby() { Target::All } else { Target::Room(name.to_string()) };
        effects.extend(self.go(target, false));
        effects
    }

    /// News about a room: this user joined, left or asked, here or in another terminal.
    pub(super) fn room(
        &mut self,
        event: &Event,
        room: &RoomInfo,
        ask: Option<PendingRequest>,
    ) -> Vec<Effect> {
        let Ok(name) = RoomName::new(&room.name) else { return self.show(event) };
        let was_left = !room.joined && self.rooms.remove(&name);
        let mut effects = match ask {
            _ if was_left => self.note(&format!("you have left {name}")),
            Some(PendingRequest::Topic) if room.topic.is_none() => {
                self.note(&format!("{name} has no topic; to set one: /topic {name} TEXT"))
            }
            _ => self.show(event),
        };
        self.with_roster(|roster| {
            roster.add_room(&room.name);
            roster.set_joined(&room.name, room.joined);
        });
        if room.joined {
            self.rooms.insert(name.clone());
        }
        if was_left && let Some(spot) = Spot::of(&Target::Room(name.to_string())) {
            self.attention.unread.take(&spot);
        }
        self.name_places();
        if was_left && self.talks_in(&name) {
            effects.extend(self.go(Target::All, false));
        }
        if matches!(ask, Some(PendingRequest::Join)) && room.joined && !name.is_lobby() {
            effects.extend(self.go(Target::Room(room.name.clone()), false));
            effects.extend(self.ask_users_briefly(room.name.clone()));
            if self.session.keeps {
                effects.extend(self.ask_room(&room.name));
            }
        }
        effects
    }

    fn talks_in(&self, room: &RoomName) -> bool {
        matches!(&self.target, Target::Room(target) if RoomName::new(target).is_ok_and(|target| target == *room))
    }

    /// A page of rooms, whose names Tab then completes.
    pub(super) fn list(
        &mut self,
        event: &Event,
        rooms: &[RoomInfo],
        next: Option<&String>,
        ask: Option<PendingRequest>,
    ) -> Vec<Effect> {
        self.with_roster(|roster| rooms.iter().for_each(|room| roster.add_room(&room.name)));
        match ask {
            Some(PendingRequest::Rooms(listing)) => self.rooms_listed(listing, rooms, next),
            _ => self.show(event),
        }
    }
}
