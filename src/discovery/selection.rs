//! Selects the winner among the servers that proved their identity, and decides when. Pure: callers pass in
//! the time.

use super::label::{is_called, is_same_id, is_unambiguous};
use super::outcome::{FindOutcome, Found, Proof, SearchReport, UnexpectedServer, server_name};
use super::sighting::Sighting;
use crate::limits::{SETTLE, SETTLE_PENDING};
use std::net::SocketAddr;
use tokio::time::Instant;

/// The servers that proved their identity, and a report on the others.
pub(super) struct Selection<T> {
    pub(super) wanted: Option<String>,
    last_used: Option<String>,
    pub(super) proven: Vec<Found<T>>,
    first_proof: Option<Instant>,
    /// When a server that may be wanted was first heard of.
    first_heard: Option<Instant>,
    pub(super) tried: SearchReport,
}

/// Whether to wait for more servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SelectionState {
    /// No server has proved its identity yet.
    Open,
    /// At least one has; decide at this time at the latest.
    Settling(Instant),
    /// Decide now.
    Decided,
}

impl<T> Selection<T> {
    /// Selects a server wanted by name or id; the one used last wins at once.
    pub(super) fn new(wanted: Option<String>, last_used: Option<String>) -> Selection<T> {
        let tried = SearchReport { wanted: wanted.clone(), ..SearchReport::default() };
        Selection { wanted, last_used, proven: Vec::new(), first_proof: None, first_heard: None, tried }
    }

    /// Takes in a proof. `expected` is the id that the source of the address gave: another server at that
    /// address is noted and cannot win, as the search will find it by its own name. Returns whether it is a
    /// new server that is not wanted.
    pub(super) fn proof(
        &mut self,
        expected: Option<&str>,
        addr: SocketAddr,
        proof: Proof<T>,
        now: Instant,
    ) -> bool {
        if expected.is_some_and(|expected| !is_same_id(expected, &proof.id)) {
            let stranger = UnexpectedServer { addr, id: proof.id, name: proof.name };
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

    /// Notes that the search heard of a server that may be wanted.
    pub(super) fn hear(&mut self, now: Instant) {
        self.first_heard.get_or_insert(now);
    }

    /// Decides whether to wait. `pending` says that a server that was seen or used last may still answer. The
    /// wait for others starts when the first server was heard of, because servers answer at about the same
    /// time: a proof that is late because of lost packets does not start a second wait.
    pub(super) fn state(&self, pending: bool) -> SelectionState {
        let Some(first) = self.first_proof else { return SelectionState::Open };
        if self.proven.iter().any(|found| self.is_sure(found)) {
            return SelectionState::Decided;
        }
        if pending {
            return SelectionState::Settling(first + SETTLE_PENDING);
        }
        let heard = self.first_heard.map_or(first, |heard| heard.min(first));
        SelectionState::Settling(first.max(heard + SETTLE))
    }

    /// Ends the search: the certain server, or the only one, or all by name.
    pub(super) fn conclude(mut self) -> FindOutcome<T> {
        if let Some(at) = self.proven.iter().position(|found| self.is_sure(found)) {
            return FindOutcome::Found(self.proven.swap_remove(at));
        }
        match self.proven.len() {
            0 => {
                self.tried.others.sort_by_key(|name| name.to_lowercase());
                self.tried.others.dedup();
                FindOutcome::Nothing(self.tried)
            }
            1 => FindOutcome::Found(self.proven.swap_remove(0)),
            _ => {
                self.proven.sort_by_cached_key(|found| (found.name.to_lowercase(), found.id.clone()));
                FindOutcome::Several(self.proven)
            }
        }
    }

    /// Whether this server has proved its identity.
    pub(super) fn has_proven(&self, id: &str) -> bool {
        self.proven.iter().any(|found| is_same_id(&found.id, id))
    }

    /// Whether an announced server may be the wanted one.
    pub(super) fn may_be_wanted(&self, sighting: &Sighting) -> bool {
        sighting.id.as_ref().is_none_or(|id| self.is_wanted(id, &sighting.name))
    }

    /// Whether a server with this id and name may be the wanted one.
    pub(super) fn is_wanted(&self, id: &str, name: &str) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| is_called(wanted, name, id))
    }

    /// Whether no other server can be meant: it was used last, or is wanted by its id.
    fn is_sure(&self, found: &Found<T>) -> bool {
        self.last_used.as_ref() == Some(&found.id)
            || self.wanted.as_ref().is_some_and(|wanted| is_unambiguous(wanted, &found.name, &found.id))
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

    fn selection(wanted: Option<&str>, last_used: Option<&str>) -> Selection<()> {
        Selection::new(wanted.map(String::from), last_used.map(String::from))
    }

    #[test]
    fn the_server_used_last_wins_at_once() {
        let mut selection = selection(None, Some(OFFICE));
        selection.proof(None, addr(1), proof(LAB, "lab"), Instant::now());
        assert!(matches!(selection.state(false), SelectionState::Settling(_)));
        selection.proof(Some(OFFICE), addr(2), proof(OFFICE, "office"), Instant::now());
        assert_eq!(selection.state(false), SelectionState::Decided);
        assert!(matches!(selection.conclude(), FindOutcome::Found(found) if found.id == OFFICE));
    }

    #[test]
    fn the_only_server_wins_after_the_settle_window() {
        let mut selection = selection(None, None);
        assert_eq!(selection.state(false), SelectionState::Open);
        let now = Instant::now();
        selection.proof(None, addr(1), proof(OFFICE, "office"), now);
        assert_eq!(selection.state(false), SelectionState::Settling(now + SETTLE));
        assert_eq!(selection.state(true), SelectionState::Settling(now + SETTLE_PENDING));
        assert!(matches!(selection.conclude(), FindOutcome::Found(found) if found.addr == addr(1)));
    }

    #[test]
    fn a_server_that_proves_itself_late_is_not_waited_for_once_more() {
        let heard = Instant::now();
        for (late, settled) in [(0, 150), (10, 150), (149, 150), (150, 150), (600, 600)].map(millis) {
            let mut selection = selection(None, None);
            selection.hear(heard);
            selection.hear(heard + SETTLE);
            selection.proof(None, addr(1), proof(OFFICE, "office"), heard + late);
            assert_eq!(selection.state(false), SelectionState::Settling(heard + settled), "{late:?}");
            assert_eq!(
                selection.state(true),
                SelectionState::Settling(heard + late + SETTLE_PENDING),
                "{late:?}"
            );
        }
    }

    fn millis((one, other): (u64, u64)) -> (Duration, Duration) {
        (Duration::from_millis(one), Duration::from_millis(other))
    }

    #[test]
    fn several_servers_are_a_choice_by_their_names_and_each_is_in_it_once() {
        let mut selection = selection(None, None);
        for (number, id, name) in [(1, OFFICE, "Zoo"), (2, OFFICE, "Zoo"), (3, LAB, "attic")] {
            selection.proof(None, addr(number), proof(id, name), Instant::now());
        }
        let FindOutcome::Several(list) = selection.conclude() else { panic!("no choice") };
        assert_eq!(list.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(), [LAB, OFFICE]);
    }

    #[test]
    fn a_server_that_is_not_the_expected_one_wins_nothing() {
        let mut selection = selection(None, Some(OFFICE));
        selection.proof(Some(OFFICE), addr(1), proof(LAB, "office"), Instant::now());
        assert_eq!(selection.state(false), SelectionState::Open);
        let FindOutcome::Nothing(tried) = selection.conclude() else { panic!("a stranger won") };
        assert_eq!(
            tried.strangers,
            [UnexpectedServer { addr: addr(1), id: LAB.into(), name: "office".into() }]
        );
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
            let mut selection = selection(Some(wanted), None);
            selection.proof(None, addr(1), proof(LAB, "lab"), Instant::now());
            selection.proof(None, addr(2), proof(OFFICE, "The Office"), Instant::now());
            assert_eq!(selection.state(false) == SelectionState::Decided, sure, "{wanted}");
            assert!(
                matches!(selection.conclude(), FindOutcome::Found(found) if found.id == OFFICE),
                "{wanted}"
            );
        }
    }

    #[test]
    fn servers_that_are_not_wanted_are_told_of() {
        let mut selection = selection(Some("3f"), None);
        selection.proof(None, addr(1), proof(OFFICE, "office"), Instant::now());
        let FindOutcome::Nothing(tried) = selection.conclude() else { panic!("two digits are not an id") };
        assert_eq!(tried.others, ["office (3f9a1c77)"]);
    }
}
