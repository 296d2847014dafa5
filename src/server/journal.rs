//! The log's record of connections: refusals with their reasons, and on request who comes and goes.
//!
//! Anyone may note something, even under the hub's lock: it counts, and puts a note into a queue. One task
//! writes the notes. When there are too many refusals, it writes some of each reason and counts the rest. A flood
//! costs some lines. The task never gets the text of a message, so it cannot log one.

use super::refusal_reason::RefusalReason;
use crate::chat::{TurnedAway, Visit};
use crate::limits::{
    JOURNAL_QUEUE, REFUSALS_COUNTED_EVERY, REFUSALS_LOGGED_AT_ONCE, REFUSALS_LOGGED_PER_SECOND,
};
use crate::pace::{Bucket, Rate};
use crate::text::safe_line;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::timeout;

const REASONS: usize = RefusalReason::ALL.len();

/// How many refusals with one reason are logged.
const LOG_RATE: Rate = Rate::every(1, REFUSALS_LOGGED_PER_SECOND, REFUSALS_LOGGED_AT_ONCE);

#[derive(Debug)]
pub(super) struct ServerJournal {
    refused: [AtomicU64; REASONS],
    notes: mpsc::Sender<JournalNote>,
    /// Refusals that found the queue full.
    lost: [AtomicU64; REASONS],
    lost_visits: AtomicU64,
}

/// A thing for the task to write.
#[derive(Debug)]
pub(super) enum JournalNote {
    Refused(RefusalReason, IpAddr, Option<String>),
    Visit(Box<Visit>),
    End,
}

pub(super) type JournalNotes = mpsc::Receiver<JournalNote>;

impl ServerJournal {
    /// Also returns the notes for [`write`].
    pub(super) fn new() -> (Arc<Self>, JournalNotes) {
        let (notes, receiver) = mpsc::channel(JOURNAL_QUEUE);
        let (refused, lost) = (Default::default(), Default::default());
        (Arc::new(Self { refused, notes, lost, lost_visits: AtomicU64::new(0) }), receiver)
    }

    /// One that counts and writes nothing.
    pub(super) fn silent() -> Arc<Self> {
        Self::new().0
    }

    pub(super) fn refused(&self, reason: RefusalReason, ip: IpAddr) {
        self.note_refusal(reason, ip, None);
    }

    /// A refusal by the rules.
    pub(super) fn turned_away(&self, TurnedAway { ip, name, code }: TurnedAway) {
        self.note_refusal(code.into(), ip, name);
    }

    pub(super) fn visit(&self, visit: Box<Visit>) {
        if self.notes.try_send(JournalNote::Visit(visit)).is_err() {
            self.lost_visits.fetch_add(1, Relaxed);
        }
    }

    /// Refused connections since the start, by reason.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let counts = RefusalReason::ALL.iter().zip(&self.refused);
        counts.map(|(reason, count)| (reason.as_str().to_owned(), count.load(Relaxed))).collect()
    }

    /// Has the task write what is left, and end.
    pub(super) async fn close(&self) {
        // An error means that it has ended already.
        let _ = self.notes.send(JournalNote::End).await;
    }

    fn note_refusal(&self, reason: RefusalReason, ip: IpAddr, name: Option<String>) {
        self.refused[reason as usize].fetch_add(1, Relaxed);
        if self.notes.try_send(JournalNote::Refused(reason, ip, name)).is_err() {
            self.lost[reason as usize].fetch_add(1, Relaxed);
        }
    }
}

/// Writes notes until the journal is closed.
pub(super) async fn write(journal: Arc<ServerJournal>, mut notes: JournalNotes) {
    let mut writer = JournalWriter::new();
    loop {
        let note = match writer.has_hidden() {
            true => timeout(writer.until_counted(), notes.recv()).await,
            false => Ok(notes.recv().await),
        };
        match note {
            Ok(Some(JournalNote::Refused(reason, ip, name))) => writer.refused(reason, ip, name.as_deref()),
            Ok(Some(JournalNote::Visit(visit))) => log_visit(&visit),
            Ok(Some(JournalNote::End) | None) => break,
            Err(_) => {}
        }
        writer.take_lost(&journal);
        if writer.until_counted().is_zero() {
            writer.count_hidden();
        }
    }
    writer.take_lost(&journal);
    writer.count_hidden();
}

/// Decides which refusals get a line.
struct JournalWriter {
    started: Instant,
    paces: [Bucket; REASONS],
    /// How many got none since the last count, and since when.
    hidden: [(u64, Timestamp); REASONS],
    counted: Instant,
}

impl JournalWriter {
    fn new() -> Self {
        let hidden = [(0, Timestamp::UNIX_EPOCH); REASONS];
        Self { started: Instant::now(), paces: Default::default(), hidden, counted: Instant::now() }
    }

    fn refused(&mut self, reason: RefusalReason, ip: IpAddr, name: Option<&str>) {
        match self.paces[reason as usize].take(LOG_RATE, self.started.elapsed()) {
            Ok(()) => log_refusal(reason, ip, name),
            Err(_) => self.hide(reason, 1),
        }
    }

    fn hide(&mut self, reason: RefusalReason, more: u64) {
        let is_first = !self.has_hidden();
        if is_first {
            self.counted = Instant::now();
        }
        let (count, since) = &mut self.hidden[reason as usize];
        if *count == 0 {
            *since = Timestamp::now();
        }
        *count += more;
    }

    fn take_lost(&mut self, journal: &ServerJournal) {
        for reason in RefusalReason::ALL {
            match journal.lost[reason as usize].swap(0, Relaxed) {
                0 => {}
                lost => self.hide(reason, lost),
            }
        }
        match journal.lost_visits.swap(0, Relaxed) {
            0 => {}
            count => tracing::warn!(
                event = "sessions_not_logged",
                count,
                "too many sessions began and ended at once; some are not in the log"
            ),
        }
    }

    fn has_hidden(&self) -> bool {
        self.hidden.iter().any(|(count, _)| *count > 0)
    }

    /// How long until the log tells how many refusals got no line.
    fn until_counted(&self) -> Duration {
        REFUSALS_COUNTED_EVERY.saturating_sub(self.counted.elapsed())
    }

    fn count_hidden(&mut self) {
        for reason in RefusalReason::ALL {
            let (count, since) = std::mem::take(&mut self.hidden[reason as usize]);
            if count > 0 {
                let (since, words) = (format!("{since:.0}"), reason.words());
                tracing::warn!(
                    event = "connections_refused",
                    reason = reason.as_str(),
                    count,
                    since,
                    "{count} more connections refused since {since}: {words}"
                );
            }
        }
        self.counted = Instant::now();
    }
}

fn log_refusal(reason: RefusalReason, peer: IpAddr, name: Option<&str>) {
    let (words, why, name) = (reason.words(), reason.as_str(), name.map(safe_line));
    let name = name.as_deref();
    if reason.is_warning() {
        tracing::warn!(
            event = "connection_refused",
            reason = why,
            %peer,
            name,
            "refused a connection: {words}"
        );
    } else {
        tracing::info!(
            event = "connection_refused",
            reason = why,
            %peer,
            name,
            "refused a connection: {words}"
        );
    }
}

fn log_visit(visit: &Visit) {
    let Visit { name, key, ip: peer, mode, comes } = visit;
    let (key, mode) = (key.map(|key| key.to_string()), mode.as_str());
    let (name, key) = (name.as_str(), key.as_deref().unwrap_or("none"));
    match comes {
        true => tracing::info!(event = "session_began", name, key, %peer, mode, "{name} has connected"),
        false => tracing::info!(event = "session_ended", name, key, %peer, mode, "{name} has disconnected"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn each_reason_is_counted_under_its_name() {
        let journal = ServerJournal::silent();
        for (n, reason) in (1..).zip(RefusalReason::ALL) {
            (0..n).for_each(|_| journal.refused(reason, Ipv4Addr::LOCALHOST.into()));
        }
        let counts = journal.counts();
        assert_eq!(counts.len(), REASONS);
        assert_eq!((counts["full"], counts["other"]), (1, REASONS as u64));
    }

    #[test]
    fn a_flood_gets_some_lines_and_the_rest_is_counted() {
        let mut writer = JournalWriter::new();
        (0..1000).for_each(|_| writer.refused(RefusalReason::Banned, Ipv4Addr::LOCALHOST.into(), None));
        let hidden = writer.hidden[RefusalReason::Banned as usize].0;
        assert!((960..=1000 - u64::from(REFUSALS_LOGGED_AT_ONCE)).contains(&hidden), "{hidden}");
        assert!(writer.has_hidden() && !writer.until_counted().is_zero());
        writer.count_hidden();
        assert!(!writer.has_hidden());
    }

    #[tokio::test]
    async fn refusals_that_find_the_queue_full_are_still_counted() {
        let (journal, notes) = ServerJournal::new();
        let all = JOURNAL_QUEUE as u64 + 7;
        (0..all).for_each(|_| journal.refused(RefusalReason::Full, Ipv4Addr::LOCALHOST.into()));
        assert_eq!(journal.lost[RefusalReason::Full as usize].load(Relaxed), 7);
        assert_eq!(journal.counts()["full"], all);
        let writing = tokio::spawn(write(Arc::clone(&journal), notes));
        journal.close().await;
        writing.await.expect("it ends");
        assert_eq!(journal.lost[RefusalReason::Full as usize].load(Relaxed), 0);
    }
}
