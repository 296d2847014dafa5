//! The limits on what administrators see of a server.

use super::{Limit, size, span};
use crate::limits::*;

pub(super) fn seen() -> Vec<Limit> {
    vec![
        Limit {
            what: "log lines about refused connections",
            value: format!(
                "{REFUSALS_LOGGED_AT_ONCE} at once with one reason, then {REFUSALS_LOGGED_PER_SECOND} per second; {JOURNAL_QUEUE} wait to be written, with lines of --log-connections."
            ),
            charged: "all together",
            beyond: "the log tells every 10 s how many more there were",
        },
        Limit {
            what: "readers of --metrics",
            value: format!(
                "{METRICS_READERS} at a time, for {} each; {} for a request with {METRICS_HEADERS} headers; {} of a \
                 wrong one are read and dropped.",
                span(2 * METRICS_TIMEOUT),
                size(METRICS_REQUEST_BYTES),
                size(METRICS_DRAIN_BYTES as usize)
            ),
            charged: "all together",
            beyond: "others wait; the server closes slow ones",
        },
    ]
}
