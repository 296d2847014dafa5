//! The user's name, keys and memory of servers. All clones share the same name, known servers and position in
//! the history, so each join or return uses the latest of them.

use super::history_position::HistoryPosition;
use crate::client::link::Channel;
use crate::client::shared_state::SharedState;
use crate::client::trust::{PassphraseSource, TrustPolicy, UserIdentity};
use crate::fingerprint::Fingerprint;
use crate::protocol::request::Mode;

#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) identity: UserIdentity,
    /// The fingerprint of this user's key.
    pub(crate) own: Fingerprint,
    /// Whether to own no name, by choice or because the key ends with this run.
    pub(crate) is_guest: bool,
    /// How servers are connected to.
    pub(crate) channel: Channel,
    pub(crate) trust: SharedState<TrustPolicy>,
    pub(crate) passphrases: PassphraseSource,
    pub(crate) position: HistoryPosition,
}

/// The manner of one join.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JoinTerms {
    pub(crate) mode: Mode,
    /// Whether the user can be asked for a passphrase, or whether a namesake is meant.
    pub(crate) may_ask: bool,
    /// Whether the join fails if the user's name is taken; otherwise another name will do.
    pub(crate) needs_name: bool,
    /// Whether the user owns no name by the join.
    pub(crate) guest: bool,
}

impl JoinTerms {
    /// A return to a server: any name is better than none. The client tells the user, who can change it.
    pub(crate) fn returning(mode: Mode) -> Self {
        Self { mode, may_ask: false, needs_name: false, guest: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::connection::StartFrom;
    use crate::name::Name;
    use crate::security::Keypair;

    impl Credentials {
        /// A user without encryption, who remembers nothing.
        pub(in crate::client) fn in_the_open(name: &str) -> Self {
            Self {
                identity: UserIdentity::load(None, Name::new(name).ok()).unwrap(),
                own: Keypair::ephemeral().unwrap().fingerprint(),
                is_guest: false,
                channel: Channel::Plain,
                trust: SharedState::new(TrustPolicy::in_the_open()),
                passphrases: PassphraseSource::new(None),
                position: HistoryPosition::new(StartFrom::Newest, None),
            }
        }
    }
}
