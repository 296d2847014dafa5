//! Missed messages at a prompt: at most a screenful of them, then a digest, and mentions and direct messages last.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::spot::Spot;
use crate::protocol::event::count_messages;

/// Bytes of lines to keep for `/missed`: tens of thousands of lines, more than anyone reads.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Mentions and direct messages to repeat after the digest; a count stands for earlier ones.
const MAX_REPEATED: usize = 10;

/// Lines that are in sight anyway, right above the prompt.
const IN_SIGHT: usize = 8;

/// Rows of a screen that are for the digest and the prompt.
const OTHER_ROWS: usize = 6;

/// Missed messages as they come.
#[derive(Debug, Default)]
pub(super) struct MissedDigest {
    lines: VecDeque<String>,
    bytes: usize,
    /// Lines that were dropped from the front.
    dropped: usize,
    /// When the first message was said.
    pub(super) since: Option<Timestamp>,
    messages: usize,
    /// Messages per spot, and how many of them are for the user.
    spots: BTreeMap<Spot, (usize, usize)>,
    /// The lines of mentions and direct messages, and how many lines had come before each.
    for_user: VecDeque<(usize, Vec<String>)>,
    for_user_count: usize,
}

impl MissedDigest {
    /// Takes a message, and in `repeat` once more the lines of one that is for the user.
    pub(super) fn add(
        &mut self,
        lines: Vec<String>,
        spot: Option<Spot>,
        repeat: Option<Vec<String>>,
        is_own: bool,
    ) {
        if lines.is_empty() {
            return;
        }
        self.messages += usize::from(!is_own);
        let is_for_user = repeat.is_some();
        if let Some(repeat) = repeat {
            self.for_user_count += 1;
            self.for_user.push_back((self.dropped + self.lines.len(), repeat));
            if self.for_user.len() > MAX_REPEATED {
                self.for_user.pop_front();
            }
        }
        if let Some(spot) = spot.filter(|_| !is_own) {
            let (count, for_user) = self.spots.entry(spot).or_default();
            (*count, *for_user) = (*count + 1, *for_user + usize::from(is_for_user));
        }
        self.bytes += lines.iter().map(String::len).sum::<usize>();
        self.lines.extend(lines);
        while self.bytes > MAX_BYTES {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.len();
            self.dropped += 1;
        }
    }

    /// The lines so far.
    pub(super) fn lines(&self) -> impl Iterator<Item = &String> {
        self.lines.iter()
    }

    /// Whether lines have come that nobody has seen yet.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether others have said something.
    pub(super) fn has_news(&self) -> bool {
        self.messages > 0
    }

    /// The last lines, as many as fit on a screen, and how many there are before them.
    pub(super) fn last(&self, rows: usize) -> (usize, Vec<String>) {
        let room = rows.saturating_sub(OTHER_ROWS + self.for_user.len()).max(IN_SIGHT);
        let hidden = self.lines.len().saturating_sub(room);
        (self.dropped + hidden, self.lines.iter().skip(hidden).cloned().collect())
    }

    /// `141 messages while you were away: #lobby 139 (1 for you), #dev 1, 1 direct`.
    pub(super) fn summary(&self) -> String {
        let mut text = format!("{} while you were away", count_messages(self.messages));
        let mut parts = Vec::new();
        let (mut direct, mut rooms) = (0, 0);
        for (spot, (count, for_user)) in &self.spots {
            match spot {
                Spot::User(_) => direct += count,
                Spot::Room(room) => {
                    rooms += 1;
                    let for_you =
                        if *for_user > 0 { format!(" ({for_user} for you)") } else { String::new() };
                    parts.push((usize::MAX - count, format!("{room} {count}{for_you}")));
                }
            }
        }
        parts.sort();
        let mut parts: Vec<_> = parts.into_iter().map(|(_, part)| part).collect();
        if direct > 0 {
            parts.push(format!("{direct} direct"));
        }
        if rooms > 1 || self.for_user_count > 0 {
            text += &format!(": {}", parts.join(", "));
        }
        text
    }

    /// The messages for the user, if some are out of sight, and how many earlier ones there are.
    pub(super) fn repeated(&self) -> (usize, Vec<String>) {
        let end = self.dropped + self.lines.len();
        let out_of_sight = |(at, _): &&(usize, Vec<String>)| end - at > IN_SIGHT;
        let for_user: Vec<_> = self.for_user.iter().filter(out_of_sight).collect();
        if for_user.is_empty() {
            return (0, Vec::new());
        }
        let lines = self.for_user.iter().flat_map(|(_, lines)| lines.iter().cloned()).collect();
        (self.for_user_count - self.for_user.len(), lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::RoomName;

    fn digest(messages: &[(&str, bool)]) -> MissedDigest {
        let mut digest = MissedDigest::default();
        for (n, (place, is_for_user)) in messages.iter().enumerate() {
            let spot = match RoomName::new(place) {
                Ok(room) => Spot::Room(room),
                Err(_) => Spot::User((*place).to_owned()),
            };
            let lines = vec![format!("line {n}")];
            digest.add(lines.clone(), Some(spot), is_for_user.then_some(lines), false);
        }
        digest
    }

    #[test]
    fn the_digest_names_places_and_repeats_what_calls_the_user() {
        let mut messages = vec![("#lobby", true), ("bob", true)];
        messages.extend([("#lobby", false); 30]);
        messages.extend([("#dev", false), ("#lobby", true)]);
        let digest = digest(&messages);
        assert_eq!(
            digest.summary(),
            "34 messages while you were away: #lobby 32 (2 for you), #dev 1, 1 direct"
        );
        let (hidden, last) = digest.last(24);
        assert_eq!((hidden, last.len(), last.last().map(String::as_str)), (19, 15, Some("line 33")));
        assert_eq!(digest.repeated(), (0, vec!["line 0".into(), "line 1".into(), "line 33".into()]));
    }

    #[test]
    fn a_few_messages_need_no_digest() {
        let digest = digest(&[("#lobby", false), ("#lobby", false)]);
        assert_eq!(digest.summary(), "2 messages while you were away");
        assert_eq!(digest.last(24).0, 0);
        let digest = self::digest(&[("#lobby", true), ("#lobby", false)]);
        assert_eq!(digest.summary(), "2 messages while you were away: #lobby 2 (1 for you)");
        assert_eq!(digest.repeated(), (0, Vec::new()));
    }

    #[test]
    fn the_lines_to_keep_are_bounded() {
        let mut digest = MissedDigest::default();
        for n in 0..10 {
            let line = vec![format!("{n}{}", "x".repeat(MAX_BYTES / 4))];
            digest.add(line.clone(), Some(Spot::User("bob".into())), Some(line), false);
        }
        assert_eq!((digest.lines.len(), digest.dropped), (3, 7));
        let mut digest = self::digest(&vec![("bob", true); 2 * MAX_REPEATED]);
        assert_eq!((digest.for_user.len(), digest.repeated().0), (MAX_REPEATED, MAX_REPEATED));
        digest.add(vec!["own".into()], None, None, true);
        assert!(digest.summary().starts_with("20 messages"), "one's own messages do not count");
    }
}
