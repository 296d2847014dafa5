//! Why a connection failed, by remedy.

use crate::text::safe_line;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// The system takes 3 s to find that no machine has the address; a firewall answers sooner. Its answer to the
/// first packet may be missing (systems limit the rate of ICMP, and packets get lost); then it answers the
/// repeat after 1 s.
pub(super) const SWIFT: Duration = Duration::from_secs(2);

/// "Permission denied", which shares its kind with "operation not permitted". Linux reports it for a remote
/// firewall that rejects a connection by IPv6.
#[cfg(unix)]
const EACCES: i32 = 13;

/// Why an attempt to connect failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectFailure {
    /// Nothing listens there, or a firewall pretends so.
    Refused,
    /// No answer.
    Silent,
    /// A firewall rejects it (ICMP).
    Rejected,
    /// No machine on the network has the address.
    Nobody,
    /// This machine has no route there.
    NoRoute,
    /// This machine blocks it.
    Forbidden,
    /// Not tried: it is announced, but on no network of this machine.
    Elsewhere,
    /// Another error, usually from the program that answered.
    Said(String),
}

impl ConnectFailure {
    /// Classifies an error that came after this time.
    pub fn of(error: &(dyn Error + 'static), took: Duration) -> ConnectFailure {
        let mut cause = Some(error);
        while let Some(error) = cause {
            let error_of_system = error.downcast_ref::<io::Error>();
            match error_of_system.map(io::Error::kind) {
                Some(ErrorKind::ConnectionRefused) => return ConnectFailure::Refused,
                Some(ErrorKind::TimedOut) => return ConnectFailure::Silent,
                Some(ErrorKind::HostUnreachable) if took < SWIFT => return ConnectFailure::Rejected,
                Some(ErrorKind::HostUnreachable) => return ConnectFailure::Nobody,
                Some(ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable) => {
                    return ConnectFailure::NoRoute;
                }
                #[cfg(unix)]
                Some(ErrorKind::PermissionDenied)
                    if error_of_system.and_then(io::Error::raw_os_error) == Some(EACCES) =>
                {
                    return ConnectFailure::Rejected;
                }
                Some(ErrorKind::PermissionDenied) => return ConnectFailure::Forbidden,
                _ => cause = error.source(),
            }
        }
        ConnectFailure::Said(error.to_string())
    }

    /// Whether a program there answered, which cost it something.
    pub(super) fn is_answer(&self) -> bool {
        matches!(self, ConnectFailure::Said(_))
    }
}

/// Safe for a terminal.
impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectFailure::Refused => f.write_str("connection refused"),
            ConnectFailure::Silent => f.write_str("no answer"),
            ConnectFailure::Rejected => f.write_str("a firewall rejects the connection"),
            ConnectFailure::Nobody => f.write_str("no machine has that address now"),
            ConnectFailure::NoRoute => f.write_str("this machine has no route there"),
            ConnectFailure::Forbidden => f.write_str("this machine's own firewall blocks it"),
            ConnectFailure::Elsewhere => f.write_str("on no network of this machine"),
            ConnectFailure::Said(words) => f.write_str(&safe_line(words)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Wrapped(io::Error);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "cannot connect: {}", self.0)
        }
    }

    impl Error for Wrapped {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn the_system_s_word_counts_however_deep_it_lies() {
        let why =
            |kind: ErrorKind, secs| ConnectFailure::of(&Wrapped(kind.into()), Duration::from_secs(secs));
        assert_eq!(why(ErrorKind::ConnectionRefused, 0), ConnectFailure::Refused);
        assert_eq!(why(ErrorKind::HostUnreachable, 0), ConnectFailure::Rejected);
        assert_eq!(why(ErrorKind::HostUnreachable, 1), ConnectFailure::Rejected, "after one lost packet");
        assert_eq!(why(ErrorKind::HostUnreachable, 3), ConnectFailure::Nobody);
        assert_eq!(why(ErrorKind::NetworkUnreachable, 0), ConnectFailure::NoRoute);
        assert_eq!(why(ErrorKind::PermissionDenied, 0), ConnectFailure::Forbidden);
    }

    #[cfg(unix)]
    #[test]
    fn a_firewall_elsewhere_is_told_from_this_machine_s() {
        let why = |number| ConnectFailure::of(&io::Error::from_raw_os_error(number), Duration::from_secs(5));
        let (eperm, eacces) = (1, 13);
        assert_eq!((why(eperm), why(eacces)), (ConnectFailure::Forbidden, ConnectFailure::Rejected));
    }

    #[test]
    fn what_a_server_says_is_kept() {
        let why = ConnectFailure::of(&Wrapped(io::Error::other("full\u{1b}[2J")), Duration::ZERO);
        assert!(why.is_answer());
        assert_eq!(why.to_string(), "cannot connect: full\u{fffd}[2J");
    }
}
