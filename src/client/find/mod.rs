//! Finding servers: the one to join, others beside it, and one that is started in this process.

mod background_search;
mod changed_keys;
mod choice;
mod copies;
mod hosting;
mod inspector;
mod locator;
mod namesakes;
mod page;
mod rivals;
mod startup;

pub(crate) use background_search::search_in_background;
pub use changed_keys::{ChangedKey, changed_keys};
pub(crate) use choice::{Choice, choices, describe, several};
pub use copies::copies_of;
pub use hosting::{Host, Hosting, Task};
pub use inspector::{
    Inspector, JoinRefusal, ProbedServer, Trusted, Untested, fingerprint_at, own_fingerprint, trust,
};
pub(crate) use locator::{Located, Locator, reach};
pub(crate) use namesakes::{LookAlikeServer, watch_look_alikes};
pub use page::{PageReport, page_certificate_at};
pub(crate) use rivals::{Rival, watch_rivals};
pub(crate) use startup::{StartedServer, again, find, first_look, nothing, start};
