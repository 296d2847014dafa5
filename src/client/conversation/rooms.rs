//! The rooms that this user is in, and the one that plain lines go to.

use super::line::Opening;
use super::spot::Spot;
use super::{CallTime, Conversation, Effect, LinkState, Outlet, PendingRequest};
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

    /// Joins a room, or goes to one that the user is in.
    pub(super) fn join(&mut self, room: String) -> Vec<Effect> {
        match RoomName::new(&room) {
            Ok(name) if self.rooms.contains(&name) && self.talks_in(&name) => {
                self.note(&format!("you are in {name} already"))
            }
            Ok(name) if self.rooms.contains(&name) => self.go(Target::Room(name.to_string()), false),
            _ => self.ask(&Act::Join { room }.into(), PendingRequest::Join),
        }
    }

    /// Leaves a room.
    pub(super) fn part(&mut self, room: String) -> Vec<Effect> {
        match RoomName::new(&room) {
            Ok(name) if !name.is_lobby() && !self.rooms.contains(&name) => {
                self.refused += 1;
                self.failure(&format!(
                    "did you mean /part {name}? you are not in that room; /part #ROOM leaves one"
                ))
            }
            _ => self.ask(&Act::Part { room }.into(), PendingRequest::Show),
        }
    }

    /// Makes the room the target of plain lines, if it exists.
    pub(super) fn query_room(&mut self, room: String, text: Option<String>, now: CallTime) -> Vec<Effect> {
        let name = match RoomName::new(&room) {
            Ok(name) => name,
            Err(error) => return self.failure(&error.to_string()),
        };
        let target = if name.is_lobby() { Target::All } else { Target::Room(name.to_string()) };
        let is_up = matches!(self.state, LinkState::Up { .. });
        if !is_up || name.is_lobby() || self.rooms.contains(&name) {
            return self.open_target(target, text, now);
        }
        let opening = Opening { to: name.to_string(), text };
        self.ask(&Act::Topic { room: name.to_string(), topic: None }.into(), PendingRequest::Open(opening))
    }

    /// Goes to a room that the server knows.
    pub(super) fn open_room(&mut self, room: &RoomInfo, opening: Opening, now: CallTime) -> Vec<Effect> {
        let mut effects = match room.joined {
            true => Vec::new(),
            false => self.note(&format!(
                "you are not in {0}, so you do not see its messages; to join: /join {0}",
                room.name
            )),
        };
        self.with_roster(|roster| roster.add_room(&room.name));
        effects.extend(self.open_target(Target::Room(room.name.clone()), opening.text, now));
        effects
    }

    /// News about a room: this user joined, left or asked, here or in another terminal.
    pub(super) fn room(
        &mut self,
        event: &Event,
        room: &RoomInfo,
        ask: Option<PendingRequest>,
        now: CallTime,
    ) -> Vec<Effect> {
        if let Some(PendingRequest::Open(opening)) = ask {
            return self.open_room(room, opening, now);
        }
        let Ok(name) = RoomName::new(&room.name) else { return self.show(event) };
        let was_left = !room.joined && self.rooms.remove(&name);
        let is_join = matches!(ask, Some(PendingRequest::Join)) && room.joined && !name.is_lobby();
        let mut effects = match ask {
            // The list of its users says so.
            _ if is_join => Vec::new(),
            Some(PendingRequest::NewTopic) => {
                let (room, topic, by) = (room.name.clone(), room.topic.clone(), "you".to_owned());
                self.note(&Event::Topic { room, topic, by }.text())
            }
            _ if was_left => self.note(&format!("you have left {name}")),
            Some(PendingRequest::Topic) if room.topic.is_none() => {
                self.note(&format!("{name} has no topic; to set one: /topic {name} TEXT"))
            }
            _ => self.show(event),
        };
        self.with_roster(|roster| {
            match room.members {
                0 if !room.joined && !name.is_lobby() => {
                    roster.forget_rooms(|other| other.to_lowercase() == room.name.to_lowercase())
                }
                _ => roster.add_room(&room.name),
            }
            roster.set_joined(&room.name, room.joined);
        });
        if was_left {
            self.found_members.forget(&name);
        }
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
        if is_join {
            self.look();
            self.attention.unread.came_from = None;
            self.aim(Target::Room(room.name.clone()));
            effects.push(Effect::Relabel);
            self.found_members.await_list(name);
            effects.extend(self.ask_users_briefly(room.name.clone(), room.topic.clone()));
        }
        effects
    }

    /// The lines after the one about a joined room and its users: the topic, a thin line, and the last messages.
    pub(super) fn enter(&mut self, room: &str, topic: Option<String>) -> Vec<Effect> {
        let topic = topic.map(|topic| self.note(&format!("topic: {topic}")));
        let mut effects = topic.unwrap_or_default();
        if self.view.screen().is_some() && RoomName::new(room).is_ok_and(|name| self.talks_in(&name)) {
            effects.extend(self.rule(room));
        }
        if self.session.keeps {
            effects.extend(self.ask_room(room));
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
