//! The people in operators' commands, as the log shows them.

use super::{Chat, Deliveries, Delivery, Now};
use crate::fingerprint::Fingerprint;
use std::fmt;
use std::net::IpAddr;

#[derive(Debug, Clone)]
pub(super) enum Actor {
    /// The person at the server; above operators. With the name of the server if the chat has several.
    Console(Option<String>),
    Operator {
        name: String,
        key: Option<Fingerprint>,
        ip: IpAddr,
    },
}

/// One operator's command, from the console or a session. Its methods carry out the commands.
pub(super) struct Operation<'a> {
    pub(super) chat: &'a mut Chat,
    pub(super) actor: Actor,
    pub(super) now: &'a Now,
    pub(super) out: &'a mut Deliveries,
}

/// A user as the log shows them.
pub(super) struct LoggedUser<'a> {
    pub(super) name: &'a str,
    pub(super) key: Option<&'a Fingerprint>,
    pub(super) ip: Option<IpAddr>,
}

impl Operation<'_> {
    pub(super) fn log(&mut self, text: String) {
        self.out.push(Delivery::Log(text));
    }
}

impl Actor {
    /// As records and messages show it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Console(_) => "console",
            Self::Operator { name, .. } => name,
        }
    }

    pub(super) fn is_console(&self) -> bool {
        matches!(self, Self::Console(_))
    }

    /// Whether the operator owns this key.
    pub(super) fn has(&self, key: &Fingerprint) -> bool {
        matches!(self, Self::Operator { key: Some(own), .. } if own == key)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Console(None) => f.write_str("the console"),
            Self::Console(Some(server)) => write!(f, "the console of the server {server}"),
            Self::Operator { name, key, ip } => LoggedUser { name, key: key.as_ref(), ip: Some(*ip) }.fmt(f),
        }
    }
}

impl fmt::Display for LoggedUser<'_> {
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
