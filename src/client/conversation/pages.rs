//! Pages: of lists of users and rooms, and of older messages. `/more` shows the next one, and so does Enter on an
//! empty line directly after a page.

use std::collections::HashSet;

use super::list_progress::ListProgress;
use super::past::MessagesQuery;
use super::view::{rooms_title, users_title};
use super::{CallTime, Conversation, Effect, PendingRequest, shown};
use crate::name::RoomName;
use crate::protocol::event::count_users;
use crate::protocol::packet::{RoomInfo, UserInfo};
use crate::protocol::request::Ask;
use crate::text::fold;

/// Users to collect for a list: a full server's. It shows them a page at a time.
const MAX_LISTED: usize = 20_000;

/// Rooms to collect: as many as a server has.
const MAX_LISTED_ROOMS: usize = crate::limits::MAX_ROOMS;

/// Rows of a screen that a page leaves: its title and end, the prompt, and a line of what was before.
const ROWS_LEFT: usize = 4;

/// The line after a list whose server sends the same page again and again.
const STUCK: &str = "the list is not complete: the server repeats itself instead of sending the rest";

/// Rows of users after joining a room.
const BRIEF_ROWS: usize = 3;

/// A list of users, as its pages come from the server.
#[derive(Debug, Default)]
pub(super) struct UsersListing {
    room: Option<String>,
    /// A part of the names.
    text: Option<String>,
    is_long: bool,
    /// Whether the user has not asked for it, but joined the room.
    is_brief: bool,
    /// The topic of that room.
    topic: Option<String>,
    users: Vec<UserInfo>,
    progress: ListProgress,
}

impl UsersListing {
    /// The room that the user has joined, if that is why the client asked.
    pub(super) fn joined_room(&self) -> Option<RoomName> {
        let room = self.room.as_deref().filter(|_| self.is_brief)?;
        RoomName::new(room).ok()
    }
}

/// A list of rooms, as its pages come from the server.
#[derive(Debug, Default)]
pub(super) struct RoomsListing {
    text: Option<String>,
    rooms: Vec<RoomInfo>,
    progress: ListProgress,
}

/// The rest of a list, or of messages.
enum NextPage {
    Users(Vec<UserInfo>, bool),
    Rooms(Vec<RoomInfo>),
    /// Messages before this number.
    Messages(MessagesQuery, u64),
}

/// The page that can be shown next.
#[derive(Default)]
pub(super) struct Pages {
    next: Option<NextPage>,
    /// Whether Enter shows it, because the user has typed nothing since the last page.
    is_open: bool,
}

impl Pages {
    /// The user has typed something else.
    pub(super) fn close(&mut self) {
        self.is_open = false;
    }

    pub(super) fn offer_older(&mut self, query: MessagesQuery, before: u64) {
        *self = Self { next: Some(NextPage::Messages(query, before)), is_open: true };
    }
}

impl Conversation {
    /// Enter on an empty line. `None`: there is no page that it would show.
    pub(crate) fn next_page(&mut self, now: CallTime) -> Option<Vec<Effect>> {
        self.view.now = now.clock;
        (self.pages.is_open && self.pages.next.is_some()).then(|| self.more())
    }

    /// The next page of the last list, or older messages.
    pub(super) fn more(&mut self) -> Vec<Effect> {
        match self.pages.next.take() {
            None => self.failure("there is no further page; /history shows the last messages here"),
            Some(NextPage::Users(users, is_long)) => self.users_page("more users", users, is_long, None),
            Some(NextPage::Rooms(rooms)) => self.show_rooms("more rooms", rooms),
            Some(NextPage::Messages(query, before)) => self.ask_older(query, before),
        }
    }

    pub(super) fn ask_users(
        &mut self,
        room: Option<String>,
        text: Option<String>,
        is_long: bool,
    ) -> Vec<Effect> {
        let listing = UsersListing { room: room.clone(), text, is_long, ..UsersListing::default() };
        self.ask(&Ask::Users { room, after: None }.into(), PendingRequest::Users(listing))
    }

    /// Lists some of a room's users, whom the user has not asked for.
    pub(super) fn ask_users_briefly(&mut self, room: String, topic: Option<String>) -> Vec<Effect> {
        let room = Some(room);
        let listing = UsersListing { room: room.clone(), is_brief: true, topic, ..UsersListing::default() };
        self.ask(&Ask::Users { room, after: None }.into(), PendingRequest::Users(listing))
    }

    /// Users of a list have come; `next` is where it continues.
    pub(super) fn users_listed(
        &mut self,
        mut listing: UsersListing,
        users: &[UserInfo],
        total: usize,
        next: Option<&String>,
    ) -> Vec<Effect> {
        let part = listing.text.as_deref().map(fold);
        let is_wanted = |user: &&UserInfo| part.as_ref().is_none_or(|part| fold(&user.name).contains(part));
        listing.users.extend(users.iter().filter(is_wanted).cloned());
        let next = next.filter(|_| listing.users.len() < MAX_LISTED);
        let is_stuck = next.is_some_and(|next| !listing.progress.advances(users.len(), next));
        if let Some(after) = next.filter(|_| !is_stuck) {
            let (room, after) = (listing.room.clone(), Some(after.clone()));
            return self.ask(&Ask::Users { room, after }.into(), PendingRequest::Users(listing));
        }
        let UsersListing { room, text, is_long, is_brief, topic, mut users, .. } = listing;
        let trouble = if is_stuck { self.failure(STUCK) } else { Vec::new() };
        users.sort_by_key(|user| user.operator != Some(true));
        let total = if text.is_some() { users.len() } else { total };
        if let (true, Some(room)) = (is_brief, &room) {
            if let Ok(name) = RoomName::new(room) {
                self.found_members.found(&name, users.iter().map(|user| user.name.as_str()));
            }
            let title = format!("you joined {room}: {}", count_users(total));
            let mut effects = self.users_page(&title, users, is_long, Some(BRIEF_ROWS));
            effects.extend(trouble);
            effects.extend(self.enter(room, topic));
            return effects;
        }
        let title = users_title(room.as_deref(), total, text.as_deref());
        let mut effects = self.users_page(&title, users, is_long, None);
        effects.extend(trouble);
        effects
    }

    /// Shows as many users as fit on the screen.
    fn users_page(
        &mut self,
        title: &str,
        mut users: Vec<UserInfo>,
        is_long: bool,
        rows: Option<usize>,
    ) -> Vec<Effect> {
        let is_asked = rows.is_none();
        let rows = rows.unwrap_or_else(|| self.page_rows());
        let (lines, count) = self.view.users_page(title, &users, is_long, rows);
        let mut effects = shown(lines);
        let rest = users.split_off(count.min(users.len()));
        if !rest.is_empty() {
            effects.extend(self.rest(rest.len(), is_asked));
            self.pages = Pages { next: Some(NextPage::Users(rest, is_long)), is_open: is_asked };
        }
        effects
    }

    pub(super) fn ask_rooms(&mut self, text: Option<String>) -> Vec<Effect> {
        let listing = RoomsListing { text, ..RoomsListing::default() };
        self.ask(&Ask::Rooms { after: None }.into(), PendingRequest::Rooms(listing))
    }

    /// Rooms of a list have come; `next` is where it continues.
    pub(super) fn rooms_listed(
        &mut self,
        mut listing: RoomsListing,
        rooms: &[RoomInfo],
        next: Option<&String>,
    ) -> Vec<Effect> {
        let part = listing.text.as_deref().map(fold);
        let is_wanted = |room: &&RoomInfo| part.as_ref().is_none_or(|part| fold(&room.name).contains(part));
        listing.rooms.extend(rooms.iter().filter(is_wanted).cloned());
        let next = next.filter(|_| listing.rooms.len() < MAX_LISTED_ROOMS);
        let is_stuck = next.is_some_and(|next| !listing.progress.advances(rooms.len(), next));
        if let Some(after) = next.filter(|_| !is_stuck) {
            let after = Some(after.clone());
            return self.ask(&Ask::Rooms { after }.into(), PendingRequest::Rooms(listing));
        }
        let RoomsListing { text, rooms, .. } = listing;
        let there: HashSet<String> = rooms.iter().map(|room| room.name.to_lowercase()).collect();
        self.with_roster(|roster| {
            roster.forget_rooms(|name| {
                !is_stuck
                    && part.as_ref().is_none_or(|part| fold(name).contains(part))
                    && !there.contains(&name.to_lowercase())
            });
        });
        let trouble = if is_stuck { self.failure(STUCK) } else { Vec::new() };
        let mut effects = match (rooms.len(), text.as_deref()) {
            (0, None) => self.note("there are no rooms yet; /join #NAME creates one"),
            (0, Some(text)) => self.note(&format!("no room has \"{text}\" in its name; /rooms lists all")),
            (count, text) => self.show_rooms(&rooms_title(count, text), rooms),
        };
        effects.extend(trouble);
        effects
    }

    fn show_rooms(&mut self, title: &str, mut rooms: Vec<RoomInfo>) -> Vec<Effect> {
        let (lines, count) = self.view.rooms_page(title, &rooms, self.page_rows());
        let mut effects = shown(lines);
        let rest = rooms.split_off(count.min(rooms.len()));
        if !rest.is_empty() {
            effects.extend(self.rest(rest.len(), true));
            self.pages = Pages { next: Some(NextPage::Rooms(rest)), is_open: true };
        }
        effects
    }

    fn rest(&self, count: usize, is_asked: bool) -> Vec<Effect> {
        let how = if is_asked { "press Enter or type /more" } else { "type /more" };
        self.note(&format!("{count} more: {how}"))
    }

    /// Rows of a list for a page.
    fn page_rows(&self) -> usize {
        self.view.screen().map_or(usize::MAX, |screen| screen.rows.saturating_sub(ROWS_LEFT).max(ROWS_LEFT))
    }
}
