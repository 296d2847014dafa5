//! Finds what a client and this server have in common after either was restored, copied or forked.
//!
//! A history that was restored or copied assigns numbers again that its other copy has also assigned. So a
//! number only counts together with its incarnation: each server start begins a new one, and no two processes
//! ever assign numbers under the same one. Pure: the store knows the incarnations, the hello says what the
//! client has, and this module finds where the two diverge.

use crate::limits::MAX_LOGS;
use crate::protocol::packet::LogEnd;
use smallvec::SmallVec;
use std::collections::HashMap;

/// A stretch of the history: the numbers that one server start has assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incarnation {
    /// Random; `log` on the wire.
    pub id: Box<str>,
    /// The first number that it could assign.
    pub first: u64,
    /// The last number that exists, at least `first - 1`. `None`: the current incarnation.
    pub last: Option<u64>,
    /// Whether the history was restored or replaced before it.
    pub restored: bool,
}

/// The incarnations of this history, the oldest first; the last one is current.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    rows: Vec<Incarnation>,
    places: HashMap<Box<str>, usize>,
}

/// The parts of the history that a client has, by its hello.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResumeClaim<'a> {
    /// All messages of `log` up to this number. Without `log`, the client knows no incarnations.
    pub(crate) since: u64,
    pub(crate) log: Option<&'a str>,
    /// The ends of other incarnations that it has, each with all before it. `None`: an older client that
    /// knows only the incarnation of its last welcome.
    pub(crate) logs: Option<&'a [LogEnd]>,
}

/// Where a client's history and this one diverge.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Divergence {
    /// The client has everything up to this number; 0 if unknown.
    pub(crate) common: u64,
    /// Whether the client has messages that are not, or no longer, in this history.
    pub(crate) rewound: bool,
    /// Set if this server knows none of the client's incarnations: the client lacks everything above this
    /// number, and perhaps more.
    pub(crate) stranger: Option<u64>,
    /// The index of the newest incarnation that both know.
    shared: Option<usize>,
    /// The indices of the incarnations that the client named.
    named: SmallVec<[usize; 4]>,
}

impl Lineage {
    /// `None` without incarnations.
    pub fn new(rows: Vec<Incarnation>) -> Option<Self> {
        let places = rows.iter().enumerate().map(|(place, row)| (row.id.clone(), place)).collect();
        (!rows.is_empty()).then_some(Self { rows, places })
    }

    /// A new history in its first incarnation.
    pub fn first(id: &str) -> Self {
        let row = Incarnation { id: id.into(), first: 1, last: None, restored: false };
        Self { places: HashMap::from([(row.id.clone(), 0)]), rows: vec![row] }
    }

    pub fn incarnations(&self) -> &[Incarnation] {
        &self.rows
    }

    pub fn id(&self) -> &str {
        self.rows.last().map_or("", |row| &row.id)
    }

    /// Whether the history was restored or replaced before this start.
    pub fn is_put_back(&self) -> bool {
        self.rows.last().is_some_and(|row| row.restored)
    }

    /// Finds where a client diverges from this history, whose latest number is `latest`.
    pub(crate) fn diverge(&self, claim: ResumeClaim<'_>, latest: u64) -> Divergence {
        let Some(log) = claim.log else {
            // Without an incarnation, the number is all there is to go by.
            let is_here = claim.since <= latest;
            let stranger = (!is_here).then(|| self.new_to(claim));
            let common = if is_here { claim.since } else { 0 };
            return Divergence { common, rewound: !is_here, stranger, shared: None, named: SmallVec::new() };
        };
        let own = self.places.get(log).copied();
        let mut known: SmallVec<[(usize, u64); 4]> =
            own.map(|place| (place, claim.since)).into_iter().collect();
        let others = claim.logs.unwrap_or_default().iter().take(MAX_LOGS).filter(|other| other.log != log);
        known.extend(others.filter_map(|other| Some((*self.places.get(&*other.log)?, other.last))));
        let named = known.iter().map(|(place, _)| *place).collect();
        let Some((shared, end)) = known.into_iter().max() else {
            let (rewound, stranger) = (claim.since > 0, Some(self.new_to(claim)));
            return Divergence { common: 0, rewound, stranger, shared: None, named };
        };
        let row = &self.rows[shared];
        let common = match row.last {
            Some(last) => end.min(last),
            None if end <= latest => end,
            // A machine restored from a snapshot assigns numbers twice. The client may have either copy, but
            // it has everything from before this start.
            None => row.first.saturating_sub(1),
        };
        let has_more = |place: usize| claim.since > self.rows[place].last.unwrap_or(latest);
        let rewound = own.map_or(claim.since > 0, has_more);
        Divergence { common, rewound, stranger: None, shared: Some(shared), named }
    }

    /// Earlier incarnations to tell the client about: those since its last visit, and as many others as fit,
    /// the newest first.
    pub(crate) fn told(&self, divergence: Option<&Divergence>) -> Vec<LogEnd> {
        let shared = divergence.and_then(|divergence| divergence.shared);
        let is_named = |place: usize| divergence.is_some_and(|divergence| divergence.named.contains(&place));
        let before = self.rows.iter().enumerate().rev().skip(1);
        let news =
            before.filter(|(place, _)| Some(*place) >= shared && shared.is_some() || !is_named(*place));
        let end = |(_, row): (usize, &Incarnation)| {
            Some(LogEnd { log: row.id.clone().into_string(), last: row.last? })
        };
        news.take(MAX_LOGS).filter_map(end).collect()
    }

    /// The number above which everything is new to a client that shares no incarnation. A client that names
    /// all its incarnations has never been here. One that names only its latest most likely knew this history
    /// before its last restore, or before this start if there was none.
    fn new_to(&self, claim: ResumeClaim<'_>) -> u64 {
        if claim.logs.is_some() {
            return 0;
        }
        let put_back = self.rows.iter().rev().find(|row| row.restored).or(self.rows.last());
        put_back.map_or(0, |row| row.first.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, first: u64, last: impl Into<Option<u64>>) -> Incarnation {
        Incarnation { id: id.into(), first, last: last.into(), restored: false }
    }

    fn end(log: &str, last: u64) -> LogEnd {
        LogEnd { log: log.into(), last }
    }

    /// Three starts: 1 to 50, 51 to 60, and from 61 on.
    fn three() -> Lineage {
        Lineage::new(vec![row("a", 1, 50), row("b", 51, 60), row("c", 61, None)]).unwrap()
    }

    /// The common end, whether the client has more, and the number above which a stranger lacks everything.
    fn diverge(lineage: &Lineage, since: u64, log: &str, logs: &[LogEnd]) -> (u64, bool, Option<u64>) {
        let log = (!log.is_empty()).then_some(log);
        let logs = (!logs.is_empty()).then_some(logs);
        let Divergence { common, rewound, stranger, .. } =
            lineage.diverge(ResumeClaim { since, log, logs }, 70);
        (common, rewound, stranger)
    }

    #[test]
    fn over_ordinary_restarts_a_point_stays_one() {
        for (since, log) in [(0, "a"), (30, "a"), (50, "a"), (50, "b"), (55, "b"), (60, "c"), (70, "c")] {
            assert_eq!(diverge(&three(), since, log, &[]), (since, false, None), "{since} {log}");
        }
    }

    #[test]
    fn who_has_more_of_an_incarnation_than_there_is_goes_back_to_its_end() {
        assert_eq!(diverge(&three(), 65, "b", &[end("a", 50)]), (60, true, None));
        assert_eq!(diverge(&three(), 55, "a", &[]), (50, true, None));
        assert_eq!(diverge(&three(), 90, "lost", &[end("b", 60), end("a", 50)]), (60, true, None));
        assert_eq!(diverge(&three(), 20, "lost", &[end("a", 10)]), (10, true, None));
    }

    #[test]
    fn a_number_that_this_start_has_not_given_yet_is_of_a_memory_that_was_put_back() {
        assert_eq!(diverge(&three(), 71, "c", &[end("b", 60)]), (60, true, None));
        assert_eq!(diverge(&three(), 71, "", &[]), (0, true, Some(60)));
        assert_eq!(diverge(&three(), 70, "", &[]), (70, false, None));
    }

    #[test]
    fn a_stranger_that_knows_of_incarnations_lacks_all_wherever_the_history_was_put_back() {
        let mut rows = three().rows;
        (rows[0].restored, rows[2].restored) = (true, true);
        let deleted_and_later_put_back = Lineage::new(rows).unwrap();
        for lineage in [three(), deleted_and_later_put_back] {
            assert_eq!(diverge(&lineage, 9, "lost", &[end("gone", 7)]), (0, true, Some(0)));
            let claim = ResumeClaim { since: 9, log: Some("lost"), logs: Some(&[]) };
            assert_eq!(lineage.diverge(claim, 70).stranger, Some(0), "its own was the first of a history");
        }
    }

    #[test]
    fn an_older_client_that_is_a_stranger_is_given_all_since_the_history_was_put_back_or_this_start() {
        let mut rows = three().rows;
        assert_eq!(diverge(&three(), 9, "lost", &[]), (0, true, Some(60)));
        rows[1].restored = true;
        let restored = Lineage::new(rows).unwrap();
        assert_eq!(diverge(&restored, 9, "lost", &[]), (0, true, Some(50)));
        assert_eq!(diverge(&restored, 0, "lost", &[]), (0, false, Some(50)));
    }

    #[test]
    fn what_the_client_knows_of_another_branch_counts_when_it_comes_back_to_that() {
        assert_eq!(diverge(&three(), 58, "other", &[end("c", 66), end("a", 50)]), (66, true, None));
    }

    #[test]
    fn the_client_is_told_of_what_it_has_not_named_and_of_what_came_since() {
        let lineage = three();
        let told = |log: &str, logs: &[LogEnd]| {
            let divergence = lineage.diverge(ResumeClaim { since: 40, log: Some(log), logs: Some(logs) }, 70);
            lineage.told(Some(&divergence)).into_iter().map(|end| (end.log, end.last)).collect::<Vec<_>>()
        };
        let both = [("b".to_owned(), 60), ("a".to_owned(), 50)];
        assert_eq!(lineage.told(None), [end("b", 60), end("a", 50)]);
        assert_eq!(told("lost", &[]), both);
        assert_eq!(told("a", &[]), both);
        assert_eq!(told("b", &[end("a", 40)]), both[..1]);
        assert_eq!(told("c", &[end("a", 40), end("b", 40)]), []);
    }

    #[test]
    fn lists_are_no_longer_than_the_bound_however_long_either_is() {
        let mut rows: Vec<_> =
            (0..2 * MAX_LOGS as u64).map(|n| row(&format!("i{n}"), n + 1, n + 1)).collect();
        rows.push(row("now", 2 * MAX_LOGS as u64 + 1, None));
        let lineage = Lineage::new(rows).unwrap();
        let told = lineage.told(None);
        assert_eq!((told.len(), told[0].last), (MAX_LOGS, 2 * MAX_LOGS as u64));
        let mut logs: Vec<_> = (0..MAX_LOGS).map(|n| end(&format!("x{n}"), 9)).collect();
        logs.push(end("i3", 4));
        let cut = lineage.diverge(ResumeClaim { since: 9, log: Some("lost"), logs: Some(&logs) }, 999);
        assert!(cut.stranger.is_some(), "incarnations over the limit do not count");
    }
}
