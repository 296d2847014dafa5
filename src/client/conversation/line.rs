//! Handles typed lines.

use super::reply_target::Addressee;
use super::{CallTime, Conversation, Effect, LinkState, PendingRequest};
use crate::prompt::Printer;
use crate::protocol::command::{self, Action, Line, Place, Point, PromptAction, Talk};
use crate::protocol::packet::UserInfo;
use crate::protocol::request::{self, Act};
use crate::protocol::target::LOBBY;
use crate::protocol::{Request, Target};

/// A room or user to make the target, once the server has said that it exists.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    pub(super) to: String,
    /// A text to send there.
    pub(super) text: Option<String>,
}

impl Conversation {
    /// Handles text that is never a command: several pasted lines, and lines of a pipe.
    pub(crate) fn text(&mut self, text: &str, now: CallTime) -> Vec<Effect> {
        self.view.now = now.clock;
        let text = text.trim_end();
        match text.trim().is_empty() {
            true => Vec::new(),
            false => self.say(self.target.clone(), text.to_owned(), false, now),
        }
    }

    /// Handles a line that could not be read.
    pub(crate) fn unreadable(&mut self, why: &str) -> Vec<Effect> {
        self.unsent += 1;
        self.failure(&format!("not sent: {why}"))
    }

    /// Handles a typed line.
    pub(crate) fn line(&mut self, line: &str, now: CallTime) -> Vec<Effect> {
        self.view.now = now.clock;
        let line = line.trim_end();
        if line.trim().is_empty() {
            return Vec::new();
        }
        self.pages.close();
        match command::read_line(line, Place::Prompt) {
            Ok(Line::Text(text)) => self.say(self.target.clone(), text, false, now),
            Ok(Line::Command(action)) => self.act(action, now),
            Err(error) => {
                self.refused += 1;
                self.failure(&error.to_string())
            }
        }
    }

    fn act(&mut self, action: Action, now: CallTime) -> Vec<Effect> {
        match action {
            Action::Request(request) => self.request(request, now),
            Action::Talk(talk) => self.talk(talk, now),
            Action::Prompt(PromptAction::Query(name)) => self.query(name, None, now),
            Action::Prompt(PromptAction::Point(point)) => self.point(point, now),
            Action::Prompt(PromptAction::QueryAndSay(name, text)) => self.query(Some(name), Some(text), now),
            Action::Prompt(PromptAction::Reply(text)) => self.reply(text, now),
            Action::Prompt(PromptAction::JoinAll(rooms)) => {
                rooms.into_iter().flat_map(|room| self.join(room)).collect()
            }
            Action::Prompt(PromptAction::Names(room)) => {
                let here = match &self.target {
                    Target::Room(room) => Some(room.clone()),
                    _ => None,
                };
                self.ask_users(room.or(here), None, false)
            }
            Action::Prompt(PromptAction::Compose) => vec![Effect::OnScreen(Printer::compose)],
            Action::Prompt(PromptAction::Verify { name, answer }) => self.verify(name, answer),
            Action::Prompt(PromptAction::Set { name, value }) => self.set(name.as_deref(), value.as_deref()),
            Action::Prompt(PromptAction::Attend(command)) => self.attend(command, now),
            Action::Prompt(PromptAction::Files(command)) => self.files(command, now),
            Action::Prompt(PromptAction::Clear) => vec![Effect::OnScreen(Printer::clear)],
            Action::Status => self.status(now),
            Action::Web => self.page(),
            Action::Prompt(PromptAction::Users { room, text, is_long }) => {
                self.ask_users(room, text, is_long)
            }
            Action::Prompt(PromptAction::HistoryOfDay { place, day, limit }) => {
                self.ask_day(place, day, limit)
            }
            Action::Prompt(PromptAction::Rooms(text)) => self.ask_rooms(text),
            Action::Prompt(PromptAction::More) => self.more(),
            Action::Help(topic) => self.help(topic.as_deref()),
            Action::Quit => vec![Effect::Quit],
        }
    }

    /// Answers the last correspondent. The prompt names the target as soon as the user types `/r `; this is for
    /// lines that came in another way, and for those entered before the user can have read the name.
    fn reply(&mut self, text: String, now: CallTime) -> Vec<Effect> {
        let addressee = self.roster.lock().writer.addressee(now.instant);
        match addressee {
            Addressee::One(name) => self.say(Target::User(name), text, false, now),
            Addressee::Nobody => {
                self.failure("nobody has sent you a message yet; to send one: /msg NAME TEXT")
            }
            Addressee::Doubtful(latest, before) => {
                self.refused += 1;
                let mut effects = self.failure(&format!(
                    "not sent: {latest} wrote to you just now, and {before} before that; to answer {before}: \
                     /msg {before} TEXT"
                ));
                effects.push(Effect::GiveBack(format!("/msg {before} {text}")));
                effects
            }
        }
    }

    /// A command about the current target.
    fn talk(&mut self, talk: Talk, now: CallTime) -> Vec<Effect> {
        match talk {
            Talk::Me(text) => self.say(self.target.clone(), text, true, now),
            Talk::Part => match &self.target {
                Target::Room(room) => self.request(Act::Part { room: room.clone() }.into(), now),
                _ => self.failure(
                    "you cannot leave the lobby or a direct conversation; to leave a room: /part #ROOM",
                ),
            },
            Talk::Topic(topic) => {
                let room = match &self.target {
                    Target::Room(room) => room.clone(),
                    _ => LOBBY.into(),
                };
                self.request(Act::Topic { room, topic }.into(), now)
            }
            Talk::History(limit) => self.ask_past(limit),
        }
    }

    fn request(&mut self, request: Request, now: CallTime) -> Vec<Effect> {
        match request {
            Request::Act(Act::Chat { to, msg, action, .. }) => self.say(to, msg, action, now),
            Request::Act(Act::Join { room }) => self.join(room),
            Request::Act(Act::Topic { topic: None, .. }) => self.ask(&request, PendingRequest::Topic),
            Request::Act(Act::Topic { .. }) => self.ask(&request, PendingRequest::NewTopic),
            Request::Act(Act::Part { room }) => self.part(room),
            Request::Act(Act::Search(search)) => self.search(search),
            Request::Act(Act::History { room, name, span }) => self.ask_history(room, name, span.limit),
            Request::Ask(request::Ask::Time) => self.ask(&request, PendingRequest::Time(now)),
            request => self.ask(&request, PendingRequest::Show),
        }
    }

    /// Sends a request, unless there is no connection.
    pub(super) fn ask(&mut self, request: &Request, ask: PendingRequest) -> Vec<Effect> {
        let id = self.outbox.next_id();
        if !self.hand(request.to_frame(Some(&id))) {
            self.refused += 1;
            return self.failure("not sent: you are not connected at the moment");
        }
        // Offers and transfers tell their fate themselves.
        if !matches!(ask, PendingRequest::Files(_)) {
            self.note_asked(&id);
        }
        self.requests.insert(id, ask);
        Vec::new()
    }

    /// A half-typed line in a form that goes to the same place from the lobby.
    pub(crate) fn addressed(&self, draft: &str) -> String {
        let is_command = draft.starts_with('/') && !draft.starts_with("//");
        match &self.target {
            _ if is_command || draft.trim().is_empty() => draft.to_owned(),
            Target::All => draft.to_owned(),
            target => format!("/msg {target} {}", draft.strip_prefix('/').unwrap_or(draft)),
        }
    }

    /// Makes a room or user the target, and sends a text there. If only the server knows whether it exists, the
    /// client asks first.
    fn query(&mut self, name: Option<String>, text: Option<String>, now: CallTime) -> Vec<Effect> {
        let target = name.map_or(Target::All, |name| Target::parse(name.trim_start_matches('@')));
        let is_up = matches!(self.state, LinkState::Up { .. });
        match target {
            Target::Server => {
                self.failure("you cannot chat with the server itself; /help lists its commands")
            }
            Target::Room(room) => self.query_room(room, text, now),
            Target::User(name) if is_up && !self.knows(&name) => {
                let opening = Opening { to: name.clone(), text };
                self.ask(&request::Ask::Whois { name }.into(), PendingRequest::Open(opening))
            }
            target => self.open_target(target, text, now),
        }
    }

    pub(super) fn open_target(&mut self, to: Target, text: Option<String>, now: CallTime) -> Vec<Effect> {
        let mut effects = self.go(to.clone(), false);
        effects.extend(text.map(|text| self.say(to, text, false, now)).unwrap_or_default());
        effects
    }

    /// Opens the conversation with a user whom the server knows.
    pub(super) fn open_user(&mut self, user: &UserInfo, opening: Opening, now: CallTime) -> Vec<Effect> {
        let mut effects = match user.last {
            Some(_) => self.note(&format!("{} is offline and will get your messages later", user.name)),
            None => Vec::new(),
        };
        effects.extend(self.open_target(Target::User(user.name.clone()), opening.text, now));
        effects
    }

    fn knows(&self, name: &str) -> bool {
        self.roster.lock().contains(name)
    }
}

/// Whether a typed line stays on the screen. Messages do not: they reappear with their time once the server
/// has confirmed them.
pub(crate) fn keeps_echo(line: &str) -> bool {
    if line.trim().is_empty() {
        return false;
    }
    let message = |action: &Action| {
        matches!(
            action,
            Action::Talk(Talk::Me(_))
                | Action::Prompt(
                    PromptAction::Reply(_)
                        | PromptAction::QueryAndSay(..)
                        | PromptAction::Compose
                        | PromptAction::Point(Point::Reply(..))
                )
                | Action::Request(Request::Act(Act::Chat { .. }))
        )
    };
    match command::read_line(line.trim_end(), Place::Prompt) {
        Ok(Line::Text(_)) => false,
        Ok(Line::Command(action)) => !message(&action),
        Err(_) => true,
    }
}
