//! Catching up: where it starts, what it may contain, and when it is done.

use super::archive::{MailView, View};
use super::call::Call;
use super::delivery::{CatchUp, Delivery};
use super::lineage::{Divergence, ResumeClaim};
use super::who::SessionId;
use super::{Chat, Deliveries, Now};
use crate::name::RoomName;
use crate::protocol::event::HistoryEnd;
use crate::protocol::request::Hello;
use crate::protocol::{Event, Since};

impl Call<'_> {
    /// Starts the live stream of a new session, after a catch-up if it missed something.
    pub(super) fn follow(&mut self, hello: &Hello, divergence: Option<&Divergence>) {
        let latest = self.chat.seq;
        // Nothing is stored for a user without key and token, and messages to them alone bypass a catch-up.
        let is_known = self.chat.asking(self.session).is_some_and(|asking| asking.who.account().is_some());
        let lacks = self.chat.has_gap(self.session, hello, divergence.map(|divergence| divergence.common));
        if !self.chat.listens(self.session) || !is_known || self.chat.lineage.is_none() {
            // No stored message is for a user without key and token.
            let has_all = |since: &Since| matches!(since, Since::Seq(seq) if *seq == 0 || *seq == latest);
            if let Some(since) = &hello.since {
                let lacks = lacks
                    || self.chat.lineage.is_some() && self.chat.listens(self.session) && !has_all(since);
                self.nothing_missed(lacks);
            }
            self.out.extend(self.chat.listens(self.session).then_some(Delivery::Follow(self.session)));
            return;
        }
        let since = point(hello, divergence, lacks);
        match since {
            CatchUp::Seq { after, gap } if after == latest => {
                self.nothing_missed(gap);
                self.out.push(Delivery::Follow(self.session));
            }
            CatchUp::Mail if !self.chat.has_mail(self.session) => {
                self.out.push(Delivery::Follow(self.session))
            }
            since => {
                if since == CatchUp::Mail {
                    self.chat.greeted.insert(self.session, latest);
                    self.chat.note_session(self.session);
                }
                self.out.push(Delivery::CatchUp { session: self.session, since, latest });
            }
        }
    }

    fn nothing_missed(&mut self, gap: bool) {
        let end = HistoryEnd { count: 0, seq: self.chat.seq, gap, more: false, partial: false };
        self.inform(Event::History(end));
    }
}

impl Chat {
    /// Where the client's history and this one diverge; `None`: it gave no number, or the server has no
    /// history.
    pub(super) fn diverge(&self, hello: &Hello) -> Option<Divergence> {
        let Some(Since::Seq(since)) = hello.since else { return None };
        // A bare 0 is a first visit.
        let is_point = since > 0 || hello.log.is_some();
        let claim = ResumeClaim { since, log: hello.log.as_deref(), logs: hello.logs.as_deref() };
        self.lineage.as_ref().filter(|_| is_point).map(|log| log.diverge(claim, self.seq))
    }

    /// The stored messages that the session may read, and the latest number: messages above it follow live.
    /// `None`: the session is gone or has no name.
    pub fn view(&self, id: SessionId) -> Option<(View, u64)> {
        let asking = self.asking(id)?;
        let joined = self.rooms.rooms_of(&asking.who).iter().filter_map(|room| self.rooms.get(*room));
        let joined = joined.filter_map(|room| Some((room.name.clone(), room.since(&asking.who)?)));
        let rooms = std::iter::once((RoomName::lobby(), 0)).chain(joined).collect();
        let account = asking.who.account().cloned();
        Some((View { account, mail: MailView::All, rooms }, self.seq))
    }

    /// All waiting mail has reached a session that never confirms.
    pub fn caught_up(&mut self, id: SessionId, now: &Now, out: &mut Deliveries) {
        if let Some(upto) = self.greeted.remove(&id) {
            self.note_session(id);
            self.received(id, upto, now, out);
        }
    }

    fn has_mail(&self, id: SessionId) -> bool {
        let asking = self.asking(id);
        asking.is_some_and(|asking| asking.who.account().is_some_and(|own| self.waiting.count(own) > 0))
    }
}

/// How much the session already has.
fn point(hello: &Hello, divergence: Option<&Divergence>, lacks: bool) -> CatchUp {
    match (&hello.since, divergence) {
        (None, _) => CatchUp::Mail,
        (Some(Since::Time(text)), _) => {
            Since::time(text).map_or(CatchUp::Newest, |at| CatchUp::Time { at, gap: lacks })
        }
        (Some(Since::Seq(_)), None) => CatchUp::Newest,
        (Some(Since::Seq(_)), Some(Divergence { stranger: Some(after), .. })) => {
            CatchUp::Stranger { after: *after }
        }
        (Some(Since::Seq(_)), Some(Divergence { common, rewound, .. })) => {
            CatchUp::Seq { after: *common, gap: *rewound || lacks }
        }
    }
}
