//! Who uses an operator's command, and whom it is about, as the log has them.

use super::{Chat, Deliveries, Now};
use crate::fingerprint::Fingerprint;
use std::fmt;
use std::net::IpAddr;

/// Who uses an operator's command.
#[derive(Debug, Clone)]
pub(super) enum Actor {
    /// Whoever sits at the server. Is above operators.
    Console,
    /// An operator.
    Operator { name: String, key: Option<Fingerprint>, ip: IpAddr },
}

/// One operator's command, at the console or by a session. What commands do are its methods.
pub(super) struct Operation<'a> {
    pub(super) chat: &'a mut Chat,
    pub(super) actor: Actor,
    pub(super) now: &'a Now,
    pub(super) out: &'a mut Deliveries,
}

/// A user as the log has them.
pub(super) struct Known<'a> {
    pub(super) name: &'a str,
    pub(super) key: Option<&'a Fingerprint>,
    pub(super) ip: Option<IpAddr>,
}

impl Actor {
    /// As it stands in records and in texts.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Console => "console",
            Self::Operator { name, .. } => name,
        }
    }

    pub(super) fn is_console(&self) -> bool {
        matches!(self, Self::Console)
    }

    /// Whether the key is their own.
    pub(super) fn has(&self, key: &Fingerprint) -> bool {
        matches!(self, Self::Operator { key: Some(own), .. } if own == key)
    }
}

impl fmt::Display for Actor {
    /// For the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Console => f.write_str("the console"),
            Self::Operator { name, key, ip } => Known { name, key: key.as_ref(), ip: Some(*ip) }.fmt(f),
        }
    }
}

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", self.name)?;
        match self.key {
            Some(key) => write!(f, "{key}")?,
            None => f.write_str("no key")?,
        }
        if let Some(ip) = self.ip {
            write!(f, ", {ip}")?;
        }
        f.write_str(")")
    }
}
