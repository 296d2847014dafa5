//! The recipient of a packet: the member `to`.

pub use crate::name::LOBBY;
use std::fmt;
use std::net::IpAddr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Everyone: `all`, its alias `broadcast`, or the lobby by name, in any case.
    All,
    Server,
    /// A room other than the lobby, with its `#`.
    Room(String),
    /// Everyone who is connected from this address.
    Address(IpAddr),
    /// A user, by an unchecked name.
    User(String),
}

impl Target {
    /// Reads the member `to`, ignoring surrounding white space.
    pub fn parse(to: &str) -> Self {
        let to = to.trim();
        if ["all", "broadcast", LOBBY].iter().any(|all| to.eq_ignore_ascii_case(all)) {
            Self::All
        } else if to.eq_ignore_ascii_case("server") {
            Self::Server
        } else if to.starts_with('#') {
            Self::Room(to.to_owned())
        } else if let Ok(address) = to.parse::<IpAddr>() {
            Self::Address(address.to_canonical())
        } else {
            Self::User(to.to_owned())
        }
    }

    /// The user and the room that it names, as written.
    pub fn mentions(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::User(name) => (Some(name), None),
            Self::Room(room) => (None, Some(room)),
            Self::All | Self::Server | Self::Address(_) => (None, None),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Server => f.write_str("server"),
            Self::Room(name) | Self::User(name) => f.write_str(name),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_target_is_told_apart() {
        for (to, target) in [
            ("all", Target::All),
            ("BroadCast", Target::All),
            ("#Lobby", Target::All),
            (" Server ", Target::Server),
            ("#games", Target::Room("#games".into())),
            ("10.0.0.7", Target::Address([10, 0, 0, 7].into())),
            ("::ffff:10.0.0.7", Target::Address([10, 0, 0, 7].into())),
            ("bob", Target::User("bob".into())),
        ] {
            assert_eq!(Target::parse(to), target, "{to}");
        }
    }
}
