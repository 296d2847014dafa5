//! The client at a terminal: carries what is typed to the session, what comes to the screen, and
//! asks the user what only the user can decide.

mod leave;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anstyle::{AnsiColor, Effects, Style};
use tokio::time::{MissedTickBehavior, interval};

use super::completer::Completer;
use super::connection::{Connection, Update};
use super::entrance::Visitor;
use super::error::Error;
use super::hosting::{Host, Hosting};
use super::locate::{Located, Locator, Reached};
use super::session::{Effect, Moment, Session, keeps_echo};
use super::startup::{self, OFFER, Start, again, choices, chosen, describe, is_yes, start};
use super::state_dir::state_dir;
use super::successor::Successor;
use super::termination::Termination;
use super::twins::Twins;
use crate::name::Name;
use crate::prompt::{self, Input, Label, Prompt};
use crate::protocol::request::Mode;

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
    /// The user does not want to be the server this time.
    declined: bool,
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
    Host,
    /// Which server?
    Choose(Vec<Reached>),
}

/// Whether the client goes on.
type Step = Option<Result<(), Error>>;

impl Repl {
    /// Opens the prompt.
    pub(super) fn open(
        session: Session,
        connection: Connection,
        place: Place,
        completer: Completer,
        options: &super::Options,
    ) -> Result<Self, Error> {
        // Before the terminal is taken, so that no signal leaves it in disorder.
        let termination =
            Termination::new().map_err(|error| Error::Local(format!("cannot take signals: {error}")))?;
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
            connection: Some(connection),
            successor: None,
            question: None,
            declined: false,
            interrupted: false,
            color,
            data_dirs,
            termination,
        })
    }

    /// Runs until the user leaves, the server refuses, or the process is asked to end.
    pub(super) async fn run(mut self) -> Result<(), Error> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut saves = interval(SAVE_EVERY);
        saves.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A line typed ahead must not come too early for the connection that is there.
        let first = next_update(&mut self.connection).await;
        let mut step = self.update(first);
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
                _ = saves.tick() => self.save(),
                () = self.termination.wait() => Some(Ok(())),
            };
        };
        self.leave().await;
        result
    }

    async fn input(&mut self, input: Input) -> Step {
        let was_interrupted = std::mem::take(&mut self.interrupted);
        match input {
            Input::Line(line) => {
                let effects = self.session.line(&line, Moment::now());
                self.apply(effects)
            }
            Input::Answer(answer) => self.answer(&answer).await,
            Input::Interrupt if self.question.is_some() => self.answer("n").await,
            Input::Interrupt if was_interrupted => self.quit(),
            Input::Interrupt => {
                self.interrupted = true;
                self.note("press Ctrl-C again, or Ctrl-D, to leave")
            }
            Input::Closed => Some(Ok(())),
            Input::End if self.question.is_some() => Some(Ok(())),
            Input::End => self.quit(),
        }
    }

    fn update(&mut self, update: Option<Update>) -> Step {
        let now = Moment::now();
        let effects = match update {
            Some(Update::Up(up)) => self.session.up(*up, now),
            Some(Update::Event(event, id)) => self.session.event(&event, id.as_deref(), now),
            Some(Update::Down(why)) => self.session.down(&why, now),
            Some(Update::Gone(why)) => return self.gone(&why, now),
            Some(Update::Failed(error)) => return Some(Err(error)),
            None => return self.gone("the connection has ended", now),
        };
        self.apply(effects)
    }

    /// The server is not coming back: another one is looked for.
    fn gone(&mut self, why: &str, now: Moment) -> Step {
        self.connection = None;
        self.declined = false;
        self.successor = Some(self.search());
        let effects = self.session.gone(why, now);
        self.apply(effects)
    }

    async fn located(&mut self, located: Option<Result<Located, Error>>) -> Step {
        match located {
            Some(Ok(Located::One(reached))) => {
                self.withdraw();
                self.move_to(*reached).await
            }
            Some(Ok(Located::Several(servers))) => {
                self.withdraw();
                choices(&servers).into_iter().for_each(|line| self.prompt.printer().print(line));
                self.ask(format!("Which one? [1-{}] ", servers.len()), Question::Choose(servers))
            }
            Some(Ok(Located::Nothing(_))) if self.question.is_none() && !self.declined => {
                self.ask(OFFER.into(), Question::Host)
            }
            Some(Ok(Located::Nothing(_))) => None,
            Some(Err(error)) => self.failure(&error.to_string()),
            None => {
                self.successor = None;
                None
            }
        }
    }

    /// Somebody else goes by the name of the server, or nobody was found.
    fn twin(&mut self, twin: Option<String>) -> Step {
        self.place.twins = None;
        let lines = twin.map(|id| self.session.twin(id)).unwrap_or_default();
        self.apply(lines)
    }

    async fn answer(&mut self, answer: &str) -> Step {
        match self.question.take()? {
            Question::Quit => is_yes_said(answer).then_some(Ok(())),
            Question::Host if is_yes(answer) => self.host().await,
            Question::Host => {
                self.declined = true;
                self.note("still looking for a server; /quit leaves")
            }
            Question::Choose(mut servers) => match chosen(answer, servers.len()) {
                Some(at) => {
                    let server = servers.swap_remove(at);
                    let name = describe(&server);
                    match again(server, self.place.locator.channel()).await {
                        Ok(again) => self.move_to(again).await,
                        Err(error) => self.cannot_join(&name, &error.to_string()),
                    }
                }
                None => self.ask(format!("Which one? [1-{}] ", servers.len()), Question::Choose(servers)),
            },
        }
    }

    /// Starts a server here and goes there.
    async fn host(&mut self) -> Step {
        self.successor = None;
        match start(&*self.place.host, self.place.locator.channel()).await {
            Ok(Start { reached, hosting }) => {
                self.place.hosting = hosting;
                self.place.visitor.trust.look_around(&self.data_dirs);
                self.move_to(reached).await
            }
            Err(error) => {
                let step = self.failure(&error.to_string());
                self.search_again();
                step
            }
        }
    }

    /// Joins a server that was found.
    async fn move_to(&mut self, reached: Reached) -> Step {
        self.successor = None;
        let (server, addrs) = (describe(&reached), reached.addrs.clone());
        if let Some(refusal) = self.place.visitor.trust.namesake(&reached) {
            return self.cannot_join(&server, &refusal.to_string());
        }
        // The name that the user has by now, not the one at the start.
        let visitor = &mut self.place.visitor;
        if let Ok(name) = Name::new(self.session.me()) {
            visitor.identity.name = name;
        }
        let chosen = std::mem::replace(&mut visitor.identity.chosen, false);
        // The prompt has the terminal.
        visitor.can_be_asked = false;
        let printer = self.prompt.printer();
        let joined = visitor.join(reached, Mode::Chat, |line| printer.print(line)).await;
        visitor.identity.chosen = chosen;
        match joined {
            Ok(registered) => {
                self.place.locator.remember(&addrs);
                let (visitor, locator) = (self.place.visitor.clone(), self.place.locator.clone());
                self.connection = Some(Connection::start(registered, visitor, locator));
                None
            }
            // Nobody is to stay beside a server that is not the one it says it is.
            Err(error @ Error::Untrusted(_)) => Some(Err(error)),
            Err(error) => self.cannot_join(&server, &error.to_string()),
        }
    }

    fn cannot_join(&mut self, server: &str, why: &str) -> Step {
        self.search_again();
        self.failure(&format!("cannot join {server}: {why}"))
    }

    fn search(&self) -> Successor {
        Successor::search(self.place.locator.clone(), self.place.visitor.trust.clone())
    }

    fn search_again(&mut self) {
        self.successor = Some(self.search());
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

    fn ask(&mut self, text: String, question: Question) -> Step {
        self.question = Some(question);
        let style = Style::new().effects(Effects::BOLD);
        self.prompt.printer().ask(if self.color { Label::styled(text, style) } else { Label::plain(text) });
        None
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

/// For the question whose answer is no unless it is a clear yes.
fn is_yes_said(answer: &str) -> bool {
    !answer.trim().is_empty() && startup::is_yes(answer)
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
