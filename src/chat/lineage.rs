//! What a client and this server have in common, when either may have gone back or apart.
//!
//! A history that was put back, copied or forked gives numbers again that its other form has given too. So
//! a number counts with the incarnation under which it was given: each start of a server begins a new one,
//! and no two processes ever give numbers under the same. Pure: the store says which incarnations there
//! are, the hello says what the client has of which, and here it is found where the two part.

use crate::limits::MAX_LOGS;
use crate::protocol::packet::LogEnd;
use smallvec::SmallVec;
use std::collections::HashMap;

/// A stretch of the history: what one start of the server has given numbers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incarnation {
    /// Random; the `log` of the wire.
    pub id: Box<str>,
    /// The first number that it gave or could have given.
    pub first: u64,
    /// The last number that is there of it; at least the one before the first. `None`: it goes on.
    pub last: Option<u64>,
    /// Whether the history was put back to an earlier state, or replaced, before it.
    pub restored: bool,
}

/// The incarnations that led to this history, the oldest first; the last one goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    rows: Vec<Incarnation>,
    places: HashMap<Box<str>, usize>,
}

/// What a hello says of what its client has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    /// All up to this number, of `log`; without that, of whatever history this is.
    pub(crate) since: u64,
    pub(crate) log: Option<&'a str>,
    /// All up to these numbers of other incarnations, and of what led to each. `None`: the client knows
    /// nothing of other incarnations than the one of its last welcome.
    pub(crate) logs: Option<&'a [LogEnd]>,
}

/// Where a client and this history part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Meeting {
    /// Up to here the client has what the server has; 0 if nothing is known of that.
    pub(crate) common: u64,
    /// Whether the client has something that is not in this history, or not any more.
    pub(crate) rewound: bool,
    /// The client's points are of no history that is known here: it lacks all above this number, and
    /// nobody can say what of the rest.
    pub(crate) stranger: Option<u64>,
    /// The place of the newest incarnation that both know.
    shared: Option<usize>,
    /// The places of those that the client has named.
    named: SmallVec<[usize; 4]>,
}

impl Lineage {
    /// `None` without incarnations.
    pub fn new(rows: Vec<Incarnation>) -> Option<Self> {
        let places = rows.iter().enumerate().map(|(place, row)| (row.id.clone(), place)).collect();
        (!rows.is_empty()).then_some(Self { rows, places })
    }

    /// A history in its first incarnation.
    pub fn first(id: &str) -> Self {
        let row = Incarnation { id: id.into(), first: 1, last: None, restored: false };
        Self { places: HashMap::from([(row.id.clone(), 0)]), rows: vec![row] }
    }

    /// All of them, the oldest first.
    pub fn incarnations(&self) -> &[Incarnation] {
        &self.rows
    }

    /// The incarnation that goes on.
    pub fn id(&self) -> &str {
        self.rows.last().map_or("", |row| &row.id)
    }

    /// Whether the history was put back to an earlier state, or replaced, before that.
    pub fn is_put_back(&self) -> bool {
        self.rows.last().is_some_and(|row| row.restored)
    }

    /// Finds where a client parts from this history, whose latest number is `latest`.
    pub(crate) fn meet(&self, claim: Claim<'_>, latest: u64) -> Meeting {
        let Some(log) = claim.log else {
            // Who names no incarnation can only be believed.
            let is_here = claim.since <= latest;
            let stranger = (!is_here).then(|| self.new_to(claim));
            let common = if is_here { claim.since } else { 0 };
            return Meeting { common, rewound: !is_here, stranger, shared: None, named: SmallVec::new() };
        };
        let own = self.places.get(log).copied();
        let mut known: SmallVec<[(usize, u64); 4]> =
            own.map(|place| (place, claim.since)).into_iter().collect();
        let others = claim.logs.unwrap_or_default().iter().take(MAX_LOGS).filter(|other| other.log != log);
        known.extend(others.filter_map(|other| Some((*self.places.get(&*other.log)?, other.last))));
        let named = known.iter().map(|(place, _)| *place).collect();
        let Some((shared, end)) = known.into_iter().max() else {
            let (rewound, stranger) = (claim.since > 0, Some(self.new_to(claim)));
            return Meeting { common: 0, rewound, stranger, shared: None, named };
        };
        let row = &self.rows[shared];
        let common = match row.last {
            Some(last) => end.min(last),
            None if end <= latest => end,
            // A machine whose memory was put back gives numbers a second time: which of them this client
            // has nobody knows, but it has all from before this start.
            None => row.first.saturating_sub(1),
        };
        let has_more = |place: usize| claim.since > self.rows[place].last.unwrap_or(latest);
        let rewound = own.map_or(claim.since > 0, has_more);
        Meeting { common, rewound, stranger: None, shared: Some(shared), named }
    }

    /// Incarnations before the present one that the client should know of: those since it was here, and as
    /// many of the others as there is room for, the newest first.
    pub(crate) fn told(&self, meeting: Option<&Meeting>) -> Vec<LogEnd> {
        let shared = meeting.and_then(|meeting| meeting.shared);
        let is_named = |place: usize| meeting.is_some_and(|meeting| meeting.named.contains(&place));
        let before = self.rows.iter().enumerate().rev().skip(1);
        let news =
            before.filter(|(place, _)| Some(*place) >= shared && shared.is_some() || !is_named(*place));
        let end = |(_, row): (usize, &Incarnation)| {
            Some(LogEnd { log: row.id.clone().into_string(), last: row.last? })
        };
        news.take(MAX_LOGS).filter_map(end).collect()
    }

    /// The number above which all is new to a client that knows none of these incarnations. One that names
    /// every incarnation it was told of has never been here, whatever it has of other branches. One that
    /// names its latest alone most likely knew this history before it was last put back; if it never was,
    /// before this start.
    fn new_to(&self, claim: Claim<'_>) -> u64 {
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

    /// The common end, whether the client has more, and above what a stranger lacks all.
    fn meet(lineage: &Lineage, since: u64, log: &str, logs: &[LogEnd]) -> (u64, bool, Option<u64>) {
        let log = (!log.is_empty()).then_some(log);
        let logs = (!logs.is_empty()).then_some(logs);
        let Meeting { common, rewound, stranger, .. } = lineage.meet(Claim { since, log, logs }, 70);
        (common, rewound, stranger)
    }

    #[test]
    fn over_ordinary_restarts_a_point_stays_one() {
        for (since, log) in [(0, "a"), (30, "a"), (50, "a"), (50, "b"), (55, "b"), (60, "c"), (70, "c")] {
            assert_eq!(meet(&three(), since, log, &[]), (since, false, None), "{since} {log}");
        }
    }

    #[test]
    fn who_has_more_of_an_incarnation_than_there_is_goes_back_to_its_end() {
        assert_eq!(meet(&three(), 65, "b", &[end("a", 50)]), (60, true, None));
        assert_eq!(meet(&three(), 55, "a", &[]), (50, true, None));
        assert_eq!(meet(&three(), 90, "lost", &[end("b", 60), end("a", 50)]), (60, true, None));
        assert_eq!(meet(&three(), 20, "lost", &[end("a", 10)]), (10, true, None));
    }

    #[test]
    fn a_number_that_this_start_has_not_given_yet_is_of_a_memory_that_was_put_back() {
        assert_eq!(meet(&three(), 71, "c", &[end("b", 60)]), (60, true, None));
        assert_eq!(meet(&three(), 71, "", &[]), (0, true, Some(60)));
        assert_eq!(meet(&three(), 70, "", &[]), (70, false, None));
    }

    #[test]
    fn a_stranger_that_knows_of_incarnations_lacks_all_wherever_the_history_was_put_back() {
        let mut rows = three().rows;
        (rows[0].restored, rows[2].restored) = (true, true);
        let deleted_and_later_put_back = Lineage::new(rows).unwrap();
        for lineage in [three(), deleted_and_later_put_back] {
            assert_eq!(meet(&lineage, 9, "lost", &[end("gone", 7)]), (0, true, Some(0)));
            let claim = Claim { since: 9, log: Some("lost"), logs: Some(&[]) };
            assert_eq!(lineage.meet(claim, 70).stranger, Some(0), "its own was the first of a history");
        }
    }

    #[test]
    fn an_older_client_that_is_a_stranger_is_given_all_since_the_history_was_put_back_or_this_start() {
        let mut rows = three().rows;
        assert_eq!(meet(&three(), 9, "lost", &[]), (0, true, Some(60)));
        rows[1].restored = true;
        let restored = Lineage::new(rows).unwrap();
        assert_eq!(meet(&restored, 9, "lost", &[]), (0, true, Some(50)));
        assert_eq!(meet(&restored, 0, "lost", &[]), (0, false, Some(50)));
    }

    #[test]
    fn what_the_client_knows_of_another_branch_counts_when_it_comes_back_to_that() {
        assert_eq!(meet(&three(), 58, "other", &[end("c", 66), end("a", 50)]), (66, true, None));
    }

    #[test]
    fn the_client_is_told_of_what_it_has_not_named_and_of_what_came_since() {
        let lineage = three();
        let told = |log: &str, logs: &[LogEnd]| {
            let meeting = lineage.meet(Claim { since: 40, log: Some(log), logs: Some(logs) }, 70);
            lineage.told(Some(&meeting)).into_iter().map(|end| (end.log, end.last)).collect::<Vec<_>>()
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
        let cut = lineage.meet(Claim { since: 9, log: Some("lost"), logs: Some(&logs) }, 999);
        assert!(cut.stranger.is_some(), "what is over the bound does not count");
    }
}
