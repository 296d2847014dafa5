//! Who wins among the servers that proved themselves, and when. Pure: time is passed in.

use super::label::{is_called, is_same_id, is_surely};
use super::outcome::{Found, Outcome, Proof, Stranger, Tried, server_name};
use super::sighting::Sighting;
use crate::limits::{SETTLE, SETTLE_PENDING};
use std::net::SocketAddr;
use tokio::time::Instant;

/// The servers that proved themselves so far, and what is noted of the others.
pub(super) struct Contest<T> {
    wanted: Option<String>,
    last_used: Option<String>,
    proven: Vec<Found<T>>,
    first_proof: Option<Instant>,
    /// When a server was first heard of that may be wanted.
    first_heard: Option<Instant>,
    tried: Tried,
}

/// What the contest waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing has proved itself yet.
    Open,
    /// Something has; it is decided at that time at the latest.
    Settling(Instant),
    /// Nothing more is to be waited for.
    Decided,
}

impl<T> Contest<T> {
    /// A contest for a server wanted by name or id, in which the one used last wins at once.
    pub(super) fn new(wanted: Option<String>, last_used: Option<String>) -> Contest<T> {
        let tried = Tried { wanted: wanted.clone(), ..Tried::default() };
        Contest { wanted, last_used, proven: Vec::new(), first_proof: None, first_heard: None, tried }
    }

    /// Takes in a proof. `expected` is the id that whoever gave the address said is there: if another
    /// server answers, that is noted, and it wins nothing. It will be found under its own name. True if
    /// that is news of a server that is not wanted.
    pub(super) fn proof(
        &mut self,
        expected: Option<&str>,
        addr: SocketAddr,
        proof: Proof<T>,
        now: Instant,
    ) -> bool {
        if expected.is_some_and(|expected| !is_same_id(expected, &proof.id)) {
            let stranger = Stranger { addr, id: proof.id, name: proof.name };
            if !self.tried.strangers.contains(&stranger) {
                self.tried.strangers.push(stranger);
            }
            return false;
        }
        if !self.is_wanted(&proof.id, &proof.name) {
            let name = server_name(&proof.name, &proof.id);
            let is_news = !self.tried.others.contains(&name);
            if is_news {
                self.tried.others.push(name);
            }
            return is_news;
        }
        if self.proven.iter().any(|found| found.id == proof.id) {
            return false;
        }
        self.first_proof.get_or_insert(now);
        let Proof { id, name, link } = proof;
        self.proven.push(Found { id, name, addr, addrs: vec![addr], namesakes: Vec::new(), link });
        false
    }

    /// The name, label or id that is looked for.
    pub(super) fn wanted(&self) -> Option<&str> {
        self.wanted.as_deref()
    }

    /// Whether servers answered that are not wanted.
    pub(super) fn has_others(&self) -> bool {
        !self.tried.others.is_empty()
    }

    /// Notes that a server was heard of that may be wanted.
    pub(super) fn hear(&mut self, now: Instant) {
        self.first_heard.get_or_insert(now);
    }

    /// What to wait for. `pending` says that a server which was seen, or used last, may still answer. The wait for
    /// others counts from when the first server was heard of, because servers answer at about the same time: a
    /// proof that comes late, where packets get lost, does not start a second wait.
    pub(super) fn verdict(&self, pending: bool) -> Verdict {
        let Some(first) = self.first_proof else { return Verdict::Open };
        if self.proven.iter().any(|found| self.is_sure(found)) {
            return Verdict::Decided;
        }
        if pending {
            return Verdict::Settling(first + SETTLE_PENDING);
        }
        let heard = self.first_heard.map_or(first, |heard| heard.min(first));
        Verdict::Settling(first.max(heard + SETTLE))
    }

    /// The end: the one for sure, or the only one, or all by their names.
    pub(super) fn conclude(mut self) -> Outcome<T> {
        if let Some(at) = self.proven.iter().position(|found| self.is_sure(found)) {
            return Outcome::Found(self.proven.swap_remove(at));
        }
        match self.proven.len() {
            0 => {
                self.tried.others.sort_by_key(|name| name.to_lowercase());
                self.tried.others.dedup();
                Outcome::Nothing(self.tried)
            }
            1 => Outcome::Found(self.proven.swap_remove(0)),
            _ => {
                self.proven.sort_by_cached_key(|found| (found.name.to_lowercase(), found.id.clone()));
                Outcome::Several(self.proven)
            }
        }
    }

    /// What is noted of the search, to be completed before the end.
    pub(super) fn tried_mut(&mut self) -> &mut Tried {
        &mut self.tried
    }

    /// The servers that proved themselves, for their addresses to be completed.
    pub(super) fn proven_mut(&mut self) -> &mut [Found<T>] {
        &mut self.proven
    }

    /// Whether this server has proved itself.
    pub(super) fn has_proven(&self, id: &str) -> bool {
        self.proven.iter().any(|found| is_same_id(&found.id, id))
    }

    /// Whether a server that was only seen may turn out to be a wanted one.
    pub(super) fn may_be_wanted(&self, sighting: &Sighting) -> bool {
        sighting.id.as_ref().is_none_or(|id| self.is_wanted(id, &sighting.name))
    }

    /// Whether a server with this id and name may be the wanted one; any may if none is.
    pub(super) fn is_wanted(&self, id: &str, name: &str) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| is_called(wanted, name, id))
    }

    /// Whether no other server can be meant: the one used last, or one wanted by its id.
    fn is_sure(&self, found: &Found<T>) -> bool {
        self.last_used.as_ref() == Some(&found.id)
            || self.wanted.as_ref().is_some_and(|wanted| is_surely(wanted, &found.name, &found.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const OFFICE: &str = "3f9a1c7700112233";
    const LAB: &str = "a0b1c2d3e4f50617";

    fn addr(number: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, number], 7667))
    }

    fn proof(id: &str, name: &str) -> Proof<()> {
        Proof { id: id.into(), name: name.into(), link: () }
    }

    fn contest(wanted: Option<&str>, last_used: Option<&str>) -> Contest<()> {
        Contest::new(wanted.map(String::from), last_used.map(String::from))
    }

    #[test]
    fn the_server_used_last_wins_at_once() {
        let mut contest = contest(None, Some(OFFICE));
        contest.proof(None, addr(1), proof(LAB, "lab"), Instant::now());
        assert!(matches!(contest.verdict(false), Verdict::Settling(_)));
        contest.proof(Some(OFFICE), addr(2), proof(OFFICE, "office"), Instant::now());
        assert_eq!(contest.verdict(false), Verdict::Decided);
        assert!(matches!(contest.conclude(), Outcome::Found(found) if found.id == OFFICE));
    }

    #[test]
    fn the_only_server_wins_after_the_settle_window() {
        let mut contest = contest(None, None);
        assert_eq!(contest.verdict(false), Verdict::Open);
        let now = Instant::now();
        contest.proof(None, addr(1), proof(OFFICE, "office"), now);
        assert_eq!(contest.verdict(false), Verdict::Settling(now + SETTLE));
        assert_eq!(contest.verdict(true), Verdict::Settling(now + SETTLE_PENDING));
        assert!(matches!(contest.conclude(), Outcome::Found(found) if found.addr == addr(1)));
    }

    #[test]
    fn a_server_that_proves_itself_late_is_not_waited_for_once_more() {
        let heard = Instant::now();
        for (late, settled) in [(0, 150), (10, 150), (149, 150), (150, 150), (600, 600)].map(millis) {
            let mut contest = contest(None, None);
            contest.hear(heard);
            contest.hear(heard + SETTLE);
            contest.proof(None, addr(1), proof(OFFICE, "office"), heard + late);
            assert_eq!(contest.verdict(false), Verdict::Settling(heard + settled), "{late:?}");
            assert_eq!(contest.verdict(true), Verdict::Settling(heard + late + SETTLE_PENDING), "{late:?}");
        }
    }

    fn millis((one, other): (u64, u64)) -> (Duration, Duration) {
        (Duration::from_millis(one), Duration::from_millis(other))
    }

    #[test]
    fn several_servers_are_a_choice_by_their_names_and_each_is_in_it_once() {
        let mut contest = contest(None, None);
        for (number, id, name) in [(1, OFFICE, "Zoo"), (2, OFFICE, "Zoo"), (3, LAB, "attic")] {
            contest.proof(None, addr(number), proof(id, name), Instant::now());
        }
        let Outcome::Several(list) = contest.conclude() else { panic!("no choice") };
        assert_eq!(list.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(), [LAB, OFFICE]);
    }

    #[test]
    fn a_server_that_is_not_the_expected_one_wins_nothing() {
        let mut contest = contest(None, Some(OFFICE));
        contest.proof(Some(OFFICE), addr(1), proof(LAB, "office"), Instant::now());
        assert_eq!(contest.verdict(false), Verdict::Open);
        let Outcome::Nothing(tried) = contest.conclude() else { panic!("a stranger won") };
        assert_eq!(tried.strangers, [Stranger { addr: addr(1), id: LAB.into(), name: "office".into() }]);
    }

    #[test]
    fn a_server_can_be_wanted_by_name_id_or_label() {
        for (wanted, sure) in [
            ("The Office", false),
            ("the office", false),
            ("3f9a", false),
            ("3F9A1C77", true),
            ("the-office-3f9a1c77", true),
        ] {
            let mut contest = contest(Some(wanted), None);
            contest.proof(None, addr(1), proof(LAB, "lab"), Instant::now());
            contest.proof(None, addr(2), proof(OFFICE, "The Office"), Instant::now());
            assert_eq!(contest.verdict(false) == Verdict::Decided, sure, "{wanted}");
            assert!(matches!(contest.conclude(), Outcome::Found(found) if found.id == OFFICE), "{wanted}");
        }
    }

    #[test]
    fn servers_that_are_not_wanted_are_told_of() {
        let mut contest = contest(Some("3f"), None);
        contest.proof(None, addr(1), proof(OFFICE, "office"), Instant::now());
        let Outcome::Nothing(tried) = contest.conclude() else { panic!("two digits are no id") };
        assert_eq!(tried.others, ["office (3f9a1c77)"]);
    }
}
