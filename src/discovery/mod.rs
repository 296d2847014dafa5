//! Finding servers on the local network, and being found, by mDNS (RFC 6762) and DNS-SD (RFC 6763).
//!
//! [`Announcer`] makes a server visible, [`MdnsSearch`] reports visible servers, and [`find`] connects to the
//! right one as fast as the network allows. Only this module knows multicast and the machine's interfaces. It
//! does not know the wire: the caller of [`find`] passes in a probe that proves who answers at an address.
//! Anyone can send mDNS packets, so they are only hints: they decide where to connect, never whom to trust.

mod announce;
mod announcement;
mod answer;
mod attempts;
mod browse;
mod connect_failure;
mod daemon_assignment;
mod datagrams;
mod endpoint;
mod find;
mod gateway;
mod goodbyes;
mod hedge;
mod hostname;
mod interfaces;
// Other systems than Linux report too little to use all of it.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod interface_kind;
mod label;
mod mdns_search;
mod multicast_test;
mod neighbours;
mod networks;
mod oneshot;
mod options;
mod order;
mod outcome;
mod race;
mod responder;
#[cfg(target_os = "linux")]
mod rtnetlink;
mod scan;
mod selection;
mod send_check;
mod server_cache;
mod sighting;

pub use announce::{AnnounceError, Announcer};
pub use announcement::{Announcement, Visibility};
pub use connect_failure::ConnectFailure;
pub use find::find;
pub use gateway::gateways;
pub use goodbyes::Goodbyes;
pub use hedge::hedged;
pub use hostname::{LookupError, lookup};
pub use interfaces::{Interface, all_interfaces, container_address, interfaces, own_addresses};
pub use label::{is_called, is_unambiguous, local_name, node_label, server_label};
pub use mdns_search::{MdnsSearch, Reach, SearchEvent, SearchOptions};
pub use multicast_test::{MulticastResult, MulticastTest, Side};
pub use neighbours::neighbours;
pub use networks::{Networks, Subnet, networks, subnets};
pub use options::{FindOptions, RememberedServer};
pub use outcome::{FailedAddress, FindOutcome, Found, Proof, SearchReport, Source, UnexpectedServer};
pub use race::{RaceError, race};
pub use scan::{ScanScope, scan};
pub use send_check::unsent;
pub use sighting::{HeardBy, Sighting};

/// Entry points for the fuzzer.
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing {
    use super::{Interface, Sighting};

    /// Parses the servers in a packet.
    pub(crate) fn answer(packet: &[u8]) -> Vec<Sighting> {
        let link = Interface { name: "lan0".into(), index: 2, loopback: false, addrs: Vec::new() };
        super::answer::servers(packet, &link)
    }

    /// Whether a packet belongs to a multicast test.
    pub(crate) fn is_of_a_test(packet: &[u8]) -> bool {
        super::multicast_test::asks_for(packet, "x")
    }

    /// Parses the full name of a service's instance.
    pub(crate) fn instance(full_name: &str) -> Option<String> {
        super::sighting::instance_label(full_name)
    }
}

/// The service type (RFC 6763 7).
pub const SERVICE: &str = "_lanchat._tcp.local";

/// The type of pages that people open in a browser (IANA). Ours has it even over https, because programs look for no other
/// type and plain http leads there.
const PAGE_SERVICE: &str = "_http._tcp.local";

/// The host name to look up in the search domain if mDNS finds nothing.
pub const WELL_KNOWN_HOST: &str = "lanchat";
