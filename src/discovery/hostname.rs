//! Looks up a host that the user named: by the system's resolver, and for `NAME.local` also by our own mDNS
//! (RFC 6762 3), because many systems cannot resolve these names.

use super::answer::{address_question, addresses};
use super::datagrams;
use super::interfaces::interfaces;
use super::oneshot::OneShot;
use super::order::in_order;
use crate::limits::{
    LOCAL_NAME_SCHEDULE, LOCAL_NAME_SETTLE, LOCAL_NAME_TIMEOUT, MAX_MDNS_PACKET_BYTES, MDNS_PORT,
};
use std::io;
use std::net::SocketAddr;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// Why a host name has no address.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The name does not exist, or is invalid.
    #[error("cannot find the host {host} ({error}); check the spelling, or give the IP address")]
    Unknown {
        /// The name.
        host: String,
        /// The resolver's error.
        error: String,
    },
    /// No name server answered.
    #[error(
        "cannot look up the host {host}: no name server (DNS) answers ({error}); the name may still be right, so try \
         again, or give the IP address"
    )]
    NoDns {
        /// The name.
        host: String,
        /// The resolver's error.
        error: String,
    },
    /// No machine on this network has the name.
    #[error(
        "no machine on this network answers to the name {0} (mDNS); check the spelling and that the machine is on, or \
         give the IP address"
    )]
    NotLocal(String),
    /// The system cannot resolve the name, and `--no-discovery` forbids mDNS.
    #[error(
        "this system cannot resolve {0}, which takes mDNS, and --no-discovery turns lanchat's own mDNS off; omit that \
         option, or give the IP address"
    )]
    Forbidden(String),
}

impl From<LookupError> for io::Error {
    fn from(error: LookupError) -> io::Error {
        io::Error::new(io::ErrorKind::NotFound, error)
    }
}

/// Looks up a host, on tokio. If `multicast` is set, also asks for a `.local` name by mDNS, for up to 2 s;
/// the first answer counts.
///
/// # Errors
/// See [`LookupError`].
pub async fn lookup(host: &str, port: u16, multicast: bool) -> Result<Vec<SocketAddr>, LookupError> {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_local = name.to_ascii_lowercase().ends_with(".local");
    let system = async {
        let found = tokio::net::lookup_host((host, port)).await?.collect::<Vec<_>>();
        if found.is_empty() { Err(io::Error::other("the name has no address")) } else { Ok(found) }
    };
    if !is_local {
        return system.await.map_err(|error| failure(host, &error));
    }
    if !multicast {
        return system.await.map_err(|_| LookupError::Forbidden(host.to_owned()));
    }
    tokio::select! {
        // A silent name server takes longer than any machine on the link.
        Ok(Ok(found)) = timeout(LOCAL_NAME_TIMEOUT, system) => Ok(found),
        Some(found) = ask(name, port) => Ok(found),
        else => Err(LookupError::NotLocal(host.to_owned())),
    }
}

/// Asks on all links by one-shot queries (RFC 6762 5.1). `None` without an answer.
async fn ask(name: &str, port: u16) -> Option<Vec<SocketAddr>> {
    let question = address_question(name).ok()?;
    let (found, mut answers) = mpsc::channel(1);
    let mut asking = JoinSet::new();
    for opened in interfaces().unwrap_or_default().iter().flat_map(OneShot::open) {
        match opened {
            Ok(socket) => {
                drop(asking.spawn(ask_on(socket, question.clone(), name.to_owned(), port, found.clone())))
            }
            Err(error) => tracing::debug!(%error, "no multicast socket"),
        }
    }
    drop(found);
    let mut until = Instant::now() + LOCAL_NAME_TIMEOUT;
    let mut all: Vec<SocketAddr> = Vec::new();
    while let Ok(Some(more)) = timeout_at(until, answers.recv()).await {
        if all.is_empty() {
            until = Instant::now() + LOCAL_NAME_SETTLE;
        }
        all.extend(more);
    }
    (!all.is_empty()).then(|| in_order(all))
}

/// Asks on one link until the receiver is gone.
async fn ask_on(
    one: OneShot,
    question: Vec<u8>,
    name: String,
    port: u16,
    found: mpsc::Sender<Vec<SocketAddr>>,
) {
    let start = Instant::now();
    let mut schedule = LOCAL_NAME_SCHEDULE.into_iter().map(|after| start + after).peekable();
    let mut buffer = vec![0; MAX_MDNS_PACKET_BYTES];
    loop {
        let next = schedule.peek().copied();
        tokio::select! {
            () = sleep_until(next.unwrap_or(start)), if next.is_some() => {
                schedule.next();
                if let Err(error) = one.socket.send_to(&question, one.group).await {
                    tracing::debug!(link = one.link.name, %error, "question for a name not sent");
                }
            }
            received = datagrams::receive(&one.socket, &mut buffer) => match received {
                Ok((length, from)) if from.port() == MDNS_PORT => {
                    let heard = addresses(&buffer[..length], &name, port, &one.link);
                    if !heard.is_empty() && found.send(heard).await.is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(_) => return,
            },
        }
    }
}

/// Tells an unknown name from silent name servers; the standard library distinguishes them only by the text.
fn failure(host: &str, error: &io::Error) -> LookupError {
    const NO_ANSWER: [&str; 3] = ["Temporary failure", "Try again", "os error 11002"];
    let text = error.to_string();
    let reason = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned();
    let host = host.to_owned();
    match NO_ANSWER.iter().any(|sign| text.contains(sign)) {
        true => LookupError::NoDns { host, error: reason },
        false => LookupError::Unknown { host, error: reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_name_server_is_no_wrong_spelling() {
        let told = |text: &str| failure("desk", &io::Error::other(text)).to_string();
        let silent = told("failed to lookup address information: Temporary failure in name resolution");
        assert!(silent.contains("no name server (DNS) answers") && !silent.contains("check"), "{silent}");
        let wrong = told("failed to lookup address information: Name or service not known");
        assert!(wrong.contains("check the spelling") && !wrong.contains("DNS"), "{wrong}");
    }

    #[tokio::test]
    async fn an_address_needs_no_lookup() {
        let found = lookup("127.0.0.1", 7667, false).await.unwrap();
        assert_eq!(found, ["127.0.0.1:7667".parse().unwrap()]);
    }
}
