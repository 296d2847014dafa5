//! The page that the server serves, in a real Chromium on hosts of a network of its own, over https with the warning
//! clicked through. `.ci/run` demands these tests; elsewhere they say that they skip.

mod checked;
mod closing;
mod files;
mod finding;
mod focus;
mod history;
mod kept;
mod keyboard;
mod pictures;
mod servers;
mod talk;

use crate::support::chromium::{Browser, Window};
use crate::support::home::{Home, LANCHAT};
use crate::support::lan::{Host, Lan, Running};
use crate::support::peer::DEADLINE;
use crate::support::soon::until;
use crate::support::terminal::{Launch, Terminal};
use crate::support::tools::has_tools;
use std::fs::Permissions;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A server that serves the page, on a host of a network.
struct House {
    lan: Lan,
    host: Host,
    data: TempDir,
    serve: Option<Running>,
    door: Door,
}

/// Who gets in, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    Open,
    /// Also without encryption.
    Plaintext,
    Closed,
    /// For one user.
    Full,
}

/// A network for a browser; `None`, with the reason printed: there is no browser, or no network.
fn lan() -> Option<Lan> {
    // Beside all other tests, a browser is late too often.
    if std::env::var("LANCHAT_BROWSER").is_err() {
        eprintln!("skipped: LANCHAT_BROWSER=1 runs the tests in Chromium");
        return None;
    }
    if !has_tools(&[("chromedriver", "--version"), ("chromium", "--version")]) {
        return None;
    }
    Lan::new()
}

impl House {
    /// `None`, with the reason printed: no browser, or no network.
    fn open() -> Option<Self> {
        Self::with(Door::Open)
    }

    fn with(door: Door) -> Option<Self> {
        let lan = lan()?;
        let host = lan.host();
        let mut house = Self { lan, host, data: TempDir::new().unwrap(), serve: None, door };
        house.start();
        Some(house)
    }

    fn start(&mut self) {
        let web = if self.door == Door::Plaintext { "--web=plaintext" } else { "--web" };
        let mut command = self.command("serve");
        command.args(["--no-discovery", "--name", "desk", web, "--rate-limit", "off", "--log-level", "warn"]);
        if self.door == Door::Closed {
            let passphrase = self.data.path().join("passphrase.txt");
            std::fs::write(&passphrase, "correct horse battery staple").unwrap();
            std::fs::set_permissions(&passphrase, Permissions::from_mode(0o600)).unwrap();
            command.args(["--closed", "--passphrase-file"]).arg(passphrase);
        }
        if self.door == Door::Full {
            command.args(["--max-clients", "1"]);
        }
        self.serve = Some(self.host.spawn(command.stderr(Stdio::null())));
        let address = (self.host.v4(), 7667);
        self.host.run(|| until(|| TcpStream::connect_timeout(&address.into(), DEADLINE).ok()));
    }

    /// A command on the server's machine, with its data.
    fn command(&self, subcommand: &str) -> Command {
        let mut command = self.host.command(LANCHAT);
        let data = self.data.path();
        command.arg(subcommand).arg("--data-dir").arg(data).env("HOME", data).stdin(Stdio::null());
        command
    }

    /// Kills the server, whatever it is at.
    fn kill(&mut self) {
        self.serve = None;
    }

    fn url(&self) -> String {
        let scheme = if self.door == Door::Plaintext { "http" } else { "https" };
        format!("{scheme}://{}:7667/", self.host.v4())
    }
}

/// A person with a browser on a host of their own.
struct Visitor {
    host: Host,
    files: TempDir,
}

impl Visitor {
    fn new(house: &House) -> Self {
        Self { host: house.lan.host(), files: TempDir::new().unwrap() }
    }

    fn browser(&self, window: Window) -> Browser<'_> {
        Browser::start(&self.host, self.files.path(), window)
    }
}

/// A person with a terminal on a host of their own.
struct Resident {
    host: Host,
    home: Home,
    server: String,
}

impl Resident {
    fn new(house: &House) -> Self {
        Self { host: house.lan.host(), home: Home::new(), server: house.host.v4().to_string() }
    }

    fn terminal(&self, name: &str) -> Terminal {
        let args = ["--no-discovery", "--host", &self.server, "--name", name];
        let terminal = self.host.run(|| Launch::lanchat(&args).start(&self.home));
        terminal.wait_for("connected to desk");
        terminal
    }

    fn command(&self, subcommand: &str, args: &[&str]) -> Command {
        let mut command = self.host.command(LANCHAT);
        command.args([subcommand, "--no-discovery", "--host", &self.server]).args(args);
        command.envs(self.home.env()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}
