//! From an open link to a registered one: the hello, and what to do when the name is taken.

use super::identity::Identity;
use super::link::{Link, LinkError};
use crate::name::Name;
use crate::protocol::Code;
use crate::protocol::event::Welcome;
use crate::protocol::request::{Hello, Mode};

/// Names tried when the login name is taken.
const ATTEMPTS: u32 = 20;

/// A link with a name.
pub(super) struct Registered {
    pub(super) link: Link,
    pub(super) welcome: Welcome,
    /// The name that was asked for in vain.
    pub(super) taken: Option<Name>,
}

/// Says hello. A name that the user did not choose is replaced by a free one if it is taken.
pub(super) async fn register(
    mut link: Link,
    identity: &Identity,
    mode: Mode,
) -> Result<Registered, LinkError> {
    let mut name = identity.name.clone();
    for attempt in 0.. {
        let hello = Hello { name: name.to_string(), mode, token: Some(identity.token.clone()) };
        let error = match link.hello(hello).await {
            Ok(welcome) => {
                let taken = (name != identity.name).then(|| identity.name.clone());
                return Ok(Registered { link, welcome, taken });
            }
            Err(error) => error,
        };
        let LinkError::Refused { code: Some(Code::NameTaken), free, .. } = &error else { return Err(error) };
        let free = free.as_deref().and_then(|free| Name::new(free).ok());
        match free.or_else(|| identity.name.alternative(attempt + 2)) {
            Some(other) if !identity.chosen && attempt < ATTEMPTS => name = other,
            _ => return Err(error),
        }
        // A refused hello ends its connection.
        link = Link::connect(link.peer()).await?;
    }
    Err(LinkError::Silent)
}
