//! The server's part: it stores batches before anyone gets them, and lets returning sessions catch up.

use super::*;

/// Messages of the lobby that a newcomer gets here.
pub(super) const NEWEST: usize = 5;

/// Messages per page here.
const PAGE: usize = 3;

/// A step of a batch.
#[derive(Debug)]
pub(super) enum Step {
    Delivery(Delivery),
    /// A session switches to the live stream, with what it still lacks.
    Cutover {
        id: u64,
        view: View,
        after: u64,
        upto: u64,
        progress: CatchUpState,
    },
}

impl Step {
    pub(super) fn message(&self) -> Option<&Message> {
        match self {
            Self::Delivery(Delivery::Message { entry: Some(Entry::Message(message)), .. }) => Some(message),
            Self::Delivery(_) | Self::Cutover { .. } => None,
        }
    }
}

/// The progress of a session that catches up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CatchUpState {
    since: CatchUp,
    pub(super) latest: u64,
    /// Where it continues; `None` before it begins.
    pub(super) after: Option<u64>,
    count: usize,
    /// Changes of later messages are in these messages.
    known: u64,
}

impl CatchUpState {
    /// Whether it begins with waiting mail rather than with a number.
    pub(super) fn greets(&self) -> bool {
        matches!(self.since, CatchUp::Newest | CatchUp::Mail)
    }

    pub(super) fn is_newcomers(&self) -> bool {
        self.since == CatchUp::Newest
    }
}

impl House {
    /// With a history.
    pub(super) fn kept() -> Self {
        let mut house = Self::with(Rules { rate: None, ..Rules::default() }, Records::default());
        house.begin(Disk::default(), Some(0));
        house
    }

    /// A new server on that disk; `latest` is what an orderly end left.
    pub(super) fn begin(&mut self, mut disk: Disk, latest: Option<u64>) {
        let rules = self.chat.rules.clone();
        let records = self.stored.read();
        self.chat = Self::chat(rules, Archive { records, ..disk.archive(latest) });
        self.disk = Some(disk);
        self.batch.clear();
        self.catch_ups.clear();
        self.following.clear();
    }

    /// The same chat after an orderly end, or after a crash that loses the batch.
    pub(super) fn restart(&mut self, is_crash: bool) {
        if !is_crash {
            while !self.batch.is_empty() {
                self.flush();
            }
        }
        let latest = (!is_crash).then(|| self.chat.latest());
        let disk = self.disk.take().expect("a disk");
        self.begin(disk, latest);
    }

    /// Carries everything out, and lets every session catch up.
    pub(super) fn settle(&mut self) {
        let held = std::mem::replace(&mut self.is_holding, true);
        loop {
            self.flush();
            let ids: Vec<u64> = self.catch_ups.keys().copied().collect();
            ids.into_iter().for_each(|id| self.advance(id));
            if self.batch.is_empty() && self.catch_ups.is_empty() {
                break;
            }
        }
        self.is_holding = held;
    }

    /// Stores the batch's entries, and then carries it out.
    pub(super) fn flush(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        let mut arrivals = Vec::new();
        let latest = self.chat.latest();
        self.disk.iter_mut().for_each(|disk| disk.told = latest);
        let known: Vec<Option<u64>> = batch.iter().map(|step| self.commit(step, &mut arrivals)).collect();
        let repeated = batch.iter().zip(&known).filter(|(_, known)| known.is_some()).map(|(step, _)| step);
        let waited: Vec<Waited> = repeated.filter_map(Step::message).flat_map(Message::waited).collect();
        self.chat.not_waiting(&waited);
        for (step, known) in batch.drain(..).zip(known) {
            match step {
                Step::Delivery(delivery) => self.carry_out(delivery, known),
                Step::Cutover { id, view, after, upto, progress } => {
                    self.close_cutover(id, &view, after, upto, progress)
                }
            }
        }
        if !arrivals.is_empty() {
            self.act(|chat, now, out| chat.arrived(arrivals, now, out));
        }
    }

    fn commit(&mut self, step: &Step, arrivals: &mut Vec<Arrival>) -> Option<u64> {
        let entry = match step {
            Step::Delivery(Delivery::Message { entry: Some(entry), .. }) => entry.clone(),
            Step::Delivery(Delivery::Keep(Entry::Record(record))) => {
                self.stored.write((**record).clone());
                return None;
            }
            Step::Delivery(Delivery::Keep(entry)) => entry.clone(),
            _ => return None,
        };
        // Other entries are only looked up.
        let is_kept = !matches!(entry, Entry::Passed(_) | Entry::Refused(_));
        match &mut self.disk {
            Some(disk) => disk.commit(entry, arrivals),
            None if is_kept => panic!("nothing is kept without a disk"),
            None => None,
        }
    }

    fn carry_out(&mut self, delivery: Delivery, known: Option<u64>) {
        match delivery {
            Delivery::Packet { audience: Audience::Lobby { except }, packet } => {
                self.hand_out(self.following.clone(), except, &packet);
            }
            Delivery::Packet { audience: Audience::Others(except), packet } => {
                let others = self.following.iter().copied().filter(|id| !except.contains(&SessionId(*id)));
                self.hand_out(others.collect::<Vec<_>>(), None, &packet);
            }
            Delivery::Packet { audience: Audience::Sessions(sessions), packet } => {
                self.hand_out(sessions.into_iter().map(|id| id.0), None, &packet);
            }
            Delivery::Packet { audience: Audience::Room { sessions, except }, packet } => {
                self.hand_out(sessions.iter().map(|id| id.0), except, &packet);
            }
            Delivery::Answer(answer) => self.hand_out([answer.session.0], None, &answer.into_packet()),
            Delivery::Message { audience, packet, receipt, .. } => {
                if let Some(mut receipt) = receipt {
                    receipt.seq = known.or(receipt.seq);
                    receipt.refusal = receipt.refusal.filter(|_| known.is_none());
                    self.hand_out([receipt.session.0], None, &receipt.to_packet());
                }
                match audience {
                    _ if known.is_some() => {}
                    Audience::Lobby { except } => self.hand_out(self.following.clone(), except, &packet),
                    Audience::Others(_) => panic!("messages go to rooms and people"),
                    Audience::Sessions(sessions) => {
                        let live: Vec<u64> =
                            sessions.iter().map(|id| id.0).filter(|id| self.following.contains(id)).collect();
                        self.hand_out(live, None, &packet);
                    }
                    Audience::Room { sessions, except } => {
                        let live: Vec<u64> =
                            sessions.iter().map(|id| id.0).filter(|id| self.following.contains(id)).collect();
                        self.hand_out(live, except, &packet);
                    }
                }
            }
            Delivery::Keep(_) => {}
            Delivery::Ask { session, echo, question: Question::Change(change) } => {
                let found = self.disk.as_ref().and_then(|disk| disk.with_mail(change.seq));
                self.act(|chat, now, out| chat.change(session, echo, (change, found), now, out));
            }
            Delivery::Ask { session, question, .. } => self.questions.push((session.0, question)),
            Delivery::Multicast { .. }
            | Delivery::Status { .. }
            | Delivery::Refused(_)
            | Delivery::Visit(_) => {}
            Delivery::CatchUp { session: SessionId(id), since, latest } => {
                // A session that has ended needs no catch-up.
                if self.is_in(id) {
                    self.catch_ups
                        .insert(id, CatchUpState { since, latest, after: None, count: 0, known: 0 });
                }
            }
            Delivery::Follow(SessionId(id)) => self.following.extend(self.is_in(id).then_some(id)),
            Delivery::Close(SessionId(id)) => {
                self.following.remove(&id);
                self.catch_ups.remove(&id);
                self.closed.insert(id);
            }
            Delivery::Charge { session, cost } => self.charged.push((session, cost)),
            Delivery::EndTransfer { transfer, code, .. } => self.ended.push((transfer, code)),
            Delivery::Log(what) | Delivery::LogSharedKey(what) => self.log.push(what),
        }
    }

    fn hand_out(&mut self, ids: impl IntoIterator<Item = u64>, except: Option<SessionId>, packet: &Packet) {
        let packet = read(packet);
        for id in ids {
            if except != Some(SessionId(id)) && !self.gone.contains(&id) {
                self.inboxes.entry(id).or_default().push(packet.clone());
            }
        }
    }

    /// The next step of a session that catches up: waiting mail, a page, or the switch.
    pub(super) fn advance(&mut self, id: u64) {
        let Some(mut progress) = self.catch_ups.get(&id).copied() else { return };
        let (view, upto) = self.chat.view(SessionId(id)).expect("a session");
        let disk = self.disk.as_ref().expect("a disk");
        let Some(after) = progress.after else {
            progress.after = Some(match progress.since {
                CatchUp::Newest => self.greet_newcomer(id, view, &mut progress),
                CatchUp::Mail => self.greet(id, View { rooms: Vec::new(), ..view }, &mut progress),
                CatchUp::Seq { after, .. } => after,
                CatchUp::Stranger { after } => {
                    progress.latest = after;
                    self.greet_newcomer(id, view, &mut progress)
                }
                CatchUp::Time { at: time, .. } => {
                    disk.messages.iter().rev().find(|message| message.at < time).map_or(0, |last| last.seq)
                }
            });
            progress.known = progress.after.unwrap_or_default();
            self.catch_ups.insert(id, progress);
            return;
        };
        let page: Vec<u64> = disk.numbers_of(&view, after, upto).into_iter().take(PAGE).collect();
        match page.last() {
            Some(last) => {
                progress.after = Some(*last);
                self.give(id, &page, &mut progress);
                self.catch_ups.insert(id, progress);
            }
            None => {
                self.catch_ups.remove(&id);
                self.batch.push(Step::Cutover { id, view, after, upto, progress });
            }
        }
    }

    fn greet_newcomer(&mut self, id: u64, view: View, progress: &mut CatchUpState) -> u64 {
        let lobby = View { rooms: vec![(RoomName::lobby(), 0)], ..View::default() };
        let all = self.disk.as_ref().expect("a disk").numbers_of(&lobby, 0, u64::MAX);
        let after = all.iter().rev().nth(NEWEST).copied().unwrap_or(0);
        self.greet(id, View { rooms: vec![(RoomName::lobby(), after)], ..view }, progress)
    }

    fn greet(&mut self, id: u64, view: View, progress: &mut CatchUpState) -> u64 {
        let view = View { mail: MailView::Waiting, ..view };
        let numbers = self.disk.as_ref().expect("a disk").numbers_of(&view, 0, progress.latest);
        self.give(id, &numbers, progress);
        progress.latest
    }

    fn close_cutover(&mut self, id: u64, view: &View, after: u64, upto: u64, mut progress: CatchUpState) {
        if !self.is_in(id) {
            return;
        }
        let rest = self.disk.as_ref().expect("a disk").numbers_of(view, after, upto);
        self.give(id, &rest, &mut progress);
        self.following.insert(id);
        if progress.since == CatchUp::Mail {
            return self.act(|chat, now, out| chat.caught_up(SessionId(id), now, out));
        }
        let gap = matches!(
            progress.since,
            CatchUp::Seq { gap: true, .. } | CatchUp::Time { gap: true, .. } | CatchUp::Stranger { .. }
        );
        let end = HistoryEnd { count: progress.count, seq: upto, gap, more: false, partial: false };
        self.hand_out([id], None, &Event::History(end).to_packet("", None));
    }

    fn give(&mut self, id: u64, numbers: &[u64], progress: &mut CatchUpState) {
        let reader = self.chat.view(SessionId(id)).and_then(|(view, _)| view.account);
        for number in numbers {
            let message = self.disk.as_ref().expect("a disk").message(*number);
            if message.kind.changes().is_some_and(|of| of > progress.known) {
                continue;
            }
            progress.count += 1;
            let packet = message.to_packet(reader.as_ref());
            self.inboxes.entry(id).or_default().push(read(&packet));
        }
    }
}

/// The packet as the client reads it.
fn read(packet: &Packet) -> ServerPacket {
    ServerPacket::parse(&packet.to_frame()).expect("our own frame")
}
