//! `lanchat serve` as a process of its own on loopback, without discovery.

use super::one_node;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

/// Killed when dropped.
pub struct Serve {
    pub child: Child,
    pub address: SocketAddr,
    stderr: BufReader<ChildStderr>,
    /// What was logged up to and with the line that tells the address.
    pub said: String,
    args: Vec<String>,
    pub home: tempfile::TempDir,
}

/// The program with `serve`, an own home, and no discovery.
pub fn serve_command(home: &tempfile::TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
    command.args(["serve", "--no-discovery", "--host", "127.0.0.1"]).args(args);
    // By the environment, so that flags in `args` win over them.
    command.env("LANCHAT_SERVE_PORT", "0").env("LANCHAT_SERVE_DATA_DIR", home.path());
    command.env("LANCHAT_SERVE_ALLOW_PLAINTEXT", "true");
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    one_node::share_process(&mut command, home.path(), args);
    for folder in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA"] {
        command.env(folder, home.path());
    }
    command
}

impl Serve {
    pub fn start(args: &[&str]) -> Self {
        Self::start_at_home(tempfile::tempdir().unwrap(), args)
    }

    pub fn start_at_home(home: tempfile::TempDir, args: &[&str]) -> Self {
        let (child, address, stderr, said, home) = Self::launch(home, args);
        let args = args.iter().map(ToString::to_string).collect();
        Self { child, address, stderr, said, args, home }
    }

    /// Kills it, whatever it is at, and starts it again in the same directory, at another port.
    pub fn kill_and_restart(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is dead");
        let home = std::mem::replace(&mut self.home, tempfile::tempdir().unwrap());
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        (self.child, self.address, self.stderr, self.said, self.home) = Self::launch(home, &args);
    }

    fn launch(
        home: tempfile::TempDir,
        args: &[&str],
    ) -> (Child, SocketAddr, BufReader<ChildStderr>, String, tempfile::TempDir) {
        let mut child = serve_command(&home, args).spawn().expect("the program");
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "no server: {said}");
            let last = said.lines().last().unwrap_or_default();
            if last.contains("serving ") {
                let words = last.split([' ', ',']);
                break words.filter_map(|word| word.parse().ok()).next_back().expect("an address");
            }
        };
        (child, address, stderr, said, home)
    }

    /// Reads the log until a line has `text`; returns that line.
    pub fn wait_for_log(&mut self, text: &str) -> String {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "the log ended without {text:?}");
        }
        line
    }

    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// How it ended, and the rest of its log.
    pub fn wait(&mut self) -> (ExitStatus, String) {
        let mut log = String::new();
        self.stderr.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap(), log)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
