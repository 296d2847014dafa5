//! Finding servers on the local network, and being found, by mDNS (RFC 6762) and DNS-SD (RFC 6763).
//!
//! [`Announcer`] makes a server visible, [`Search`] reports the servers that are, and [`find`] turns
//! that into one open link to the right server as fast as the network allows. The only module that
//! knows of multicast and of the machine's interfaces. It knows nothing of the wire: whoever calls
//! [`find`] brings a probe that proves what answers at an address. What is heard here is a hint from
//! strangers; it decides where to knock, never whom to believe.

mod announce;
mod answer;
mod board;
mod browse;
mod contest;
mod event;
mod find;
mod interfaces;
mod label;
mod neighbours;
mod oneshot;
mod order;
mod outcome;
mod outlet;
mod race;
mod scan;
mod search;
mod sighting;
mod subnets;
mod trial;

pub use announce::{AnnounceError, Announcement, Announcer};
pub use find::{FindOptions, Known, Progress, find};
pub use interfaces::{Link, is_virtual, links, multicast_port, own_addresses};
pub use label::{is_called, server_label};
pub use neighbours::neighbours;
pub use outcome::{Found, Outcome, Proof, Stranger, Tried};
pub use outlet::unsent;
pub use race::{RaceError, race};
pub use scan::scan;
pub use search::{Change, Reach, Search, SearchOptions};
pub use sighting::{Heard, Sighting};
pub use subnets::{Subnet, subnets};
pub use trial::{Came, Side, Trial};

/// What of this module a fuzzer drives.
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing {
    use super::{Link, Sighting};

    /// What is made of a packet that came on some link.
    pub(crate) fn answer(packet: &[u8]) -> Vec<Sighting> {
        let link = Link { name: "lan0".into(), index: 2, loopback: false, addrs: Vec::new() };
        super::answer::servers(packet, &link)
    }

    /// Whether a packet is taken for one of a test of multicast.
    pub(crate) fn is_of_a_test(packet: &[u8]) -> bool {
        super::trial::asks_for(packet, "x")
    }

    /// What is made of the full name of a service's instance.
    pub(crate) fn instance(full_name: &str) -> Option<String> {
        super::sighting::instance_label(full_name)
    }
}

/// The service's type (RFC 6763 7), as DNS writes it.
pub const SERVICE: &str = "_lanchat._tcp.local";

/// The host name that is looked up in the search domain when mDNS finds nothing.
pub const WELL_KNOWN_HOST: &str = "lanchat";
