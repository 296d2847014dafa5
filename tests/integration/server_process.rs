//! The server as a process: how it starts, what it refuses, how it ends, and what it does when the
//! system has no more to give.

use crate::support::peer::Peer;
use crate::support::process::{Serve, serve_command};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use serde_json::json;

#[test]
fn asked_to_stop_it_says_bye_and_ends_with_success() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut serve = Serve::start(&[]);
        let mut peer = Peer::join(serve.address, "alice");
        serve.signal(signal);
        let last = peer.read_to_end().pop().unwrap();
        assert_eq!((&last["type"], &last["code"]), (&json!("bye"), &json!("shutting_down")));
        drop(peer);
        let (status, log) = serve.wait();
        assert!(status.success(), "{signal:?}: {status} {log}");
        assert!(log.contains("stopped"), "{log}");
    }
}

#[test]
fn a_second_request_to_stop_ends_it_at_once() {
    let mut serve = Serve::start(&[]);
    // Keeps its side open and does not read: an orderly end would wait for it.
    let _stuck = Peer::join(serve.address, "stuck");
    serve.signal(Signal::TERM);
    serve.wait_for_log("stopping");
    serve.signal(Signal::TERM);
    let (status, log) = serve.wait();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("without saying goodbye"), "{log}");
}

#[test]
fn a_data_directory_belongs_to_one_server_and_keeps_its_id() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().to_str().unwrap();
    let id = |serve: &Serve| serve.said.split("(id ").nth(1).unwrap().split(')').next().unwrap().to_owned();
    let first = Serve::start(&["--data-dir", path]);
    let refused = serve_command(&home, &[]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("another lanchat server uses the data directory"), "{said}");
    let before = id(&first);
    drop(first);
    assert_eq!(id(&Serve::start(&["--data-dir", path])), before);
}

#[test]
#[cfg(unix)]
fn a_server_warns_if_people_here_know_another_one_on_this_machine() {
    let (home, service) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (usual, service) = (home.path().join("lanchat"), service.path().to_str().unwrap());
    let usual = usual.to_str().unwrap();
    let stop = |mut serve: Serve| {
        serve.signal(Signal::TERM);
        let said = serve.said.clone() + &serve.wait().1;
        (said, std::mem::replace(&mut serve.home, tempfile::tempdir().unwrap()))
    };
    let (said, home) = stop(Serve::start_at_home(home, &["--data-dir", usual]));
    assert!(!said.contains("previous server"), "{said}");
    let key = said.split("aloud ").nth(1).unwrap().split(" event=").next().unwrap();
    let (said, home) = stop(Serve::start_at_home(home, &["--data-dir", service]));
    assert!(said.contains("previous server, with the key SHA256:"), "{said}");
    assert!(said.contains(key) && said.contains(&format!("lanchat serve --data-dir {usual}")), "{said}");
    let (said, _home) = stop(Serve::start_at_home(home, &["--data-dir", service]));
    assert!(!said.contains("previous server"), "by now, people know this one: {said}");
}

#[test]
fn a_port_in_use_is_refused_with_the_remedy() {
    let serve = Serve::start(&[]);
    let home = tempfile::tempdir().unwrap();
    let port = serve.address.port().to_string();
    let refused = serve_command(&home, &["--port", &port]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("is in use") && said.contains("--port"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_bound_of_clients_that_does_not_fit_is_said_at_start() {
    let serve = Serve::start(&["--max-clients", "4000000000"]);
    assert!(serve.said.contains("--max-clients 4000000000 is too high"), "{}", serve.said);
}

#[test]
#[cfg(target_os = "linux")]
fn out_of_descriptors_it_waits_without_spinning_and_goes_on() {
    let mut serve = Serve::start(&[]);
    let mut early = Peer::join(serve.address, "early");
    let pid = Pid::from_child(&serve.child);
    let limit = rustix::process::getrlimit(Resource::Nofile);
    // Fewer than are open: the next accept fails, whoever comes.
    let none = Rlimit { current: Some(4), maximum: limit.maximum };
    rustix::process::prlimit(Some(pid), Resource::Nofile, none).unwrap();
    let mut late = Peer::connect(serve.address);
    late.send(json!({"type": "hello", "from": {"name": "late"}}));
    for pause in ["pause_ms=50", "pause_ms=100", "pause_ms=200"] {
        serve.wait_for_log(pause);
    }
    early.say("all", "still served");
    early.settle();
    rustix::process::prlimit(Some(pid), Resource::Nofile, limit).unwrap();
    assert_eq!(late.next()["type"], "welcome");
}
