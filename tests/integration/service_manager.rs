//! `lanchat serve` as the service of a manager, which is told how it does and may hand over socket and credentials.

use crate::support::peer::Peer;
use crate::support::process::serve_command;
use crate::support::tls::Key;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A service, and what it tells its manager.
struct Service {
    child: Child,
    socket: UnixDatagram,
    _home: tempfile::TempDir,
}

impl Service {
    fn start(furnish: impl FnOnce(&mut Command)) -> Self {
        let home = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(home.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut command = serve_command(&home, &[]);
        command.env("NOTIFY_SOCKET", home.path().join("notify")).stderr(Stdio::null());
        furnish(&mut command);
        Self { child: command.spawn().unwrap(), socket, _home: home }
    }

    fn told(&self) -> String {
        let mut buffer = [0; 256];
        let length = self.socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The signal comes at the earliest moment at which a manager can send it.
#[test]
fn a_server_that_is_stopped_as_soon_as_it_is_up_says_so_and_ends_well() {
    let mut service = Service::start(|_| {});
    assert!(service.told().contains("READY=1"));
    service.signal(Signal::TERM);
    assert!(service.told().contains("STOPPING=1"));
    assert!(service.child.wait().unwrap().success());
}

#[test]
fn a_reload_begins_with_its_time_and_ends_with_ready() {
    let service = Service::start(|_| {});
    assert!(service.told().contains("READY=1"));
    service.signal(Signal::HUP);
    let begun = service.told();
    assert!(begun.contains("RELOADING=1\nMONOTONIC_USEC="), "{begun}");
    assert!(service.told().contains("READY=1"));
}

#[test]
fn the_watchdog_hears_of_a_server_that_works_and_of_none_that_hangs() {
    let service = Service::start(|command| {
        command.env("WATCHDOG_USEC", "200000");
    });
    assert!(service.told().contains("READY=1"));
    for _ in 0..3 {
        assert!(service.told().contains("WATCHDOG=1"));
    }
    service.signal(Signal::STOP);
    let Ok(()) = rustix::process::waitpid(
        Some(Pid::from_child(&service.child)),
        rustix::process::WaitOptions::UNTRACED,
    )
    .map(drop) else {
        panic!("it does not stop")
    };
    service.socket.set_nonblocking(true).unwrap();
    while service.socket.recv(&mut [0; 256]).is_ok() {}
    service.socket.set_nonblocking(false).unwrap();
    service.socket.set_read_timeout(Some(Duration::from_millis(600))).unwrap();
    assert!(service.socket.recv(&mut [0; 256]).is_err(), "a stopped process tells nothing");
    service.signal(Signal::CONT);
}

/// The listener is handed over as the shell's input, which it makes the first passed descriptor, as systemd does.
#[test]
fn a_server_takes_the_socket_that_its_manager_has_opened() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let home = tempfile::tempdir().unwrap();
    let serve = serve_command(&home, &[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3<&0 </dev/null", "sh"]);
    shell.arg(serve.get_program()).args(serve.get_args());
    shell.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = shell.stdin(Stdio::from(OwnedFd::from(listener))).stderr(Stdio::piped()).spawn().unwrap();
    // The manager's socket takes connections before the server runs.
    let waits = std::net::TcpStream::connect(address).unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains(&format!("on {address},"))));
    let mut early = Peer::over_tls(waits, Some(&Key::new()));
    assert_eq!(early.hello(serde_json::json!({"from": {"name": "early"}}))["type"], "welcome");
    let mut later = Peer::connect(address);
    assert_eq!(later.hello(serde_json::json!({"from": {"name": "later"}}))["type"], "welcome");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_closed_server_takes_its_passphrase_from_a_credential_unless_that_is_blank() {
    let credentials = tempfile::tempdir().unwrap();
    let file = credentials.path().join("passphrase");
    let checked = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut command = serve_command(&home, &["--closed", "--check"]);
        command.env("CREDENTIALS_DIRECTORY", credentials.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(checked("correct horse battery\n"), (Some(0), String::new()));
    let indented = format!("{}correct horse battery\n", " ".repeat(40));
    assert_eq!(checked(&indented), (Some(0), String::new()));
    let (status, why) = checked(&format!("{}short", " ".repeat(40)));
    assert!(
        status == Some(1) && why.contains("has fewer than"),
        "blanks before it do not make it none: {why}"
    );
    assert_eq!(checked("\n"), (Some(0), String::new()));
    assert_eq!(checked(""), (Some(0), String::new()));
    let (status, why) = checked("short");
    assert_eq!(status, Some(1), "{why}");
    assert!(why.contains(&format!("{} has fewer than", file.display())), "{why}");
}
