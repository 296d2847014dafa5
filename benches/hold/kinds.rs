//! Every type of request there is: one that is new does not compile here until it has a name, and is not
//! measured until it has a row.

use lanchat::protocol::Request;
use lanchat::protocol::request::{Act, Ask, Connect, Operate};

macro_rules! kinds {
    ($($of:ident: $($kind:ident)+;)+) => {
        pub const ALL: [&str; [$($(stringify!($kind)),+),+].len()] = [$($(stringify!($kind)),+),+];

        pub fn of(request: &Request) -> &'static str {
            match request {
                $($(Request::$of($of::$kind { .. }) => stringify!($kind),)+)+
            }
        }
    };
}

kinds! {
    Connect: Hello File Pake Ping Multicast;
    Act: Chat Edit Delete Read Away Back Nick Join Part Topic History Search Received OpByToken Help Quit
        Offer Accept Decline Cancel;
    Ask: Users Rooms Time Whois;
    Operate: Alert Kick Mute Unmute Ban Unban Bans Status Ticket Keys Admit Dismiss Release Op Deop;
}
