//! Wakes the editing thread, which waits for a key, when there is something to show.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustyline::ExternalPrinter;

use super::state::PromptState;

/// Moves the cursor up a row and down again: the editor repaints, and nothing else changes.
const NUDGE: &str = "\x1b[A\n";

/// How long to wait before the next attempt: the editor may have skipped a repaint that belonged to an edit.
const PATIENCE: Duration = Duration::from_millis(20);

/// The shortest time between two repaints: a display shows about 60 pictures a second. Lines that come in
/// between are shown together, as a repaint costs more than a line.
const FRAME: Duration = Duration::from_millis(16);

/// Starts the waking thread, which ends with the editor.
///
/// It passes on no text: the editing thread itself writes all text, so that nothing is lost, reordered or
/// overwritten if a line ends at the same moment.
pub(super) fn start(
    shared: Arc<PromptState>,
    mut editor: impl ExternalPrinter + Send + 'static,
) -> io::Result<()> {
    let wake = move || {
        while shared.wait_for_work() {
            let woken = Instant::now();
            // Blocks while the editor reads no messages, as during a history search.
            if editor.print(NUDGE.to_owned()).is_err() {
                return;
            }
            shared.wait_until_settled(PATIENCE);
            thread::sleep(FRAME.saturating_sub(woken.elapsed()));
        }
    };
    thread::Builder::new().name("prompt-waker".into()).spawn(wake).map(drop)
}
