//! Keys that mean more here than in the editor: pastes, new lines, Ctrl-C, the external editor, and `/r `.

use std::sync::Arc;
use std::time::Instant;

use rustyline::{
    CharSearch, Cmd, ConditionalEventHandler, Event, EventContext, EventHandler, KeyCode, KeyEvent,
    Modifiers, Movement, RepeatCount,
};

use super::drafts::{DraftState, Drafts, FrozenStart};
use super::fold::{CLOSE, OPEN};
use super::helper::Complete;
use super::paste::{Paste, PasteStep};
use super::state::PromptState;
use super::terminal_mode::is_in_burst;

const TOO_LONG: &str = "(the pasted text is longer than 1 MiB, so it was left out)\n";

/// Sees each key before the editor.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) shared: Arc<PromptState>,
    pub(super) drafts: Arc<Drafts>,
    pub(super) completer: Arc<dyn Complete>,
}

impl Keys {
    /// The events to bind, and their handlers.
    pub(super) fn bindings(&self) -> [(Event, EventHandler); 2] {
        let (x, e) = (KeyEvent::ctrl('X'), KeyEvent::ctrl('E'));
        [Event::Any, Event::KeySeq(vec![x, e])]
            .map(|event| (event, EventHandler::Conditional(Box::new(self.clone()))))
    }

    fn key(&self, key: KeyEvent, ctx: &EventContext<'_>) -> Option<Cmd> {
        let mut drafts = self.drafts.lock();
        if drafts.paste.is_some() {
            return Some(self.pasted(&mut drafts, key, ctx));
        }
        let was_ahead = drafts.note_key(key);
        let KeyEvent(code, modifiers) = key;
        let was_searching = drafts.is_searching;
        drafts.is_searching = match (code, modifiers) {
            (KeyCode::Char('R' | 'S'), Modifiers::CTRL) => true,
            (KeyCode::Char(_) | KeyCode::Backspace, Modifiers::NONE) => was_searching,
            _ => false,
        };
        let (before, after) = ctx.line().split_at(ctx.pos());
        if self.ends_unmarked_line(&mut drafts, key, ctx.line(), was_searching) {
            return Some(Cmd::Newline);
        }
        match (code, modifiers) {
            (KeyCode::BracketedPasteStart, _) => {
                drafts.paste = Some(Paste::start());
                Some(Cmd::Noop)
            }
            // Keeps the line that was found.
            (KeyCode::Esc, Modifiers::NONE) if was_searching => Some(Cmd::Move(Movement::EndOfLine)),
            (KeyCode::Enter, Modifiers::ALT) => Some(Cmd::Newline),
            (KeyCode::Char('J'), Modifiers::CTRL) => {
                Some(if was_ahead { Cmd::AcceptLine } else { Cmd::Newline })
            }
            (KeyCode::Char('C'), Modifiers::CTRL)
                if !ctx.line().is_empty() && !self.shared.has_question() =>
            {
                if !was_searching {
                    drafts.clear(ctx.line());
                }
                drop(drafts);
                // The next turn adds the line to the history. Ctrl-Y brings it back already now.
                self.shared.refresh();
                Some(Cmd::Kill(Movement::WholeBuffer))
            }
            (KeyCode::Char(' '), Modifiers::NONE)
                if !was_searching && self.freezes_start(&mut drafts, before) =>
            {
                drafts.wants_meaning = true;
                Some(Cmd::Complete)
            }
            (KeyCode::Char(first), Modifiers::NONE)
                if !was_searching && self.completes_start(&drafts, before, first) =>
            {
                drafts.typed = Some(first);
                Some(Cmd::Complete)
            }
            (KeyCode::BackTab, Modifiers::NONE) => {
                drafts.is_backward = true;
                Some(Cmd::Complete)
            }
            _ if drafts.folds.ends(before) => backward(code, modifiers),
            _ if drafts.folds.starts(after) => forward(code, modifiers),
            _ => None,
        }
    }

    /// Whether this key ends a line within a paste that the terminal does not mark. Notes whether such a paste
    /// began the input.
    fn ends_unmarked_line(
        &self,
        drafts: &mut DraftState,
        key: KeyEvent,
        line: &str,
        is_searching: bool,
    ) -> bool {
        let is_in_burst = is_in_burst();
        if key != KeyEvent(KeyCode::Enter, Modifiers::NONE) {
            if line.is_empty() {
                drafts.begins_in_burst = is_in_burst;
            }
            return false;
        }
        let ends = is_in_burst && !is_searching && !self.shared.has_question();
        if ends && drafts.begins_in_burst && drafts.pasted_start.is_none() {
            drafts.pasted_start = Some(format!("{line}\n"));
        }
        ends
    }

    /// Takes a key of a paste.
    fn pasted(&self, drafts: &mut DraftState, key: KeyEvent, ctx: &EventContext<'_>) -> Cmd {
        let Some(paste) = &mut drafts.paste else { return Cmd::Noop };
        let step = paste.take(key);
        if step == PasteStep::More {
            return Cmd::Noop;
        }
        drafts.paste = None;
        match step {
            PasteStep::End(text) if !text.is_empty() => {
                let shown = drafts.folds.fold(&text);
                if ctx.line().trim().is_empty() {
                    drafts.pasted_start = text.trim_end().contains('\n').then(|| shown.clone());
                }
                Cmd::Insert(1, shown)
            }
            PasteStep::TooLong => {
                self.shared.queue(TOO_LONG.into());
                Cmd::Noop
            }
            _ => Cmd::Noop,
        }
    }

    /// Freezes what the start of the line means at this space, and tells whether it takes its place now.
    fn freezes_start(&self, drafts: &mut DraftState, before: &str) -> bool {
        if self.shared.has_question() || before.contains(char::is_whitespace) {
            return false;
        }
        let typed = format!("{before} ");
        let frozen = self.completer.rewrite(before);
        let at_space = frozen.as_ref().is_some_and(|meaning| meaning.at_space);
        drafts.start = frozen.map(|meaning| FrozenStart { typed, meaning, shown: Instant::now() });
        at_space
    }

    /// Whether this character starts the text behind a start with a meaning. A number may have a meaning of its
    /// own there.
    fn completes_start(&self, drafts: &DraftState, before: &str, first: char) -> bool {
        let starts_text = !first.is_whitespace() && !first.is_ascii_digit();
        let is_frozen = drafts.start.as_ref().is_some_and(|start| start.typed == before);
        starts_text && is_frozen && !self.shared.has_question()
    }

    /// Inserts a character once that Alt and a digit would repeat, which few users expect. The editor takes
    /// these keys before any binding, and repeats what inserts, but not a completion.
    fn once(&self, char: char) -> Option<Cmd> {
        self.drafts.lock().typed = Some(char);
        Some(Cmd::Complete)
    }

    fn wants_editor(&self) -> Option<Cmd> {
        if self.shared.has_question() {
            return Some(Cmd::Noop);
        }
        self.drafts.lock().wants_editor = true;
        Some(Cmd::AcceptLine)
    }
}

/// Treats the mark before the cursor as one character.
fn backward(code: KeyCode, modifiers: Modifiers) -> Option<Cmd> {
    let start = Movement::ViCharSearch(1, CharSearch::Backward(OPEN));
    match (code, modifiers) {
        (KeyCode::Backspace, Modifiers::NONE | Modifiers::ALT)
        | (KeyCode::Char('W' | 'H'), Modifiers::CTRL) => Some(Cmd::Kill(start)),
        (KeyCode::Left, _)
        | (KeyCode::Char('B'), Modifiers::CTRL)
        | (KeyCode::Char('b' | 'B'), Modifiers::ALT) => Some(Cmd::Move(start)),
        _ => None,
    }
}

/// Treats the mark behind the cursor as one character.
fn forward(code: KeyCode, modifiers: Modifiers) -> Option<Cmd> {
    match (code, modifiers) {
        (KeyCode::Delete, _)
        | (KeyCode::Char('D'), Modifiers::CTRL)
        | (KeyCode::Char('d' | 'D'), Modifiers::ALT) => {
            Some(Cmd::Kill(Movement::ViCharSearch(1, CharSearch::Forward(CLOSE))))
        }
        (KeyCode::Right, _)
        | (KeyCode::Char('F'), Modifiers::CTRL)
        | (KeyCode::Char('f' | 'F'), Modifiers::ALT) => {
            Some(Cmd::Move(Movement::ViCharSearch(1, CharSearch::Forward(CLOSE))))
        }
        _ => None,
    }
}

impl ConditionalEventHandler for Keys {
    fn handle(&self, event: &Event, n: RepeatCount, _: bool, ctx: &EventContext<'_>) -> Option<Cmd> {
        match event {
            Event::KeySeq(keys) => match keys.as_slice() {
                [KeyEvent(KeyCode::Char(char), Modifiers::NONE)] if n > 1 => self.once(*char),
                [key] => self.key(*key, ctx),
                _ => self.wants_editor(),
            },
            _ => None,
        }
    }
}
