//! `lanchat serve` as a process that is killed and started again over the same directory.

use super::super::process::serve_command;
use super::member::{Identity, Role};
use lanchat::chat::NameRecord;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a start may take, repairs of the history included.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// How the program is run: as it is, or somewhere else.
pub type Wrap = Box<dyn Fn(&Command) -> Command>;

/// A file of names that these people have had for long, in the form of earlier versions, which a server takes
/// over.
pub fn names<'a>(people: impl Iterator<Item = (&'a str, &'a Identity)>) -> String {
    let rows = people.filter_map(|(name, identity)| match identity {
        Identity::Key(key) => {
            let (name, key) = (name.to_owned(), key.fingerprint());
            let row = NameRecord { name, key, last: jiff::Timestamp::now(), used: 3_600, in_use: false };
            Some(serde_json::to_string(&row).expect("a row") + "\n")
        }
        Identity::Token(_) => None,
    });
    rows.collect()
}

/// Killed when dropped.
pub struct Mortal {
    pub home: tempfile::TempDir,
    args: Vec<String>,
    wrap: Option<Wrap>,
    child: Child,
    starting: Receiver<SocketAddr>,
    /// What all of its lives have logged.
    log: Arc<Mutex<Vec<String>>>,
    pub kills: usize,
}

impl Mortal {
    /// Runs `serve` with these arguments; see [`Mortal::address`] for when it is up.
    pub fn start(args: &[&str]) -> Self {
        Self::start_as(args, None)
    }

    pub fn start_as(args: &[&str], wrap: Option<Wrap>) -> Self {
        Self::over(tempfile::tempdir().expect("a directory"), args, wrap)
    }

    /// A server that knows these people: their names are theirs, so that others can write to them while
    /// they are away, and have been for long, so that what they write is not bounded as that of newcomers is.
    /// As newcomers from one address only the first few would own their names.
    pub fn start_with<'a>(args: &[&str], people: impl Iterator<Item = &'a Role>) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let names = names(people.map(|role| (role.name.as_str(), &role.identity)));
        std::fs::write(home.path().join("names"), names).expect("a file");
        Self::over(home, args, None)
    }

    /// The same in that home.
    pub fn over(home: tempfile::TempDir, args: &[&str], wrap: Option<Wrap>) -> Self {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (child, starting) = launch(command(&home, &args, wrap.as_ref()), &log);
        Self { home, args, wrap, child, starting, log, kills: 0 }
    }

    /// Where it listens, as soon as it does; `None`: it does not within that time.
    pub fn address_within(&mut self, time: Duration) -> Option<SocketAddr> {
        match self.starting.recv_timeout(time) {
            Ok(address) => Some(address),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the server ended: {:#?}", self.log()),
        }
    }

    /// The same, and it must.
    pub fn address(&mut self) -> SocketAddr {
        self.address_within(START_DEADLINE).unwrap_or_else(|| panic!("no server: {:#?}", self.log()))
    }

    /// By SIGKILL, at whatever it is.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ended");
        self.kills += 1;
    }

    /// After a kill, or an end of its own.
    pub fn start_again(&mut self) {
        let command = command(&self.home, &self.args, self.wrap.as_ref());
        (self.child, self.starting) = launch(command, &self.log);
    }

    /// An orderly end.
    pub fn stop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        let status = self.child.wait().expect("it ended");
        assert!(status.success(), "{status}: {:#?}", self.log());
    }

    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("the log").clone()
    }

    /// Waits until a line of the log has that text.
    pub fn wait_for_log(&self, text: &str) -> String {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if let Some(line) = self.log().into_iter().rfind(|line| line.contains(text)) {
                return line;
            }
            assert!(Instant::now() < deadline, "no {text:?} in {:#?}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(home: &tempfile::TempDir, args: &[String], wrap: Option<&Wrap>) -> Command {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let command = serve_command(home, &args);
    match wrap {
        Some(wrap) => wrap(&command),
        None => command,
    }
}

fn launch(mut command: Command, log: &Arc<Mutex<Vec<String>>>) -> (Child, Receiver<SocketAddr>) {
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program");
    let lines = BufReader::new(child.stderr.take().expect("its log")).lines();
    let (ready, starting) = channel();
    let log = Arc::clone(log);
    // Ends with the process.
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let words = line.split([' ', ',']);
            let address = words.filter_map(|word| word.parse().ok()).next_back();
            if let (true, Some(address)) = (line.contains("serving "), address) {
                let _ = ready.send(address);
            }
            log.lock().expect("the log").push(line);
        }
    });
    (child, starting)
}
