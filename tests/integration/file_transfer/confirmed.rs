//! The server is killed after the receiver has everything, and before the sender knows.

use super::*;

/// The start of the content of the record with which a receiver confirms.
const CONFIRMATION: &[u8] = b"{\"bytes\":";

/// A transfer of plan.pdf whose confirmation is lost with the server, which starts again at once.
struct Unconfirmed {
    _server: Serve,
    alice: User,
    bob: User,
    sending: Running,
    receiving: Running,
    /// The path of the received file.
    path: PathBuf,
}

impl Unconfirmed {
    fn new(args: &[&str], before_restart: impl FnOnce(&Path)) -> Self {
        let mut server = Serve::start(&[]);
        let (alice, bob) = (User::new("alice"), User::new("bob"));
        let ways = [Proxy::to(server.address), Proxy::to(server.address)];
        ways[1].lose(CONFIRMATION);
        alice.file("plan.pdf", noise(300_000));
        let receiving = receiver(&bob, ways[1].address, &[&["--plaintext", "--yes-to-all"], args].concat());
        let args = ["--json", "--plaintext", "--to", "bob", "--file", "plan.pdf", "--wait", "30s"];
        let sending = Running::start(&mut alice.command("send", ways[0].address, &args));
        until(|| (!ways[1].is_to_lose()).then_some(()));
        server.kill_and_restart();
        let received = receiving.event("received");
        assert_eq!(received["already"], Value::Null);
        let path: PathBuf = received["path"].as_str().unwrap().into();
        before_restart(&path);
        ways.iter().for_each(|way| way.lead_to(server.address));
        Self { _server: server, alice, bob, sending, receiving, path }
    }

    /// The sender learns that all is there, and the receiver says nothing twice.
    fn check(&mut self) {
        let sent = self.sending.event("sent");
        assert_eq!((&sent["name"], &sent["already"]), (&json!("bob"), &Value::Null));
        assert!(self.sending.child.wait().unwrap().success());
    }

    fn said_again(&self) -> Vec<Value> {
        self.receiving.events.try_iter().filter(|event| event["type"] == "received").collect()
    }
}

#[test]
fn a_receiver_of_one_file_waits_for_the_server_and_confirms_again() {
    let mut transfer = Unconfirmed::new(&["--once"], |_| {});
    transfer.check();
    assert!(transfer.receiving.child.wait().unwrap().success());
    assert_eq!(transfer.said_again(), Vec::<Value>::new());
    assert_eq!(tree(&transfer.bob.files()), tree(&transfer.alice.files()));
}

#[test]
fn a_receiver_that_stays_confirms_again_even_if_its_user_has_moved_the_file() {
    let moved = |path: &Path| path.with_file_name("moved.pdf");
    let mut transfer = Unconfirmed::new(&[], |path| fs::rename(path, moved(path)).unwrap());
    transfer.check();
    // What comes next is told, so nothing was told before.
    transfer.alice.file("next", "next");
    let args = ["--plaintext", "--to", "bob", "--file", "next"];
    assert_done(&transfer.alice.send(transfer._server.address, &args));
    let next = transfer.receiving.event("received");
    assert!(next["path"].as_str().unwrap().ends_with("next"), "{next}");
    assert_eq!(tree(&transfer.bob.files()).into_keys().collect::<Vec<_>>(), ["moved.pdf", "next"]);
    assert!(!transfer.path.exists());
}

#[test]
fn an_offer_of_what_is_here_says_so_on_both_sides_and_is_no_second_line() {
    let server = TestServer::start();
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    alice.file("plan.pdf", "plan");
    let running = receiver(&bob, server.address, &["--yes-to-all"]);
    let send = || {
        let mut command =
            alice.command("send", server.address, &["--json", "--to", "bob", "--file", "plan.pdf"]);
        let mut sending = Running::start(&mut command);
        let sent = sending.event("sent");
        assert!(sending.child.wait().unwrap().success());
        sent["already"].clone()
    };
    assert_eq!((send(), running.event("received")["already"].clone()), (Value::Null, Value::Null));
    assert_eq!(send(), true);
    let again = running.event("received");
    assert_eq!((&again["already"], &again["name"]), (&json!(true), &json!("alice")));
    assert_eq!(tree(&bob.files()), tree(&alice.files()));
}
