//! A terminal with a program in it: a pty, and an emulator that draws the screen the tests look at.
//!
//! The program gets a home of its own, so no test sees another's files or the machine's. A test
//! that needs another network namespace calls [`Launch::start`] on a thread that is in it: the
//! program inherits the namespace of the thread that starts it.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

pub use super::home::{Home, LANCHAT};

/// How long a test waits for something on the screen before it fails. Generous: it is only ever
/// waited out by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Variables that would leak the machine's or the user's settings into a test.
const SCRUBBED: &[&str] = &[
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLORTERM",
    "RUST_LOG",
    "TMUX",
    "TERM_PROGRAM",
    "WT_SESSION",
];

/// What to start, and how.
pub struct Launch {
    program: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    rows: u16,
    columns: u16,
}

impl Launch {
    /// The binary under test with arguments.
    pub fn lanchat<S: AsRef<str>>(args: &[S]) -> Self {
        Self::program(LANCHAT, args)
    }

    /// Another program with arguments.
    pub fn program<S: AsRef<str>>(program: &str, args: &[S]) -> Self {
        Self {
            program: program.to_owned(),
            args: args.iter().map(|arg| arg.as_ref().to_owned()).collect(),
            env: vec![("TERM".into(), "xterm-256color".into())],
            rows: 24,
            columns: 80,
        }
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets the size of the screen.
    pub fn size(mut self, rows: u16, columns: u16) -> Self {
        (self.rows, self.columns) = (rows, columns);
        self
    }

    /// Starts it in a new terminal, in the network namespace of the calling thread.
    pub fn start(self, home: &Home) -> Terminal {
        let size = PtySize { rows: self.rows, cols: self.columns, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).expect("a pty");
        let mut command = CommandBuilder::new(&self.program);
        command.args(&self.args);
        command.cwd(home.path());
        let inherited = std::env::vars().map(|(name, _)| name);
        for name in inherited.filter(|name| name.starts_with("LANCHAT_") || SCRUBBED.contains(&name.as_str()))
        {
            command.env_remove(name);
        }
        for (name, path) in home.env() {
            command.env(name, path);
        }
        for (name, value) in &self.env {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command).expect("the program starts");
        // Keeping the slave open would hide the end of the program from the reader.
        drop(pty.slave);
        let reader = pty.master.try_clone_reader().expect("a reader");
        let writer = pty.master.take_writer().expect("a writer");
        let display = Arc::new(Display::new(self.rows, self.columns));
        let drawn = Arc::clone(&display);
        std::thread::spawn(move || drawn.draw(reader));
        Terminal { child, master: pty.master, writer, display }
    }
}

/// A key that is no text.
#[derive(Debug, Clone, Copy)]
pub enum Key {
    Enter,
    Tab,
    Up,
    Left,
    CtrlC,
    CtrlD,
    CtrlR,
}

impl Key {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Enter => b"\r",
            Self::Tab => b"\t",
            Self::Up => b"\x1b[A",
            Self::Left => b"\x1b[D",
            Self::CtrlC => b"\x03",
            Self::CtrlD => b"\x04",
            Self::CtrlR => b"\x12",
        }
    }
}

/// The longest update that a terminal waits for: a second in several.
const UPDATE: Duration = Duration::from_secs(1);

/// What the terminal shows, fed by a thread that ends with the program.
struct Display {
    shown: Mutex<Shown>,
    changed: Condvar,
}

struct Shown {
    parser: vt100::Parser,
    raw: Vec<u8>,
    /// When the synchronized update began that has not ended.
    update: Option<Instant>,
    ended: bool,
}

impl Shown {
    fn draw(&mut self, output: &[u8]) {
        const BEGIN: &[u8] = b"\x1b[?2026h";
        const END: &[u8] = b"\x1b[?2026l";
        self.parser.process(output);
        // A sequence may have come in two parts.
        let from = self.raw.len().saturating_sub(BEGIN.len() - 1);
        self.raw.extend_from_slice(output);
        let last = |sequence| self.raw[from..].windows(BEGIN.len()).rposition(|part| part == sequence);
        match (last(BEGIN), last(END)) {
            (None, None) => {}
            (begin, end) => self.update = (begin > end).then(Instant::now),
        }
    }
}

impl Display {
    fn new(rows: u16, columns: u16) -> Self {
        let size = |n| NonZeroU16::new(n).expect("not zero");
        let parser = vt100::Parser::new(size(rows), size(columns), 1000);
        let shown = Shown { parser, raw: Vec::new(), update: None, ended: false };
        Self { shown: Mutex::new(shown), changed: Condvar::new() }
    }

    fn draw(&self, mut reader: impl Read) {
        let mut buffer = [0; 4096];
        loop {
            // A pty whose program has ended gives an error on Linux, and an end elsewhere.
            let read = reader.read(&mut buffer).unwrap_or(0);
            // A test that failed while looking at the screen has poisoned it; it is still a screen.
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.draw(&buffer[..read]);
            shown.ended = read == 0;
            self.changed.notify_all();
            if read == 0 {
                return;
            }
        }
    }
}

/// A program in a terminal. Dropping it ends the program.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    display: Arc<Display>,
}

impl Terminal {
    /// Types text, as fast as a paste.
    pub fn type_text(&mut self, text: &str) {
        self.write(text.as_bytes());
    }

    /// Sends bytes, which need not be UTF-8.
    pub fn type_bytes(&mut self, bytes: &[u8]) {
        self.write(bytes);
    }

    /// Pastes text as terminals do that bracket a paste.
    pub fn paste(&mut self, text: &str) {
        self.write(format!("\x1b[200~{text}\x1b[201~").as_bytes());
    }

    /// Presses a key.
    pub fn key(&mut self, key: Key) {
        self.write(key.bytes());
    }

    /// Types a line and Enter.
    pub fn enter(&mut self, line: &str) {
        self.type_text(line);
        self.key(Key::Enter);
    }

    fn write(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).and_then(|()| self.writer.flush()).expect("the terminal takes keys");
    }

    /// Changes the size of the window.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let nonzero = |n| NonZeroU16::new(n).expect("not zero");
        self.display.shown.lock().expect("the display").parser.set_size(nonzero(rows), nonzero(columns));
        self.master.resize(size).expect("the pty takes a size");
    }

    /// The screen with its colours.
    pub fn emulator(&self) -> vt100::Screen {
        self.display.shown.lock().expect("the display").parser.screen().clone()
    }

    /// Every byte the program has written, for tests of what must not be among them.
    pub fn raw(&self) -> Vec<u8> {
        self.display.shown.lock().expect("the display").raw.clone()
    }

    /// Waits until the screen is as wanted, and gives its text.
    ///
    /// # Panics
    /// After [`PATIENCE`], with `what` and the screen as it is then.
    #[track_caller]
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.wait(what, |text, _| wanted(text))
    }

    /// Waits until `bytes` are in the output, such as a sequence that the screen does not show.
    #[track_caller]
    pub fn wait_for_bytes(&self, bytes: &str) {
        self.wait(&format!("{bytes:?}"), |_, raw| String::from_utf8_lossy(raw).contains(bytes));
    }

    /// Waits until the text of the screen and the output so far are as wanted, and gives the text.
    #[track_caller]
    fn wait(&self, what: &str, wanted: impl Fn(&str, &[u8]) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut shown = self.display.shown.lock().expect("the display");
        loop {
            let text = text_of(&shown);
            // A terminal shows a synchronized update once it is whole, and does not wait for its end for ever.
            let hidden = shown.update.map_or(Duration::ZERO, |begin| UPDATE.saturating_sub(begin.elapsed()));
            if (shown.ended || hidden.is_zero()) && wanted(&text, &shown.raw) {
                return text;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what} on the screen:\n{text}\n---");
            assert!(!shown.ended, "the program ended and there is no {what} on the screen:\n{text}\n---");
            shown = self.display.changed.wait_timeout(shown, left).expect("the display").0;
        }
    }

    /// Waits until the program has written `text` after its first `start` bytes, and returns all that it wrote
    /// there, without escape sequences.
    #[track_caller]
    pub fn wait_for_written(&self, start: usize, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut shown = self.display.shown.lock().expect("the display");
        loop {
            let written = without_escapes(&String::from_utf8_lossy(&shown.raw[start..]));
            if written.contains(text) {
                return written;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !shown.ended, "no {text:?} in what was written:\n{written}\n---");
            shown = self.display.changed.wait_timeout(shown, left).expect("the display").0;
        }
    }

    /// Waits until the screen has `text` somewhere.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits until the last row with text is `row`: the prompt with what is typed.
    #[track_caller]
    pub fn wait_for_last(&self, row: &str) -> String {
        self.wait_until(&format!("last row {row:?}"), |screen| last_row(screen) == row)
    }

    /// Waits for the end of the program; its exit status, and the screen it leaves.
    ///
    /// # Panics
    /// When it does not end within [`PATIENCE`].
    #[track_caller]
    pub fn wait_exit(&mut self) -> (u32, String) {
        let deadline = Instant::now() + PATIENCE;
        let mut shown = self.display.shown.lock().expect("the display");
        while !shown.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the program does not end; its screen:\n{}\n---", text_of(&shown));
            shown = self.display.changed.wait_timeout(shown, left).expect("the display").0;
        }
        let text = text_of(&shown);
        drop(shown);
        // The terminal's last holder is gone, so this is a matter of moments.
        (self.child.wait().expect("the exit status").exit_code(), text)
    }

    /// Whether the terminal is as a shell wants it: it edits and echoes lines, and does not
    /// bracket what is pasted.
    pub fn is_given_back(&self) -> bool {
        use rustix::termios::LocalModes;
        let modes = self.master.get_termios().expect("the terminal's mode").local_flags.bits();
        let usual = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        let shown = self.display.shown.lock().expect("the display");
        modes & usual.bits() == usual.bits() && !shown.parser.screen().bracketed_paste()
    }

    /// Waits until the terminal passes on each key without echo, as an editor wants it.
    #[track_caller]
    pub fn wait_for_raw(&self) {
        use rustix::termios::LocalModes;
        let usual = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        let deadline = Instant::now() + PATIENCE;
        // The system tells nobody that a mode has changed.
        while self.master.get_termios().expect("the terminal's mode").local_flags.bits() & usual.bits() != 0 {
            assert!(Instant::now() < deadline, "the terminal still edits lines");
            std::thread::yield_now();
        }
    }

    /// The program's process.
    pub fn process_id(&self) -> u32 {
        self.child.process_id().expect("a process id")
    }

    /// Asks the program to end, as a service manager or a closing session would.
    #[cfg(unix)]
    pub fn terminate(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        let id = self.child.process_id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        kill_process(id.expect("a process id"), Signal::TERM).expect("a signal");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Removes control sequences (`ESC [ ... letter`), commands for the terminal (`ESC ] ... BEL`) and shorter ones.
fn without_escapes(written: &str) -> String {
    let mut text = String::new();
    let mut chars = written.chars();
    while let Some(c) = chars.next() {
        if c != '\x1b' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('[') => drop(chars.find(|c| ('@'..='~').contains(c))),
            Some(']') => drop(chars.find(|c| matches!(c, '\x07' | '\\'))),
            Some('(' | ')') => drop(chars.next()),
            _ => {}
        }
    }
    text
}

fn text_of(shown: &Shown) -> String {
    let screen = shown.parser.screen();
    let columns = screen.size().1.get();
    let rows: Vec<String> = screen.rows(0, columns).map(|row| row.trim_end().to_owned()).collect();
    rows.join("\n").trim_end().to_owned()
}

/// The last row of a screen's text that is not empty.
pub fn last_row(screen: &str) -> &str {
    screen.lines().last().unwrap_or_default()
}
