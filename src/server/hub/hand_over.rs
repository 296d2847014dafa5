//! A server that leads lets another one lead, because most clocks of the chat differ from its own.

use super::hub_state::HubState;
use super::node_news::NodeHappening;
use super::node_seat::NodeSeat;
use crate::chat::Now;
use std::time::Duration;

/// How long it takes no input then, so that its turns are not always a step ahead of the record of the next leader.
const HANDS_OVER: Duration = Duration::from_secs(2);

/// How long it goes on if nobody has taken the lead: the others may be unable to.
const AGAIN: Duration = Duration::from_secs(30);

impl NodeSeat {
    /// Whether input has to wait for the next leader.
    pub(super) fn hands_over(&self, uptime: Duration) -> bool {
        self.handed_over.is_some_and(|at| uptime < at + HANDS_OVER)
    }
}

impl HubState {
    /// Lets another server lead, unless it has just tried to. `ahead`: of most clocks, in milliseconds. Returns whether it
    /// does.
    pub(super) fn hand_over(&mut self, ahead: i64, now: &Now) -> bool {
        let Some(seat) = self.node.as_mut().filter(|seat| seat.node.is_leading()) else { return false };
        if seat.handed_over.is_some_and(|at| now.uptime < at + AGAIN) {
            return false;
        }
        seat.handed_over = Some(now.uptime);
        seat.news.waiting.push(NodeHappening::Outvoted { ahead });
        self.retire();
        true
    }
}
