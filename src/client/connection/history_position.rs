//! How far this client has read a server's history: what a hello asks for, within a run and across runs. It
//! knows no connection, and nothing of what is shown.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use super::resume_file::{self, ResumePoint};
use crate::client::shared_state::SharedState;
use crate::protocol::Since;
use crate::protocol::event::Welcome;
use crate::protocol::packet::LogEnd;

/// The request in a first hello, without a resume point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StartFrom {
    /// Only new messages.
    Now,
    /// The latest messages in the lobby.
    Newest,
    /// All messages since that time, RFC 3339.
    Time(String),
}

/// The position in a server's history, shared by the view and the reconnector.
#[derive(Debug, Clone)]
pub(crate) struct HistoryPosition(SharedState<Position>);

#[derive(Debug)]
struct Position {
    start: StartFrom,
    /// The file with resume points; without one, they last for this run.
    file: Option<PathBuf>,
    /// The server and the account: see [`HistoryPosition::enter`].
    server: String,
    point: ResumePoint,
    /// Whether `point` is a real position, not the default before any message.
    is_reached: bool,
    /// The point in the file.
    saved: ResumePoint,
    here: Here,
    /// All messages up to this number were shown.
    mark: u64,
    /// The server's highest number at the welcome.
    latest: u64,
    missed: Missed,
}

/// The state of missed messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missed {
    /// They are arriving. The point stays until all have come, because only the end says whether some are
    /// lost.
    Coming,
    /// The server could not read all of them. The point stays after the last one that came until the next
    /// connection, which asks for the rest and receives this connection's live messages again.
    Broken,
    Had,
}

#[derive(Debug, Default)]
struct Here {
    /// The present incarnation; empty if the server keeps no history.
    log: String,
    /// Earlier incarnations with their ends, the newest first, without those that the hello named and that no
    /// longer matter.
    before: Vec<LogEnd>,
}

/// The effect of a welcome on the messages shown before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Resumption {
    /// Whether this client was there before, so that the next messages are those that it missed.
    pub(crate) resumed: bool,
    /// Whether the server went back, so that its history lacks some of the messages shown.
    pub(crate) rewound: bool,
}

impl HistoryPosition {
    pub(crate) fn new(start: StartFrom, file: Option<PathBuf>) -> Self {
        Self(SharedState::new(Position {
            start,
            file,
            server: String::new(),
            point: ResumePoint::default(),
            is_reached: false,
            saved: ResumePoint::default(),
            here: Here::default(),
            mark: 0,
            latest: 0,
            missed: Missed::Had,
        }))
    }

    /// Switches to this server. The account is part of the key, because an account with a key and one with a
    /// plaintext token have different messages.
    pub(crate) fn enter(&self, id: &str, is_encrypted: bool) {
        self.save();
        let mut position = self.0.lock();
        let server = if is_encrypted { id.to_owned() } else { format!("plaintext {id}") };
        if position.server != server {
            let saved = position.file.as_deref().and_then(|file| resume_file::load(file, &server));
            position.is_reached = saved.is_some();
            position.saved = saved.unwrap_or_default();
            position.point = position.saved.clone();
            position.server = server;
            (position.here, position.mark, position.missed) = (Here::default(), 0, Missed::Had);
        }
    }

    /// The hello's `since`, `log` and `logs`.
    pub(crate) fn hello(&self) -> (Option<Since>, Option<String>, Option<Vec<LogEnd>>) {
        let position = self.0.lock();
        // Ask again after a first hello that brought no messages.
        if position.is_reached {
            let ResumePoint { log, seq, logs } = position.point.clone();
            return (Some(Since::Seq(seq)), Some(log), Some(logs));
        }
        let since = match &position.start {
            StartFrom::Now => None,
            StartFrom::Newest => Some(Since::Seq(0)),
            StartFrom::Time(time) => Some(Since::Time(time.clone())),
        };
        (since, None, None)
    }

    /// Records a welcome. `resumes` says whether the hello asked for missed messages.
    pub(crate) fn welcomed(&self, welcome: &Welcome, resumes: bool) -> Resumption {
        let mut position = self.0.lock();
        let Some(log) = &welcome.log else {
            // Without a history, numbers start again with each run of the server.
            (position.here, position.mark, position.missed) = (Here::default(), 0, Missed::Had);
            return Resumption::default();
        };
        let (common, back) = position.common(log, welcome, resumes);
        let shown = position.shown(log, welcome);
        position.mark = common.max(shown);
        position.latest = welcome.seq;
        position.missed = if resumes { Missed::Coming } else { Missed::Had };
        position.here = Here { log: log.clone(), before: welcome.logs.clone() };
        if !resumes {
            position.advance();
        }
        back
    }

    /// All messages up to that number were shown.
    pub(crate) fn reach(&self, seq: u64) {
        let mut position = self.0.lock();
        position.mark = position.mark.max(seq);
        if position.missed == Missed::Had {
            position.advance();
        }
    }

    /// The missed messages have come, up to that number. If the server had higher numbers, it could not read
    /// the rest.
    pub(crate) fn caught_up(&self, seq: u64) {
        let mut position = self.0.lock();
        position.mark = position.mark.max(seq);
        position.advance();
        position.missed = if seq < position.latest { Missed::Broken } else { Missed::Had };
    }

    pub(crate) fn seq(&self) -> u64 {
        self.0.lock().mark
    }

    /// Writes the point to the file if it has changed. Waits briefly for the disk.
    pub(crate) fn save(&self) {
        let (file, server, point, before) = {
            let position = self.0.lock();
            let is_new = position.is_reached && position.point != position.saved;
            match &position.file {
                Some(file) if is_new => {
                    (file.clone(), position.server.clone(), position.point.clone(), position.saved.clone())
                }
                _ => return,
            }
        };
        match resume_file::save(&file, &server, &point, &before) {
            Ok(()) => self.0.lock().saved = point,
            Err(error) => tracing::warn!(
                "cannot save the resume point, so you will see the latest messages again: {}: {error}",
                file.display()
            ),
        }
    }
}

impl Position {
    /// The highest number up to which client and server have the same messages.
    fn common(&self, log: &str, welcome: &Welcome, resumes: bool) -> (u64, Resumption) {
        if !self.is_reached {
            let since = if resumes { 0 } else { welcome.seq };
            return (since, Resumption::default());
        }
        let (common, rewound) = match welcome.since {
            Some(since) => (since.min(welcome.seq), welcome.rewound),
            // An older server without incarnations.
            None if self.point.log == log && self.point.seq <= welcome.seq => (self.point.seq, false),
            None => (0, self.point.log == log),
        };
        let resumed = common > 0 || self.point.seq == 0;
        (common, Resumption { resumed, rewound })
    }

    /// Messages that were shown before a link broke in the middle of the missed ones, and that come again.
    fn shown(&self, log: &str, welcome: &Welcome) -> u64 {
        if self.missed != Missed::Coming {
            return 0;
        }
        if self.here.log == log {
            return self.mark.min(welcome.seq);
        }
        let end = welcome.logs.iter().find(|end| end.log == self.here.log);
        end.map_or(0, |end| self.mark.min(end.last))
    }

    /// Moves the point to the mark. Names the oldest incarnation that has all messages up to there: a server
    /// that lacks later ones then loses nothing. Keeps the positions in other branches of the history.
    fn advance(&mut self) {
        if self.here.log.is_empty() {
            return;
        }
        let mark = self.mark;
        let has_all =
            |end: &&LogEnd| end.last >= mark && self.point.end(&end.log).is_none_or(|own| own <= mark);
        let has_all = self.here.before.iter().take_while(has_all).count();
        let log = match has_all {
            0 => &self.here.log,
            count => &self.here.before[count - 1].log,
        };
        if self.is_reached && self.point.log == *log {
            self.point.seq = self.mark;
            return;
        }
        let logs = self.here.before[has_all..].to_vec();
        let mut point = ResumePoint { log: log.clone(), seq: self.mark, logs };
        point.join(&self.point);
        self.point = point;
        self.is_reached = true;
    }
}
