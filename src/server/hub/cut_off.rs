//! Tells people that their server is cut off from the others, once, and when it is back.

use crate::limits::CUT_OFF_TOLD;
use std::time::Duration;

/// To people at a server that is cut off.
const CUT_OFF: &str = "this server is cut off from the chat's other servers: messages wait here, and nobody reads them \
                       before it is back";

/// To the same people later.
const BACK: &str = "this server reaches the others again: messages go on";

/// To people who connect in between: their clients try the other servers.
pub(super) const REFUSAL: &str =
    "this server is cut off from the chat's other servers; use another one, or try again later";

/// Whether the server reaches the log, and whether its people know.
#[derive(Debug, Default)]
pub(super) struct CutOff {
    /// Since when it does not, as an uptime.
    since: Option<Duration>,
    is_told: bool,
}

impl CutOff {
    pub(super) fn begins(&mut self, uptime: Duration) {
        self.since.get_or_insert(uptime);
    }

    /// Returns the text for people, if they know of it.
    pub(super) fn ends(&mut self) -> Option<&'static str> {
        self.since = None;
        std::mem::take(&mut self.is_told).then_some(BACK)
    }

    /// Returns the text for people if it is time to tell them.
    pub(super) fn tell(&mut self, uptime: Duration) -> Option<&'static str> {
        let is_due = self.since.is_some_and(|since| uptime >= since + CUT_OFF_TOLD);
        let tells = is_due && !std::mem::replace(&mut self.is_told, is_due);
        tells.then_some(CUT_OFF)
    }

    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_hear_once_that_it_began_and_once_that_it_is_over() {
        let mut cut = CutOff::default();
        let at = Duration::from_secs;
        cut.begins(at(5));
        cut.begins(at(9));
        assert_eq!(cut.tell(at(14)), None);
        assert_eq!(cut.tell(at(15)), Some(CUT_OFF));
        assert_eq!((cut.tell(at(16)), cut.is_told()), (None, true));
        assert_eq!(cut.ends(), Some(BACK));
        assert_eq!((cut.ends(), cut.is_told(), cut.tell(at(99))), (None, false, None));
    }

    #[test]
    fn nobody_hears_of_a_short_one() {
        let mut cut = CutOff::default();
        cut.begins(Duration::ZERO);
        assert_eq!(cut.tell(Duration::from_secs(9)), None);
        assert_eq!(cut.ends(), None);
    }
}
