//! The target of an operator's command.

use super::net::Net;
use crate::fingerprint::Fingerprint;
use crate::protocol::Code;
use crate::protocol::request::Refusal;

/// The target of an operator's command, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Name(String),
    Key(Fingerprint),
    Net(Net),
}

impl Subject {
    /// Reads `NAME`, `key:FINGERPRINT` or `ip:CIDR`. A bare address works too, as it cannot be a name.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = |error: String| Refusal::new(Code::BadCommand, error);
        let after = |prefix: &str| {
            let head = text.get(..prefix.len()).filter(|head| head.eq_ignore_ascii_case(prefix));
            head.map(|_| &text[prefix.len()..])
        };
        if let Some(key) = after("key:") {
            return key
                .parse()
                .map(Self::Key)
                .map_err(|error: crate::fingerprint::InvalidFingerprint| bad(error.to_string()));
        }
        if let Some(net) = after("ip:") {
            return net
                .parse()
                .map(Self::Net)
                .map_err(|error: super::net::InvalidNet| bad(error.to_string()));
        }
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Net))
    }
}
