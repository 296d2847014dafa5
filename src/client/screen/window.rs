//! The size of the terminal's window.

use crate::client::conversation::ScreenSize;
use crate::prompt;

/// The rows and columns of a window whose size is unknown.
const USUAL_SIZE: (usize, usize) = (24, 80);

pub(super) fn screen_size() -> ScreenSize {
    let (rows, columns) = prompt::screen_size().unwrap_or(USUAL_SIZE);
    ScreenSize { rows, columns }
}
