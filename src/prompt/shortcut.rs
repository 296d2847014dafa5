//! Keys that mean something outside the line. The editor leaves the line alone and reports the key as an input.

use std::sync::Arc;

use rustyline::{
    Cmd, ConditionalEventHandler, Event, EventContext, EventHandler, KeyCode, KeyEvent, Modifiers,
    RepeatCount,
};
use tokio::sync::mpsc;

use super::Input;
use super::drafts::Drafts;

/// A key that the prompt reports as [`Input::Key`] instead of editing the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortcut {
    /// Alt, or Esc before it, with a letter in either case.
    Alt(char),
}

impl Shortcut {
    /// The terminal's keys for it.
    pub(super) fn keys(self) -> Vec<KeyEvent> {
        let Self::Alt(char) = self;
        let mut keys = vec![char.to_ascii_lowercase(), char.to_ascii_uppercase()];
        keys.dedup();
        keys.into_iter().map(|char| KeyEvent(KeyCode::Char(char), Modifiers::ALT)).collect()
    }
}

/// Passes a key on.
struct Reporter {
    shortcut: Shortcut,
    inputs: mpsc::Sender<Input>,
    drafts: Arc<Drafts>,
}

impl ConditionalEventHandler for Reporter {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext) -> Option<Cmd> {
        // In a paste, it is not a key.
        if self.drafts.lock().paste.is_some() {
            return Some(Cmd::Noop);
        }
        // The editor must not wait here: it could then not be interrupted. A full queue loses the key.
        let _ = self.inputs.try_send(Input::Key(self.shortcut));
        Some(Cmd::Noop)
    }
}

pub(super) fn handler(
    shortcut: Shortcut,
    inputs: &mpsc::Sender<Input>,
    drafts: &Arc<Drafts>,
) -> EventHandler {
    let (inputs, drafts) = (inputs.clone(), Arc::clone(drafts));
    EventHandler::Conditional(Box::new(Reporter { shortcut, inputs, drafts }))
}
