//! What the two ways of searching tell the search.

use super::sighting::Sighting;

/// What the two ways of searching report.
#[derive(Debug)]
pub(super) enum Event {
    Seen(Sighting),
    Gone(String),
}
