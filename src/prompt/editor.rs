//! The editing thread: reads lines with rustyline until the prompt closes.

use std::any::Any;
use std::io::{self, IsTerminal as _};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, CompletionType, Config, Editor, ExternalPrinter, GraphemeClusterMode};
use tokio::sync::mpsc;

use super::helper::{EditorHelper, Interruption};
use super::history::{HistoryFile, MAX_LINES};
use super::printer::write;
use super::question::{PromptQuestion, Reply};
use super::rows::rows_below_first;
use super::shortcut;
use super::state::{NextRead, PromptState};
use super::terminal_mode::{TerminalMode, is_typed_ahead};
use super::{Input, Label, OpenError, Options};

/// How long closing waits for the editing thread to restore the terminal.
const END_WAIT: Duration = Duration::from_secs(1);

/// The running thread, and the terminal's previous mode.
pub(super) struct EditorThread {
    /// Disconnects when the thread ends.
    ended: Receiver<()>,
    mode: TerminalMode,
}

impl EditorThread {
    /// Starts editing; returns the external printer that wakes the editor.
    pub(super) fn start(
        shared: Arc<PromptState>,
        inputs: mpsc::Sender<Input>,
        options: &Options,
        typed: String,
    ) -> Result<(Self, impl ExternalPrinter + Send + 'static), OpenError> {
        let mode = TerminalMode::set();
        if is_typed_ahead() {
            // The terminal has echoed it on the label's row; the editor shows it again behind the label.
            let _ = write("\n");
        }
        let mut editor =
            Editor::with_history(config(), FileHistory::with_config(&config())).map_err(terminal)?;
        let external = editor.create_external_printer().map_err(terminal)?;
        editor.set_helper(Some(EditorHelper::new(Arc::clone(&shared), Arc::clone(&options.completer))));
        for shortcut in options.shortcuts {
            for key in shortcut.keys() {
                editor.bind_sequence(key, shortcut::handler(*shortcut, &inputs));
            }
        }
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
                // Lines queued between the two calls.
                editing.show_queue();
                drop(end);
            })
            .map_err(OpenError::Terminal)?;
        Ok((Self { ended, mode }, external))
    }

    /// Waits a short time for the thread's end, and restores the terminal.
    pub(super) fn wait(&self) {
        let ended = self.ended.recv_timeout(END_WAIT);
        self.mode.restore();
        if ended == Err(RecvTimeoutError::Timeout) {
            // In place of the editor: end bracketed paste, and leave its line.
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
    // Only forced colours make rustyline call the highlighter on every terminal; the labels decide whether
    // there are colours. Listing all candidates at the first Tab keeps the editor from waiting for a second
    // one, during which it would print nothing. The editor guesses from the terminal's name how wide emoji are;
    // where it guesses too high, it erases lines above its own, so it must take the least.
    let builder = Config::builder()
        .color_mode(ColorMode::Forced)
        .grapheme_cluster_mode(GraphemeClusterMode::Unicode)
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true);
    match builder.clone().max_history_size(MAX_LINES) {
        Ok(bounded) => bounded.build(),
        Err(_) => builder.build(),
    }
}

struct Editing {
    editor: Editor<EditorHelper, FileHistory>,
    shared: Arc<PromptState>,
    inputs: mpsc::Sender<Input>,
    history: HistoryFile,
    keeps_echo: fn(&str) -> bool,
    /// The half-typed line that a question has replaced, split at the cursor.
    parked: Option<(String, String)>,
    question: Option<PromptQuestion>,
}

impl Editing {
    /// Runs until the prompt closes or the terminal is gone.
    fn run(&mut self, typed: String) {
        let mut initial = (typed, String::new());
        loop {
            self.show_queue();
            let typed =
                if self.question.is_none() { [&*initial.0, &*initial.1].concat() } else { String::new() };
            let (label, question) = match self.shared.begin_read(&typed) {
                NextRead::Line(label) => (label, None),
                NextRead::Question(question) => (question.label.clone(), Some(question)),
            };
            initial = self.change_question(question, initial);
            let editor = &mut self.editor;
            let left_right = (initial.0.as_str(), initial.1.as_str());
            let read =
                panic::catch_unwind(AssertUnwindSafe(|| editor.readline_with_initial(&label, left_right)));
            self.shared.end_read();
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
                    // A closing prompt no longer accepts inputs.
                    let _ = self.inputs.blocking_send(input);
                    if is_last {
                        return;
                    }
                }
            }
        }
    }

    fn show_queue(&self) {
        // The editor itself notices a terminal that is gone.
        let _ = write(&self.shared.take_queue());
    }

    /// Sets the half-typed line aside when a question appears, and restores it afterwards. Text typed behind a
    /// question that was withdrawn becomes the line, unless it looks like an answer.
    fn change_question(
        &mut self,
        question: Option<PromptQuestion>,
        line: (String, String),
    ) -> (String, String) {
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

    /// Interprets a finished line; `None` if it is not an input.
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
            // Ctrl-C only clears a half-typed line.
            Err(ReadlineError::Interrupted) if !self.shared.line_is_empty() => None,
            Err(ReadlineError::Interrupted) => Some(Input::Interrupt),
            // A terminal that is gone also reports an end of file.
            Err(ReadlineError::Eof) if io::stdin().is_terminal() => Some(Input::End),
            Err(error) => {
                tracing::debug!("the prompt ends: {error}");
                Some(Input::Closed)
            }
        }
    }

    /// Removes an entered line from the screen.
    fn erase(&mut self, label: &Label, line: &str) {
        let Some((columns, _)) = self.editor.dimensions() else { return };
        let shown = format!("{}{line}", label.text());
        let up = rows_below_first(&shown, usize::from(columns)) + 1;
        let _ = write(&format!("\x1b[{up}A\r\x1b[J"));
    }
}

/// Returns the line at which the helper interrupted the editor; continues any other panic.
fn interrupted(payload: Box<dyn Any + Send>) -> (String, String) {
    match payload.downcast::<Interruption>() {
        Ok(interruption) => (interruption.left, interruption.right),
        Err(panic) => panic::resume_unwind(panic),
    }
}
