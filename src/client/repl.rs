//! The client at a terminal: carries what is typed to the session, what comes to the screen, and
//! asks the user what only the user can decide.

mod leave;
mod offer;
mod seeking;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anstyle::{AnsiColor, Effects, Style};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use self::offer::Offer;

use super::completer::Completer;
use super::connection::{Connection, Update};
use super::entrance::Visitor;
use super::error::Error;
use super::hosting::{Host, Hosting};
use super::locate::{Located, Locator};
use super::reached::Reached;
use super::rivals::{Rival, Rivals};
use super::session::{Effect, Moment, Session, keeps_echo};
use super::state_dir::state_dir;
use super::successor::Successor;
use super::termination::Termination;
use super::twins::Twins;
use crate::prompt::{self, Input, Label, Prompt};

/// How often overdue receipts are looked for.
const TICK: Duration = Duration::from_millis(250);

/// How often the place in the history is written down, if there is news: a crash shows the rest again.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// The file with the lines typed, in the state directory.
const HISTORY_FILE: &str = "history";

/// Where the client is and where it may go.
pub(super) struct Place {
    pub(super) locator: Locator,
    pub(super) visitor: Visitor,
    pub(super) host: Arc<dyn Host>,
    pub(super) hosting: Option<Box<dyn Hosting>>,
    /// A look for others that go by the server's name.
    pub(super) twins: Option<Twins>,
    /// A look for other servers than the one that runs here.
    pub(super) rivals: Option<Rivals>,
}

/// The open prompt and all that it shows.
pub(super) struct Repl {
    prompt: Prompt,
    session: Session,
    place: Place,
    /// None while there is no server to be connected to.
    connection: Option<Connection>,
    successor: Option<Successor>,
    question: Option<Question>,
    /// The offer that the latest search led to.
    offer: Option<Offer>,
    /// Whether the user said no to one, this time.
    declined: bool,
    /// A look at all addresses of the own networks is under way.
    scan: Option<JoinHandle<Result<Located, Error>>>,
    /// There was such a look since there is no server.
    has_scanned: bool,
    /// What the user was told since then that would be told again.
    told: Vec<String>,
    /// There was no server yet, and this is what the last search for one came to.
    is_first: bool,
    vain: Option<Error>,
    /// The user has pressed Ctrl-C once.
    interrupted: bool,
    color: bool,
    /// Where servers of this machine keep their data.
    data_dirs: Vec<PathBuf>,
    termination: Termination,
}

/// What the user is being asked.
enum Question {
    /// Leave, although others are on the server hosted here?
    Quit,
    /// Be the server?
    Host(Offer),
    /// Which server?
    Choose(Vec<Reached>),
}

/// Whether the client goes on.
type Step = Option<Result<(), Error>>;

impl Repl {
    /// Opens the prompt.
    pub(super) fn open(
        mut session: Session,
        connection: Option<Connection>,
        place: Place,
        completer: Completer,
        options: &super::Options,
    ) -> Result<Self, Error> {
        // Before the terminal is taken, so that no signal leaves it in disorder.
        let termination =
            Termination::new().map_err(|error| Error::Local(format!("cannot take signals: {error}")))?;
        let is_first = connection.is_none();
        if is_first {
            session.seek(Moment::now());
        }
        let (color, data_dirs) = (options.color, options.data_dirs.clone());
        let options = prompt::Options {
            label: label(&session, color),
            history: state_dir().map(|dir| dir.join(HISTORY_FILE)),
            completer: Arc::new(completer),
            keeps_echo,
            screen: options.screen.clone(),
        };
        let prompt = Prompt::open(options).map_err(|error| Error::Local(error.to_string()))?;
        Ok(Self {
            prompt,
            session,
            place,
            connection,
            successor: None,
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
            data_dirs,
            termination,
        })
    }

    /// Runs until the user leaves, the server refuses, or the process is asked to end.
    /// `located` is what the search came to that found no server to connect to.
    pub(super) async fn run(mut self, located: Option<Located>) -> Result<(), Error> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut saves = interval(SAVE_EVERY);
        saves.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A line typed ahead must not come too early for the connection that is there.
        let mut step = match located {
            Some(located) => self.begin(located).await,
            None => {
                let first = next_update(&mut self.connection).await;
                self.update(first)
            }
        };
        let result = loop {
            if let Some(result) = step {
                break result;
            }
            step = tokio::select! {
                input = self.prompt.next() => self.input(input).await,
                update = next_update(&mut self.connection) => self.update(update),
                located = next_located(&mut self.successor) => self.located(located).await,
                twin = next_twin(&mut self.place.twins) => self.twin(twin),
                _ = ticks.tick(), if self.session.pending() > 0 => {
                    let effects = self.session.tick(Moment::now());
                    self.apply(effects)
                }
                rival = next_rival(&mut self.place.rivals) => self.rival(rival),
                located = next_scan(&mut self.scan) => self.scanned(located).await,
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
    async fn begin(&mut self, located: Located) -> Step {
        if matches!(located, Located::Nothing(_)) {
            self.search_again(Duration::ZERO);
        }
        self.located(Some(Ok(located))).await
    }

    async fn input(&mut self, input: Input) -> Step {
        let was_interrupted = std::mem::take(&mut self.interrupted);
        match input {
            Input::Line(line) if line.is_empty() => self.offer_again(),
            Input::Line(line) => {
                let effects = self.session.line(&line, Moment::now());
                self.apply(effects)
            }
            Input::Answer(answer) => self.answer(&answer).await,
            Input::Declined => self.interrupt_question(was_interrupted).await,
            Input::Interrupt if was_interrupted => self.quit(),
            Input::Interrupt => {
                self.interrupted = true;
                self.note("press Ctrl-C again, or Ctrl-D, to leave")
            }
            Input::Closed => Some(Ok(())),
            Input::End if matches!(self.question, Some(Question::Quit)) => Some(Ok(())),
            Input::End => self.quit(),
        }
    }

    fn update(&mut self, update: Option<Update>) -> Step {
        let now = Moment::now();
        let effects = match update {
            Some(Update::Up(up)) => {
                if up.follows {
                    self.arrive(&up);
                }
                self.session.up(*up, now)
            }
            Some(Update::Event(event, id)) => self.session.event(&event, id.as_deref(), now),
            Some(Update::Note(line)) => vec![Effect::Show(line)],
            Some(Update::Down(loss)) => self.session.down(&loss.why, now.back_to(loss.since)),
            Some(Update::Gone(loss)) => return self.gone(&loss.why, now.back_to(loss.since)),
            Some(Update::Failed(error)) => return Some(Err(error)),
            None => return self.gone("the connection has ended", now),
        };
        self.apply(effects)
    }

    /// The server is not coming back: another one is looked for.
    fn gone(&mut self, why: &str, now: Moment) -> Step {
        self.connection = None;
        self.search_again(Duration::ZERO);
        let effects = self.session.gone(why, now);
        self.apply(effects)
    }

    /// Somebody else goes by the name of the server, or nobody was found.
    fn twin(&mut self, twin: Option<String>) -> Step {
        self.place.twins = None;
        let lines = twin.map(|id| self.session.twin(id)).unwrap_or_default();
        self.apply(lines)
    }

    /// Leaves, unless others would lose their server by it and the user thinks better of it.
    fn quit(&mut self) -> Step {
        let others = self.place.hosting.as_ref().map_or(0, |hosting| hosting.users().saturating_sub(1));
        let who = match others {
            0 => return Some(Ok(())),
            1 => "1 other is".to_owned(),
            others => format!("{others} others are"),
        };
        self.ask(
            format!("{who} connected to the server that runs here. Leave and end it? [y/N] "),
            Question::Quit,
        )
    }

    /// Writes down what was shown, on a thread that may wait for the disk.
    fn save(&self) -> Step {
        let progress = self.place.visitor.progress.clone();
        drop(tokio::task::spawn_blocking(move || progress.save()));
        None
    }

    /// Shows what can be shown of it, and does nothing else.
    fn show(&self, effects: Vec<Effect>) {
        effects.into_iter().for_each(|effect| show(self.prompt.printer(), effect));
    }

    fn apply(&mut self, effects: Vec<Effect>) -> Step {
        for effect in effects {
            match effect {
                Effect::Relabel => self.prompt.printer().set_label(label(&self.session, self.color)),
                Effect::Verified(key) => self.place.visitor.trust.verify(&key),
                Effect::Quit => return self.quit(),
                effect => show(self.prompt.printer(), effect),
            }
        }
        None
    }

    fn note(&mut self, text: &str) -> Step {
        let effects = self.session.note(text);
        self.apply(effects)
    }

    fn failure(&mut self, text: &str) -> Step {
        let effects = self.session.failure(text);
        self.apply(effects)
    }

    /// Asks what the user has caused to be asked.
    fn ask(&mut self, text: String, question: Question) -> Step {
        self.question = Some(question);
        self.prompt.printer().ask(prompt::PromptQuestion::expected(self.bold(text)));
        None
    }

    /// Asks as soon as the user has a moment.
    fn ask_unexpected(
        &mut self,
        text: String,
        is_answer: impl Fn(&str) -> bool + Send + Sync + 'static,
        question: Question,
    ) -> Step {
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
        Effect::Clear => printer.clear(),
        Effect::Relabel | Effect::Verified(_) | Effect::Quit => {}
    }
}

fn label(session: &Session, color: bool) -> Label {
    let text = session.label();
    let style = match session.is_down() {
        true => AnsiColor::Yellow.on_default(),
        false => AnsiColor::Cyan.on_default(),
    };
    if color { Label::styled(text, style) } else { Label::plain(text) }
}

async fn next_update(connection: &mut Option<Connection>) -> Option<Update> {
    match connection {
        Some(connection) => connection.next().await,
        None => std::future::pending().await,
    }
}

async fn next_twin(twins: &mut Option<Twins>) -> Option<String> {
    match twins {
        Some(twins) => twins.next().await,
        None => std::future::pending().await,
    }
}

async fn next_located(successor: &mut Option<Successor>) -> Option<Result<Located, Error>> {
    match successor {
        Some(successor) => successor.next().await,
        None => std::future::pending().await,
    }
}

async fn next_rival(rivals: &mut Option<Rivals>) -> Option<Rival> {
    match rivals {
        Some(rivals) => rivals.next().await,
        None => std::future::pending().await,
    }
}

async fn next_scan(scan: &mut Option<JoinHandle<Result<Located, Error>>>) -> Result<Located, Error> {
    match scan {
        Some(scan) => scan.await.unwrap_or_else(|error| Err(Error::Local(error.to_string()))),
        None => std::future::pending().await,
    }
}
