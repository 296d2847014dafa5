//! `lanchat serve` as the service of a manager that is told when it is up and when it stops.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

fn told(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

/// The signal comes at the earliest moment at which a manager can send it.
#[test]
fn a_server_that_is_stopped_as_soon_as_it_is_up_says_so_and_ends_well() {
    let home = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(home.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_lanchat"))
        .args(["serve", "--host", "127.0.0.1", "--port", "0", "--no-discovery", "--data-dir"])
        .arg(home.path().join("data"))
        .env("NOTIFY_SOCKET", home.path().join("notify"))
        .envs(["HOME", "XDG_CONFIG_HOME"].map(|folder| (folder, home.path())))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(told(&socket).contains("READY=1"));
    let pid = rustix::process::Pid::from_child(&server);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(told(&socket).contains("STOPPING=1"));
    assert!(server.wait().unwrap().success());
}
