//! Tells the editing thread, while it waits for a key, that there is something to show.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustyline::ExternalPrinter;

use super::state::Shared;

/// Moves the cursor up a row and down again: makes the editor repaint, and changes nothing.
const NUDGE: &str = "\x1b[A\n";

/// How long the editor gets to react before it is told again: a repaint that may belong to an edit
/// does not count.
const PATIENCE: Duration = Duration::from_millis(20);

/// Starts the thread that rings. It ends with the editor.
///
/// It hands no text over, only the bell: the editing thread writes all text itself, so that nothing
/// is lost, reordered or overwritten when a line ends at the same moment.
pub(super) fn start(
    shared: Arc<Shared>,
    mut editor: impl ExternalPrinter + Send + 'static,
) -> io::Result<()> {
    let ring = move || {
        while shared.wait_for_work() {
            // Waits while the editor takes no bells, as in a search of the history.
            if editor.print(NUDGE.to_owned()).is_err() {
                return;
            }
            shared.wait_until_settled(PATIENCE);
        }
    };
    thread::Builder::new().name("prompt-bell".into()).spawn(ring).map(drop)
}
