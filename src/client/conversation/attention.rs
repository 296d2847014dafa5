//! Decides whether a live message notifies the user, and whether the client shows or only counts it; the same
//! for joins and leaves.

use super::ignored::IgnoreList;
use super::missed::MissedDigest;
use super::notifications::{self, Notifications};
use super::presence::PresenceNews;
use super::spot::Spot;
use super::unread::{UnreadMessage, UnreadTable};
use super::view::render;
use super::{CallTime, Conversation, Effect, shown};
use crate::client::preferences::{NotifyLevel, PresenceLevel};
use crate::protocol::Event;
use crate::protocol::event::{Absent, Crowd, Welcome};
use crate::protocol::packet::Sender;

/// Lines that go to the screen together: fewer and bigger pieces than its queue has room for.
const LINES_AT_ONCE: usize = 500;

/// The state of notifications, unread and missed messages.
#[derive(Debug, Default)]
pub(super) struct Attention {
    pub(super) unread: UnreadTable,
    pub(super) notifications: Notifications,
    pub(super) ignored: IgnoreList,
    pub(super) presence: PresenceNews,
    /// Missed messages, while they come.
    pub(super) missed: Option<MissedDigest>,
    /// The lines of those that came last.
    pub(super) missed_lines: Vec<String>,
    /// The request with the last read position.
    pub(super) reported: Option<String>,
    /// Whether the user is away, as others see it.
    pub(super) is_away: bool,
    /// The recipient who was away at the last direct message, if the client has told the user.
    pub(super) absent: Option<Absent>,
    /// The same for a recipient who was offline.
    pub(super) offline: Option<String>,
    /// Whether the user has read what the mark after a name means.
    pub(super) mark_is_told: bool,
}

impl Conversation {
    /// The spot to which plain lines go.
    pub(super) fn here(&self) -> Option<Spot> {
        Spot::of(&self.target)
    }

    /// Takes from a welcome what the user has done in other sessions.
    pub(super) fn take_up(&mut self, welcome: &Welcome) {
        self.attention.is_away = welcome.away.is_some();
        let positions = welcome.read.iter().filter_map(|read| {
            let spot = Spot::of_conversation(read.name.as_deref(), read.room.as_deref())?;
            Some((spot, read.seq))
        });
        self.attention.unread.welcomed(positions);
    }

    /// Tells the user, once, that a recipient is away.
    pub(super) fn absent(&mut self, absent: Option<&Absent>) -> Vec<Effect> {
        let was = std::mem::replace(&mut self.attention.absent, absent.cloned());
        let news = absent.filter(|absent| was.as_ref() != Some(*absent));
        news.map(|absent| self.note(&absent.to_string())).unwrap_or_default()
    }

    /// The lowest level at which this message notifies the user.
    pub(super) fn level(&self, from: &Sender, spot: &Spot, msg: &str) -> NotifyLevel {
        let words = &self.view.preferences.highlight;
        match () {
            () if from.name == self.view.me || from.is_server() => NotifyLevel::Off,
            () if spot.is_direct() => NotifyLevel::Direct,
            () if notifications::mentions(msg, &self.view.me, words) => NotifyLevel::Mention,
            () => NotifyLevel::All,
        }
    }

    /// Whether the user has chosen not to see this message.
    pub(super) fn is_ignored(&self, event: &Event) -> bool {
        match event {
            Event::Chat { from, .. } | Event::Edited { from, .. } | Event::Deleted { from, .. } => {
                from.name != self.view.me && self.attention.ignored.hides(from, self.view.now)
            }
            _ => false,
        }
    }

    /// Shows or counts a live message, and notifies the user.
    pub(super) fn live(&mut self, event: &Event, now: CallTime) -> Vec<Effect> {
        let Event::Chat { from, to, msg, seq, ts, .. } = event else { return self.show(event) };
        if self.is_ignored(event) {
            return Vec::new();
        }
        self.attention.presence.spoke(&from.name, now.instant);
        let Some(spot) = Spot::of_message(&from.name, to, &self.view.me) else { return self.show(event) };
        let level = self.level(from, &spot, msg);
        if level == NotifyLevel::Off {
            if from.name == self.view.me {
                // The user, in another terminal, has seen what came before.
                self.attention.unread.take(&spot);
            }
            return self.show(event);
        }
        let is_for_user = level <= NotifyLevel::Mention;
        let is_hidden =
            !is_for_user && self.here().as_ref() != Some(&spot) && self.focuses() && seq.is_some();
        let at = ts.parse().unwrap_or(now.clock);
        let message = UnreadMessage { from: &from.name, seq: *seq, at, is_for_user, is_hidden };
        self.attention.unread.add(spot, message);
        let lines = if is_hidden { Vec::new() } else { self.lines(event) };
        if level == NotifyLevel::Mention {
            self.attention.notifications.remember(&lines);
        }
        let mut effects = shown(lines);
        effects.extend(self.notify(level, [&from.name, to, msg], now));
        effects
    }

    /// Notifies a user at a prompt of a message of that level.
    pub(super) fn notify(&mut self, level: NotifyLevel, message: [&str; 3], now: CallTime) -> Option<Effect> {
        self.view.screen()?;
        let preferences = &self.view.preferences;
        self.attention.notifications.notify(level, message, preferences, now.instant).map(Effect::Notify)
    }

    /// Shows an alert, and notifies the user.
    pub(super) fn live_alert(&mut self, event: &Event, now: CallTime) -> Vec<Effect> {
        let mut effects = self.show(event);
        if let Event::Alert { by, msg, .. } = event
            && *by != self.view.me
        {
            let to = self.view.me.clone();
            effects.extend(self.notify(NotifyLevel::Mention, [by, &to, msg], now));
        }
        effects
    }

    /// Whether to show only the current spot. Without a history, messages that are not shown now would be lost.
    pub(super) fn focuses(&self) -> bool {
        let wanted = self.attention.unread.focus.unwrap_or(self.view.preferences.focus);
        wanted && self.session.keeps && self.view.screen().is_some()
    }

    /// Whether what happens in a room, besides messages, is shown now.
    pub(super) fn shows_room(&self, room: Option<&str>) -> bool {
        let spot = room.and_then(|room| Spot::of(&crate::protocol::Target::parse(room)));
        !self.focuses() || spot.is_none() || spot == self.here()
    }

    /// Shows the joins or leaves that the user wants to see.
    pub(super) fn crowd(&mut self, crowd: Crowd, is_join: bool, now: CallTime) -> Vec<Effect> {
        let event = if is_join { Event::Joined } else { Event::Left };
        if !self.shows_room(crowd.room.as_deref()) {
            return Vec::new();
        }
        let mut news = crowd;
        let ignored = &self.attention.ignored;
        news.names.retain(|name| !ignored.hides_name(name, now.clock));
        let smart = self.view.screen().is_some();
        match self.view.preferences.presence {
            PresenceLevel::Off => Vec::new(),
            PresenceLevel::Smart if smart => {
                let news = self.attention.presence.take(&news, is_join, now.instant);
                news.map(|news| self.show(&event(news))).unwrap_or_default()
            }
            PresenceLevel::Smart | PresenceLevel::All => self.show(&event(news)),
        }
    }

    /// Shows joins and leaves that have waited long enough.
    pub(super) fn late_crowds(&mut self, now: CallTime) -> Vec<Effect> {
        let [left, joined] = self.attention.presence.due(now.instant);
        let events = [left.map(Event::Left), joined.map(Event::Joined)];
        events.into_iter().flatten().flat_map(|event| self.show(&event)).collect()
    }

    /// Counts a missed message, which is shown when all have come.
    pub(super) fn miss(&mut self, event: &Event) {
        if self.is_ignored(event) {
            return;
        }
        let lines = self.lines(event);
        // Once more for the digest, where no line tells the day.
        let again = render(event, &self.view.dated());
        let mut is_own = false;
        let (mut place, mut is_for_user) = (None, matches!(event, Event::Alert { .. }));
        let at = match event {
            Event::Chat { ts, .. } | Event::Alert { ts, .. } | Event::Delivered { ts, .. } => ts.parse().ok(),
            _ => None,
        };
        if let Event::Chat { from, to, msg, seq, .. } = event
            && let Some(spot) = Spot::of_message(&from.name, to, &self.view.me)
        {
            let level = self.level(from, &spot, msg);
            is_for_user = matches!(level, NotifyLevel::Direct | NotifyLevel::Mention);
            if level == NotifyLevel::Mention {
                self.attention.notifications.remember(&again);
            }
            if from.name == self.view.me {
                is_own = true;
                self.attention.unread.take(&spot);
            } else if self.here().as_ref() != Some(&spot) && !self.attention.unread.is_read(&spot, *seq) {
                let at = at.unwrap_or(self.view.now);
                let message = UnreadMessage { from: &from.name, seq: *seq, at, is_for_user, is_hidden: true };
                self.attention.unread.add(spot.clone(), message);
            }
            place = Some(spot);
        }
        if let Some(missed) = &mut self.attention.missed {
            missed.since = missed.since.or(at);
            missed.add(lines, place, is_for_user.then_some(again), is_own);
        }
    }

    /// Shows the missed messages that have come: the last ones, a digest, and those for the user.
    pub(super) fn missed_shown(&mut self, is_end: bool) -> Vec<Effect> {
        let Some(missed) = self.attention.missed.take().filter(|missed| !missed.is_empty()) else {
            return Vec::new();
        };
        self.attention.missed_lines = missed.lines().cloned().collect();
        let rows = self.view.screen().map_or(usize::MAX, |screen| screen.rows);
        let (hidden, last) = missed.last(rows);
        let since = missed.since.map_or(String::new(), |since| format!(" since {}", self.view.when(since)));
        let mut effects = if missed.has_news() { self.rule(&format!("new{since}")) } else { Vec::new() };
        if hidden > 0 {
            effects.extend(self.note(&format!("... {hidden} earlier lines: /missed shows all")));
        }
        effects.extend(shown(last));
        if is_end && missed.has_news() {
            effects.extend(self.rule(&missed.summary()));
            let (more, lines) = missed.repeated();
            if more > 0 {
                effects.extend(self.note(&format!("... and {more} more before these: /mentions")));
            }
            effects.extend(shown(lines));
        }
        effects
    }

    /// Shows again what was missed.
    pub(super) fn all_missed(&self) -> Vec<Effect> {
        match self.attention.missed_lines.is_empty() {
            true => self.note("you have missed nothing"),
            false => {
                let blocks = self.attention.missed_lines.chunks(LINES_AT_ONCE);
                shown(blocks.map(|lines| lines.join("\n")).collect())
            }
        }
    }

    /// A thin line across the stream: what follows belongs together.
    pub(super) fn rule(&self, text: &str) -> Vec<Effect> {
        vec![Effect::Show(self.view.rule(text))]
    }
}
