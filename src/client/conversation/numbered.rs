//! Points at lines: the last messages that were shown get short numbers on request, by which the user answers,
//! copies, opens, changes or deletes them.

use std::collections::VecDeque;

use super::spot::Spot;
use super::subject_of_change::{ChangedMessage, MessageTimes};
use super::view::{render, render_change, render_numbered};
use super::web_link::{WebLinkError, web_links};
use super::{CallTime, Conversation, Effect, OutgoingMessage, PendingRequest, shown};
use crate::protocol::command::Point;
use crate::protocol::request::Act;
use crate::protocol::{Event, Target};
use crate::text::safe_line;

/// Messages that can be pointed at: some screens of them.
pub(super) const MAX_MESSAGES: usize = 200;

/// Lines to number if the user gives no count.
const USUAL: usize = 10;

/// The most characters of a message that an answer quotes: about a line.
const QUOTED_CHARS: usize = 60;

/// Why a message without a number cannot change.
const NOT_STORED: &str = "the server has not stored this message, so it cannot change it";

/// The last messages that were shown.
#[derive(Debug, Default)]
pub(super) struct NumberedLines {
    /// The latest last.
    messages: VecDeque<PointedMessage>,
    /// The marks of the messages that the user sees numbered, from number 1 on.
    numbered: Vec<u64>,
    next: u64,
    /// The server's highest number among the user's own messages that are no longer in here.
    dropped: u64,
    times: MessageTimes,
}

/// A message that was shown.
#[derive(Debug, Clone)]
struct PointedMessage {
    /// Never changes.
    mark: u64,
    event: Event,
    /// Whether the user wrote it, under whatever name.
    is_own: bool,
}

/// A change of a message that this client has asked for.
#[derive(Debug, Clone)]
pub(super) struct OwnChange {
    of: u64,
    /// The message's recipient.
    to: String,
    /// The author, if it is another user.
    author: Option<String>,
    action: bool,
    /// The new text; `None`: it is to be deleted.
    text: Option<String>,
}

/// A message or a change, compared with the earlier ones.
enum Noted {
    /// It needs nothing else.
    New,
    /// It answers a message, of which this is the beginning.
    Answer(String),
    /// The user has seen this change.
    Known,
}

impl NumberedLines {
    /// Notes a message or a change that is about to be shown.
    fn note(&mut self, event: &Event, is_own: bool) -> Noted {
        self.times.note(event);
        match event {
            Event::Chat { seq, reply, .. } => {
                if seq.is_none() || self.find(*seq).is_none() {
                    let mark = self.next;
                    self.messages.push_back(PointedMessage { mark, event: event.clone(), is_own });
                    self.next += 1;
                }
                if self.messages.len() > MAX_MESSAGES
                    && let Some(PointedMessage { event, is_own: true, .. }) = self.messages.pop_front()
                {
                    self.dropped = self.dropped.max(number(&event).unwrap_or_default());
                }
                reply.map_or(Noted::New, |reply| Noted::Answer(self.quote(reply)))
            }
            Event::Edited { of, msg: new, .. } => match self.find(Some(*of)) {
                Some(Event::Chat { msg, edited, .. }) => {
                    let is_known = std::mem::replace(edited, true) && msg == new;
                    msg.clone_from(new);
                    if is_known { Noted::Known } else { Noted::New }
                }
                _ => Noted::New,
            },
            Event::Deleted { of, .. } => {
                self.messages.retain(|message| number(&message.event) != Some(*of));
                Noted::New
            }
            _ => Noted::New,
        }
    }

    fn find(&mut self, seq: Option<u64>) -> Option<&mut Event> {
        let mut messages = self.messages.iter_mut().rev().map(|message| &mut message.event);
        messages.find(|event| seq.is_some() && number(event) == seq)
    }

    /// The beginning of a message, with its author.
    fn quote(&mut self, seq: u64) -> String {
        let Some(Event::Chat { from, msg, .. }) = self.find(Some(seq)) else {
            return "an earlier message".into();
        };
        format!("{}: {}", from.name, beginning(msg))
    }

    /// The message that this change is about, as it was before.
    fn changed_by(&mut self, event: &Event) -> Option<ChangedMessage> {
        let (Event::Edited { of, .. } | Event::Deleted { of, .. }) = event else { return None };
        let time = self.times.of(*of).cloned();
        Some(match self.find(Some(*of)) {
            Some(Event::Chat { msg, .. }) => ChangedMessage::Words(beginning(msg)),
            _ => time.map_or(ChangedMessage::Unknown, ChangedMessage::Time),
        })
    }

    /// Forgets all messages: their numbers mean others from now on.
    pub(super) fn forget(&mut self) {
        self.messages.clear();
        self.numbered.clear();
        self.dropped = 0;
        self.times.forget();
    }

    /// Numbers the last `most` messages; returns them with their numbers, the latest last.
    fn number_last(&mut self, most: usize) -> Vec<(usize, Event)> {
        let last = self.messages.iter().rev().take(most);
        self.numbered = last.map(|message| message.mark).collect();
        let last = self.messages.iter().rev().take(most).enumerate();
        let mut last: Vec<_> = last.map(|(at, message)| (at + 1, message.event.clone())).collect();
        last.reverse();
        last
    }

    fn at(&self, number: usize) -> Result<PointedMessage, String> {
        let unknown = || match self.numbered.len() {
            0 => "no lines have numbers yet; to number the last ones: /num".to_owned(),
            count => {
                format!(
                    "there is no line {number}; only the last {count} have numbers; to number more: /num N"
                )
            }
        };
        let mark = self.numbered.get(number.wrapping_sub(1)).ok_or_else(unknown)?;
        let found = self.messages.iter().find(|message| message.mark == *mark);
        found
            .cloned()
            .ok_or_else(|| format!("line {number} is gone; /num shows the last lines with new numbers"))
    }

    /// The user's last message in that place. Older messages may have been shown after it, so the server's
    /// numbers decide.
    fn last_own(&self, here: &Spot, me: &str) -> Result<PointedMessage, String> {
        let is_here = |event: &Event| match event {
            Event::Chat { to, .. } => Spot::of_message(me, to, me).as_ref() == Some(here),
            _ => false,
        };
        let all = self.messages.iter().filter(|message| message.is_own);
        let own = all.clone().filter(|message| is_here(&message.event));
        let (stored, unstored): (Vec<_>, Vec<_>) = own.partition(|message| number(&message.event).is_some());
        let last = stored.into_iter().max_by_key(|message| number(&message.event));
        // One that the server has not stored has no number. It cannot be changed, but it may be the last.
        let last_mark = last.map(|message| message.mark);
        if unstored.iter().any(|message| Some(message.mark) > last_mark) {
            return Err(NOT_STORED.into());
        }
        let last = last.ok_or("you have no message here to change")?;
        if number(&last.event) < Some(self.dropped) {
            return Err("your last message is too far up; to change another one: /num, then /edit N".into());
        }
        // A correction of a direct message must not appear in a room.
        match all.map(|message| &message.event).max_by_key(|event| number(event)) {
            Some(Event::Chat { seq, to, .. }) if *seq > number(&last.event) => {
                Err(elsewhere(&Target::parse(to)))
            }
            _ => Ok(last.clone()),
        }
    }
}

impl Conversation {
    /// The lines of an event, which the user can point at from now on.
    pub(super) fn lines(&self, event: &Event) -> Vec<String> {
        let is_own = self.is_own(event);
        let (before, noted) = {
            let mut numbered = self.numbered.lock();
            (numbered.changed_by(event), numbered.note(event, is_own))
        };
        let mut lines = match noted {
            Noted::New => Vec::new(),
            Noted::Answer(quote) => vec![self.view.quote(&quote)],
            Noted::Known => return Vec::new(),
        };
        lines.extend(match before {
            Some(before) => render_change(event, &self.view, before),
            None => render(event, &self.view),
        });
        lines
    }

    /// Whether this user wrote a message, under this name or another one.
    fn is_own(&self, event: &Event) -> bool {
        let Event::Chat { from, .. } = event else { return false };
        let own = self.own_sender();
        match (&from.key, &own.key) {
            (Some(key), Some(own)) => key == own,
            // Where no key backs a name, the name at the time of the message is all there is.
            (None, None) => from.name == own.name,
            _ => false,
        }
    }

    /// Does what a command with a line's number wants.
    pub(crate) fn point(&mut self, point: Point, now: CallTime) -> Vec<Effect> {
        let done = match point {
            Point::Lines(count) => Ok(self.numbered_lines(count.unwrap_or(USUAL))),
            Point::Reply(number, text) => self.reply_to(number, text, now),
            Point::Copy(number) => self.copy(number),
            Point::Open(number, link) => self.open(number, link),
            Point::Edit(number, text) => self.edit(number, text),
            Point::Delete(number) => self.delete(number),
        };
        done.unwrap_or_else(|why| {
            self.refused += 1;
            self.failure(&why)
        })
    }

    fn numbered_lines(&self, count: usize) -> Vec<Effect> {
        let last = self.numbered.lock().number_last(count);
        if last.is_empty() {
            return self.note("there are no messages to number yet");
        }
        let line = |(number, event): &(usize, Event)| render_numbered(event, &self.view, *number);
        shown(last.iter().flat_map(line).collect())
    }

    fn reply_to(&mut self, number: usize, msg: String, now: CallTime) -> Result<Vec<Effect>, String> {
        let PointedMessage { event, is_own, .. } = self.numbered.lock().at(number)?;
        let Event::Chat { from, to, seq, .. } = event else {
            return Err(format!("line {number} is not a message"));
        };
        let to = match Target::parse(&to) {
            target @ (Target::All | Target::Room(_)) => target,
            target if is_own => target,
            _ => Target::User(from.name),
        };
        Ok(self.send(OutgoingMessage { to, msg, action: false, reply: seq }, now))
    }

    fn copy(&mut self, number: usize) -> Result<Vec<Effect>, String> {
        let text = text(self.numbered.lock().at(number)?.event);
        if self.view.screen().is_none() {
            return Err("only a terminal has a clipboard".into());
        }
        let mut effects = vec![Effect::Copy(text.clone())];
        effects.extend(self.note(&format!("copied: {}", beginning(&text))));
        Ok(effects)
    }

    fn open(&mut self, number: usize, link: Option<usize>) -> Result<Vec<Effect>, String> {
        let text = text(self.numbered.lock().at(number)?.event);
        let mut links = web_links(&text);
        let count = links.len();
        let at = match link {
            None if count > 1 => return Ok(self.list_links(number, &links)),
            None => 0,
            Some(link) if link > count && count > 0 => {
                return Err(match count {
                    1 => format!("line {number} has only one link; to open it: /open {number}"),
                    _ => format!("line {number} has only {count} links; /open {number} lists them"),
                });
            }
            Some(link) => link - 1,
        };
        let link = if at < count { links.swap_remove(at) } else { Err(WebLinkError::None) };
        let link = link.map_err(|error| error.text(number))?;
        if self.view.screen().is_none() {
            return Err(format!("only a prompt opens links; this one is {link}"));
        }
        Ok(vec![Effect::Open(link)])
    }

    fn list_links(&self, number: usize, links: &[Result<String, WebLinkError>]) -> Vec<Effect> {
        let mut effects = self.note(&format!(
            "line {number} has {} links; to open the second one: /open {number}.2",
            links.len()
        ));
        let row = |(at, link): (usize, &Result<String, WebLinkError>)| {
            let link = link.as_ref().map_or_else(|error| error.text(number), Clone::clone);
            (format!("{number}.{}", at + 1), link)
        };
        effects.extend(shown(self.view.table(&links.iter().enumerate().map(row).collect::<Vec<_>>())));
        effects
    }

    fn edit(&mut self, number: Option<usize>, text: String) -> Result<Vec<Effect>, String> {
        let message = match number {
            Some(number) => self.numbered.lock().at(number)?,
            None => self.last_own()?,
        };
        let change = self.own_change_of(message)?;
        if change.author.is_some() {
            return Err("you can only change your own messages".into());
        }
        if text.len() > self.session.text_bytes {
            let (bytes, most) = (text.len(), self.session.text_bytes);
            return Err(format!("not changed: the text has {bytes} bytes, and the server's limit is {most}"));
        }
        let request = Act::Edit { seq: change.of, msg: text.clone() }.into();
        Ok(self.ask(&request, PendingRequest::Change(OwnChange { text: Some(text), ..change })))
    }

    fn delete(&mut self, number: usize) -> Result<Vec<Effect>, String> {
        let message = self.numbered.lock().at(number)?;
        let change = self.own_change_of(message)?;
        Ok(self.ask(&Act::Delete { seq: change.of }.into(), PendingRequest::Change(change)))
    }

    /// The last message that the user typed here. The server must have confirmed it, or the change would
    /// overwrite the one before.
    fn last_own(&self) -> Result<PointedMessage, String> {
        let here = self.here().ok_or("you have no message here to change")?;
        if self.outbox.targets().any(|to| Spot::of(to).as_ref() == Some(&here)) {
            return Err("your last message is not confirmed yet; try again in a moment".into());
        }
        if let Some(to) = self.outbox.targets().last() {
            return Err(elsewhere(to));
        }
        self.numbered.lock().last_own(&here, &self.view.me)
    }

    fn own_change_of(&self, message: PointedMessage) -> Result<OwnChange, String> {
        let PointedMessage { event, is_own, .. } = message;
        let Event::Chat { from, to, seq, action, .. } = event else {
            return Err("that line is not a message".into());
        };
        let of = seq.ok_or(NOT_STORED)?;
        let author = Some(from.name).filter(|_| !is_own);
        Ok(OwnChange { of, to, author, action, text: None })
    }

    /// Shows this client's own change, which the server has confirmed.
    pub(super) fn own_change(&mut self, event: &Event, ask: Option<PendingRequest>) -> Vec<Effect> {
        let (Event::Sent { seq, ts, .. }, Some(PendingRequest::Change(change))) = (event, ask) else {
            return Vec::new();
        };
        let from = self.own_sender();
        let OwnChange { of, to, author: name, action, text } = change;
        let (seq, ts, history) = (*seq, ts.clone(), false);
        self.show(&match text {
            Some(msg) => Event::Edited { from, to, msg, seq, ts, of, action, history },
            None => Event::Deleted { from, to, seq, ts, of, name, history },
        })
    }

    /// Shows someone's change of a message.
    pub(super) fn changed(&mut self, event: &Event, id: Option<&str>) -> Vec<Effect> {
        self.past(event, id).unwrap_or_else(|| self.show(event))
    }
}

/// Why a message without a number cannot change: the user's last one is in another place.
fn elsewhere(to: &Target) -> String {
    let to = match to {
        Target::All => "the lobby".to_owned(),
        to => safe_line(&to.to_string()),
    };
    format!("your last message went to {to}, not here; to change a message: /num, then /edit N")
}

fn number(event: &Event) -> Option<u64> {
    match event {
        Event::Chat { seq, .. } => *seq,
        _ => None,
    }
}

fn text(event: Event) -> String {
    match event {
        Event::Chat { msg, .. } => msg,
        other => other.text().into_owned(),
    }
}

/// The first words of a text, on one line.
fn beginning(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{}...", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_one_short_line() {
        assert_eq!(beginning("one\n two"), "one two");
        let long = beginning(&"word ".repeat(40));
        assert!(long.ends_with("...") && long.chars().count() <= QUOTED_CHARS + 3, "{long}");
    }
}
