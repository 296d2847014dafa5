//! Several turns as one batch, for a server that has more of them than it has written.

use super::{Group, Liveness, OutputBatch, OutputStep, StepKind};
use std::sync::Arc;

impl OutputBatch {
    /// Keeps only what is to be stored.
    pub(in crate::server) fn without_sessions(self) -> Self {
        Self { entries: self.entries, seq: self.seq, ..Self::default() }
    }

    /// Adds the next turn, which the rules made right behind this batch.
    pub(in crate::server) fn append(&mut self, later: Self) {
        let Self { lobby, steps, groups, next, entries, seq, doubtful, .. } = later;
        let (place, at, entry) = (self.next, self.lobby.len(), self.entries.len());
        if !lobby.is_empty() {
            self.lobby.end().extend_from_slice(&lobby);
        }
        self.steps.extend(steps.into_iter().map(|step| step.moved((place, at, entry))));
        for Group { sessions, mut frame } in groups {
            frame.place += place;
            frame.at += at;
            frame.liveness = frame.liveness.moved(entry);
            // People of one room get several turns as one write, too.
            let same = self.groups.last().filter(|last| last.sessions == sessions);
            let sessions = same.map_or(sessions, |last| Arc::clone(&last.sessions));
            self.groups.push(Group { sessions, frame });
        }
        let doubtful = doubtful.into_iter();
        self.doubtful.extend(doubtful.map(|(own, range)| (own + entry, range.start + at..range.end + at)));
        self.next += next;
        self.entries.extend(entries);
        self.seq = seq;
    }
}

impl OutputStep {
    /// The same behind so many places, bytes of the lobby, and entries.
    fn moved(self, (place, at, entry): (u32, usize, usize)) -> Self {
        let kind = match self.kind {
            StepKind::Skip(end) => StepKind::Skip(end + at),
            StepKind::Live(frame, own) => StepKind::Live(frame, own.map(|own| own + entry)),
            StepKind::Receipt(receipt, own) => StepKind::Receipt(receipt, own.map(|own| own + entry)),
            kind => kind,
        };
        Self { session: self.session, place: self.place + place, at: self.at + at, kind }
    }
}

impl Liveness {
    fn moved(self, entry: usize) -> Self {
        match self {
            Self::Live(Some(own)) => Self::Live(Some(own + entry)),
            other => other,
        }
    }
}
