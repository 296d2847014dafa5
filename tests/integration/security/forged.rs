//! Multicast is nobody's: what a host on the network can do to those who know the server, by
//! announcing what it likes.

use super::impostor::{Forgery, Impostor, Role};
use crate::support::lan::{Host, Lan, Running};
use crate::support::soon;
use crate::support::terminal::{Home, LANCHAT};
use lanchat::discovery::server_label;
use lanchat::security::Keypair;
use lanchat::server::KEY_FILE;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Output, Stdio};

pub(super) const NAME: &str = "The Office";

/// The true server on a host, with what makes it the same one after a restart.
pub(super) struct Office {
    host: Host,
    files: tempfile::TempDir,
    port: u16,
    running: Option<Running>,
}

impl Office {
    fn start(lan: &Lan, port: u16) -> Self {
        let mut office = Self { host: lan.host(), files: tempfile::tempdir().unwrap(), port, running: None };
        office.open(port);
        office
    }

    /// Starts it on that port, instead of where it was.
    fn open(&mut self, port: u16) {
        self.running = None;
        self.port = port;
        let files = self.files.path();
        let mut command = self.host.command(LANCHAT);
        command.args(["serve", "--port", &port.to_string(), "--name", NAME, "--data-dir"]).arg(files);
        command.env("HOME", files).env("XDG_CONFIG_HOME", files);
        let running = self.host.spawn(command.stdin(Stdio::null()).stderr(Stdio::null()));
        let address = (self.host.v4(), port);
        self.host.run(|| soon::until(|| TcpStream::connect(address).ok()));
        self.running = Some(running);
    }

    /// Killed, so that it says no goodbye.
    pub(super) fn kill(&mut self) {
        self.running = None;
    }

    fn role(&self, is_announced: bool) -> Role {
        let key = Keypair::load(&self.files.path().join(KEY_FILE)).unwrap().fingerprint();
        Role { id: key.id(), name: NAME.into(), is_announced, guesses: false }
    }

    fn instance(&self) -> String {
        server_label(NAME, &self.role(false).id)
    }
}

/// `lanchat send` on a host.
pub(super) fn send(host: &Host, home: &Path, args: &[&str], text: &str) -> Output {
    let mut command = host.command(LANCHAT);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
        command.env_remove(name);
    }
    for folder in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env(folder, home);
    }
    command.args(["send", "--name", "alice"]).args(args).arg(text).stdin(Stdio::null());
    command.output().expect("the program")
}

pub(super) fn own_key() -> Keypair {
    Keypair::ephemeral().unwrap()
}

pub(super) fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A network with the server, somebody who knows it, and a host that is up to no good.
pub(super) struct Scene {
    pub(super) office: Office,
    client: Host,
    liar: Host,
    pub(super) home: Home,
    pub(super) lan: Lan,
}

impl Scene {
    pub(super) fn new() -> Option<Self> {
        let lan = Lan::new()?;
        let office = Office::start(&lan, 7700);
        let (client, liar, home) = (lan.host(), lan.host(), Home::new());
        let at = format!("{}:7700", office.host.v4());
        let met = send(&client, home.path(), &["--host", &at, "--no-discovery"], "hello");
        assert!(met.status.success(), "{}", errors(&met));
        Some(Self { office, client, liar, home, lan })
    }

    pub(super) fn send(&self) -> Output {
        send(&self.client, self.home.path(), &["--timeout", "3s"], "for the office only")
    }
}

#[test]
fn a_copied_announcement_leads_nobody_astray() {
    let Some(mut scene) = Scene::new() else { return };
    let impostor = Impostor::start(&scene.liar, scene.office.role(true), own_key());
    // Elsewhere than it was, so that only what is announced tells where.
    scene.office.open(7701);
    let sent = scene.send();
    assert!(sent.status.success(), "{}", errors(&sent));
    assert_eq!(impostor.heard(), Vec::<serde_json::Value>::new());
    scene.office.kill();
    let refused = scene.send();
    assert_eq!(refused.status.code(), Some(5), "{}", errors(&refused));
    assert!(errors(&refused).contains("REFUSED: \"The Office\""), "{}", errors(&refused));
    assert!(impostor.asked() > 0, "it was never found, so this shows nothing");
    assert_eq!(impostor.heard(), Vec::<serde_json::Value>::new());
}

#[test]
fn a_name_that_is_moved_to_another_host_takes_nobody_along() {
    let Some(mut scene) = Scene::new() else { return };
    let mut impostor = Impostor::start(&scene.liar, scene.office.role(false), own_key());
    let moved =
        Forgery::Moved { instance: scene.office.instance(), to: scene.liar.v4(), port: impostor.port };
    impostor.flood(&scene.liar, &moved);
    scene.office.open(7701);
    let sent = scene.send();
    assert!(sent.status.success(), "{}", errors(&sent));
    assert_eq!(impostor.heard(), Vec::<serde_json::Value>::new());
    scene.office.kill();
    let refused = scene.send();
    assert_eq!(refused.status.code(), Some(5), "{}", errors(&refused));
    assert!(impostor.asked() > 0, "it was never found, so this shows nothing");
    assert_eq!(impostor.heard(), Vec::<serde_json::Value>::new());
}

#[test]
fn a_forged_goodbye_does_not_hide_the_server() {
    let Some(mut scene) = Scene::new() else { return };
    let mut impostor = Impostor::start(&scene.liar, scene.office.role(false), own_key());
    impostor.flood(&scene.liar, &Forgery::Goodbye { instance: scene.office.instance() });
    scene.office.open(7701);
    let sent = scene.send();
    assert!(sent.status.success(), "{}", errors(&sent));
}

#[test]
fn of_two_that_have_its_name_the_known_one_is_joined_and_the_other_is_told_of() {
    let Some(mut scene) = Scene::new() else { return };
    let key = own_key();
    let twin = Role { id: key.fingerprint().id(), name: NAME.into(), is_announced: true, guesses: false };
    let impostor = Impostor::start(&scene.liar, twin, key);
    scene.office.open(7701);
    let sent = scene.send();
    assert!(sent.status.success(), "{}", errors(&sent));
    assert!(errors(&sent).contains("Two servers call themselves \"The Office\""), "{}", errors(&sent));
    assert_eq!(impostor.heard(), Vec::<serde_json::Value>::new());
    // Who knows neither has to choose, and is shown two keys.
    let stranger = Home::new();
    let choice = send(&scene.client, stranger.path(), &[], "to whom?");
    assert_eq!(choice.status.code(), Some(3), "{}", errors(&choice));
    assert!(errors(&choice).contains("--server NAME-ID, such as the-office-"), "{}", errors(&choice));
    assert_eq!(impostor.heard(), Vec::<serde_json::Value>::new());
    // Alone it is refused.
    scene.office.kill();
    let refused = scene.send();
    assert_eq!(refused.status.code(), Some(5), "{}", errors(&refused));
    assert!(errors(&refused).contains("does not have the key it had before"), "{}", errors(&refused));
    assert_eq!(impostor.heard(), Vec::<serde_json::Value>::new());
}
