//! `lanchat` under way: at a terminal, or with pipes.

use super::lan::Host;
use super::person::{Person, binary};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// The output so far, and whether it is complete.
type Page = Arc<(Mutex<(String, bool)>, Condvar)>;

/// Ends with this.
pub struct Talker {
    end: Box<dyn FnMut() + Send>,
    process: Pid,
    writer: Box<dyn Write + Send>,
    page: Page,
    pub start: Instant,
}

impl Talker {
    /// With a prompt.
    pub fn at_terminal(host: &Host, who: &Person, args: &[&str]) -> Self {
        let size = PtySize { rows: 40, cols: 160, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).expect("a pty");
        let mut command = CommandBuilder::new(binary());
        command.args(args);
        command.env_clear();
        command.cwd(who.home());
        who.env().into_iter().for_each(|(name, value)| command.env(name, value));
        let slave = pty.slave;
        let (mut child, start) = host.run(move || {
            let start = Instant::now();
            (slave.spawn_command(command).expect("the program"), start)
        });
        let process = pid(child.process_id().expect("a process"));
        let page = read(pty.master.try_clone_reader().expect("a reader"));
        let writer = pty.master.take_writer().expect("a writer");
        // The terminal is open for as long as its end may be asked for.
        let master = pty.master;
        let end = Box::new(move || {
            let _ = &master;
            let _ = child.kill();
            let _ = child.wait();
        });
        Self { end, process, writer, page, start }
    }

    /// With its input held open and both outputs in one pipe.
    pub fn piped(host: &Host, who: &Person, args: &[&str]) -> Self {
        let (reader, output) = std::io::pipe().expect("a pipe");
        let mut command = who.command(args);
        command.stdin(Stdio::piped()).stdout(output.try_clone().expect("a pipe")).stderr(output);
        let (mut child, start) = host.run(|| {
            let start = Instant::now();
            (command.spawn().expect("the program"), start)
        });
        drop(command);
        let process = pid(child.id());
        let writer = Box::new(child.stdin.take().expect("its input"));
        let end = Box::new(move || {
            let _ = child.kill();
            let _ = child.wait();
        });
        Self { end, process, writer, page: read(Box::new(reader)), start }
    }

    /// How much it has printed, in bytes.
    pub fn printed(&self) -> usize {
        self.page.0.lock().expect("a lock").0.len()
    }

    /// The output, without terminal control sequences.
    pub fn text(&self) -> String {
        let mut plain = String::new();
        let page = self.page.0.lock().expect("a lock").0.clone();
        let mut chars = page.chars().peekable();
        while let Some(character) = chars.next() {
            match character {
                '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                    while chars.next().is_some_and(|part| !part.is_ascii_alphabetic()) {}
                }
                '\u{1b}' | '\r' => {}
                character => plain.push(character),
            }
        }
        plain
    }

    /// When it has printed this after so many bytes; none if it does not in time.
    pub fn until(&self, text: &str, after: usize, most: Duration) -> Option<Instant> {
        let deadline = Instant::now() + most;
        let mut page = self.page.0.lock().expect("a lock");
        loop {
            if page.0.get(after..).is_some_and(|printed| printed.contains(text)) {
                return Some(Instant::now());
            }
            let left = deadline.checked_duration_since(Instant::now()).filter(|_| !page.1)?;
            page = self.page.1.wait_timeout(page, left).expect("a lock").0;
        }
    }

    /// Sends it a signal: `SIGSTOP` is what sleep does to a program.
    pub fn signal(&self, signal: Signal) {
        kill(self.process, signal).expect("a process");
    }

    pub fn enter(&mut self, line: &str) {
        let _ = self.writer.write_all(format!("{line}\r").as_bytes());
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        (self.end)();
    }
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(number.cast_signed())
}

fn read(mut from: Box<dyn Read + Send>) -> Page {
    let page = Page::default();
    let shared = Arc::clone(&page);
    std::thread::spawn(move || {
        let mut bytes = [0; 16384];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            let mut page = shared.0.lock().expect("a lock");
            page.0.push_str(&String::from_utf8_lossy(&bytes[..count]));
            shared.1.notify_all();
        }
        shared.0.lock().expect("a lock").1 = true;
        shared.1.notify_all();
    });
    page
}
