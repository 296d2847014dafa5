//! Finding servers on the local network, and being found, by mDNS (RFC 6762) and DNS-SD (RFC 6763).
//!
//! [`Announcer`] makes a server visible, [`Search`] reports the servers that are, and [`find`] turns
//! that into one open link to the right server as fast as the network allows. The only module that
//! knows of multicast and of the machine's interfaces. It knows nothing of the wire: whoever calls
//! [`find`] brings a probe that proves what answers at an address. What is heard here is a hint from
//! strangers; it decides where to knock, never whom to believe.

mod allotment;
mod announce;
mod announcement;
mod answer;
mod board;
mod browse;
mod contest;
mod event;
mod farewells;
mod find;
mod gateway;
mod hedge;
mod hostname;
mod hunt;
mod interfaces;
// Only Linux tells enough for all of it.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod kind;
mod label;
mod neighbours;
mod net;
mod oneshot;
mod options;
mod order;
mod outcome;
mod outlet;
mod place;
mod presence;
mod race;
#[cfg(target_os = "linux")]
mod rtnetlink;
mod scan;
mod search;
mod sighting;
mod subnets;
mod targets;
mod trial;
mod why;

pub use announce::{AnnounceError, Announcer};
pub use announcement::{Announcement, Visibility};
pub use farewells::Farewells;
pub use find::{Progress, find};
pub use gateway::gateways;
pub use hedge::hedged;
pub use hostname::{LookupError, lookup};
pub use interfaces::{Link, container_address, links, multicast_port, own_addresses, seats};
pub use label::{is_called, is_surely, server_label};
pub use neighbours::neighbours;
pub use net::{Net, networks};
pub use options::{FindOptions, Known};
pub use outcome::{Failed, Found, Outcome, Proof, Source, Stranger, Tried};
pub use outlet::unsent;
pub use race::{RaceError, race};
pub use scan::{Terrain, scan};
pub use search::{Change, Reach, Search, SearchOptions};
pub use sighting::{Heard, Sighting};
pub use subnets::{Subnet, subnets};
pub use targets::Networks;
pub use trial::{Came, Side, Trial};
pub use why::Why;

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
