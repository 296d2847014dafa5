//! Runs the user's command for mentions and direct messages: without a shell, a few at a time, and not for long.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::conversation::Notification;
use crate::text::command_words;

/// Commands that may run at the same time; while they do, further ones are not started. A flood of messages
/// must not become a flood of processes.
const MAX_RUNNING: usize = 4;

/// How long a command may run. One that plays a sound or shows a window is done by then.
const MAX_TIME: Duration = Duration::from_secs(30);

/// How often to look whether a command has ended.
const POLL: Duration = Duration::from_millis(100);

/// Starts the commands, and counts those that run.
#[derive(Debug, Default)]
pub(super) struct Notifier {
    running: Arc<AtomicUsize>,
}

impl Notifier {
    /// Runs the command that the notification asks for, if any.
    ///
    /// # Errors
    /// What failed, for the user.
    pub(super) fn run(&self, notification: &Notification) -> Result<(), String> {
        let Some(typed) = &notification.command else { return Ok(()) };
        if self.running.fetch_add(1, Ordering::Relaxed) >= MAX_RUNNING {
            self.running.fetch_sub(1, Ordering::Relaxed);
            return Ok(());
        }
        let started = start(typed, notification).and_then(|child| self.watch(child));
        if started.is_err() {
            self.running.fetch_sub(1, Ordering::Relaxed);
        }
        started.map_err(|why| format!("cannot run the notify-command {typed:?}: {why}"))
    }

    fn watch(&self, mut child: Child) -> Result<(), String> {
        let running = Arc::clone(&self.running);
        let watch = move || {
            let end = Instant::now() + MAX_TIME;
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
                thread::sleep(POLL);
            }
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            running.fetch_sub(1, Ordering::Relaxed);
        };
        thread::Builder::new().name("notify".into()).spawn(watch).map(drop).map_err(|error| error.to_string())
    }
}

fn start(typed: &str, notification: &Notification) -> Result<Child, String> {
    let words = command_words(typed).ok_or("a quote is not closed")?;
    let (program, arguments) = words.split_first().ok_or("it is empty")?;
    Command::new(program)
        .args(arguments)
        .env("LANCHAT_FROM", &notification.from)
        .env("LANCHAT_TO", &notification.to)
        .env("LANCHAT_TEXT", &notification.text)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_command_gets_the_message_in_its_environment_and_no_shell_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("said");
        let script = "printf '%s|' \"$LANCHAT_FROM\" \"$LANCHAT_TO\" \"$LANCHAT_TEXT\" >\"$0\"";
        let script_file = dir.path().join("script");
        std::fs::write(&script_file, script.replace("$0", &file.to_string_lossy())).unwrap();
        let notification = Notification {
            bell: false,
            notify: false,
            command: Some(format!("sh \"{}\"", script_file.display())),
            from: "bob".into(),
            to: "#dev".into(),
            text: "$(id) `id`; alice".into(),
        };
        let notifier = Notifier::default();
        notifier.run(&notification).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while notifier.running.load(Ordering::Relaxed) > 0 {
            assert!(Instant::now() < deadline, "the command does not end");
            thread::yield_now();
        }
        assert_eq!(std::fs::read_to_string(file).unwrap(), "bob|#dev|$(id) `id`; alice|");
    }

    #[test]
    fn only_a_few_commands_run_at_a_time() {
        let notifier = Notifier::default();
        notifier.running.store(MAX_RUNNING, Ordering::Relaxed);
        let notification = Notification {
            bell: false,
            notify: false,
            command: Some("/nonexistent/command".into()),
            from: "bob".into(),
            to: "alice".into(),
            text: "hi".into(),
        };
        assert_eq!(notifier.run(&notification), Ok(()));
        notifier.running.store(0, Ordering::Relaxed);
        let why = notifier.run(&notification).unwrap_err();
        assert!(why.starts_with("cannot run the notify-command \"/nonexistent/command\": "), "{why}");
        assert_eq!(notifier.running.load(Ordering::Relaxed), 0);
    }
}
