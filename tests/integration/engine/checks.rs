//! An engine that could lose records is refused, with what to do about it.

use super::reader::TestNode;
use super::servers::{Setup, nats, old_nats};
use lanchat::engine::EngineEvent;
use lanchat::engine::nats::{Create, EngineConfig, EngineStatus, TlsFiles, start};
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;

async fn refused(config: EngineConfig) -> String {
    start(config, Create::IfAbsent).await.expect_err("a refusal").to_string()
}

#[tokio::test]
async fn an_old_server_is_refused() {
    let Some(nats) = old_nats() else { return };
    let why = refused(nats.config("chat", 0)).await;
    assert!(why.ends_with("install nats-server 2.10.23 or newer"), "{why}");
}

#[tokio::test]
async fn a_server_that_says_it_is_old_is_refused() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", server.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in server.incoming().map_while(Result::ok) {
            let _ = stream.write_all(
                b"INFO {\"server_name\":\"x\",\"version\":\"2.9.10\",\"max_payload\":1048576}\r\n",
            );
        }
    });
    let why = refused(EngineConfig::new(vec![url.clone()], "chat", 0)).await;
    assert!(why.starts_with(&format!("the engine's server at {url} runs nats-server 2.9.10")), "{why}");
}

#[tokio::test]
async fn a_server_that_does_not_sync_is_refused_if_its_monitoring_port_says_so() {
    let Some(nats) = nats(&Setup { jetstream: Some(String::new()), ..Setup::default() }) else { return };
    let config = nats.config("chat", 0);
    let why = refused(config.clone()).await;
    assert!(why.contains("set sync_interval: always"), "{why}");
    let blind = EngineConfig { monitors: Vec::new(), ..config };
    let node = TestNode::start(blind).await;
    let warned =
        node.warnings.iter().any(|warning| warning.starts_with("cannot check that the engine syncs"));
    assert!(warned, "{:?}", node.warnings);
}

/// Lets the clients of a server ask it for its settings, as the settings that `lanchat cluster join` writes do.
const MAY_ASK: &str = "system_account: SYS
accounts {
  SYS { exports: [ { service: \"$SYS.REQ.SERVER.PING.VARZ\", response_type: stream } ] }
  CHAT {
    jetstream: enabled
    users: [ { user: u, password: p } ]
    imports: [ { service: { account: SYS, subject: \"$SYS.REQ.SERVER.PING.VARZ\" } } ]
  }
}
no_auth_user: u";

#[tokio::test]
async fn servers_say_over_the_connection_whether_they_sync() {
    for (jetstream, syncs) in [("sync_interval: always", true), ("sync_interval: 2m", false)] {
        let setup =
            Setup { jetstream: Some(jetstream.to_owned()), more: MAY_ASK.to_owned(), ..Setup::default() };
        let Some(nats) = nats(&setup) else { return };
        let config = EngineConfig { monitors: Vec::new(), ..nats.config("chat", 0) };
        let status = EngineStatus::ask(&config).await.unwrap();
        if syncs {
            let node = TestNode::start(config).await;
            let cannot = node.warnings.iter().find(|warning| warning.starts_with("cannot check"));
            assert_eq!((cannot, status.faults), (None, Vec::new()));
        } else {
            assert!(status.faults[0].contains("set sync_interval: always"), "{:?}", status.faults);
            let why = refused(config).await;
            assert!(why.starts_with("the engine's server n0 acknowledges records before"), "{why}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_not_as_configured_is_refused() {
    let Some(nats) = nats(&Setup::default()) else { return };
    let stream = r#"{"name":"lanchat-chat","subjects":["lanchat.chat.log"],"storage":"memory","num_replicas":1,
        "retention":"limits","discard":"old"}"#;
    nats.request("$JS.API.STREAM.CREATE.lanchat-chat", stream).await;
    assert!(refused(nats.config("chat", 0)).await.contains("is in memory"));
    drop(TestNode::start(nats.config("other", 0)).await);
    let why = refused(EngineConfig { replicas: 3, ..nats.config("other", 0) }).await;
    assert!(why.contains("has 1 replicas, and this server's configuration 3"), "{why}");
    let why = refused(EngineConfig { replicas: 2, ..nats.config("other", 0) }).await;
    assert!(why.contains("use 1, 3 or 5"), "{why}");
}

#[tokio::test]
async fn a_server_that_takes_small_messages_only_is_refused() {
    let Some(nats) = nats(&Setup { more: "max_payload: 64KB".to_owned(), ..Setup::default() }) else {
        return;
    };
    let why = refused(nats.config("chat", 0)).await;
    assert!(why.contains("set max_payload: 1MB"), "{why}");
}

#[tokio::test]
async fn an_engine_without_jetstream_is_unreachable() {
    let Some(nats) = nats(&Setup { jetstream: None, ..Setup::default() }) else { return };
    let mut node = TestNode::start(nats.config("chat", 0)).await;
    let told = node.next().await;
    let EngineEvent::Unreachable(why) = told else { panic!("{told:?}") };
    assert!(why.contains("add jetstream {}"), "{why}");
}

#[tokio::test]
async fn an_engine_that_starts_later_is_used_then() {
    let Some(mut nats) = nats(&Setup::default()) else { return };
    nats.servers[0].kill();
    let mut node = TestNode::start(nats.config("chat", 0)).await;
    assert!(
        node.warnings.iter().any(|warning| warning.contains("cannot reach the engine")),
        "{:?}",
        node.warnings
    );
    nats.servers[0].restart();
    node.wait_for(|event| *event == EngineEvent::Reachable).await;
    node.append_up_to(1, 10, |_| {}).await;
}

#[tokio::test]
async fn the_status_shows_servers_and_log() {
    let Some(nats) = nats(&Setup::default()) else { return };
    let mut node = TestNode::start(nats.config("chat", 0)).await;
    node.append_up_to(1, 10, |_| {}).await;
    let status = EngineStatus::ask(&nats.config("chat", 1)).await.unwrap();
    let (name, version) = status.servers[0].answer.clone().unwrap();
    assert!(name == "n0" && version.starts_with("2."), "{name} {version}");
    let log = status.log.unwrap();
    assert_eq!((log.stream.as_str(), log.first, log.last), ("lanchat-chat", 1, 10));
    assert!(log.bytes > 0);
    assert_eq!((status.faults, status.warnings), (Vec::new(), Vec::new()));
    drop(nats);
    let config = EngineConfig::new(vec!["nats://127.0.0.1:1".to_owned()], "chat", 0);
    let status = EngineStatus::ask(&config).await.unwrap();
    assert!(status.log.is_err() && status.servers[0].answer.is_err());
}

/// Writes an authority, a server's and a node's certificate, and returns the lines for the server.
fn certify(dir: &Path) -> String {
    let authority = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(params, authority).unwrap();
    std::fs::write(dir.join("ca.pem"), authority.pem()).unwrap();
    for name in ["server", "node"] {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        std::fs::write(dir.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(dir.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
    let [ca, certificate, key] = ["ca.pem", "server.pem", "server.key"].map(|name| dir.join(name));
    format!(
        "tls {{ ca_file: {ca:?}, cert_file: {certificate:?}, key_file: {key:?}, verify: true, timeout: 5 }}"
    )
}

#[tokio::test]
async fn both_ends_prove_who_they_are_if_tls_is_configured() {
    let dir = tempfile::tempdir().unwrap();
    let Some(nats) = nats(&Setup { more: certify(dir.path()), ..Setup::default() }) else { return };
    let files = |certificate: &str| TlsFiles {
        authority: dir.path().join("ca.pem"),
        certificate: dir.path().join(format!("{certificate}.pem")),
        key: dir.path().join(format!("{certificate}.key")),
    };
    let config = EngineConfig { tls: Some(files("node")), ..nats.config("chat", 0) };
    let mut node = TestNode::start(config).await;
    assert_eq!(node.warnings, Vec::<String>::new());
    node.append_up_to(1, 10, |_| {}).await;
    // Neither a client without a certificate nor one of another authority gets in.
    let status = EngineStatus::ask(&nats.config("chat", 1)).await.unwrap();
    assert!(status.log.is_err(), "{status:?}");
    let mut stranger = TestNode::start(nats.config("chat", 1)).await;
    let told = stranger.next().await;
    let EngineEvent::Unreachable(why) = told else { panic!("{told:?}") };
    assert!(why.contains("does not let this server in") && why.contains("check the certificates"), "{why}");
    let foreign = tempfile::tempdir().unwrap();
    certify(foreign.path());
    let mut tls = files("node");
    (tls.certificate, tls.key) = (foreign.path().join("node.pem"), foreign.path().join("node.key"));
    let status = EngineStatus::ask(&EngineConfig { tls: Some(tls), ..nats.config("chat", 1) }).await.unwrap();
    assert!(status.log.is_err(), "{status:?}");
    let mut tls = files("node");
    tls.authority = foreign.path().join("ca.pem");
    let status = EngineStatus::ask(&EngineConfig { tls: Some(tls), ..nats.config("chat", 1) }).await.unwrap();
    assert!(status.log.is_err(), "{status:?}");
}
