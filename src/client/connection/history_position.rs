//! How far this client has got in a server's history: what it asks for when it comes back, within a
//! run and over runs. It knows no connection, and nothing of what is shown.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use super::resume_file::{self, ResumePoint};
use crate::client::shared_state::SharedState;
use crate::protocol::Since;
use crate::protocol::event::Welcome;
use crate::protocol::packet::LogEnd;

/// What a first hello asks for, where there is no point to go on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StartFrom {
    /// Nothing: what comes from now on.
    Now,
    /// The newest of the lobby.
    Newest,
    /// All since that time, RFC 3339.
    Time(String),
}

/// The position in a server's history, shared by who shows it and who reconnects.
#[derive(Debug, Clone)]
pub(crate) struct HistoryPosition(SharedState<Position>);

#[derive(Debug)]
struct Position {
    start: StartFrom,
    /// Where points are kept between runs; none keeps them for this run only.
    file: Option<PathBuf>,
    /// Which server, and by whom: see [`HistoryPosition::enter`].
    server: String,
    /// What there is to go on from.
    point: ResumePoint,
    /// Whether it was reached, and is not where nothing has come yet.
    is_reached: bool,
    /// What the file says.
    saved: ResumePoint,
    /// The history that the server has at the moment.
    here: Here,
    /// All up to this number of it has been shown.
    mark: u64,
    /// The highest number that the server had given when it let this client in.
    latest: u64,
    missed: Missed,
}

/// What has become of what was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missed {
    /// It is coming. Until all of it has, the point stays: only the end says whether something is missing.
    Coming,
    /// The server could not read all of it. The point stays at the end of what came until the next
    /// connection, which asks for the rest, and gets again what is shown live in this one.
    Broken,
    Had,
}

/// The history of the server that this client is on.
#[derive(Debug, Default)]
struct Here {
    /// The part of it that goes on; empty: it keeps none.
    log: String,
    /// The parts before, the newest first, each with its end; not those that the hello has named and that
    /// matter no more.
    before: Vec<LogEnd>,
}

/// What a welcome means for what was shown before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Resumption {
    /// Whether something has come before, so that what comes next is what was missed.
    pub(crate) resumed: bool,
    /// Whether the server went back: some of what was shown is not in its history.
    pub(crate) rewound: bool,
}

impl HistoryPosition {
    /// One that begins there, and is kept in `file` between runs if there is one.
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

    /// From now on it is about this server; the account, a key or the token of the open, is part of it:
    /// what one has got, the other has not.
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

    /// What a hello says: `since`, `log` and `logs`.
    pub(crate) fn hello(&self) -> (Option<Since>, Option<String>, Option<Vec<LogEnd>>) {
        let position = self.0.lock();
        // A start that nothing has come of is tried again.
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

    /// A server has let this client in, which was asked for what was missed or not.
    pub(crate) fn welcomed(&self, welcome: &Welcome, resumes: bool) -> Resumption {
        let mut position = self.0.lock();
        let Some(log) = &welcome.log else {
            // Without a history the numbers begin anew with each run of the server.
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

    /// All up to that number has been shown.
    pub(crate) fn reach(&self, seq: u64) {
        let mut position = self.0.lock();
        position.mark = position.mark.max(seq);
        if position.missed == Missed::Had {
            position.advance();
        }
    }

    /// All that was missed has come, up to that number; below what the server had, it could not read the rest.
    pub(crate) fn caught_up(&self, seq: u64) {
        let mut position = self.0.lock();
        position.mark = position.mark.max(seq);
        position.advance();
        position.missed = if seq < position.latest { Missed::Broken } else { Missed::Had };
    }

    /// The highest number that has come.
    pub(crate) fn seq(&self) -> u64 {
        self.0.lock().mark
    }

    /// Writes the point to the file, if it has changed. Short, but it waits for the disk.
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
    /// Up to which number what this client has is what the server has.
    fn common(&self, log: &str, welcome: &Welcome, resumes: bool) -> (u64, Resumption) {
        if !self.is_reached {
            let since = if resumes { 0 } else { welcome.seq };
            return (since, Resumption::default());
        }
        let (common, rewound) = match welcome.since {
            Some(since) => (since.min(welcome.seq), welcome.rewound),
            // A server that knows no parts of a history.
            None if self.point.log == log && self.point.seq <= welcome.seq => (self.point.seq, false),
            None => (0, self.point.log == log),
        };
        let resumed = common > 0 || self.point.seq == 0;
        (common, Resumption { resumed, rewound })
    }

    /// What was shown while something was missed, and the link broke before all had come: it comes again.
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

    /// The point is where the mark is. It names the oldest part of the history that has all of it: who has
    /// nothing of a later part loses nothing with that. But what this client has of another branch of it
    /// stays known.
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
