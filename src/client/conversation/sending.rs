//! A message's way: into the outbox, to the connection, and out of the outbox by a receipt, a refusal, or the
//! end of the connection.

use super::spot::Spot;
use super::{CallTime, Conversation, Effect, LinkState, OutgoingMessage, PendingRequest, quoted};
use crate::protocol::request::Act;
use crate::protocol::{Event, Request, Target};

/// For servers that give no reason.
const NOT_STORED: &str = "the server cannot store messages, so users who are offline miss them";

impl Conversation {
    /// Queues a message, and sends it as soon as possible. Says so if that is impossible.
    pub(super) fn say(&mut self, to: Target, msg: String, action: bool, now: CallTime) -> Vec<Effect> {
        self.send(OutgoingMessage { to, msg, action, reply: None }, now)
    }

    /// The same for a message that may answer another one.
    pub(super) fn send(&mut self, message: OutgoingMessage, now: CallTime) -> Vec<Effect> {
        if message.msg.len() > self.session.text_bytes {
            self.unsent += 1;
            let mut effects = self.failure(&format!(
                "not sent: the message has {} bytes, and the server's limit is {}; split it",
                message.msg.len(),
                self.session.text_bytes
            ));
            effects.push(Effect::GiveBack(typed(&message, &self.target)));
            return effects;
        }
        let text = quoted(&message);
        if let Err(message) = self.outbox.add(message) {
            self.unsent += 1;
            let mut effects =
                self.failure(&format!("not sent, because too many messages are waiting: {text}"));
            effects.push(Effect::GiveBack(typed(&message, &self.target)));
            return effects;
        }
        if let Some(Target::User(name)) = self.outbox.last_target() {
            self.with_roster(|roster| roster.note_partner(name));
        }
        self.flush(now);
        let effects = match self.state {
            LinkState::Down { .. } | LinkState::Fresh => {
                self.note(&format!("will be sent when connected: {text}"))
            }
            LinkState::Up { .. } => Vec::new(),
        };
        self.labelled(effects)
    }

    /// Hands waiting messages to the connection until its queue is full. Sends nothing before all missed
    /// messages have come, because the server may already have some of these.
    pub(super) fn flush(&mut self, now: CallTime) {
        if self.seen.is_catching_up() {
            return;
        }
        while let Some((id, OutgoingMessage { to, msg, action, reply })) = self.outbox.first_waiting() {
            let (to, msg, action, reply) = (to.clone(), msg.clone(), *action, *reply);
            let request = Request::Act(Act::Chat { to, msg, action, reply });
            if !self.hand(request.to_frame(Some(id))) {
                return;
            }
            self.outbox.note_sent(now.instant);
        }
    }

    /// Shows a message that the server has confirmed, like everyone else's and in the server's order.
    pub(super) fn receipt(&mut self, event: &Event, id: Option<&str>, now: CallTime) -> Vec<Effect> {
        let Event::Sent { seq, ts, stored, waits, away } = event else { return Vec::new() };
        if let Some(seq) = seq {
            self.seen.reach(*seq);
        }
        let Some(message) = id.and_then(|id| self.outbox.take(id, now.instant)) else {
            return Vec::new();
        };
        let text = quoted(&message);
        let OutgoingMessage { to, msg, action, reply } = message;
        let from = self.own_sender();
        if let Some(spot) = Spot::of(&to) {
            self.read_all(&spot);
        }
        if let Target::User(name) = &to {
            self.attention.presence.wrote_to(name);
        }
        self.attention.presence.spoke(&self.view.me, now.instant);
        let (to, seq, ts) = (to.to_string(), *seq, ts.to_owned());
        let chat = Event::Chat { from, to, msg, action, seq, ts, history: false, reply, edited: false };
        let mut effects = self.show(&chat);
        if *stored {
            self.session.trouble = None;
        } else if self.session.trouble.is_none() {
            // The server then says why, and what to do.
            self.session.trouble = Some(NOT_STORED.into());
            effects.extend(self.failure(&format!("not stored: {text}")));
        }
        if waits.is_some() && self.attention.offline != *waits {
            let name = waits.as_deref().unwrap_or_default();
            effects.extend(self.note(&format!("{name} is offline and will get your message later")));
        }
        self.attention.offline.clone_from(waits);
        effects.extend(self.absent(away.as_ref()));
        effects
    }

    /// Removes a message that the server refused, and says so.
    pub(super) fn refuse(&mut self, id: Option<&str>, now: CallTime) -> Vec<Effect> {
        match id.and_then(|id| self.outbox.take(id, now.instant)) {
            Some(message) => {
                self.unsent += 1;
                self.failure(&format!("not sent: {}", quoted(&message)))
            }
            None => Vec::new(),
        }
    }

    /// After a loss, queues unconfirmed messages again for a server that stores messages. Any other server
    /// would deliver them twice.
    pub(super) fn take_back(&mut self) -> Vec<Effect> {
        if self.session.keeps {
            self.outbox.rewind();
            return Vec::new();
        }
        let lost = self.outbox.take_sent();
        self.unsent += lost.len();
        self.all_lost(&lost, "may not have been delivered")
    }

    /// Gives up all messages without a receipt, and lists them.
    pub(crate) fn abandon(&mut self) -> Vec<Effect> {
        let sent = self.outbox.take_sent();
        let waiting = self.outbox.take_all();
        self.unsent += sent.len() + waiting.len();
        let mut effects = self.all_lost(&sent, "may not have been delivered");
        effects.extend(self.all_lost(&waiting, "not sent"));
        effects
    }

    fn all_lost(&self, messages: &[OutgoingMessage], how: &str) -> Vec<Effect> {
        messages.iter().flat_map(|message| self.failure(&format!("{how}: {}", quoted(message)))).collect()
    }

    /// Unsent messages; the user was told.
    pub(crate) fn unsent(&self) -> usize {
        self.unsent
    }

    /// Refused commands; the user was told.
    pub(crate) fn refusals(&self) -> usize {
        self.refused
    }

    /// Messages without a receipt, and the user's requests without an answer.
    pub(crate) fn awaited(&self) -> usize {
        let asked = self
            .requests
            .values()
            .filter(|ask| {
                !matches!(ask, PendingRequest::Roster(_) | PendingRequest::Read | PendingRequest::Files(_))
            })
            .count();
        self.outbox.len() + asked + self.unanswered_files()
    }

    /// Messages without a receipt.
    pub(crate) fn pending(&self) -> usize {
        self.outbox.len()
    }
}

/// A message as a line that sends it again.
fn typed(message: &OutgoingMessage, target: &Target) -> String {
    // A line cannot say which message it answers, once that has lost its number.
    let OutgoingMessage { to, msg, action, reply: _ } = message;
    match (action, to == target) {
        (true, _) => format!("/me {msg}"),
        (false, false) => format!("/msg {to} {msg}"),
        (false, true) if msg.starts_with('/') => format!("/{msg}"),
        (false, true) => msg.clone(),
    }
}
