//! `lanchat invite --web`: links that let browsers in.

use super::server_with;
use crate::support::browser::{Browser, WebKey};
use crate::support::process::Serve;
use lanchat::protocol::WebAccess;
use lanchat::server::JoinPolicy;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

fn invite(dir: &Path, address: SocketAddr) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
    command.args(["invite", "--web", "--host", &address.to_string(), "--data-dir"]).arg(dir);
    for folder in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env(folder, dir);
    }
    command.output().unwrap()
}

fn link(dir: &Path, address: SocketAddr) -> String {
    let output = invite(dir, address);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_link_to_a_closed_server_lets_one_browser_in() {
    let dir = tempfile::tempdir().unwrap();
    let server = server_with(|options| {
        options.access = JoinPolicy::ClosedByOwn;
        options.rules.closed = true;
        options.data_dir = Some(dir.path().to_owned());
    });
    let link = link(dir.path(), server.address);
    let ticket = link.trim_end().strip_prefix(&format!("https://{}/#t=", server.address)).unwrap();
    let enter = |key: &WebKey| {
        let (mut browser, challenge) = Browser::open(server.address, true, "/chat");
        let mut proof = key.proof(&challenge, &browser.origin.clone());
        proof["ticket"] = ticket.into();
        browser.send(proof);
        browser
    };
    let key = WebKey::new();
    enter(&key).join("phone");
    assert_eq!(enter(&WebKey::new()).end().0["code"], "bad_ticket");
    Browser::with_key(server.address, "/chat", &key).join("phone");
}

/// Nothing but the data directory leads to the passphrase.
#[test]
fn an_invitation_needs_no_word_about_a_passphrase_that_is_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("words");
    lanchat::files::replace(&file, b"correct horse battery\n").unwrap();
    let words = file.to_str().unwrap().to_owned();
    let server = Serve::start_at_home(home, &["--web", "--closed", "--passphrase-file", &words]);
    let link = link(server.home.path(), server.address);
    assert!(link.contains("/#t="), "{link}");
    let mut status = Command::new(env!("CARGO_BIN_EXE_lanchat"));
    status.args(["status", "--data-dir"]).arg(server.home.path()).env("HOME", server.home.path());
    let status = status.env("XDG_STATE_HOME", server.home.path().join("other")).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
}

#[test]
fn the_link_to_an_open_server_has_no_ticket() {
    let dir = tempfile::tempdir().unwrap();
    let open = server_with(|options| options.data_dir = Some(dir.path().to_owned()));
    let (address, links) = (open.address, link(dir.path(), open.address));
    assert_eq!(links, format!("https://{address}/\nhttp://{address}/\n"));
    drop(open);
    let encrypted = server_with(|options| {
        options.web = super::options(WebAccess::Https);
        options.data_dir = Some(dir.path().to_owned());
    });
    let address = encrypted.address;
    assert_eq!(link(dir.path(), address), format!("https://{address}/\n"));
    drop(encrypted);
    let off = server_with(|options| {
        options.web = None;
        options.data_dir = Some(dir.path().to_owned());
    });
    let refused = invite(dir.path(), off.address);
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && why.contains("--web"), "{why}");
    drop(off);
}
