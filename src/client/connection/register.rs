//! From an open link to a registered one: the hello, the proof for a closed server, what to do when
//! the name is taken, and the operator's rights on one's own server.

use super::history_position::Progress;
use crate::client::link::Channel;
use crate::client::link::{Admission, Link, LinkError, Proof};
use crate::client::trust::Identity;
use crate::fingerprint::Fingerprint;
use crate::name::Name;
use crate::protocol::Code;
use crate::protocol::event::Welcome;
use crate::protocol::request::{Hello, Mode};
use crate::security::Passphrase;

/// Names tried when the login name is taken.
const ATTEMPTS: u32 = 20;

/// A link with a name.
pub(crate) struct Registered {
    pub(crate) link: Link,
    pub(crate) welcome: Welcome,
    /// The name that was asked for in vain.
    pub(crate) taken: Option<Name>,
    /// Whether the server proved that it knows the passphrase.
    pub(crate) proven: bool,
    /// Whether the server was asked for what was missed.
    pub(crate) resumes: bool,
    /// Whether the user was told of others that go by the server's name.
    pub(crate) twins_are_told: bool,
}

/// What registering takes besides a name.
pub(crate) struct Papers<'a> {
    /// How connections are made.
    pub(crate) channel: &'a Channel,
    /// This user's own key.
    pub(crate) own: Fingerprint,
    /// The passphrase of a closed server, if it is at hand.
    pub(crate) passphrase: Option<&'a Passphrase>,
    /// How far this client has got in the server's history.
    pub(crate) progress: &'a Progress,
    /// What makes this user an operator of their own server.
    pub(crate) operator: Option<&'a str>,
}

/// Says hello. A name that the user did not choose is replaced by a free one if it is taken.
pub(crate) async fn register(
    mut link: Link,
    identity: &Identity,
    mode: Mode,
    papers: &Papers<'_>,
) -> Result<Registered, LinkError> {
    let mut name = identity.name.clone();
    let mut proven = false;
    for attempt in 0.. {
        // Where there is a key it says who this is, and the token stays at home.
        let token = link.key().is_none().then(|| identity.token.clone());
        let (since, log, logs) = papers.progress.hello();
        let resumes = since.is_some();
        let hello = Hello { name: name.to_string(), mode, token, since, log, logs };
        let proof = papers.passphrase.map(|passphrase| Proof { passphrase, own: papers.own });
        let error = match link.hello(hello, proof).await {
            Ok(Admission { welcome, proven: now }) => {
                let taken = (name != identity.name).then(|| identity.name.clone());
                let proven = proven || now;
                let registered = Registered { link, welcome, taken, proven, resumes, twins_are_told: false };
                return with_operator(registered, papers.operator).await;
            }
            Err((error, now)) => {
                proven |= now;
                error
            }
        };
        let LinkError::Refused { code: Some(Code::NameTaken), free, .. } = &error else { return Err(error) };
        let free = free.as_deref().and_then(|free| Name::new(free).ok());
        match free.or_else(|| identity.name.alternative(attempt + 2)) {
            Some(other) if !identity.chosen && attempt < ATTEMPTS => name = other,
            _ => return Err(error),
        }
        // A refused hello ends its connection.
        link = Link::connect(link.peer(), &papers.channel.to(link.key())).await?;
    }
    Err(LinkError::Silent)
}

/// Takes the operator's rights where they are this user's anyway.
async fn with_operator(mut registered: Registered, secret: Option<&str>) -> Result<Registered, LinkError> {
    if let Some(secret) = secret.filter(|_| !registered.welcome.operator && registered.link.key().is_some()) {
        registered.welcome.operator = registered.link.become_operator(secret).await?;
    }
    Ok(registered)
}
