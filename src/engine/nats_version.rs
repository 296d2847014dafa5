//! The versions of NATS.

use std::fmt;
use std::str::FromStr;

/// A version of nats-server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NatsVersion(u32, u32, u32);

impl NatsVersion {
    /// The first one that lanchat works with. Earlier ones can forget streams after a crash, and those before
    /// 2.10 lose acknowledged messages in a power cut.
    pub const OLDEST: Self = Self(2, 10, 23);

    /// The version in what `nats-server --version` prints.
    pub fn printed(text: &str) -> Option<Self> {
        text.trim().strip_prefix("nats-server: v")?.parse().ok()
    }

    pub fn is_usable(self) -> bool {
        self >= Self::OLDEST
    }
}

impl FromStr for NatsVersion {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // `2.12.0-RC.1`, `2.11.0+build`.
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let mut parts = numbers.split('.').map(|part| part.parse().map_err(|_| ()));
        let mut next = || parts.next().unwrap_or(Err(()));
        Ok(Self(next()?, next()?, next()?))
    }
}

impl fmt::Display for NatsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        let printed = |text: &str| NatsVersion::printed(text).unwrap();
        assert!(!printed("nats-server: v2.9.10\n").is_usable());
        assert!(!printed("nats-server: v2.10.22\n").is_usable());
        assert!(printed("nats-server: v2.10.23\n").is_usable());
        assert!(printed("nats-server: v2.15.1\n").is_usable());
        assert!(printed("nats-server: v2.12.0-RC.1").is_usable());
        assert_eq!(printed("nats-server: v2.9.10").to_string(), "2.9.10");
        for other in ["", "nats-server: v2", "redis v7.0.0", "nats-server: vx.y.z"] {
            assert_eq!(NatsVersion::printed(other), None, "{other}");
        }
    }
}
