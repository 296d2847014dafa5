//! Somebody in between, with a key of their own: what they learn, and what both ends notice.

use super::ends::{Bind, Proven, enter, serve};
use super::impostor::{Impostor, Role};
use crate::support::relay::{Heard, Relay};
use crate::support::server::TestServer;
use crate::support::soon;
use crate::support::terminal::{Home, LANCHAT};
use lanchat::fingerprint::Fingerprint;
use lanchat::security::{Binding, ClientTls, Expect, HandshakeError, Keypair, Passphrase};
use lanchat::server::{JoinPolicy, KEY_FILE, ServerOptions};
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use tokio::net::TcpStream;

/// What the server says to who has proved themselves.
const SECRET: &str = "the meeting is at noon";

fn encrypted(change: impl FnOnce(&mut ServerOptions)) -> TestServer {
    TestServer::with(|options| {
        options.plaintext = false;
        change(options);
    })
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let deadline = tokio::time::Duration::from_secs(20);
    runtime.unwrap().block_on(async { tokio::time::timeout(deadline, work).await.expect("an end in time") })
}

/// A closed server and a client that has never seen it, with somebody in between, who may have stolen
/// the server's key.
fn entrance(bind: Bind, is_stolen: bool) -> (Proven, Result<String, String>, Heard) {
    block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("server.pem");
        let servers = Keypair::load_or_create(&file).unwrap();
        let stolen = Keypair::load(&file).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, servers, bind, SECRET));
        let relay = if is_stolen { Relay::with_key(address, stolen) } else { Relay::to(address) };
        let entered = enter(relay.address, &Keypair::ephemeral().unwrap(), bind).await;
        let heard = relay.heard();
        (serving.await.unwrap(), entered, heard)
    })
}

#[test]
fn a_passphrase_is_of_no_use_to_somebody_in_between() {
    for is_stolen in [false, true] {
        let (server, client, heard) = entrance(Binding::new, is_stolen);
        assert!(server.is_err(), "the server lets in who is in between; stolen: {is_stolen}");
        assert!(client.is_err(), "the client trusts who is in between; stolen: {is_stolen}");
        // They did stand in between, and passed the proof on.
        assert!(heard.client.len() >= 65 && heard.server.len() >= 33 && !heard.has(SECRET), "{heard:?}");
    }
}

#[test]
fn without_the_binding_somebody_in_between_reads_along() {
    // The control: what the other test sees can fail.
    let (server, client, heard) = entrance(|_, _| Binding::none(), false);
    assert_eq!((server, client), (Ok(()), Ok(SECRET.to_owned())));
    assert!(heard.has(SECRET));
}

#[test]
fn without_anybody_in_between_the_same_ends_agree() {
    let (server, client) = block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, Keypair::ephemeral().unwrap(), Binding::new, SECRET));
        let entered = enter(address, &Keypair::ephemeral().unwrap(), Binding::new).await;
        (serving.await.unwrap(), entered)
    });
    assert_eq!((server, client), (Ok(()), Ok(SECRET.to_owned())));
}

#[test]
fn a_client_that_knows_the_key_shows_nothing_of_its_own() {
    let known = Keypair::ephemeral().unwrap().fingerprint();
    let server = encrypted(|_| {});
    let relay = Relay::to(server.address);
    let refused = block_on(async {
        let stream = TcpStream::connect(relay.address).await.unwrap();
        let tls = ClientTls::new(&Keypair::ephemeral().unwrap()).unwrap();
        tls.connect(stream, &Expect::Only(vec![known])).await.map(|_| ())
    });
    assert!(matches!(refused, Err(HandshakeError::WrongKey { presented }) if presented == relay.key));
    let heard = soon::until(|| Some(relay.heard()).filter(|heard| heard.refusals == 1));
    // Not even its key.
    assert_eq!((heard.connections, heard.client.len(), heard.keys.len()), (1, 0, 0));
}

/// `lanchat send`, which says `text` to all at that address.
fn send(home: &Home, address: SocketAddr, args: &[&str], text: &str) -> Output {
    let host = address.to_string();
    let mut command = Command::new(LANCHAT);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
        command.env_remove(name);
    }
    command.envs(home.env()).args(["send", "--no-discovery", "--host", &host, "--name", "alice"]);
    command.args(args).arg(text).stdin(Stdio::null()).output().expect("the program")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A program that knows the server, by a pin or by an option.
#[test]
fn the_program_refuses_whoever_has_another_key_than_the_server_it_knows() {
    let (server, home) = (encrypted(|_| {}), Home::new());
    let relay = Relay::to(server.address);
    let key = Fingerprint::from_id(&server.id).unwrap().to_string();
    let strict = send(&home, relay.address, &["--fingerprint", &key], SECRET);
    assert_eq!(strict.status.code(), Some(5), "{}", errors(&strict));
    assert!(errors(&strict).starts_with("REFUSED"), "{}", errors(&strict));
    let heard = relay.heard();
    assert_eq!((heard.connections, heard.client.len(), heard.keys.len()), (1, 0, 0), "{heard:?}");
    // Pinned at the first contact, without an option.
    assert!(send(&home, server.address, &[], "hello").status.success());
    let pinned = send(&home, relay.address, &[], SECRET);
    assert_eq!(pinned.status.code(), Some(5), "{}", errors(&pinned));
    assert!(errors(&pinned).contains("REFUSED: \"test\"") && errors(&pinned).contains("lanchat trust"));
    // It was asked which server it is, and was told nothing.
    let heard = relay.heard();
    assert!(!heard.has("alice") && !heard.has(SECRET) && !heard.has("hello"), "{heard:?}");
}

#[test]
fn at_the_first_contact_nobody_is_verified_and_the_true_server_is_an_alarm_later() {
    let (server, home) = (encrypted(|_| {}), Home::new());
    let relay = Relay::to(server.address);
    let first = send(&home, relay.address, &[], "to whom it may concern");
    assert!(first.status.success(), "{}", errors(&first));
    assert!(errors(&first).contains("Not verified yet"), "{}", errors(&first));
    assert!(errors(&first).contains(&relay.key.to_string()), "{}", errors(&first));
    assert!(relay.heard().has("to whom it may concern"), "who nobody compared reads along");
    let later = send(&home, server.address, &[], SECRET);
    assert_eq!(later.status.code(), Some(5), "{}", errors(&later));
    assert!(errors(&later).starts_with("REFUSED: \"test\""), "{}", errors(&later));
    assert!(errors(&later).contains(&relay.key.spoken()), "{}", errors(&later));
}

#[test]
fn the_program_and_a_closed_server_both_notice_who_is_in_between() {
    for is_stolen in [false, true] {
        let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
        let word = "a long enough secret";
        let server = encrypted(|options| {
            options.data_dir = Some(dir.path().into());
            options.access = JoinPolicy::Closed(Passphrase::new(word).unwrap());
        });
        let relay = match is_stolen {
            true => Relay::with_key(server.address, Keypair::load(&dir.path().join(KEY_FILE)).unwrap()),
            false => Relay::to(server.address),
        };
        let file = home.path().join("passphrase");
        std::fs::write(&file, word).unwrap();
        let args = ["--passphrase-file", file.to_str().unwrap()];
        let refused = send(&home, relay.address, &args, SECRET);
        assert_eq!(refused.status.code(), Some(5), "{}", errors(&refused));
        assert!(
            errors(&refused).contains("someone may be between you and the server"),
            "{}",
            errors(&refused)
        );
        let heard = relay.heard();
        assert!(heard.has("\"pake\"") && heard.has("bad_passphrase"), "{heard:?}");
        assert!(!heard.has(SECRET), "{heard:?}");
        assert_eq!(server.handle.users(), 0);
        // The same without anybody in between: the passphrase was right.
        let entered = send(&home, server.address, &args, SECRET);
        assert!(entered.status.success(), "{}", errors(&entered));
    }
}

#[test]
fn who_has_a_passphrase_is_not_fooled_by_a_server_that_asks_for_none() {
    // Whoever is in between plays an open server, and the client has never met the true one.
    let (server, home) = (encrypted(|_| {}), Home::new());
    let relay = Relay::to(server.address);
    let file = home.path().join("passphrase");
    std::fs::write(&file, "a long enough secret").unwrap();
    let refused = send(&home, relay.address, &["--passphrase-file", file.to_str().unwrap()], SECRET);
    assert_eq!(refused.status.code(), Some(5), "{}", errors(&refused));
    assert!(errors(&refused).contains("did not ask for the passphrase"), "{}", errors(&refused));
    assert!(!relay.heard().has(SECRET));
}

#[test]
fn whoever_asks_for_proofs_gets_one_guess_at_the_passphrase() {
    let (home, key) = (Home::new(), Keypair::ephemeral().unwrap());
    let id = key.fingerprint().id();
    let role = Role { id, name: "test".into(), is_announced: false, guesses: true };
    let impostor = Impostor::start_here(role, key);
    let file = home.path().join("passphrase");
    std::fs::write(&file, "a long enough secret").unwrap();
    let mut command = Command::new(LANCHAT);
    command.envs(home.env()).args([
        "send",
        "--no-discovery",
        "--host",
        &format!("127.0.0.1:{}", impostor.port),
    ]);
    // With no name of their own choosing, people take another one.
    command.args(["--passphrase-file", file.to_str().unwrap(), SECRET]).env("USER", "alice");
    let refused = command.stdin(Stdio::null()).output().expect("the program");
    assert_eq!(refused.status.code(), Some(5), "{}", errors(&refused));
    assert!(errors(&refused).contains("someone may be between you and the server"), "{}", errors(&refused));
    let proofs = impostor.heard().iter().filter(|packet| packet["type"] == "pake").count();
    assert_eq!(proofs, 1);
}

/// A name that leads to another server is an alarm, whatever that calls itself and wherever it is.
#[test]
fn a_host_name_that_leads_elsewhere_is_refused_inside_the_handshake() {
    let home = Home::new();
    let named = |name: &str| {
        TestServer::with(|options| {
            options.plaintext = false;
            options.name = name.into();
        })
    };
    let mut office = named("office");
    let port = office.address.port();
    let to = |text: &str| {
        let mut command = Command::new(LANCHAT);
        command.envs(home.env()).args(["send", "--no-discovery", "--name", "alice", "--host"]);
        command.args([&format!("localhost:{port}"), text]).stdin(Stdio::null());
        command.output().expect("the program")
    };
    assert!(to("hello").status.success());
    office.stop();
    // Its pin knows the address as well: it is taken away, as if the true server were elsewhere.
    let pins = home.state().join("known_servers");
    let text = std::fs::read_to_string(&pins).unwrap();
    assert!(text.contains(&format!("localhost:{port}")), "{text}");
    std::fs::write(&pins, text.replace("127.0.0.1:", "10.9.9.9:").replace("[::1]:", "10.9.9.9:")).unwrap();
    let other = TestServer::with(|options| {
        options.plaintext = false;
        options.name = "quite another".into();
        options.port = port;
    });
    let refused = to(SECRET);
    assert_eq!(refused.status.code(), Some(5), "{}", errors(&refused));
    assert!(errors(&refused).starts_with("REFUSED"), "{}", errors(&refused));
    assert_eq!(other.handle.connections(), 0);
}
