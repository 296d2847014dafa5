//! How far this client has got in a server's history: what it asks for when it comes back, within a
//! run and over runs. It knows no connection, and nothing of what is shown.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::points::{self, Point};
use crate::protocol::Since;

/// What a first hello asks for, where there is no point to go on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// Nothing: what comes from now on.
    Now,
    /// The newest of the lobby.
    Newest,
    /// All since that time, RFC 3339.
    Time(String),
}

/// The place in a server's history, shared by who shows it and who reconnects.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<Place>>);

#[derive(Debug)]
struct Place {
    start: Start,
    /// Where points are kept between runs; none keeps them for this run only.
    file: Option<PathBuf>,
    /// Which server, and by whom: see [`Progress::enter`].
    server: String,
    /// What there is to go on from; its history's id is empty as long as the server has told none.
    point: Point,
    /// Whether it was reached, and is not where nothing has come yet.
    is_reached: bool,
    /// What the file says.
    saved: Point,
}

impl Progress {
    /// One that begins there, and is kept in `file` between runs if there is one.
    pub(super) fn new(start: Start, file: Option<PathBuf>) -> Self {
        let (server, point) = (String::new(), Point::default());
        let saved = point.clone();
        Self(Arc::new(Mutex::new(Place { start, file, server, point, is_reached: false, saved })))
    }

    /// From now on it is about this server; the account, a key or the token of the open, is part of it:
    /// what one has got, the other has not.
    pub(super) fn enter(&self, id: &str, is_encrypted: bool) {
        self.save();
        let mut place = self.lock();
        let server = if is_encrypted { id.to_owned() } else { format!("plaintext {id}") };
        if place.server != server {
            let saved = place.file.as_deref().and_then(|file| points::load(file, &server));
            place.is_reached = saved.is_some();
            place.saved = saved.unwrap_or_default();
            place.point = place.saved.clone();
            place.server = server;
        }
    }

    /// What a hello says: `since` and `log`.
    pub(super) fn hello(&self) -> (Option<Since>, Option<String>) {
        let place = self.lock();
        // A start that nothing has come of is tried again.
        if place.is_reached {
            return (Some(Since::Seq(place.point.seq)), Some(place.point.log.clone()));
        }
        let since = match &place.start {
            Start::Now => None,
            Start::Newest => Some(Since::Seq(0)),
            Start::Time(time) => Some(Since::Time(time.clone())),
        };
        (since, None)
    }

    /// A server has let this client in: it keeps the history `log`, if any, whose latest message is
    /// `latest`. Another history than before has numbers of its own.
    pub(super) fn welcomed(&self, log: Option<&str>, latest: u64) {
        let mut place = self.lock();
        let log = log.unwrap_or_default();
        if place.point.log != log || log.is_empty() {
            let is_live = place.start == Start::Now && place.point.log.is_empty();
            let seq = if is_live { latest } else { 0 };
            place.point = Point { log: log.to_owned(), seq };
            place.is_reached = is_live && !log.is_empty();
        }
    }

    /// All up to that number has come.
    pub(super) fn reach(&self, seq: u64) {
        let mut place = self.lock();
        place.point.seq = place.point.seq.max(seq);
        place.is_reached = !place.point.log.is_empty();
    }

    /// Whether something has come, so that what comes next is what was missed.
    pub(super) fn is_reached(&self) -> bool {
        self.lock().is_reached
    }

    /// The highest number that has come.
    pub(super) fn seq(&self) -> u64 {
        self.lock().point.seq
    }

    /// Writes the point to the file, if it has changed. Short, but it waits for the disk.
    pub(super) fn save(&self) {
        let (file, server, point) = {
            let place = self.lock();
            let is_new = place.is_reached && place.point != place.saved;
            match &place.file {
                Some(file) if is_new => (file.clone(), place.server.clone(), place.point.clone()),
                _ => return,
            }
        };
        match points::save(&file, &server, &point) {
            Ok(()) => self.lock().saved = point,
            Err(error) => tracing::warn!("what was shown will be shown again: {}: {error}", file.display()),
        }
    }

    /// The data stay consistent even if a holder panicked.
    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "3f9a1c77";

    fn seq(number: u64, log: Option<&str>) -> (Option<Since>, Option<String>) {
        (Some(Since::Seq(number)), log.map(str::to_owned))
    }

    #[test]
    fn a_first_hello_asks_for_the_start_and_the_next_for_what_is_new() {
        let progress = Progress::new(Start::Newest, None);
        progress.enter(SERVER, true);
        assert_eq!(progress.hello(), seq(0, None));
        progress.welcomed(Some("h1"), 70);
        // The link broke before anything had come.
        assert_eq!(progress.hello(), seq(0, None));
        progress.reach(60);
        progress.reach(50);
        assert_eq!(progress.hello(), seq(60, Some("h1")));
    }

    #[test]
    fn another_history_counts_from_its_own_start() {
        let progress = Progress::new(Start::Newest, None);
        progress.enter(SERVER, true);
        progress.welcomed(Some("h1"), 70);
        progress.reach(70);
        progress.welcomed(Some("h2"), 3);
        assert_eq!(progress.hello(), seq(0, None));
        // Without a history the numbers begin anew with each run of the server.
        progress.welcomed(None, 9);
        progress.reach(9);
        progress.welcomed(None, 2);
        assert_eq!(progress.seq(), 0);
    }

    #[test]
    fn who_wants_what_comes_from_now_on_comes_back_for_all_of_that() {
        let progress = Progress::new(Start::Now, None);
        assert_eq!(progress.hello(), (None, None));
        progress.welcomed(Some("h1"), 70);
        assert_eq!(progress.hello(), seq(70, Some("h1")));
        let time = Progress::new(Start::Time("2026-11-22T00:00:00Z".into()), None);
        assert_eq!(time.hello().0, Some(Since::Time("2026-11-22T00:00:00Z".into())));
    }

    #[test]
    fn the_next_run_goes_on_where_this_one_was_on_each_server() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Progress::new(Start::Newest, Some(dir.path().join("resume")));
        let progress = open();
        progress.enter(SERVER, true);
        progress.welcomed(Some("h1"), 70);
        progress.reach(70);
        progress.save();
        let next = open();
        next.enter(SERVER, true);
        assert_eq!(next.hello(), seq(70, Some("h1")));
        next.enter(SERVER, false);
        assert_eq!(next.hello(), seq(0, None));
        next.enter("another", true);
        assert_eq!(next.hello(), seq(0, None));
        // Nothing is written that was not reached.
        next.welcomed(Some("h9"), 5);
        next.save();
        assert_eq!(std::fs::read_to_string(dir.path().join("resume")).unwrap().lines().count(), 1);
    }
}
