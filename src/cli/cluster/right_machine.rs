//! Whether a join file is for this machine.

use std::net::{IpAddr, ToSocketAddrs as _};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::cluster_files::{JoinFile, NodeHost};
use crate::discovery;

/// How long to look up the server's name.
const LOOKUP_WAIT: Duration = Duration::from_secs(2);

/// This machine's addresses; none if the system does not tell them.
pub(super) fn own_addresses() -> Vec<IpAddr> {
    let interfaces = discovery::all_interfaces().unwrap_or_default();
    interfaces.into_iter().flat_map(|(interface, _)| interface.addrs).collect()
}

/// A warning if the machine may be the wrong one: behind NAT and in containers, a machine does not have the address by which
/// others reach it. `own`: this machine's addresses.
///
/// # Errors
/// If the machine has the address of another server of the chat.
pub(super) fn check(join: &JoinFile, file: &Path, own: &[IpAddr]) -> Result<Option<String>, String> {
    let servers = join.servers.as_slice();
    let Some(host) = servers.iter().find(|server| server.name == join.server).map(|server| &server.host)
    else {
        return Ok(None);
    };
    let is_own = |address: &IpAddr| address.is_loopback() || own.contains(address);
    let known = addresses(host);
    if own.is_empty() || known.is_empty() || known.iter().any(is_own) {
        return Ok(None);
    }
    let (name, file) = (&join.server, file.display());
    let other = servers.iter().find(|server| server.host.address().is_some_and(|addr| own.contains(&addr)));
    match other {
        Some(other) => Err(format!(
            "{file} is for the server {name} at {host}, but this machine has the address {} of the server {}; use the join \
             file of {} here",
            other.host, other.name, other.name
        )),
        None => Ok(Some(format!(
            "{file} is for the server {name} at {host}, and this machine does not have that address; if it is the wrong \
             machine, move the files named above away; behind NAT or in a container, see that the others reach it there"
        ))),
    }
}

/// None if the name cannot be looked up now.
fn addresses(host: &NodeHost) -> Vec<IpAddr> {
    if let Some(address) = host.address() {
        return vec![address];
    }
    let (sender, found) = mpsc::channel();
    let name = host.as_str().to_owned();
    // A resolver may take longer than anybody waits. The program does not wait for the thread.
    thread::spawn(move || {
        let found = (name, 0).to_socket_addrs();
        // Nobody waits any more.
        let _ = sender.send(found.map_or_else(|_| Vec::new(), |all| all.map(|one| one.ip()).collect()));
    });
    found.recv_timeout(LOOKUP_WAIT).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster_files::{ClusterPorts, ServerList};
    use crate::security::{EngineAuthority, Keypair};
    use jiff::Timestamp;
    use zeroize::Zeroizing;

    /// The result for the server `b` on a machine with this address.
    fn checked(own: &str, host: &str) -> Result<Option<String>, String> {
        let authority = EngineAuthority::new(Timestamp::now()).unwrap();
        let servers = ["a=10.0.0.1".to_owned(), format!("b={host}"), "c=chat-c.invalid".to_owned()];
        let join = JoinFile {
            chat: "office".into(),
            server: "b".parse().unwrap(),
            servers: ServerList::new(servers.map(|text| text.parse().unwrap()).into()).unwrap(),
            ports: ClusterPorts { chat: 7667, engine: 4222, routes: 6222 },
            history_from: None,
            passphrase: Zeroizing::new("a passphrase of words".into()),
            chat_key: Keypair::new_pem().unwrap(),
            authority: authority.certificate().into(),
            identity: authority.issue("b", host).unwrap(),
        };
        let own: Vec<IpAddr> = own.split_whitespace().map(|own| own.parse().unwrap()).collect();
        check(&join, Path::new("b.join"), &own)
    }

    #[test]
    fn the_right_machine_and_one_that_nobody_can_judge_pass() {
        assert_eq!(checked("127.0.0.1 10.0.0.2", "10.0.0.2"), Ok(None));
        assert_eq!(checked("10.0.0.9", "127.0.0.2"), Ok(None), "all servers are on one machine");
        assert_eq!(checked("10.0.0.1 10.0.0.2", "10.0.0.2"), Ok(None), "it has both");
        assert_eq!(checked("", "10.0.0.2"), Ok(None));
        assert_eq!(checked("10.0.0.9", "chat-b.invalid"), Ok(None));
        assert_eq!(checked("fd00::2", "fd00:0::2"), Ok(None));
    }

    #[test]
    fn the_machine_of_another_server_is_refused_and_an_unknown_one_warned_of() {
        let refused = checked("10.0.0.1", "10.0.0.2").unwrap_err();
        let words = "b.join is for the server b at 10.0.0.2, but this machine has the address 10.0.0.1 of the server a;";
        assert!(refused.starts_with(words), "{refused}");
        let warned = checked("127.0.0.1 10.0.0.9", "10.0.0.2").unwrap().unwrap();
        assert!(warned.contains("this machine does not have that address"), "{warned}");
        assert!(checked("10.0.0.9", "localhost").unwrap().is_none());
    }
}
