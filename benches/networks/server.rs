//! A server on a host.

use super::lan::Host;
use super::person::{Person, end};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

pub const PORT: u16 = 7667;

/// How long a server may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// After this its announcements are over: RFC 6762 8.3 has two, a second apart.
const ANNOUNCED: Duration = Duration::from_millis(1300);

/// Ends with this.
pub struct Server {
    child: Child,
    /// When it was started.
    pub start: Instant,
}

impl Server {
    /// Starts one, and does not wait for it.
    pub fn start(host: &Host, owner: &Person, args: &[&str]) -> Self {
        let mut command = owner.command(&[&["serve"], args].concat());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let (child, start) = host.run(|| {
            let start = Instant::now();
            (command.spawn().expect("the program"), start)
        });
        Self { child, start }
    }

    /// One that listens.
    pub fn listening(host: &Host, owner: &Person, args: &[&str]) -> Self {
        let server = Self::start(host, owner, args);
        server.wait(host, PORT);
        server
    }

    /// One that has been there for a while.
    pub fn settled(host: &Host, owner: &Person, args: &[&str]) -> Self {
        let server = Self::listening(host, owner, args);
        std::thread::sleep(ANNOUNCED);
        server
    }

    pub fn wait(&self, host: &Host, port: u16) {
        let deadline = Instant::now() + PATIENCE;
        host.run(|| {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
                assert!(Instant::now() < deadline, "the server did not start");
                std::thread::sleep(Duration::from_millis(5));
            }
        });
    }

    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.child.id() as i32), signal);
    }

    /// Ends it by this signal.
    pub fn stop(mut self, signal: Signal) {
        self.signal(signal);
        end(&mut self.child, PATIENCE);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
