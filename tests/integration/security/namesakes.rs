//! Servers of one name on different networks, as default names make them: each is its key, and none gets
//! what is meant for another.

use super::forged::{NAME, Scene, errors, own_key, send};
use super::impostor::{Impostor, Role};
use crate::support::lan::{Addressing, Host, Lan, Running};
use crate::support::terminal::{Home, LANCHAT, Launch};
use lanchat::discovery::server_label;
use lanchat::security::Keypair;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;

/// An announced server of that name with that key, which notes what it is told.
fn another(host: &Host, name: &str, key: Keypair) -> Impostor {
    let id = key.fingerprint().id();
    Impostor::start(host, Role { id, name: name.into(), is_announced: true, guesses: false }, key)
}

#[test]
fn on_another_network_a_server_of_that_name_is_a_new_one() {
    let Some(scene) = Scene::new() else { return };
    let Some(elsewhere) = Lan::numbered(2) else { return };
    let (client, host) = (elsewhere.host(), elsewhere.host());
    let key = own_key();
    let label = server_label(NAME, &key.fingerprint().id());
    let other = another(&host, NAME, key);
    let go = |args: &[&str]| {
        let output = send(&client, scene.home.path(), &[&["--timeout", "3s"], args].concat(), "hello");
        (output.status.code(), errors(&output))
    };
    let heard = || other.heard().len();
    // Without a word about which, it may be what is meant or not.
    let (status, text) = go(&[]);
    assert_eq!((status, heard()), (Some(5), 0), "{text}");
    assert!(text.starts_with("REFUSED: \"The Office\"") && text.contains("that you know"), "{text}");
    assert!(text.contains(&format!("lanchat --server {label}")), "{text}");
    assert!(other.asked() > 0, "it was never found, so this shows nothing");
    // By its name the known one is asked for.
    let (status, text) = go(&["--server", NAME]);
    assert_eq!((status, heard()), (Some(5), 0), "{text}");
    assert!(text.contains("does not have the key it had before"), "{text}");
    // By its digits this one is.
    let (status, text) = go(&["--server", &label]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.starts_with("New server \"The Office\"") && heard() > 0, "{text}");
    // From then on each is joined where it is.
    assert_eq!(go(&[]).0, Some(0));
    let at_home = scene.send();
    assert!(at_home.status.success(), "{}", errors(&at_home));
    assert!(errors(&at_home).contains("You know several servers called"), "{}", errors(&at_home));
    assert_eq!(go(&[]).0, Some(0));
}

#[test]
fn on_the_known_servers_network_a_copy_is_refused_wherever_it_says_it_is() {
    let Some(mut scene) = Scene::new() else { return };
    // At an address that belongs to no network, so as not to be on that of the server which it plays.
    let liar = scene.lan.host_with(Addressing::LinkLocal);
    let copy = another(&liar, NAME, own_key());
    scene.office.kill();
    let refused = scene.send();
    assert_eq!(refused.status.code(), Some(5), "{}", errors(&refused));
    assert!(errors(&refused).contains("does not have the key it had before"), "{}", errors(&refused));
    assert!(copy.asked() > 0, "it was never found, so this shows nothing");
    assert_eq!(copy.heard(), Vec::<Value>::new());
}

#[test]
fn nobody_is_moved_to_another_server_of_the_name_when_theirs_goes() {
    // Its addresses are the same on every network, so that none says where this is.
    let Some(lan) = Lan::new() else { return };
    let [office, client, other] = [(); 3].map(|()| lan.host_with(Addressing::LinkLocal));
    let (home, files) = (Home::new(), tempfile::tempdir().unwrap());
    let server = serve(&office, files.path());
    let launch = Launch::lanchat(&["--name", "alice", "--timeout", "20s"]).size(40, 160);
    let mut terminal = client.run(|| launch.start(&home));
    terminal.wait_for("connected to vm as alice");
    kill_process(Pid::from_child(&server.0), Signal::TERM).unwrap();
    terminal.wait_for("looking for a server");
    let other = another(&other, "vm", own_key());
    terminal.wait_for("is not the \"vm\" that you know");
    terminal.enter("for the old one only");
    terminal.wait_for("for the old one only");
    drop(server);
    let _server = serve(&office, files.path());
    terminal.wait_for("connected again after");
    terminal.wait_for("<alice> for the old one only");
    assert!(other.asked() > 0, "it was never found, so this shows nothing");
    assert_eq!(other.heard(), Vec::<Value>::new());
}

#[test]
fn of_two_known_servers_of_a_name_the_digits_pick_one() {
    let Some(lan) = Lan::new() else { return };
    let ([client, one, two], home) = ([(); 3].map(|()| lan.host()), Home::new());
    let keys = [own_key(), own_key()];
    let labels = [0, 1].map(|at| server_label("vm", &keys[at].fingerprint().id()));
    let [first, second] = keys;
    let servers = [another(&one, "vm", first), another(&two, "vm", second)];
    let go = |args: &[&str]| {
        let output = send(&client, home.path(), args, "hello");
        let said: Vec<bool> = servers.iter().map(|server| !server.heard().is_empty()).collect();
        (output.status.code(), errors(&output), said)
    };
    let (status, text, _) = go(&["--server", &labels[0]]);
    assert_eq!(status, Some(0), "{text}");
    // The other one is shown as new, though a server of that name is known and there.
    let (status, text, said) = go(&["--server", &labels[1]]);
    assert_eq!((status, said), (Some(0), vec![true, true]), "{text}");
    let (status, text, _) = go(&["--server", "vm"]);
    assert_eq!(status, Some(3), "{text}");
    for label in &labels {
        let digits = label.trim_start_matches("vm-");
        assert!(text.contains(&format!("vm ({digits}) at")), "{text}");
        assert_eq!(go(&["--server", label]).0, Some(0));
    }
}

fn serve(host: &Host, files: &Path) -> Running {
    let mut command = host.command(LANCHAT);
    command.args(["serve", "--name", "vm", "--data-dir"]).arg(files);
    command.env("HOME", files).env("XDG_CONFIG_HOME", files).stdin(Stdio::null()).stderr(Stdio::null());
    host.spawn(&mut command)
}
