//! The client at a terminal: passes input to the conversation and its lines to the screen, and asks the user
//! where only the user can decide.

mod leave;
mod offer;
mod seeking;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anstyle::{Effects, Style};
use tokio::time::{MissedTickBehavior, interval};

use offer::HostingOffer;

use super::completer::Completer;
use super::draft_file;
use super::file_work::FileWork;
use super::notify::Notifier;
use super::opener;
use super::termination::Termination;
use super::window::screen_size;
use crate::client::background::{Background, next_of};
use crate::client::connection::{Credentials, Ended, Reconnector, Update};
use crate::client::conversation::{CallTime, Conversation, Effect, Notification, Roster, keeps_echo};
use crate::client::error::Error;
use crate::client::find::{Host, Hosting, Located, Locator, LookAlikeServer, Rival};
use crate::client::link::Reached;
use crate::client::options::ClientOptions;
use crate::client::shared_state::SharedState;
use crate::client::state_dir::state_dir;
use crate::prompt::{self, Input, Label, Prompt, Shortcut, qr_code_here};
use crate::protocol::command::Point;

/// How often to look for slow and overdue receipts.
const TICK: Duration = Duration::from_millis(100);

/// How often to save the resume point if it has changed. After a crash, later messages are shown again.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// The file with typed lines, in the state directory.
pub(super) const HISTORY_FILE: &str = "history";

/// Goes to the place with the most urgent unread messages.
const GO_ON: Shortcut = Shortcut::Alt('a');

/// Shows the last lines with numbers.
const NUMBERS: Shortcut = Shortcut::Alt('n');

/// The keys with a meaning of their own, besides the editor's.
const SHORTCUTS: &[Shortcut] = &[GO_ON, NUMBERS];

/// The servers: how to find and join one, and the one that runs here.
pub(crate) struct Network {
    pub(crate) locator: Locator,
    pub(crate) credentials: Credentials,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) hosting: Option<Box<dyn Hosting>>,
    /// Reports other servers with this server's name.
    pub(crate) look_alikes: Option<Background<LookAlikeServer>>,
    /// Reports other servers than the one that runs here.
    pub(crate) rivals: Option<Background<Rival>>,
}

pub(crate) struct Repl {
    prompt: Prompt,
    conversation: Conversation,
    network: Network,
    /// None while there is no server.
    connection: Option<Reconnector>,
    search: Option<Background<Result<Located, Error>>>,
    question: Option<OpenQuestion>,
    /// The latest search's offer.
    offer: Option<HostingOffer>,
    /// Whether the user declined it.
    declined: bool,
    /// A scan of all addresses, under way.
    scan: Option<Background<Result<Located, Error>>>,
    /// Whether there was a scan since the last connection.
    has_scanned: bool,
    /// Lines not to repeat until there is a connection.
    told: Vec<String>,
    /// Whether there was no server yet.
    is_first: bool,
    vain: Option<Error>,
    /// Whether the last key was Ctrl-C.
    interrupted: bool,
    color: bool,
    /// The window's title, once it was set.
    title: Option<String>,
    notifier: Notifier,
    /// The data directories of servers on this machine.
    data_dirs: Vec<PathBuf>,
    termination: Termination,
    files: FileWork,
}

enum OpenQuestion {
    /// Leave, although other users are on the server that runs here?
    Quit,
    /// Start a server?
    Host(HostingOffer),
    /// Which server?
    Choose(Vec<Reached>),
    /// Open this link?
    Open(String),
    /// A question of the conversation's.
    Conversation,
}

/// The result, if the prompt ends.
type Ending = Option<Result<(), Error>>;

impl Repl {
    pub(crate) fn open(
        mut conversation: Conversation,
        connection: Option<Reconnector>,
        network: Network,
        roster: SharedState<Roster>,
        options: &ClientOptions,
    ) -> Result<Self, Error> {
        // Before the prompt takes the terminal, so that no signal leaves it in disorder.
        let termination =
            Termination::new().map_err(|error| Error::Local(format!("cannot take signals: {error}")))?;
        let is_first = connection.is_none();
        conversation.resize(screen_size());
        if is_first {
            conversation.seek(CallTime::now());
        }
        let (color, data_dirs) = (options.color, options.data_dirs.clone());
        let options = prompt::Options {
            label: label(&conversation, color),
            history: state_dir().map(|dir| dir.join(HISTORY_FILE)),
            completer: Arc::new(Completer(roster)),
            keeps_echo,
            shortcuts: SHORTCUTS,
            screen: options.screen.clone(),
        };
        let draft = draft_file::take();
        let prompt =
            Prompt::open_with_draft(options, &draft).map_err(|error| Error::Local(error.to_string()))?;
        if !draft.is_empty() {
            let notes = conversation.note("your unsent draft is one Up away");
            notes.into_iter().for_each(|note| show(prompt.printer(), note));
        }
        let files = FileWork::new(network.credentials.clone());
        Ok(Self {
            prompt,
            conversation,
            network,
            connection,
            search: None,
            question: None,
            offer: None,
            declined: false,
            scan: None,
            has_scanned: false,
            told: Vec::new(),
            is_first,
            vain: None,
            interrupted: false,
            color,
            title: None,
            notifier: Notifier::default(),
            data_dirs,
            termination,
            files,
        })
    }

    /// Runs until the user leaves, the server refuses, or a signal asks the process to end. `located` is the
    /// result of the first search, if no server was joined.
    pub(crate) async fn run(mut self, located: Option<Located>) -> Result<(), Error> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut saves = interval(SAVE_EVERY);
        saves.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A line typed ahead must wait for a connection that is there.
        let mut step = match located {
            Some(located) => self.begin(located).await,
            None => {
                let first = next_of(&mut self.connection, Reconnector::next).await;
                self.update(first)
            }
        };
        let result = loop {
            if let Some(result) = step {
                break result;
            }
            step = tokio::select! {
                input = self.prompt.next() => self.input(input).await,
                update = next_of(&mut self.connection, Reconnector::next) => self.update(update),
                located = next_of(&mut self.search, Background::next) => self.located(located).await,
                found = next_of(&mut self.network.look_alikes, Background::next) => self.look_alike(found),
                _ = ticks.tick(), if self.conversation.waits() => {
                    let effects = self.conversation.tick(CallTime::now());
                    self.apply(effects)
                }
                (task, report) = self.files.next() => {
                    let effects = self.conversation.transfer_report(task, report, CallTime::now());
                    self.apply(effects)
                }
                rival = next_of(&mut self.network.rivals, Background::next) => self.rival(rival),
                located = next_of(&mut self.scan, Background::next) => self.scanned(located).await,
                _ = saves.tick() => self.save(),
                () = self.termination.wait() => Some(Ok(())),
            };
        };
        let vain = self.vain.take().filter(|_| self.is_first);
        self.leave().await;
        match (result, vain) {
            (Ok(()), Some(vain)) => Err(vain),
            (result, _) => result,
        }
    }

    /// Begins without a server.
    async fn begin(&mut self, located: Located) -> Ending {
        if matches!(located, Located::Nothing(_)) {
            self.search_again(Duration::ZERO);
        }
        self.located(Some(Ok(located))).await
    }

    async fn input(&mut self, input: Input) -> Ending {
        let was_interrupted = std::mem::take(&mut self.interrupted);
        self.conversation.resize(screen_size());
        if matches!(input, Input::Line(_) | Input::Pasted(_)) {
            self.conversation.look();
        }
        match input {
            Input::Line(line) if line.is_empty() => match self.conversation.next_page(CallTime::now()) {
                Some(effects) => self.apply(effects),
                None => self.offer_again(),
            },
            Input::Line(line) => {
                let effects = self.conversation.line(&line, CallTime::now());
                self.apply(effects)
            }
            Input::Pasted(text) => {
                let effects = self.conversation.text(&text, CallTime::now());
                self.apply(effects)
            }
            Input::Answer(answer) => self.answer(&answer).await,
            Input::Key(shortcut) => self.key(shortcut),
            Input::Declined => self.interrupt_question(was_interrupted).await,
            Input::Interrupt if was_interrupted => self.quit(),
            Input::Interrupt => {
                self.interrupted = true;
                self.note("press Ctrl-C again, or Ctrl-D, to leave")
            }
            Input::Closed => Some(Ok(())),
            Input::End if matches!(self.question, Some(OpenQuestion::Quit)) => Some(Ok(())),
            Input::End => self.quit(),
        }
    }

    /// Handles a key with a meaning of its own; a question comes first.
    fn key(&mut self, shortcut: Shortcut) -> Ending {
        if self.question.is_some() {
            return None;
        }
        let effects = match shortcut {
            GO_ON => self.conversation.go_on(),
            NUMBERS => self.conversation.point(Point::Lines(None), CallTime::now()),
            Shortcut::Alt(_) => Vec::new(),
        };
        self.apply(effects)
    }

    fn update(&mut self, update: Result<Update, Ended>) -> Ending {
        let now = CallTime::now();
        self.conversation.resize(screen_size());
        let effects = match update {
            Ok(update) => self.conversation.update(update, now),
            Err(Ended::Failed(error)) => return Some(Err(error)),
            Err(Ended::Gone(loss)) => {
                self.connection = None;
                self.search_again(Duration::ZERO);
                self.conversation.gone(&loss, now)
            }
        };
        self.apply(effects)
    }

    /// Warns of another server with this server's name or key, if there is one.
    fn look_alike(&mut self, found: Option<LookAlikeServer>) -> Ending {
        self.network.look_alikes = None;
        let lines = found.map(|found| self.conversation.look_alike(found)).unwrap_or_default();
        self.apply(lines)
    }

    /// Saves the resume point, on a thread that may wait for the disk.
    fn save(&self) -> Ending {
        let position = self.network.credentials.position.clone();
        drop(tokio::task::spawn_blocking(move || position.save()));
        None
    }

    /// Shows lines, and ignores other effects.
    fn show(&self, effects: Vec<Effect>) {
        effects.into_iter().for_each(|effect| show(self.prompt.printer(), effect));
    }

    fn apply(&mut self, effects: Vec<Effect>) -> Ending {
        for effect in effects {
            match effect {
                Effect::Relabel => self.prompt.printer().set_label(label(&self.conversation, self.color)),
                Effect::Quit => return self.quit(),
                Effect::Transfer(order) => self.files.start(*order),
                Effect::Ask(text) => drop(self.ask(text, OpenQuestion::Conversation)),
                Effect::Notify(notification) => self.notify(&notification),
                Effect::Open(link) => {
                    let text = opener::question(&link, screen_size().columns);
                    self.ask(text, OpenQuestion::Open(link));
                }
                effect => show(self.prompt.printer(), effect),
            }
        }
        self.retitle();
        None
    }

    /// Notifies the user, who may not be looking.
    fn notify(&self, notification: &Notification) {
        let printer = self.prompt.printer();
        if notification.bell {
            printer.ring();
        }
        if notification.notify {
            printer.notify(&notification.from, &notification.text);
        }
        if let Err(why) = self.notifier.run(notification) {
            self.show(self.conversation.failure(&why));
        }
    }

    /// Shows in the window's title how many unread messages are for the user.
    fn retitle(&mut self) {
        let title = self.conversation.title();
        if title == self.title {
            return;
        }
        match &title {
            Some(title) => self.prompt.printer().set_title(title, self.title.is_none()),
            None => self.prompt.printer().restore_title(),
        }
        self.title = title;
    }

    fn note(&mut self, text: &str) -> Ending {
        let effects = self.conversation.note(text);
        self.apply(effects)
    }

    fn failure(&mut self, text: &str) -> Ending {
        let effects = self.conversation.failure(text);
        self.apply(effects)
    }

    /// Asks a question that the user has caused.
    fn ask(&mut self, text: String, question: OpenQuestion) -> Ending {
        self.question = Some(question);
        self.prompt.printer().ask(prompt::PromptQuestion::expected(self.bold(text)));
        None
    }

    /// Asks a question that the user has not caused, at a moment when nobody types.
    fn ask_unexpected(
        &mut self,
        text: String,
        is_answer: impl Fn(&str) -> bool + Send + Sync + 'static,
        question: OpenQuestion,
    ) -> Ending {
        self.question = Some(question);
        self.prompt.printer().ask(prompt::PromptQuestion::unexpected(self.bold(text), is_answer));
        None
    }

    fn bold(&self, text: String) -> Label {
        let style = Style::new().effects(Effects::BOLD);
        if self.color { Label::styled(text, style) } else { Label::plain(text) }
    }

    fn withdraw(&mut self) {
        if self.question.take().is_some() {
            self.prompt.printer().withdraw();
        }
    }
}

fn show(printer: &prompt::Printer, effect: Effect) {
    match effect {
        Effect::Show(line) => printer.print(line),
        Effect::OnScreen(change) => change(printer),
        Effect::Copy(text) => printer.copy(&text),
        Effect::QrCode(link, color) => {
            qr_code_here(&link, color).into_iter().for_each(|lines| printer.print(lines.join("\n")));
        }
        Effect::GiveBack(line) => printer.give_back(line),
        Effect::Relabel
        | Effect::Transfer(_)
        | Effect::Open(_)
        | Effect::Notify(_)
        | Effect::Quit
        | Effect::Ask(_) => {}
    }
}

fn label(conversation: &Conversation, color: bool) -> Label {
    let text = conversation.label();
    let style = conversation.label_style();
    let label = if color { Label::styled(text, style) } else { Label::plain(text) };
    let dim = if color { Style::new().effects(Effects::DIMMED) } else { Style::new() };
    label.below(conversation.rows_above_label(), dim)
}
