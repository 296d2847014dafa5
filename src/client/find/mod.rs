//! Finding servers: the one to join, others beside it, and one that is started in this process.

mod background_search;
mod hosting;
mod inspector;
mod locator;
mod namesake_watch;
mod rival_watch;
mod startup;

pub(crate) use background_search::Successor;
pub use hosting::{Host, Hosting, Task};
pub use inspector::{Inspector, Refusal, Trusted, Untested, fingerprint_at, own_fingerprint, trust};
pub(crate) use locator::{Located, Locator};
pub(crate) use namesake_watch::Twins;
pub(crate) use rival_watch::{Rival, Rivals};
pub(crate) use startup::{
    Choice, Start, again, can_ask, choices, describe, find, first_look, nothing, says_yes, several, start,
};
