//! The page that the server serves, in a real Chromium on hosts of a network of its own, over https with the warning
//! clicked through. `.ci/run` demands these tests; elsewhere they say that they skip.

mod checked;
mod files;
mod kept;
mod pictures;
mod talk;

use crate::support::chromium::{Browser, Window};
use crate::support::home::{Home, LANCHAT};
use crate::support::lan::{Host, Lan, Running};
use crate::support::peer::DEADLINE;
use crate::support::soon::until;
use crate::support::terminal::{Launch, Terminal};
use crate::support::tools::has_tools;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A server that serves the page, on a host of a network.
struct House {
    lan: Lan,
    host: Host,
    data: TempDir,
    serve: Option<Running>,
    /// Whether it also serves browsers without encryption.
    is_plaintext: bool,
}

impl House {
    /// `None`, with the reason printed: no browser, or no network.
    fn open() -> Option<Self> {
        Self::open_for(false)
    }

    fn open_for(is_plaintext: bool) -> Option<Self> {
        if !has_tools(&[("chromedriver", "--version"), ("chromium", "--version")]) {
            return None;
        }
        let lan = Lan::new()?;
        let host = lan.host();
        let mut house = Self { lan, host, data: TempDir::new().unwrap(), serve: None, is_plaintext };
        house.start();
        Some(house)
    }

    fn start(&mut self) {
        let mut command = self.host.command(LANCHAT);
        command.args([
            "serve",
            "--no-discovery",
            "--name",
            "desk",
            if self.is_plaintext { "--web=plaintext" } else { "--web" },
            "--rate-limit",
            "off",
            "--log-level",
            "warn",
            "--data-dir",
        ]);
        command
            .arg(self.data.path())
            .env("HOME", self.data.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        self.serve = Some(self.host.spawn(&mut command));
        let address = (self.host.v4(), 7667);
        self.host.run(|| until(|| TcpStream::connect_timeout(&address.into(), DEADLINE).ok()));
    }

    /// Kills the server, whatever it is at.
    fn kill(&mut self) {
        self.serve = None;
    }

    fn url(&self) -> String {
        let scheme = if self.is_plaintext { "http" } else { "https" };
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
