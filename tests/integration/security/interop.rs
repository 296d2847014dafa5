//! Programs that nobody here wrote speak with the server: openssl, and Python's standard library.

use crate::support::peer::DEADLINE;
use crate::support::server::TestServer;
use crate::support::tls::stubborn_client;
use crate::support::tools::{Talk, has_tools, run};
use lanchat::fingerprint::Fingerprint;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

const TOOLS: [(&str, &str); 3] = [("openssl", "version"), ("python3", "--version"), ("basenc", "--version")];

/// How the documentation computes a fingerprint out of a certificate on standard input.
const FINGERPRINT: &str = "openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER \
    | openssl dgst -sha256 -binary | basenc --base64url";

fn server() -> TestServer {
    TestServer::with(|options| options.plaintext = false)
}

/// The server's key, as people write it.
fn key_of(server: &TestServer) -> String {
    Fingerprint::from_id(&server.id).expect("a server's id is its key").to_string()
}

/// A key of that kind and a certificate with it, as `NAME.key` and `NAME.pem`; the result is the
/// fingerprint as openssl sees it.
fn make_key(folder: &Path, name: &str, kind: &str) -> String {
    let make = format!(
        "openssl req -x509 -newkey {kind} -nodes -keyout {name}.key -out {name}.pem -subj /CN={name} -days 2 \
         && cat {name}.pem | {FINGERPRINT}"
    );
    let printed = run(Command::new("sh").args(["-c", &make]).current_dir(folder));
    fingerprint(&printed)
}

fn fingerprint(printed: &str) -> String {
    format!("SHA256:{}", printed.trim().trim_end_matches('='))
}

const P256: &str = "ec -pkeyopt ec_paramgen_curve:P-256";

/// `openssl s_client`, in `folder`, with further arguments.
fn s_client(server: &TestServer, folder: &Path, args: &str) -> Command {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-connect", &server.address.to_string()]);
    command.args(args.split_whitespace()).current_dir(folder);
    command
}

fn python(server: &TestServer, folder: &Path, pin: &str, args: &[&str]) -> Command {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/security/client.py");
    let mut command = Command::new("python3");
    command.args([script, &server.address.ip().to_string(), &server.address.port().to_string(), pin]);
    command.args(args).current_dir(folder);
    command
}

fn hello(name: &str) -> Value {
    json!({"type": "hello", "v": 1, "from": {"name": name}, "to": "server", "msg": ""})
}

#[test]
fn openssl_and_python_chat_with_the_keys_that_they_know() {
    if !has_tools(&TOOLS) {
        return;
    }
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    let (alices, bobs) = (make_key(folder, "alice", P256), make_key(folder, "bob", "ed25519"));
    let mut alice =
        Talk::start(&mut s_client(&server, folder, "-alpn lanchat/1 -cert alice.pem -key alice.key"));
    let mut bob = Talk::start(&mut python(&server, folder, &key_of(&server), &["bob.pem", "bob.key"]));
    alice.send(&hello("alice"));
    assert_eq!(alice.wait_for("welcome")["key"], alices);
    bob.send(&hello("bob"));
    assert_eq!(bob.wait_for("welcome")["key"], bobs);
    alice.send(&json!({"to": "bob", "msg": "from openssl", "id": "1"}));
    assert_eq!(alice.wait_for("sent")["id"], "1");
    let chat = bob.wait_for("chat");
    assert_eq!((&chat["msg"], &chat["from"]["name"]), (&json!("from openssl"), &json!("alice")));
    assert_eq!(chat["from"]["key"].as_str().unwrap(), &alices["SHA256:".len()..][..8]);
    bob.send(&json!({"to": "all", "msg": "from Python", "id": "2"}));
    assert_eq!(bob.wait_for("sent")["id"], "2");
    assert_eq!(alice.wait_for("chat")["msg"], "from Python");
}

#[test]
fn both_may_come_without_a_key() {
    if !has_tools(&TOOLS) {
        return;
    }
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    // Not even a protocol's name is needed.
    let mut alice = Talk::start(&mut s_client(&server, folder.path(), ""));
    let mut bob = Talk::start(&mut python(&server, folder.path(), &key_of(&server), &[]));
    for (client, name) in [(&mut alice, "alice"), (&mut bob, "bob")] {
        client.send(&hello(name));
        assert_eq!(client.wait_for("welcome")["key"], Value::Null);
    }
    alice.send(&json!({"to": "bob", "msg": "hi"}));
    let chat = bob.wait_for("chat");
    assert_eq!((&chat["msg"], &chat["from"]["key"]), (&json!("hi"), &Value::Null));
}

#[test]
fn openssl_computes_the_servers_fingerprint_as_it_is_documented() {
    if !has_tools(&TOOLS) {
        return;
    }
    let server = server();
    let command =
        format!("openssl s_client -connect {} </dev/null 2>/dev/null | {FINGERPRINT}", server.address);
    assert_eq!(fingerprint(&run(Command::new("sh").args(["-c", &command]))), key_of(&server));
}

#[test]
fn python_refuses_a_server_with_another_key_and_says_nothing_to_it() {
    if !has_tools(&TOOLS) {
        return;
    }
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let mut client = Talk::start(&mut python(&server, folder.path(), "SHA256:another", &[]));
    client.send(&hello("alice"));
    let (packets, errors) = client.end();
    assert_eq!(errors.trim(), format!("refused: {}", key_of(&server)));
    assert_eq!((packets, server.handle.users()), (Vec::new(), 0));
}

#[test]
fn what_is_not_spoken_here_is_refused_with_the_right_alert() {
    if !has_tools(&TOOLS) {
        return;
    }
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    make_key(folder, "one", P256);
    make_key(folder, "two", P256);
    make_key(folder, "large", "ec -pkeyopt ec_paramgen_curve:P-384");
    // RFC 8446 6: protocol_version is 70, no_application_protocol 120.
    for (args, alert) in [
        ("-tls1_2", "alert number 70"),
        ("-tls1_2 -alpn lanchat/1", "alert number 70"),
        ("-alpn http/1.1", "alert number 120"),
        ("-alpn h2,http/1.1", "alert number 120"),
        ("-cert one.pem -key one.key -cert_chain two.pem", "alert number"),
    ] {
        let mut client = Talk::start(&mut s_client(&server, folder, args));
        client.try_send(&hello("alice"));
        let (packets, errors) = client.end();
        assert!(errors.contains(alert), "{args}: {errors}");
        assert!(packets.is_empty(), "{args}: {packets:?}");
    }
    assert_eq!(server.handle.users(), 0);
}

#[test]
fn openssl_may_ask_for_new_keys_at_any_time() {
    if !has_tools(&TOOLS) {
        return;
    }
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &server.address.to_string(), "-alpn", "lanchat/1"]);
    let mut client = Talk::start(command.current_dir(folder.path()));
    client.send(&hello("alice"));
    client.wait_for("welcome");
    for n in 0..3 {
        // The server is to change its keys as well (RFC 8446 4.6.3). What openssl reads together with that
        // line it drops.
        client.say("K");
        let packet = json!({"to": "all", "msg": "with new keys", "id": n.to_string()});
        assert_eq!(client.ask(&packet, "sent")["id"], n.to_string());
    }
}

/// Without a key that will do, openssl shows none.
#[test]
fn a_key_of_another_kind_is_not_shown() {
    if !has_tools(&TOOLS) {
        return;
    }
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    make_key(folder, "rsa", "rsa:2048");
    make_key(folder, "large", "ec -pkeyopt ec_paramgen_curve:P-384");
    for name in ["rsa", "large"] {
        let args = format!("-cert {name}.pem -key {name}.key");
        let mut client = Talk::start(&mut s_client(&server, folder, &args));
        client.send(&hello(name));
        assert_eq!(client.wait_for("welcome")["key"], Value::Null, "{name}");
    }
}

#[test]
fn a_key_of_another_kind_that_is_shown_all_the_same_is_refused() {
    if !has_tools(&TOOLS) {
        return;
    }
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    for (name, kind) in
        [("rsa", "rsa:2048"), ("large", "ec -pkeyopt ec_paramgen_curve:P-384"), ("fine", P256)]
    {
        make_key(folder, name, kind);
        for (form, kind, file) in [("x509", "pem", "cert"), ("pkey", "key", "key")] {
            let convert = format!("openssl {form} -in {name}.{kind} -outform DER -out {name}.{file}.der");
            run(Command::new("sh").args(["-c", &convert]).current_dir(folder));
        }
        let read = |file: &str| std::fs::read(folder.join(format!("{name}.{file}.der"))).unwrap();
        let mut tls = stubborn_client(read("cert"), read("key"));
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut wire = rustls::Stream::new(&mut tls, &mut stream);
        let said = wire.write_all(format!("{}\n", hello(name)).as_bytes());
        let mut line = String::new();
        let heard = said.and_then(|()| BufReader::new(wire).read_line(&mut line));
        if name == "fine" {
            assert!(line.contains("welcome") && line.contains("SHA256:"), "{line}");
            continue;
        }
        let error = heard.expect_err(name).to_string();
        assert!(error.contains("alert") && line.is_empty(), "{name}: {error} {line}");
    }
}
