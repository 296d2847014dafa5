//! The editing thread: reads line after line with rustyline until it is told to stop.

use std::any::Any;
use std::io::{self, IsTerminal as _};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, CompletionType, Config, Editor, ExternalPrinter};
use tokio::sync::mpsc;

use super::assist::{Assistant, Interruption};
use super::history::{HistoryFile, MAX_LINES};
use super::mode::{Mode, is_typed_ahead};
use super::printer::write;
use super::question::{Question, Reply};
use super::rows::rows_below_first;
use super::state::{Shared, Turn};
use super::{Input, Label, OpenError, Options};

/// How long the end waits for the editing thread to give the terminal back.
const END_WAIT: Duration = Duration::from_secs(1);

/// The running thread, and the terminal's mode before it.
pub(super) struct Thread {
    /// Closes when the thread ends.
    ended: Receiver<()>,
    mode: Mode,
}

impl Thread {
    /// Starts editing; gives the external printer with which to print meanwhile.
    pub(super) fn start(
        shared: Arc<Shared>,
        inputs: mpsc::Sender<Input>,
        options: &Options,
        typed: String,
    ) -> Result<(Self, impl ExternalPrinter + Send + 'static), OpenError> {
        let mode = Mode::take();
        if is_typed_ahead() {
            // It stands on the row where the first line would begin, and is shown again behind the label.
            let _ = write("\n");
        }
        let mut editor =
            Editor::with_history(config(), FileHistory::with_config(&config())).map_err(terminal)?;
        let external = editor.create_external_printer().map_err(terminal)?;
        editor.set_helper(Some(Assistant::new(Arc::clone(&shared), Arc::clone(&options.completer))));
        let history = HistoryFile::open(options.history.clone(), editor.history_mut());
        let (end, ended) = channel();
        let keeps_echo = options.keeps_echo;
        let mut editing =
            Editing { editor, shared, inputs, history, keeps_echo, parked: None, question: None };
        thread::Builder::new()
            .name("prompt-editor".into())
            .spawn(move || {
                editing.run(typed);
                editing.show_queue();
                editing.shared.end();
                // What came between the two.
                editing.show_queue();
                drop(end);
            })
            .map_err(OpenError::Terminal)?;
        Ok((Self { ended, mode }, external))
    }

    /// Waits until the thread has ended, but not for long, and gives the terminal back.
    pub(super) fn wait(&self) {
        let ended = self.ended.recv_timeout(END_WAIT);
        self.mode.give_back();
        if ended == Err(RecvTimeoutError::Timeout) {
            // The editor had no chance to do it: bracketed paste off, and off its line.
            let _ = write("\x1b[?2004l\n");
        }
    }
}

fn terminal(error: ReadlineError) -> OpenError {
    match error {
        ReadlineError::Io(error) => OpenError::Terminal(error),
        other => OpenError::Terminal(io::Error::other(other)),
    }
}

fn config() -> Config {
    // Only forced colours have the assistant's highlighter called, whatever the terminal; whether
    // there are any is the labels' affair. Showing all candidates at the first Tab keeps the editor
    // from waiting for a second one, during which it would print nothing.
    let builder = Config::builder()
        .color_mode(ColorMode::Forced)
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true);
    match builder.clone().max_history_size(MAX_LINES) {
        Ok(bounded) => bounded.build(),
        Err(_) => builder.build(),
    }
}

struct Editing {
    editor: Editor<Assistant, FileHistory>,
    shared: Arc<Shared>,
    inputs: mpsc::Sender<Input>,
    history: HistoryFile,
    keeps_echo: fn(&str) -> bool,
    /// The half-typed line that a question has pushed aside, split at the cursor.
    parked: Option<(String, String)>,
    /// The question behind which is typed.
    question: Option<Question>,
}

impl Editing {
    /// Runs until told to stop, or until the terminal is gone.
    fn run(&mut self, typed: String) {
        let mut initial = (typed, String::new());
        loop {
            self.show_queue();
            let typed =
                if self.question.is_none() { [&*initial.0, &*initial.1].concat() } else { String::new() };
            let (label, question) = match self.shared.begin_turn(&typed) {
                Turn::Line(label) => (label, None),
                Turn::Question(question) => (question.label.clone(), Some(question)),
            };
            initial = self.change_turn(question, initial);
            let editor = &mut self.editor;
            let left_right = (initial.0.as_str(), initial.1.as_str());
            let read =
                panic::catch_unwind(AssertUnwindSafe(|| editor.readline_with_initial(&label, left_right)));
            self.shared.end_turn();
            initial = (String::new(), String::new());
            match read {
                Err(payload) => {
                    initial = interrupted(payload);
                    if self.shared.is_stopping() {
                        return;
                    }
                }
                Ok(read) => {
                    self.shared.note_end();
                    let Some(input) = self.input(&label, read) else { continue };
                    let is_last = input == Input::Closed;
                    // Nobody takes inputs any more while the prompt is being closed.
                    let _ = self.inputs.blocking_send(input);
                    if is_last {
                        return;
                    }
                }
            }
        }
    }

    /// Shows what waits, between two lines.
    fn show_queue(&self) {
        // A terminal that takes no text is noticed by the editor itself.
        let _ = write(&self.shared.take_queue());
    }

    /// Parks the half-typed line when a question comes up, and takes it back afterwards. What was typed
    /// behind a question that was taken back goes on as a line, unless it was meant for an answer.
    fn change_turn(&mut self, question: Option<Question>, line: (String, String)) -> (String, String) {
        let is_question = question.is_some();
        match (std::mem::replace(&mut self.question, question), is_question) {
            (None, true) => {
                self.parked = Some(line);
                (String::new(), String::new())
            }
            (Some(before), false) => match before.is_line(&[&*line.0, &*line.1].concat()) {
                true => line,
                false => self.parked.take().unwrap_or_default(),
            },
            _ => line,
        }
    }

    /// What a finished line means; none if there is nothing to hand on.
    fn input(&mut self, label: &Label, read: Result<String, ReadlineError>) -> Option<Input> {
        let reply = self.question.as_ref().zip(read.as_ref().ok());
        match reply.map(|(question, line)| self.shared.reply(question, line)) {
            Some(Reply::Answer) => return read.ok().map(Input::Answer),
            Some(Reply::Nothing) => {
                self.erase(label, "");
                return None;
            }
            Some(Reply::Line) | None => {}
        }
        match read {
            Ok(line) => {
                self.history.add(&line, self.editor.history_mut());
                if !(self.keeps_echo)(&line) {
                    self.erase(label, &line);
                }
                Some(Input::Line(line))
            }
            Err(ReadlineError::Interrupted) if self.question.is_some() => {
                self.shared.withdraw();
                Some(Input::Declined)
            }
            // The half-typed line is cleared, no more.
            Err(ReadlineError::Interrupted) if !self.shared.line_is_empty() => None,
            Err(ReadlineError::Interrupted) => Some(Input::Interrupt),
            // A terminal that is gone reads as an end, too.
            Err(ReadlineError::Eof) if io::stdin().is_terminal() => Some(Input::End),
            Err(error) => {
                tracing::debug!("the prompt ends: {error}");
                Some(Input::Closed)
            }
        }
    }

    /// Takes an entered line off the screen again.
    fn erase(&mut self, label: &Label, line: &str) {
        let Some((columns, _)) = self.editor.dimensions() else { return };
        let shown = format!("{}{line}", label.text());
        let up = rows_below_first(&shown, usize::from(columns)) + 1;
        let _ = write(&format!("\x1b[{up}A\r\x1b[J"));
    }
}

/// The line at which the assistant interrupted the editor; any other panic goes on.
fn interrupted(payload: Box<dyn Any + Send>) -> (String, String) {
    match payload.downcast::<Interruption>() {
        Ok(interruption) => (interruption.left, interruption.right),
        Err(panic) => panic::resume_unwind(panic),
    }
}
