//! Every type of request there is: one that is new does not compile here until it has a name, and is not
//! measured until it has a row.

use lanchat::protocol::Request;

macro_rules! kinds {
    ($($kind:ident)+) => {
        pub const ALL: [&str; [$(stringify!($kind)),+].len()] = [$(stringify!($kind)),+];

        pub fn of(request: &Request) -> &'static str {
            match request {
                $(Request::$kind { .. } => stringify!($kind),)+
            }
        }
    };
}

kinds! {
    Hello Chat Users Join Part Rooms Topic History Search Received Time Alert Nick Whois Kick Mute Unmute
    Ban Unban Bans Keys Admit Dismiss Release Op OpByToken Deop Pake Ping Multicast Help Quit
}
