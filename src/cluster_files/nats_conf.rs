//! The settings of the engine, `nats-server.conf`, for versions from [`NatsVersion::OLDEST`] on.

use super::join_file::JoinFile;
use super::servers::ClusterServer;
use crate::engine::NatsVersion;
use crate::limits::{ENGINE_PAYLOAD_BYTES, ENGINE_STORE_BYTES};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Where the engine finds and keeps its files.
#[derive(Clone, Debug)]
pub struct ConfPlaces {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// The directory for its data.
    pub store: PathBuf,
}

/// A path that the file cannot hold.
#[derive(Debug, thiserror::Error)]
#[error("the engine's settings cannot name {0:?}; choose a directory whose path is plain text")]
pub struct UnusualPath(PathBuf);

/// The questions to the engine's own account with which lanchat checks its settings.
const QUESTIONS: [&str; 2] = ["$SYS.REQ.SERVER.PING.VARZ", "$SYS.REQ.SERVER.PING.JSZ"];

/// Writes the settings for the engine of the server that a join file is for.
///
/// # Errors
/// See [`UnusualPath`].
pub fn nats_conf(join: &JoinFile, places: &ConfPlaces) -> Result<String, UnusualPath> {
    let own = join.servers.find(&join.server);
    let mut conf = format!(
        "# Settings of NATS for the server {} of the chat {:?}, written by `lanchat cluster join`.\n\
         # They need nats-server {} or newer; versions before 2.10 refuse them.\n\n\
         server_name: {}\n",
        join.server,
        join.chat,
        NatsVersion::OLDEST,
        join.server
    );
    let tls = tls(places)?;
    conf += &own.map(|own| listen(own, join.ports.engine, "client_advertise")).unwrap_or_default();
    // Writing to a string does not fail.
    let _ = write!(
        conf,
        "max_payload: {ENGINE_PAYLOAD_BYTES}\n\n\
         # Only certificates of this chat get in, and each is a user of its own.\n\
         tls {{\n{tls}  verify_and_map: true\n}}\n\n\
         jetstream {{\n  \
         store_dir: {}\n  \
         # Nothing counts as stored until it is on the disk. Without this, a power cut loses messages that people\n  \
         # have a receipt for.\n  \
         sync_interval: always\n  \
         max_file: {ENGINE_STORE_BYTES}\n\
         }}\n\n{}",
        quoted(&places.store)?,
        accounts(join.servers.as_slice())
    );
    if let (Some(own), [_, _, ..]) = (own, join.servers.as_slice()) {
        conf += &cluster(join, own, &tls);
    }
    Ok(conf)
}

/// The address to listen on: the server's own, which keeps other networks of the machine out, or all if it has
/// only a name.
fn listen(own: &ClusterServer, port: u16, advertise: &str) -> String {
    match own.host.address() {
        Some(_) => format!("listen: \"{}\"\n", own.host.with_port(port)),
        // Others are to come by this name, as the certificate has no address.
        None => {
            format!("listen: \"0.0.0.0:{port}\"\n{advertise}: \"{}\"\n", own.host.with_port(port))
        }
    }
}

/// The users, who are the servers, and what they may ask: with one connection, lanchat uses the log and checks
/// the settings.
fn accounts(servers: &[ClusterServer]) -> String {
    let list = |item: &dyn Fn(&str) -> String| QUESTIONS.map(item).join(",\n      ");
    let exports = list(&|subject| format!("{{ service: \"{subject}\", response_type: stream }}"));
    let imports = list(&|subject| format!("{{ service: {{ account: SYS, subject: \"{subject}\" }} }}"));
    let users: Vec<String> =
        servers.iter().map(|server| format!("{{ user: \"CN={}\" }}", server.name)).collect();
    format!(
        "system_account: SYS\n\
         accounts {{\n  \
         SYS {{\n    exports: [\n      {exports}\n    ]\n  }}\n  \
         CHAT {{\n    jetstream: enabled\n    users: [ {} ]\n    imports: [\n      {imports}\n    ]\n  }}\n\
         }}\n",
        users.join(", ")
    )
}

/// The other engines.
fn cluster(join: &JoinFile, own: &ClusterServer, tls: &str) -> String {
    let others = join.servers.as_slice().iter().filter(|other| other.name != own.name);
    let routes: Vec<String> = others
        .map(|other| format!("    \"nats-route://{}\"\n", other.host.with_port(join.ports.routes)))
        .collect();
    let listen = listen(own, join.ports.routes, "advertise").replace('\n', "\n  ");
    format!(
        "\ncluster {{\n  \
         name: lanchat\n  \
         {listen}\
         # lanchat knows all engines; it needs none of their other addresses.\n  \
         no_advertise: true\n  \
         routes: [\n{}  ]\n  \
         tls {{\n{}    verify: true\n  }}\n\
         }}\n",
        routes.concat(),
        tls.lines().map(|line| format!("  {line}\n")).collect::<String>()
    )
}

fn tls(places: &ConfPlaces) -> Result<String, UnusualPath> {
    let ConfPlaces { ca, certificate, key, .. } = places;
    Ok(format!(
        "  cert_file: {}\n  key_file: {}\n  ca_file: {}\n",
        quoted(certificate)?,
        quoted(key)?,
        quoted(ca)?
    ))
}

/// A path in quotes, in which a backslash escapes.
fn quoted(path: &Path) -> Result<String, UnusualPath> {
    match path.to_str() {
        Some(text) if !text.contains(char::is_control) => {
            Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
        }
        _ => Err(UnusualPath(path.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster_files::{ClusterPorts, ServerList};
    use crate::security::EngineIdentity;
    use zeroize::Zeroizing;

    fn conf(servers: &str, store: &str) -> Result<String, UnusualPath> {
        let servers: Vec<_> = servers.split(' ').map(|text| text.parse().unwrap()).collect();
        let join = JoinFile {
            chat: "office".into(),
            server: "a".parse().unwrap(),
            servers: ServerList::new(servers).unwrap(),
            ports: ClusterPorts { chat: 7667, engine: 4222, routes: 6222 },
            history_from: None,
            passphrase: Zeroizing::default(),
            chat_key: Zeroizing::default(),
            authority: String::new(),
            identity: EngineIdentity { certificate: String::new(), key: Zeroizing::default() },
        };
        let [ca, certificate, key] = ["/n/ca.pem", "/n/cert.pem", "/n/key.pem"].map(PathBuf::from);
        nats_conf(&join, &ConfPlaces { ca, certificate, key, store: store.into() })
    }

    #[test]
    fn three_servers_listen_on_their_own_addresses_and_know_the_others() {
        let conf = conf("a=10.0.0.1 b=fd00::2 c=chat-c", "/s").unwrap();
        assert!(conf.contains("\nlisten: \"10.0.0.1:4222\"\n"), "{conf}");
        assert!(conf.contains("\n  listen: \"10.0.0.1:6222\"\n"), "{conf}");
        assert!(
            conf.contains("\"nats-route://[fd00::2]:6222\"") && conf.contains("//chat-c:6222\""),
            "{conf}"
        );
        assert!(!conf.contains("nats-route://10.0.0.1"), "{conf}");
        assert!(conf.contains("  sync_interval: always\n"), "{conf}");
        assert!(
            conf.contains("users: [ { user: \"CN=a\" }, { user: \"CN=b\" }, { user: \"CN=c\" } ]"),
            "{conf}"
        );
        assert_eq!(conf.matches("cert_file: \"/n/cert.pem\"\n").count(), 2, "{conf}");
    }

    #[test]
    fn a_server_with_a_name_listens_everywhere_and_others_come_by_the_name() {
        let conf = conf("a=chat-a b=chat-b c=chat-c", "/s").unwrap();
        let own = "listen: \"0.0.0.0:4222\"\nclient_advertise: \"chat-a:4222\"\n";
        assert!(conf.contains(own), "{conf}");
        assert!(conf.contains("  listen: \"0.0.0.0:6222\"\n  advertise: \"chat-a:6222\"\n"), "{conf}");
    }

    #[test]
    fn one_server_has_no_cluster() {
        let conf = conf("a=10.0.0.1", "/s").unwrap();
        assert!(!conf.contains("cluster {") && conf.contains("verify_and_map: true"), "{conf}");
    }

    #[test]
    fn odd_paths_are_escaped_or_refused() {
        let with = |store: &str| conf("a=10.0.0.1", store);
        assert!(with("C:\\it's \"x\"").unwrap().contains("store_dir: \"C:\\\\it's \\\"x\\\"\"\n"));
        assert!(with("/a\nb").unwrap_err().to_string().contains("choose a directory"));
    }
}
