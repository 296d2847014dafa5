//! Which messages notify the user, and how: the bell, a notification on the desktop, a command. Knows no
//! terminal.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::client::preferences::{NotifyLevel, Preferences};
use crate::text::{safe_line, whole_words};

/// The shortest time between two bells: people whom ten messages reach in a second have heard it.
const BELL_EVERY: Duration = Duration::from_secs(2);

/// The shortest time between two notifications, which stay on the desktop longer than a bell sounds.
const NOTIFY_EVERY: Duration = Duration::from_secs(1);

/// Mentions to list on a server without a history: more than anyone reads again.
const MAX_MENTIONS: usize = 200;

/// The longest text in a notification, in characters: desktops cut longer ones.
const MAX_NOTIFIED: usize = 200;

/// How to notify the user of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) bell: bool,
    pub(crate) notify: bool,
    /// The command to run.
    pub(crate) command: Option<String>,
    pub(crate) from: String,
    /// The room, or the user's own name.
    pub(crate) to: String,
    /// One line, safe for the terminal, and not longer than a notification.
    pub(crate) text: String,
}

/// Until when the user wants no notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    Until(Instant),
    Always,
}

/// The last notifications, and whether the user wants any.
#[derive(Debug, Default)]
pub(super) struct Notifications {
    pub(super) silence: Option<Silence>,
    rang: Option<Instant>,
    notified: Option<Instant>,
    /// Lines that mention the user, the oldest first.
    pub(super) mentions: VecDeque<String>,
}

impl Notifications {
    pub(super) fn is_silent(&mut self, now: Instant) -> bool {
        if matches!(self.silence, Some(Silence::Until(end)) if end <= now) {
            self.silence = None;
        }
        self.silence.is_some()
    }

    /// Decides how to notify the user of a message of that level, if at all.
    pub(super) fn notify(
        &mut self,
        level: NotifyLevel,
        [from, to, text]: [&str; 3],
        wanted: &Preferences,
        now: Instant,
    ) -> Option<Notification> {
        if level == NotifyLevel::Off || self.is_silent(now) {
            return None;
        }
        let bell = level <= wanted.bell && is_due(&mut self.rang, BELL_EVERY, now);
        let notify = level <= wanted.notify && is_due(&mut self.notified, NOTIFY_EVERY, now);
        let is_for_user = level <= wanted.notify.max(NotifyLevel::Mention);
        let command = wanted.notify_command.clone().filter(|_| is_for_user);
        let text = shortened(text);
        let (from, to) = (safe_line(from), safe_line(to));
        (bell || notify || command.is_some()).then_some(Notification {
            bell,
            notify,
            command,
            from,
            to,
            text,
        })
    }

    pub(super) fn remember(&mut self, lines: &[String]) {
        self.mentions.extend(lines.iter().cloned());
        let surplus = self.mentions.len().saturating_sub(MAX_MENTIONS);
        self.mentions.drain(..surplus);
    }
}

/// The beginning of a text as a safe line. Cut first, so that what the cut leaves open, such as a direction of
/// writing, is closed; cut again, because tabs become spaces.
fn shortened(text: &str) -> String {
    let cut = |text: &str| text.chars().take(MAX_NOTIFIED).collect::<String>();
    safe_line(&cut(&safe_line(&cut(text))))
}

/// Whether it is time again, and if so, notes it.
fn is_due(last: &mut Option<Instant>, every: Duration, now: Instant) -> bool {
    let is_due = last.is_none_or(|last| now.saturating_duration_since(last) >= every);
    if is_due {
        *last = Some(now);
    }
    is_due
}

/// Whether a text names the user, or has one of the words that the user chose.
pub(super) fn mentions(text: &str, me: &str, words: &[String]) -> bool {
    called_by(me, words).any(|word| !whole_words(text, word).is_empty())
}

/// The places of the user's name and words in a line, in order and without overlaps.
pub(super) fn mention_places(line: &str, me: &str, words: &[String]) -> Vec<Range<usize>> {
    let mut parts: Vec<_> = called_by(me, words).flat_map(|word| whole_words(line, word)).collect();
    parts.sort_by_key(|part| (part.start, std::cmp::Reverse(part.end)));
    let mut end = 0;
    parts.retain(|part| {
        part.start >= end && {
            end = part.end;
            true
        }
    });
    parts
}

fn called_by<'a>(me: &'a str, words: &'a [String]) -> impl Iterator<Item = &'a str> {
    std::iter::once(me).chain(words.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rings(notifications: &mut Notifications, level: NotifyLevel, now: Instant) -> bool {
        let wanted = Preferences::default();
        notifications
            .notify(level, ["bob", "alice", "hi"], &wanted, now)
            .is_some_and(|notification| notification.bell)
    }

    #[test]
    fn the_bell_rings_for_mentions_and_direct_messages_at_most_once_in_two_seconds() {
        let (mut notifications, now) = (Notifications::default(), Instant::now());
        assert!(!rings(&mut notifications, NotifyLevel::All, now));
        assert!(rings(&mut notifications, NotifyLevel::Mention, now));
        assert!(!rings(&mut notifications, NotifyLevel::Direct, now + Duration::from_millis(1999)));
        assert!(rings(&mut notifications, NotifyLevel::Direct, now + Duration::from_secs(2)));
        assert!(!rings(&mut notifications, NotifyLevel::Off, now + Duration::from_secs(9)));
    }

    #[test]
    fn silence_ends_by_itself() {
        let (mut notifications, now) = (Notifications::default(), Instant::now());
        notifications.silence = Some(Silence::Until(now + Duration::from_secs(60)));
        assert!(!rings(&mut notifications, NotifyLevel::Direct, now + Duration::from_secs(59)));
        assert!(rings(&mut notifications, NotifyLevel::Direct, now + Duration::from_secs(60)));
        assert_eq!(notifications.silence, None);
    }

    #[test]
    fn a_command_is_run_for_calls_even_without_bell_and_notification() {
        let wanted = Preferences {
            bell: NotifyLevel::Off,
            notify_command: Some("beep".into()),
            ..Preferences::default()
        };
        let (mut notifications, now) = (Notifications::default(), Instant::now());
        let notification =
            notifications.notify(NotifyLevel::Direct, ["b\x1bob", "alice", "a\nb"], &wanted, now).unwrap();
        assert_eq!(
            (notification.bell, notification.notify, notification.command.as_deref()),
            (false, false, Some("beep"))
        );
        assert_eq!((&*notification.from, &*notification.text), ("b\u{fffd}ob", "a b"));
        assert_eq!(notifications.notify(NotifyLevel::All, ["bob", "#dev", "hi"], &wanted, now), None);
    }

    #[test]
    fn a_long_text_is_cut_and_stays_balanced() {
        let long = format!("\u{2067}\u{5d0}{}\u{2069}", "x".repeat(300));
        let short = shortened(&long);
        assert!(short.starts_with('\u{2067}') && short.ends_with("x\u{2069}"), "{short:?}");
        assert_eq!(short.chars().count(), MAX_NOTIFIED + 1);
        let tabs = shortened(&format!("\u{2067}\u{5d0}{}\u{2069}", "\t".repeat(300)));
        assert!(tabs.ends_with(" \u{2069}") && tabs.chars().count() == MAX_NOTIFIED + 1, "{tabs:?}");
    }

    #[test]
    fn names_and_words_are_marked_once() {
        let words = ["deploy".to_owned(), "ice".to_owned(), "alice and bob".to_owned()];
        assert!(mentions("Deploy now", "alice", &words) && !mentions("malice", "alice", &words));
        let line = "alice and bob deploy ice to Alice";
        let places = mention_places(line, "alice", &words);
        let marked: Vec<&str> = places.into_iter().map(|place| &line[place]).collect();
        assert_eq!(marked, ["alice and bob", "deploy", "ice", "Alice"]);
    }
}
