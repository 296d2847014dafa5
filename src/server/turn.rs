//! What happened since the last flush, in order.
//!
//! Frames for everybody lie one after another in one buffer, so that a receiver to whom nothing
//! else happened is written the whole of it at once. What happened to single sessions is a list
//! of steps, each with its place in that buffer.
//!
//! What is to be kept goes with the turn: nobody is written anything of it before the store has it
//! (see [`scribe`](super::scribe)). What the store then says changes the turn: a message that it had
//! already is cut out.

use super::connection::Connection;
use super::frames;
use super::multicast::Asked;
use crate::chat::{Answer, CatchUp, Entry, Question, Receipt, SessionId, View};
use crate::limits::ENTRY_BYTES;
use crate::protocol::event::HistoryEnd;
use crate::protocol::{Event, Packet};
use crate::store::{Page, Span};
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Everything since the last flush.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// Frames for all who follow the lobby.
    pub(super) lobby: Vec<u8>,
    /// In the order in which they happened.
    steps: Vec<Step>,
    /// Frames for many, among the steps.
    groups: Vec<Group>,
    /// What is to be kept, in the same order.
    pub(super) entries: Vec<Entry>,
    /// The latest message's number when the turn was taken.
    pub(super) seq: u64,
    /// Entries that the store may have had already, and where in the lobby their frames lie.
    doubtful: Vec<(usize, Range<usize>)>,
    /// Bytes of the frames in `steps`, and what the entries take.
    other_bytes: usize,
}

/// Something to do for a session.
#[derive(Debug)]
pub(super) enum Errand {
    /// It is given what it missed, and then follows.
    CatchUp {
        since: CatchUp,
        /// The latest number when it came in.
        latest: u64,
    },
    /// It is given what it asks for.
    Answer { echo: Option<String>, question: Question },
}

/// Something that happened to one session.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) session: SessionId,
    /// How much of the lobby came before.
    pub(super) at: usize,
    pub(super) what: What,
}

/// See [`Step`].
#[derive(Debug)]
pub(super) enum What {
    /// The session begins.
    Open(Arc<Connection>),
    /// It follows the lobby from here on.
    Follow,
    /// The same, once it has been given what it missed up to here.
    Seam(Box<Seam>),
    /// It does not get the lobby's frame that begins here and ends there.
    Skip(usize),
    /// A frame of its own.
    Frame(Bytes),
    /// A message that was cut out.
    Nothing,
    /// A message's frame, and its entry if there is one. Who does not follow gets it from the store.
    Live(Bytes, Option<usize>),
    /// The receipt for a message, and its entry if there is one.
    Receipt(Box<Receipt>, Option<usize>),
    /// An answer, which is written out when it is sent: a list may be long.
    Answer(Option<Box<Answer>>),
    /// Something that takes time and is done beside the turns.
    Errand(Option<Box<Errand>>),
    /// The same, of multicast.
    Multicast(Option<Box<Asked>>),
    /// It ends once it has read what came before.
    Close,
    /// Its socket is gone.
    Gone,
}

/// A frame for many, which becomes a step for each of them when the turn is written: nobody waits for
/// that.
#[derive(Debug)]
struct Group {
    /// How many of the steps came before.
    before: usize,
    /// See [`Step`].
    at: usize,
    sessions: Arc<Vec<SessionId>>,
    except: Option<SessionId>,
    frame: Bytes,
    fate: Liveness,
}

/// Whether a frame is part of the live stream, with its entry if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Liveness {
    Own,
    Live(Option<usize>),
}

/// Sessions that get a frame.
#[derive(Debug)]
pub(super) enum Receivers {
    These(Vec<SessionId>),
    /// Those of a list that is shared, but for one.
    Shared(Arc<Vec<SessionId>>, Option<SessionId>),
}

/// Where a session that catches up goes over to the live stream.
#[derive(Debug)]
pub(super) struct Seam {
    /// What it may be given.
    pub(super) view: View,
    /// It has what has this number, and all before.
    pub(super) after: u64,
    /// The latest number at this place.
    pub(super) upto: u64,
    /// What it is told behind the last it missed.
    pub(super) mark: Option<Mark>,
    /// The frames, once the store has given them.
    pub(super) frames: Vec<u8>,
    /// It was too much for a turn: the session does not follow yet.
    pub(super) rest: Option<Rest>,
    /// Told once they are written whether there is a rest.
    pub(super) written: Option<oneshot::Sender<Option<Rest>>>,
}

/// The end of a history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// How many messages it had before the seam.
    pub(super) count: usize,
    /// Whether something is missing.
    pub(super) gap: bool,
    /// Up to which number the session has all that could be read, if that is not the seam's.
    pub(super) seq: Option<u64>,
}

/// How far a seam came that did not reach its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    /// The session has what has this number, and all before.
    pub(super) after: u64,
    /// How many messages it was given.
    pub(super) count: usize,
}

impl Seam {
    /// What is to be read for it.
    pub(super) fn span(&self) -> Span {
        Span { view: self.view.clone(), after: self.after, upto: self.upto }
    }

    /// Puts what was missed into its place; `None`: it can't be read.
    pub(super) fn close(&mut self, page: Option<Page>) {
        let is_lost = page.is_none() && self.after < self.upto;
        let Page { messages, reached } =
            page.unwrap_or_else(|| Page { messages: Vec::new(), reached: self.upto });
        frames::write(&messages, None, &mut self.frames);
        // With nothing read, what is missing is nowhere: the store fails, or none of it is theirs.
        if reached < self.upto && !messages.is_empty() {
            self.rest = Some(Rest { after: reached, count: messages.len() });
            return;
        }
        let Some(Mark { count, gap, seq }) = self.mark else { return };
        let seq = seq.or(is_lost.then_some(self.after)).unwrap_or(self.upto);
        let end = HistoryEnd {
            count: count + messages.len(),
            seq,
            gap: gap || is_lost,
            more: false,
            partial: false,
        };
        Event::History(end).into_packet("", None).write_to(&mut self.frames);
    }
}

impl Turn {
    pub(super) fn is_empty(&self) -> bool {
        self.lobby.is_empty() && self.steps.is_empty() && self.groups.is_empty() && self.entries.is_empty()
    }

    /// Bytes that wait to be written or kept, each counted once.
    pub(super) fn bytes(&self) -> usize {
        self.lobby.len() + self.other_bytes
    }

    /// Something to keep; returns which entry it is.
    pub(super) fn keep(&mut self, entry: Entry) -> usize {
        self.other_bytes += ENTRY_BYTES;
        if let Entry::Message(message) | Entry::Passed(message) | Entry::Refused(message) = &entry {
            self.other_bytes += message.text.len();
        }
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// A packet for all who follow the lobby, but for these. `entry`: what it may be a duplicate as.
    pub(super) fn lobby(&mut self, packet: &Packet, except: &[SessionId], entry: Option<usize>) {
        let at = self.lobby.len();
        packet.write_to(&mut self.lobby);
        let end = self.lobby.len();
        let skip = |session: &SessionId| Step { session: *session, at, what: What::Skip(end) };
        self.steps.extend(except.iter().map(skip));
        if let Some(entry) = entry {
            self.doubtful.push((entry, at..end));
        }
    }

    /// A packet for some sessions, written once for all of them.
    pub(super) fn direct(&mut self, packet: &Packet, to: Receivers) {
        self.each(packet, to, Liveness::Own);
    }

    /// The same for a message, which is part of the live stream.
    pub(super) fn live(&mut self, packet: &Packet, to: Receivers, entry: Option<usize>) {
        self.each(packet, to, Liveness::Live(entry));
    }

    /// An answer to one session.
    pub(super) fn answer(&mut self, answer: Box<Answer>) {
        self.other_bytes += answer.bytes();
        self.step(answer.session, What::Answer(Some(answer)));
    }

    pub(super) fn step(&mut self, session: SessionId, what: What) {
        self.steps.push(Step { session, at: self.lobby.len(), what });
    }

    /// What sessions are to be given here before they go live.
    pub(super) fn seams(&mut self) -> impl Iterator<Item = &mut Seam> {
        self.steps.iter_mut().filter_map(|step| match &mut step.what {
            What::Seam(seam) => Some(seam.as_mut()),
            _ => None,
        })
    }

    /// These entries, in ascending order, are ones that the store had before: their messages go to nobody,
    /// and the receipt of each becomes what `change` makes of it, given its place among them. Once a turn.
    pub(super) fn cut(&mut self, known: &[usize], mut change: impl FnMut(usize, &mut Receipt)) {
        let place = |entry: usize| known.binary_search(&entry).ok();
        self.groups
            .retain(|group| !matches!(group.fate, Liveness::Live(Some(entry)) if place(entry).is_some()));
        for step in &mut self.steps {
            match &mut step.what {
                // A step stays one, so that groups find their place among them.
                What::Live(_, Some(entry)) if place(*entry).is_some() => step.what = What::Nothing,
                What::Receipt(receipt, Some(entry)) => {
                    if let Some(place) = place(*entry) {
                        change(place, receipt);
                    }
                }
                _ => {}
            }
        }
        let doubtful = std::mem::take(&mut self.doubtful);
        let gone = doubtful.into_iter().filter(|(entry, _)| place(*entry).is_some()).map(|(_, range)| range);
        self.cut_lobby(&gone.collect::<Vec<_>>());
    }

    /// Takes these out, which are in order.
    fn cut_lobby(&mut self, gone: &[Range<usize>]) {
        let (mut kept, mut from) = (Vec::with_capacity(self.lobby.len()), 0);
        // Where each of them was, in what is left.
        let mut places = Vec::with_capacity(gone.len());
        for range in gone {
            kept.extend_from_slice(&self.lobby[from..range.start]);
            places.push(kept.len());
            from = range.end;
        }
        kept.extend_from_slice(&self.lobby[from..]);
        self.lobby = kept;
        let moved = |at: usize| match gone.partition_point(|range| range.start < at).checked_sub(1) {
            Some(last) => places[last] + at.saturating_sub(gone[last].end),
            None => at,
        };
        for group in &mut self.groups {
            group.at = moved(group.at);
        }
        for step in &mut self.steps {
            step.at = moved(step.at);
            if let What::Skip(end) = &mut step.what {
                *end = moved(*end);
            }
        }
    }

    /// The store could not keep those entries: who was to get a receipt is told so.
    pub(super) fn not_kept(&mut self, is_one: impl Fn(usize) -> bool) {
        for step in &mut self.steps {
            if let What::Receipt(receipt, Some(entry)) = &mut step.what
                && is_one(*entry)
            {
                (receipt.seq, receipt.stored, receipt.waits) = (None, false, None);
            }
        }
    }

    /// Everything that happened to single sessions, in order; the lobby is left.
    pub(super) fn take_steps(&mut self) -> Vec<Step> {
        let steps = std::mem::take(&mut self.steps);
        let mut groups = std::mem::take(&mut self.groups).into_iter().peekable();
        if groups.peek().is_none() {
            return steps;
        }
        let mut all = Vec::with_capacity(steps.len());
        for (place, step) in steps.into_iter().enumerate() {
            while let Some(group) = groups.next_if(|group| group.before <= place) {
                all.extend(group.steps());
            }
            all.push(step);
        }
        all.extend(groups.flat_map(|group| group.steps().collect::<Vec<_>>()));
        all
    }

    fn each(&mut self, packet: &Packet, to: Receivers, fate: Liveness) {
        let frame = Bytes::from(packet.to_frame());
        let (sessions, except) = match to {
            Receivers::These(sessions) if sessions.len() <= 1 => {
                for session in sessions {
                    self.other_bytes += frame.len();
                    self.step(session, fate.what(frame.clone()));
                }
                return;
            }
            Receivers::These(sessions) => (Arc::new(sessions), None),
            Receivers::Shared(sessions, except) => (sessions, except),
        };
        if !sessions.is_empty() {
            // The frame is there once, and what it becomes is no more than that for each.
            self.other_bytes += frame.len() + sessions.len() * size_of::<Step>();
            let (before, at) = (self.steps.len(), self.lobby.len());
            self.groups.push(Group { before, at, sessions, except, frame, fate });
        }
    }
}

impl Group {
    fn steps(&self) -> impl Iterator<Item = Step> {
        let sessions = self.sessions.iter().copied().filter(|session| Some(*session) != self.except);
        sessions.map(|session| Step { session, at: self.at, what: self.fate.what(self.frame.clone()) })
    }
}

impl Liveness {
    fn what(self, frame: Bytes) -> What {
        match self {
            Self::Own => What::Frame(frame),
            Self::Live(entry) => What::Live(frame, entry),
        }
    }
}

#[cfg(test)]
mod tests;
