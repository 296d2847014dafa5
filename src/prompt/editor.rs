//! The editing thread: reads lines with rustyline until the prompt closes.

use std::any::Any;
use std::io::{self, IsTerminal as _};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{ColorMode, CompletionType, Config, Editor, ExternalPrinter};
use tokio::sync::mpsc;

use super::drafts::Drafts;
use super::emoji::Joins;
use super::external_editor;
use super::fold::Damaged;
use super::helper::{EditorHelper, Interruption};
use super::history::{LineHistory, bounded};
use super::keys::Keys;
use super::printer::write;
use super::question::{PromptQuestion, Reply};
use super::rows::rows_below_first;
use super::shortcut;
use super::state::{NextRead, PromptState};
use super::terminal_mode::{TerminalMode, forget_burst, typed_ahead};
use super::{Input, Label, OpenError, Options};

/// How long closing waits for the editing thread to restore the terminal.
const END_WAIT: Duration = Duration::from_secs(1);

/// Ends the synchronized update that an interruption leaves open: until then, a terminal may show nothing new,
/// not even what the shell prints. On Windows, the editor begins none.
const END_UPDATE: &str = if cfg!(windows) { "" } else { "\x1b[?2026l" };

const NOT_UTF8: &str = "(this terminal sent a byte that is not UTF-8; it and the keys right after it were left out; \
    set the terminal to UTF-8)\n";
const PASTE_NOT_UTF8: &str = "(the pasted text is not UTF-8, so it was left out; convert it first, for example with \
    iconv)\n";

/// The running thread, and the terminal's previous mode.
pub(super) struct EditorThread {
    /// Disconnects when the thread ends.
    ended: Receiver<()>,
    mode: Arc<TerminalMode>,
}

impl EditorThread {
    /// Starts editing; returns the external printer that wakes the editor.
    pub(super) fn start(
        shared: Arc<PromptState>,
        drafts: Arc<Drafts>,
        inputs: mpsc::Sender<Input>,
        options: &Options,
        typed: String,
    ) -> Result<(Self, impl ExternalPrinter + Send + 'static), OpenError> {
        let mode = Arc::new(TerminalMode::set());
        let ahead = typed_ahead();
        drafts.lock().begin(ahead);
        if ahead > 0 {
            // The terminal has echoed it on the label's row; the editor shows it again behind the label.
            let _ = write("\n");
        }
        let mut editor =
            Editor::with_history(config(), MemHistory::with_config(&bounded())).map_err(terminal)?;
        let external = editor.create_external_printer().map_err(terminal)?;
        let completer = || Arc::clone(&options.completer);
        let helper = EditorHelper::new(Arc::clone(&shared), Arc::clone(&drafts), completer());
        editor.set_helper(Some(helper));
        let keys = Keys { shared: Arc::clone(&shared), drafts: Arc::clone(&drafts), completer: completer() };
        for (event, handler) in keys.bindings() {
            editor.bind_sequence(event, handler);
        }
        for shortcut in options.shortcuts {
            for key in shortcut.keys() {
                editor.bind_sequence(key, shortcut::handler(*shortcut, &inputs, &drafts));
            }
        }
        let history =
            LineHistory::open(options.history.clone(), editor.history_mut(), &mut drafts.lock().folds);
        let (end, ended) = channel();
        let keeps_echo = options.keeps_echo;
        let mut editing = Editing {
            editor,
            shared,
            drafts,
            inputs,
            history,
            keeps_echo,
            mode: Arc::clone(&mode),
            parked: None,
            question: None,
            told_of_bytes: false,
        };
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

    /// The terminal's mode.
    pub(super) fn mode(&self) -> Arc<TerminalMode> {
        Arc::clone(&self.mode)
    }

    /// Waits a short time for the thread's end, and restores the terminal.
    pub(super) fn wait(&self) {
        let ended = self.ended.recv_timeout(END_WAIT);
        self.mode.restore();
        if ended == Err(RecvTimeoutError::Timeout) {
            // In place of the editor: end bracketed paste, and leave its line.
            let _ = write(&format!("{END_UPDATE}\x1b[?2004l\n"));
        }
    }
}

fn terminal(error: ReadlineError) -> OpenError {
    match error {
        ReadlineError::Io(error) => OpenError::Terminal(error),
        other => OpenError::Terminal(io::Error::other(other)),
    }
}

/// Whether the terminal sent something that is not UTF-8, or on Windows half a character.
fn is_not_text(error: &ReadlineError) -> bool {
    match error {
        ReadlineError::Io(error) => error.kind() == io::ErrorKind::InvalidData,
        #[cfg(windows)]
        ReadlineError::Decode(_) => true,
        _ => false,
    }
}

fn config() -> Config {
    // Only forced colours make rustyline call the highlighter on every terminal; the labels decide whether
    // there are colours. Listing all candidates at the first Tab keeps the editor from waiting for a second
    // one, during which it would print nothing.
    Config::builder()
        .color_mode(ColorMode::Forced)
        .grapheme_cluster_mode(Joins::of_terminal().mode())
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .build()
}

struct Editing {
    editor: Editor<EditorHelper, MemHistory>,
    shared: Arc<PromptState>,
    drafts: Arc<Drafts>,
    inputs: mpsc::Sender<Input>,
    history: LineHistory,
    keeps_echo: fn(&str) -> bool,
    mode: Arc<TerminalMode>,
    /// The half-typed line that a question has replaced, split at the cursor.
    parked: Option<(String, String)>,
    question: Option<PromptQuestion>,
    /// Whether the user knows that a byte was not UTF-8.
    told_of_bytes: bool,
}

impl Editing {
    /// Runs until the prompt closes or the terminal is gone.
    fn run(&mut self, typed: String) {
        let mut initial = (typed, String::new());
        loop {
            self.show_queue();
            initial = self.with_returned(initial);
            if self.question.is_none() && std::mem::take(&mut self.drafts.lock().wants_editor) {
                initial = self.compose([&*initial.0, &*initial.1].concat());
                self.show_queue();
            }
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
                    let _ = write(END_UPDATE);
                    if self.shared.is_stopping() {
                        return;
                    }
                }
                Ok(Err(error)) if is_not_text(&error) => initial = self.recover(&label),
                Ok(read) => {
                    self.shared.note_end();
                    if let Ok(line) = &read
                        && self.drafts.lock().wants_editor
                    {
                        self.erase(&label, line);
                        initial.0.clone_from(line);
                        continue;
                    }
                    let Some(input) = self.input(&label, read) else { continue };
                    // A line that was entered is no longer a draft.
                    self.shared.note_line("", 0);
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
                self.shared.park(Some([&*line.0, &*line.1].concat()));
                self.parked = Some(line);
                (String::new(), String::new())
            }
            (Some(before), false) => {
                self.shared.park(None);
                let parked = self.parked.take().unwrap_or_default();
                let typed = [&*line.0, &*line.1].concat();
                match before.is_line(&typed) {
                    true if parked == Default::default() => line,
                    true => {
                        // Neither text may be lost, and the line has room for one.
                        self.remember(&typed);
                        parked
                    }
                    false => parked,
                }
            }
            _ => line,
        }
    }

    /// Adds cleared lines to the history, and puts a line that comes back where the user can send it again.
    fn with_returned(&mut self, line: (String, String)) -> (String, String) {
        let cleared: Vec<String> = self.drafts.lock().cleared.drain(..).collect();
        cleared.iter().for_each(|line| self.remember(line));
        let mut line = line;
        while let Some(returned) = self.next_returned() {
            if self.question.is_none() && line == Default::default() {
                line.0 = returned;
            } else {
                self.remember(&returned);
            }
        }
        line
    }

    fn next_returned(&self) -> Option<String> {
        self.drafts.lock().take_returned()
    }

    /// Adds a line, as the user saw it, to the history.
    fn remember(&mut self, line: &str) {
        let text = self.drafts.text(line);
        self.history.add(line, &text, self.editor.history_mut());
    }

    /// Goes on after a byte that is not UTF-8. The editor has lost what it had read with it.
    fn recover(&mut self, label: &Label) -> (String, String) {
        let (mut left, right) = self.shared.split_line();
        self.erase(label, &left);
        let was_paste = self.drafts.lock().paste.take().is_some();
        forget_burst();
        if was_paste {
            let _ = write(PASTE_NOT_UTF8);
        } else {
            left.push(char::REPLACEMENT_CHARACTER);
            if !std::mem::replace(&mut self.told_of_bytes, true) {
                let _ = write(NOT_UTF8);
            }
        }
        (left, right)
    }

    /// Lets the user edit the line in another program.
    fn compose(&mut self, line: String) -> (String, String) {
        let text = self.drafts.text(&line);
        self.mode.lend();
        let edited = external_editor::edit(&text, || self.shared.is_stopping());
        self.mode.take_back();
        match edited {
            Ok(edited) if edited == text => (line, String::new()),
            Ok(edited) => (self.drafts.lock().folds.fold_line(&edited), String::new()),
            Err(why) => {
                let _ = write(&format!("({why})\n"));
                (line, String::new())
            }
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
            Some(Reply::Draft) => {
                let line = read.unwrap_or_default();
                self.erase(label, &line);
                match &mut self.parked {
                    Some(parked) if *parked == Default::default() => parked.0 = line,
                    _ => self.remember(&line),
                }
                return Some(Input::Answer("n".into()));
            }
            Some(Reply::Line) | None => {}
        }
        match read {
            Ok(line) => self.entered(label, line),
            Err(ReadlineError::Interrupted) if self.question.is_some() => {
                self.shared.withdraw();
                Some(Input::Declined)
            }
            // Ctrl-C only clears a half-typed line. Terminals with another key for it come here.
            Err(ReadlineError::Interrupted) if !self.shared.line_is_empty() => {
                let (left, right) = self.shared.split_line();
                self.drafts.lock().clear(&(left + &right));
                None
            }
            Err(ReadlineError::Interrupted) => Some(Input::Interrupt),
            // A terminal that is gone also reports an end of file.
            Err(ReadlineError::Eof) if io::stdin().is_terminal() => Some(Input::End),
            Err(error) => {
                tracing::debug!("the prompt ends: {error}");
                Some(Input::Closed)
            }
        }
    }

    /// Handles an entered line; `None` if a mark in it is damaged.
    fn entered(&mut self, label: &Label, line: String) -> Option<Input> {
        let expanded = self.drafts.lock().folds.expand(&line);
        let text = match expanded {
            Ok(text) => text,
            Err(Damaged(number)) => {
                self.erase(label, &line);
                let _ = write(&format!(
                    "(not sent: the mark of paste {number} was changed; delete it, and paste the text again)\n"
                ));
                self.drafts.give_back(line);
                return None;
            }
        };
        self.history.add(&line, &text, self.editor.history_mut());
        let text = self.drafts.lock().unread_start(text);
        let is_pasted = self.drafts.lock().enter(&line, &text);
        if is_pasted || !(self.keeps_echo)(&text) {
            self.erase(label, &line);
        }
        Some(if is_pasted { Input::Pasted(text) } else { Input::Line(text) })
    }

    /// Removes an entered line from the screen.
    fn erase(&mut self, label: &Label, line: &str) {
        let Some((columns, _)) = self.editor.dimensions() else { return };
        let shown = format!("{}{line}", label.text());
        let up = rows_below_first(&shown, usize::from(columns), Joins::of_terminal()) + 1;
        #[cfg(windows)]
        super::console::erase_rows(up);
        #[cfg(unix)]
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
