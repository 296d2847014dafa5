//! The console of `lanchat serve` at a terminal: operators' commands, typed below the log. It uses requests
//! like any client, and knows no sockets.

use super::Handle;
use crate::limits::{CONSOLE_TAB_WAIT, MAX_TEXT_BYTES};
use crate::prompt::{Complete, Completion, Input, Label, OpenError, Options, Prompt, PromptQuestion, Screen};
use crate::protocol::command::{self, Action, Line, Place};
use crate::protocol::event::users_are;
use crate::protocol::request::{Ask, Operate, Refusal};
use crate::protocol::{Event, Request};
use crate::text::{safe_line, safe_lines};
use std::sync::Arc;
use tokio::runtime::Handle as Runtime;
use tokio::time::timeout;

/// The prompt's label.
const LABEL: &str = "[server] ";

/// Where browsers find the page.
#[derive(Debug)]
pub struct PageNotice {
    /// For people.
    pub lines: Vec<String>,
    /// A QR code, safe for the terminal; empty if it does not fit, or no other machine can reach the page.
    pub code: Vec<String>,
}

/// Describes the page; with a ticket, to one newcomer of a closed server.
pub type PageGuide = Box<dyn Fn(Option<&str>) -> PageNotice + Send>;

/// An open console.
pub struct Console {
    prompt: Prompt,
    handle: Handle,
    /// `None`: the server does not serve browsers.
    page: Option<PageGuide>,
    /// Whether it asks the user to confirm the end.
    asking: bool,
}

/// How to go on after an input.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    On,
    Stop,
    /// Ask the user to confirm the end.
    Ask,
    /// Show the server's numbers.
    Status,
    /// The terminal is gone.
    Closed,
}

impl Console {
    /// Opens the console on this terminal. Log lines sent to `screen` appear above its input. Fails if this is
    /// not a terminal, or one that cannot edit lines. Needs a tokio runtime.
    pub fn open(handle: Handle, screen: Screen) -> Result<Self, OpenError> {
        let prompt = Prompt::open(Options {
            label: Label::plain(LABEL),
            history: None,
            completer: Arc::new(Words { handle: handle.clone(), runtime: Runtime::current() }),
            keeps_echo: |line| !line.trim().is_empty(),
            shortcuts: &[],
            screen,
        })?;
        Ok(Self { prompt, handle, page: None, asking: false })
    }

    /// Has a guide to the page for browsers, and shows its QR code at the start if everyone may join.
    #[must_use]
    pub fn with_page(mut self, page: Option<PageGuide>, is_open: bool) -> Self {
        if let Some(guide) = page.as_ref().filter(|_| is_open) {
            self.draw(&guide(None));
        }
        self.page = page;
        self
    }

    /// Runs until the user wants the server to stop. Then closes the console, and the log goes to standard
    /// error again. If the terminal disappears, the server runs on, and this never returns.
    pub async fn run(mut self) {
        loop {
            let input = self.prompt.next().await;
            let step = self.take(input).await;
            self.asking = step == Step::Ask;
            match step {
                Step::On => {}
                Step::Ask => {
                    self.prompt.printer().ask(PromptQuestion::expected(Label::plain(self.question())))
                }
                Step::Status => {
                    let numbers = self.handle.numbers().await;
                    self.show(&numbers.lines().join("\n"));
                }
                Step::Stop => return self.prompt.close(),
                Step::Closed => {
                    self.prompt.close();
                    return std::future::pending().await;
                }
            }
        }
    }

    async fn take(&mut self, input: Input) -> Step {
        match input {
            Input::Line(line) | Input::Pasted(line) => self.line(line.trim_end()).await,
            Input::Answer(answer) => match answer.trim().to_lowercase().as_str() {
                "y" | "yes" => Step::Stop,
                _ => Step::On,
            },
            Input::Key(_) => Step::On,
            // A second Ctrl-C means yes.
            Input::Declined => Step::Stop,
            Input::Interrupt | Input::End if self.asking => Step::Stop,
            Input::Interrupt | Input::End => self.quit(),
            Input::Closed => Step::Closed,
        }
    }

    /// Stops at once if nobody is connected.
    fn quit(&self) -> Step {
        if self.handle.users() == 0 { Step::Stop } else { Step::Ask }
    }

    fn question(&self) -> String {
        format!("{} here. Stop the server? [y/N] (Ctrl-C stops it) ", users_are(self.handle.users()))
    }

    async fn line(&self, line: &str) -> Step {
        if line.trim().is_empty() {
            return Step::On;
        }
        match command::read_line(line, Place::Console) {
            Ok(Line::Command(Action::Quit)) => return self.quit(),
            Ok(Line::Command(Action::Status)) => return Step::Status,
            Ok(Line::Command(Action::Web)) => self.web().await,
            Ok(Line::Command(action)) => self.act(action).await,
            Ok(Line::Text(_)) => self.show(
                "the console takes commands only; /help lists them, /alert TEXT sends a message to everyone",
            ),
            Err(error) => self.show(&error.to_string()),
        }
        Step::On
    }

    /// Shows the page's address. A closed server makes a ticket for it.
    async fn web(&self) {
        let Some(guide) = &self.page else {
            return self.show("this server serves no page for browsers; start it with --web");
        };
        let ticket = match self.handle.operate(&Operate::Ticket).await {
            Ok(Event::Ticket { ticket }) => ticket,
            _ => None,
        };
        let notice = guide(ticket.as_deref());
        self.show(&notice.lines.join("\n"));
        self.draw(&notice);
    }

    fn draw(&self, notice: &PageNotice) {
        if !notice.code.is_empty() {
            self.prompt.printer().print(notice.code.join("\n"));
        }
    }

    async fn act(&self, action: Action) {
        match action {
            Action::Request(Request::Operate(Operate::Alert { msg })) if msg.len() > MAX_TEXT_BYTES => {
                self.show(&format!(
                    "the alert has {} bytes; the limit is {MAX_TEXT_BYTES}; shorten it",
                    msg.len()
                ));
            }
            Action::Request(Request::Ask(question)) => self.answer(self.handle.ask(&question).await),
            Action::Request(Request::Operate(command)) => self.answer(self.handle.operate(&command).await),
            Action::Help(name) => match command::help(name.as_deref(), Place::Console, true) {
                Ok(text) => self.show(&text),
                Err(error) => self.show(&error.to_string()),
            },
            // The table offers none of these at the console, or they are done already.
            Action::Status
            | Action::Web
            | Action::Request(Request::Connect(_) | Request::Act(_))
            | Action::Talk(_)
            | Action::Prompt(_)
            | Action::Quit => {}
        }
    }

    fn answer(&self, done: Result<Event, Refusal>) {
        match done {
            Ok(event) => self.show(&event.text()),
            Err(refusal) => self.show(&refusal.msg),
        }
    }

    /// Makes the text safe for a terminal first, because it may hold text from users.
    fn show(&self, text: &str) {
        self.prompt.printer().print(safe_lines(text).join("\n"));
    }
}

/// Completes commands, and names from the first page of users.
struct Words {
    handle: Handle,
    /// The editor's thread is not one of its own.
    runtime: Runtime,
}

impl Complete for Words {
    fn complete(&self, line: &str, pos: usize) -> Completion {
        let before = &line[..pos];
        let start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let word = &before[start..];
        let words = match word.strip_prefix('/') {
            Some(name) if start == 0 => command::available(Place::Console, true)
                .filter(|command| command.name.starts_with(name))
                .map(|command| format!("/{} ", command.name))
                .collect(),
            _ if start == 0 => Vec::new(),
            _ => self.names(&word.to_lowercase()),
        };
        Completion { start, words, in_turn: false }
    }
}

impl Words {
    fn names(&self, start: &str) -> Vec<String> {
        let question = Ask::Users { room: None, after: None };
        let asked = async { timeout(CONSOLE_TAB_WAIT, self.handle.ask(&question)).await };
        let Ok(Ok(Event::Users { users, .. })) = self.runtime.block_on(asked) else { return Vec::new() };
        let names = users.iter().filter(|user| user.name.to_lowercase().starts_with(start));
        names.map(|user| format!("{} ", safe_line(&user.name))).collect()
    }
}
