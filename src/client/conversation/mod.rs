//! Handles typed lines and events, and tracks messages on their way. A conversation does no input or
//! output except handing packets to the connection and remembering a verified key or an ignored user; it
//! returns [`Effect`]s for the terminal.

mod attention;
mod day_history;
mod event;
mod found;
mod going;
mod help;
mod ignored;
mod label;
mod line;
mod links;
mod list_progress;
mod missed;
mod notifications;
mod numbered;
mod outbox;
mod outlet;
mod page;
mod pages;
mod past;
mod preference_command;
mod presence;
mod reply_target;
mod rooms;
mod roster;
mod seen_messages;
mod sending;
mod session_info;
mod slow_messages;
mod spot;
mod status;
mod subject_of_change;
mod transfers;
mod unanswered;
mod unread;
mod verifying;
mod view;
mod web_link;

#[cfg(test)]
mod tests;

pub(crate) use help::topics as help_topics;
pub(crate) use ignored::{IGNORED_FILE, IgnoreList};
pub(crate) use line::keeps_echo;
pub(crate) use notifications::Notification;
pub(crate) use outbox::PacketIds;
pub(crate) use outlet::{Outlet, ScreenSize};
pub(crate) use past::WENT_BACK;
pub(crate) use roster::{OfferNumbers, Roster};
pub(crate) use seen_messages::{IncomingMessage, Novelty, SeenMessages};
pub(crate) use transfers::{
    CollectedFiles, MeetingPoint, TransferOrder, TransferReport, TransferWork, clock_time, described,
    file_size,
};
pub(crate) use view::{Stamp, ViewState, render};

use line::Opening;
use pages::{Pages, RoomsListing, UsersListing};

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::client::connection::{Credentials, Update};
use crate::client::find::LookAlikeServer;
use crate::client::preferences::PreferencesFile;
use crate::client::shared_state::SharedState;
use crate::client::trust::{TrustPolicy, namesakes};
use crate::name::RoomName;
use crate::prompt::Printer;
use crate::protocol::request::{self, Act};
use crate::protocol::{Request, Target};
use attention::Attention;
use found::FoundMembers;
use label::ShownLabel;
use list_progress::ListProgress;
use numbered::NumberedLines;
use outbox::{Outbox, OutgoingMessage};
use past::RequestedMessages;
use session_info::SessionInfo;
use transfers::{FilesRequest, TransferTable};
use unanswered::Unanswered;
use verifying::KeySubject;

/// A change on the terminal.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Show a line, which is safe for the terminal.
    Show(String),
    /// Show another label: see [`Conversation::label`].
    Relabel,
    /// Copy the text to the terminal's clipboard. Plain lines have none.
    Copy(String),
    /// Draw a QR code of the link, with colours or without, if it fits the window. Plain lines draw none.
    QrCode(String, bool),
    /// Open the link, if the user agrees.
    Open(String),
    /// Give a refused line back to the prompt. Plain lines have none.
    GiveBack(String),
    /// Ask a question, whose answer goes to [`Conversation::answered_question`]. Plain lines cannot ask.
    Ask(String),
    /// Notify the user, who may not be looking. Plain lines notify nobody.
    Notify(Notification),
    /// Change the screen of a prompt. Plain lines have none.
    OnScreen(fn(&Printer)),
    /// Do something with files that users offer each other, and report how it ended.
    Transfer(Box<TransferOrder>),
    /// Leave, as the user asked.
    Quit,
}

/// The time of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallTime {
    /// For people.
    pub(crate) clock: Timestamp,
    /// For measuring.
    pub(crate) instant: Instant,
}

impl CallTime {
    pub(crate) fn now() -> Self {
        Self { clock: Timestamp::now(), instant: Instant::now() }
    }

    /// The time of something that happened at that instant and is known now.
    fn back_to(self, instant: Instant) -> Self {
        Self { instant: instant.min(self.instant), ..self }
    }
}

/// The use of an answer.
enum PendingRequest {
    /// Fill the roster; show nothing.
    Roster(ListProgress),
    /// Compare the clocks.
    Time(CallTime),
    /// Show the digits of a user's key, or take the user's answer about them.
    Digits(Option<bool>),
    /// Show a room's topic.
    Topic,
    /// Make the room the target.
    Join,
    /// Make a room or user that exists the target.
    Open(Opening),
    /// Confirm the new topic.
    NewTopic,
    /// Collect users, and show them.
    Users(UsersListing),
    /// Collect rooms, and show them.
    Rooms(RoomsListing),
    /// Nothing; an old server refuses it.
    Read,
    /// Ignore the user until then.
    Ignore(Option<Timestamp>),
    /// Show messages from the history.
    Messages(Box<RequestedMessages>),
    /// Show one's own change of a message.
    Change(numbered::OwnChange),
    /// Something about files.
    Files(FilesRequest),
    /// Show it.
    Show,
}

/// The connection as the conversation sees it.
enum LinkState {
    /// There was none yet.
    Fresh,
    Up {
        outgoing: mpsc::Sender<Vec<u8>>,
        peer: SocketAddr,
        since: Instant,
    },
    Down {
        why: String,
        since: Instant,
        search: bool,
    },
}

pub(crate) struct Conversation {
    state: LinkState,
    session: SessionInfo,
    target: Target,
    /// The rooms that the user is in.
    rooms: BTreeSet<RoomName>,
    /// The key that the user was asked about.
    verifying: Option<KeySubject>,
    roster: SharedState<Roster>,
    trust: SharedState<TrustPolicy>,
    /// Users found at the start, until the first news of joins.
    found: Option<HashSet<String>>,
    /// The same for rooms.
    found_members: FoundMembers,
    seen: SeenMessages,
    outbox: Outbox,
    shown_label: ShownLabel,
    /// Messages that the client or the server refused.
    unsent: usize,
    /// Commands that the client or the server refused.
    refused: usize,
    requests: HashMap<String, PendingRequest>,
    unanswered: Unanswered,
    numbered: SharedState<NumberedLines>,
    /// Where `/set` keeps preferences.
    preferences_file: Option<Arc<dyn PreferencesFile>>,
    pages: Pages,
    transfers: TransferTable,
    attention: Attention,
    view: ViewState,
}

impl Conversation {
    /// A conversation that has not begun.
    pub(crate) fn new(view: ViewState, roster: SharedState<Roster>, credentials: &Credentials) -> Self {
        Self {
            state: LinkState::Fresh,
            session: SessionInfo::default(),
            target: Target::All,
            rooms: BTreeSet::new(),
            verifying: None,
            roster,
            trust: credentials.trust.clone(),
            found: None,
            found_members: FoundMembers::default(),
            seen: SeenMessages::new(credentials.position.clone()),
            outbox: Outbox::default(),
            shown_label: ShownLabel::default(),
            unsent: 0,
            refused: 0,
            requests: HashMap::new(),
            unanswered: Unanswered::default(),
            numbered: SharedState::default(),
            preferences_file: None,
            pages: Pages::default(),
            transfers: TransferTable::default(),
            attention: Attention::default(),
            view,
        }
    }

    /// The same, with a file for changed preferences.
    pub(crate) fn keeping(self, preferences_file: Option<Arc<dyn PreferencesFile>>) -> Self {
        Self { preferences_file, ..self }
    }

    /// Handles news about the connection.
    pub(crate) fn update(&mut self, update: Update, now: CallTime) -> Vec<Effect> {
        match update {
            Update::Up(up) => self.up(*up, now),
            Update::Event(event, id) => self.event(&event, id.as_deref(), now),
            Update::Note(line) => self.note(&line),
            Update::Down(loss) => self.lost(&loss, now.back_to(loss.since), false),
        }
    }

    /// Tells about overdue receipts. Called from time to time.
    pub(crate) fn tick(&mut self, now: CallTime) -> Vec<Effect> {
        self.view.now = now.clock;
        self.flush(now);
        let overdue = self.outbox.overdue(now.instant);
        let text =
            |message: &OutgoingMessage| format!("not confirmed by the server yet: {}", quoted(message));
        let mut effects: Vec<_> = overdue.iter().flat_map(|message| self.note(&text(message))).collect();
        effects.extend(self.show_slow(now));
        effects.extend(self.late_crowds(now));
        effects.extend(self.late_answers(now));
        effects.extend(self.files_tick(now));
        self.labelled(effects)
    }

    /// Whether something waits for its time, so that [`Self::tick`] should be called.
    pub(crate) fn waits(&self) -> bool {
        self.pending() > 0
            || self.attention.unread.waits_for_label()
            || self.attention.presence.waits()
            || self.waits_for_answer()
            || self.files_wait()
    }

    /// Takes the list of ignored users.
    pub(crate) fn ignore_these(&mut self, list: IgnoreList) {
        self.attention.ignored = list;
        self.offer_ignored();
    }

    /// The window has that size now.
    pub(crate) fn resize(&mut self, size: ScreenSize) {
        self.view.outlet = Outlet::Prompt(size);
    }

    /// Warns of another server with this one's name or key.
    pub(crate) fn look_alike(&self, found: LookAlikeServer) -> Vec<Effect> {
        let id = match found {
            LookAlikeServer::Namesake(id) => id,
            LookAlikeServer::Copies(addrs) => return self.failure(&copied(&addrs)),
        };
        let lines = self.view.security.key().map(|key| namesakes(&self.session.server.name, key, &[id]));
        lines.into_iter().flatten().flat_map(|line| self.failure(&line)).collect()
    }

    /// Shows a line of the client's own.
    pub(crate) fn note(&self, text: &str) -> Vec<Effect> {
        shown(self.view.notes(text))
    }

    /// Shows an error.
    pub(crate) fn failure(&self, text: &str) -> Vec<Effect> {
        shown(self.view.failures(text))
    }

    /// Whether the connection is lost.
    pub(crate) fn is_down(&self) -> bool {
        matches!(self.state, LinkState::Down { .. })
    }

    /// Hands a frame to the connection; false without a connection or with a full queue.
    fn hand(&self, frame: Vec<u8>) -> bool {
        match &self.state {
            LinkState::Up { outgoing, .. } => outgoing.try_send(frame).is_ok(),
            LinkState::Fresh | LinkState::Down { .. } => false,
        }
    }

    /// Says goodbye, after which the server ends the connection; false without a connection.
    pub(crate) fn say_goodbye(&self) -> bool {
        self.hand(Request::Act(Act::Quit).to_frame(None))
    }

    /// Makes this the target of plain lines.
    fn aim(&mut self, target: Target) {
        self.view.room = match &target {
            Target::Room(room) => RoomName::new(room).ok(),
            _ => None,
        };
        self.with_roster(|roster| roster.set_here(self.view.room.as_ref().map(RoomName::as_str)));
        self.target = target;
    }

    fn ask_roster(&mut self, after: Option<String>, progress: ListProgress) {
        let id = self.outbox.next_id();
        if self.hand(Request::Ask(request::Ask::Users { room: None, after }).to_frame(Some(&id))) {
            self.requests.insert(id, PendingRequest::Roster(progress));
        }
    }

    fn with_roster(&self, change: impl FnOnce(&mut Roster)) {
        change(&mut self.roster.lock());
    }
}

/// Says that servers have one key at the same time.
fn copied(addrs: &[SocketAddr]) -> String {
    let places: Vec<String> = addrs.iter().map(ToString::to_string).collect();
    format!(
        "{} servers have this server's key, at {}: lanchat may join any of them, and users of one do not see those of \
         another; tell their administrator that `lanchat doctor` shows the remedy",
        addrs.len(),
        places.join(" and ")
    )
}

fn shown(lines: Vec<String>) -> Vec<Effect> {
    lines.into_iter().map(Effect::Show).collect()
}

/// A message in the form in which it can be typed again.
fn quoted(message: &OutgoingMessage) -> String {
    let text = if message.action { format!("/me {}", message.msg) } else { message.msg.clone() };
    match &message.to {
        Target::All => text,
        to => format!("(to {to}) {text}"),
    }
}
