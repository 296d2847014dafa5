//! The console of Windows: its modes, and the keys that wait in it.

#![allow(unsafe_code, reason = "no maintained library wraps the calls for waiting keys")]

use std::io;
use std::os::windows::io::AsRawHandle as _;

use winapi_util::HandleRef;
use winapi_util::console::{mode, set_mode};
use windows_sys::Win32::System::Console::{
    CONSOLE_MODE, CONSOLE_SCREEN_BUFFER_INFO, COORD, ENABLE_ECHO_INPUT, ENABLE_LINE_INPUT,
    ENABLE_PROCESSED_INPUT, ENABLE_PROCESSED_OUTPUT, ENABLE_VIRTUAL_TERMINAL_PROCESSING,
    ENABLE_WRAP_AT_EOL_OUTPUT, FillConsoleOutputAttribute, FillConsoleOutputCharacterW,
    FlushConsoleInputBuffer, GetConsoleScreenBufferInfo, INPUT_RECORD, KEY_EVENT, PeekConsoleInputW,
    SetConsoleCursorPosition,
};

/// Waiting events to look at: a paste has at least one key among so many.
const EVENTS: usize = 32;

/// How the console takes keys and shows text. `None`: that end of it is redirected.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConsoleModes {
    input: Option<CONSOLE_MODE>,
    output: Option<CONSOLE_MODE>,
}

impl ConsoleModes {
    pub(super) fn now() -> Self {
        Self { input: mode(HandleRef::stdin()).ok(), output: mode(HandleRef::stdout()).ok() }
    }

    /// The same for a prompt: keys, including Ctrl-C, arrive one by one and without echo, and the console
    /// obeys escapes.
    pub(super) fn for_prompt(self) -> Self {
        let input = ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT | ENABLE_PROCESSED_INPUT;
        let output = ENABLE_PROCESSED_OUTPUT | ENABLE_WRAP_AT_EOL_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING;
        Self { input: self.input.map(|mode| mode & !input), output: self.output.map(|mode| mode | output) }
    }

    /// The same, but Ctrl-C does not end this process.
    pub(super) fn without_interrupts(self) -> Self {
        Self { input: self.input.map(|mode| mode & !ENABLE_PROCESSED_INPUT), ..self }
    }

    pub(super) fn set(self) {
        let set_one = |handle, mode: Option<CONSOLE_MODE>| {
            // A console that is gone has no mode.
            if let Some(Err(error)) = mode.map(|mode| set_mode(handle, mode)) {
                tracing::debug!("cannot change the console's mode: {error}");
            }
        };
        set_one(HandleRef::stdin(), self.input);
        set_one(HandleRef::stdout(), self.output);
    }
}

/// Clears the row of the cursor and so many above it, and leaves the cursor at the start of the topmost. The
/// editor draws by these calls as well, so this also works in a console without escapes.
pub(super) fn erase_rows(above: usize) {
    let output = io::stdout().as_raw_handle();
    let mut info = CONSOLE_SCREEN_BUFFER_INFO::default();
    // SAFETY: the handle of standard output stays open, and the result lives until the call returns.
    if unsafe { GetConsoleScreenBufferInfo(output, &raw mut info) } == 0 {
        return;
    }
    let cursor = info.dwCursorPosition;
    let top = COORD { X: 0, Y: cursor.Y.saturating_sub(i16::try_from(above).unwrap_or(i16::MAX)).max(0) };
    let cells = u32::from(info.dwSize.X.unsigned_abs()) * u32::from((cursor.Y - top.Y + 1).unsigned_abs());
    let mut written = 0;
    // SAFETY: the handle of standard output stays open. If one of them fails, the line stays on the screen.
    unsafe {
        FillConsoleOutputCharacterW(output, u16::from(b' '), cells, top, &raw mut written);
        FillConsoleOutputAttribute(output, info.wAttributes, cells, top, &raw mut written);
        SetConsoleCursorPosition(output, top);
    }
}

/// Discards keys that wait.
pub(super) fn forget_keys() {
    // SAFETY: the handle of standard input stays open. If that fails, the keys count as an answer.
    unsafe { FlushConsoleInputBuffer(io::stdin().as_raw_handle()) };
}

/// How many keys wait that were pressed and not only let go.
pub(super) fn waiting_keys() -> usize {
    let mut events = [INPUT_RECORD::default(); EVENTS];
    let mut count = 0;
    // SAFETY: the handle of standard input stays open, and there is room for so many events.
    let told = unsafe {
        PeekConsoleInputW(io::stdin().as_raw_handle(), events.as_mut_ptr(), EVENTS as u32, &raw mut count)
    };
    let waiting = events.iter().take(if told == 0 { 0 } else { count as usize });
    let is_pressed = |event: &&INPUT_RECORD| {
        // SAFETY: the type of the event says which of them it is; without a character, it is Shift or the like.
        u32::from(event.EventType) == KEY_EVENT
            && unsafe { event.Event.KeyEvent.bKeyDown != 0 && event.Event.KeyEvent.uChar.UnicodeChar != 0 }
    };
    waiting.filter(is_pressed).count()
}
