//! The server and what happens to it: kills, older backups, a wrong clock, a full disk, a database that is
//! deleted.

use super::diary::Life;
use super::judge::Undo;
use super::person::Place;
use super::truth::{self, FILES, Truth};
use crate::clock::SetClock;
use crate::process::serve_command;
use crate::small_disk::SmallDisk;
use crate::storm::server::{Mortal, Wrap};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

/// In KiB: room for all that is said, and little enough to be filled at once.
const DISK_KIB: usize = 64 * 1024;

/// Older states that can be put back, the latest of those that were taken.
const STATES: usize = 4;

/// How a state was taken.
enum State {
    /// By `lanchat backup`.
    File(PathBuf),
    /// The files of a server that was down: with all of the directory, or the database alone.
    Copy(PathBuf, bool),
}

pub struct Stage {
    server: Mortal,
    place: Place,
    disk: Option<Arc<SmallDisk>>,
    clock: Option<Arc<SetClock>>,
    /// Where this process sees the data directory, and where the server does.
    outside: PathBuf,
    inside: PathBuf,
    /// Of states and the library; kept until the end.
    dir: tempfile::TempDir,
    states: Vec<State>,
    taken: usize,
    pub life: Life,
    pub undone: Vec<Undo>,
    /// Lives in which something could not be stored.
    pub unsafe_lives: Vec<Life>,
    deleted: Option<Instant>,
    /// The history when a life ended.
    pub lives: Vec<(Life, Truth)>,
}

impl Stage {
    /// Over a directory in which the names of these people are theirs.
    pub fn begin(names: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let disk = SmallDisk::new(DISK_KIB).map(Arc::new);
        if disk.is_none() {
            println!("left out: full disks, as there may be no mount namespace (see above)");
        }
        let clock = SetClock::new().map(Arc::new);
        let (inside, outside) = match &disk {
            Some(disk) => (disk.path.join("data"), disk.file("data")),
            None => (dir.path().join("data"), dir.path().join("data")),
        };
        std::fs::create_dir(&outside).expect("a directory");
        std::fs::write(outside.join("names"), names).expect("a file");
        let data_dir = inside.to_str().expect("a path").to_owned();
        let wrap = wrap(disk.clone(), clock.clone());
        let mut server = Mortal::start_as(&["--rate-limit", "off", "--data-dir", &data_dir], Some(wrap));
        let place = Place::default();
        *place.lock().expect("a place") = Some((server.address(), 0));
        Self {
            server,
            place,
            disk,
            clock,
            outside,
            inside,
            dir,
            states: Vec::new(),
            taken: 0,
            life: 0,
            undone: Vec::new(),
            unsafe_lives: Vec::new(),
            deleted: None,
            lives: Vec::new(),
        }
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn has_disk(&self) -> bool {
        self.disk.is_some()
    }

    pub fn has_clock(&self) -> bool {
        self.clock.is_some()
    }

    pub fn has_state(&self) -> bool {
        !self.states.is_empty()
    }

    /// Ends the server: by SIGKILL, or in order.
    pub fn end(&mut self, is_kill: bool) {
        *self.place.lock().expect("a place") = None;
        if is_kill {
            self.server.kill();
        } else {
            self.server.stop();
        }
        let truth = Truth::read(&self.outside);
        match self.deleted.take() {
            None => self.lives.push((self.life, truth.brief())),
            Some(at) => {
                self.undone.push(Undo { after: self.life, survivors: truth.texts(), deleted: Some(at) });
            }
        }
    }

    /// Starts it again, after which people find it.
    pub fn start(&mut self) {
        self.life += 1;
        self.server.start_again();
        let address = self.server.address();
        *self.place.lock().expect("a place") = Some((address, self.life));
    }

    /// Takes a state by `lanchat backup`, of a server that runs.
    pub fn back_up(&mut self) -> bool {
        let file = self.next_state();
        let is_done = self.of_data("backup", &file);
        if is_done {
            self.keep_state(State::File(file));
        }
        is_done
    }

    /// Takes a state by copying the files, of a server that is down.
    pub fn copy(&mut self, is_whole: bool) {
        let to = self.next_state();
        std::fs::create_dir(&to).expect("a directory");
        let names =
            std::fs::read_dir(&self.outside).expect("a directory").map(|entry| entry.expect("an entry"));
        for entry in names.filter(|entry| entry.file_type().expect("a kind").is_file()) {
            let name = entry.file_name();
            if is_whole || FILES.iter().any(|file| *file == name) {
                std::fs::copy(entry.path(), to.join(name)).expect("a copy");
            }
        }
        self.keep_state(State::Copy(to, is_whole));
    }

    /// Puts an older state in place, of a server that is down.
    pub fn put_back(&mut self, which: usize) {
        let place = which % self.states.len();
        match &self.states[place] {
            // By hand, as people did before there was a command, every other time.
            State::File(file) if self.life.is_multiple_of(2) => {
                let file = file.clone();
                assert!(self.of_data("restore", &file), "lanchat restore fails: {:?}", self.server.log());
            }
            State::File(file) => {
                FILES.iter().for_each(|name| truth::remove(&self.outside.join(name)));
                std::fs::copy(file, self.outside.join(FILES[0])).expect("a copy");
            }
            State::Copy(from, is_whole) => {
                truth::copy_files(from, &self.outside);
                let others =
                    std::fs::read_dir(from).expect("a directory").map(|entry| entry.expect("an entry"));
                for entry in
                    others.filter(|entry| *is_whole && FILES.iter().all(|file| *file != entry.file_name()))
                {
                    std::fs::copy(entry.path(), self.outside.join(entry.file_name())).expect("a copy");
                }
            }
        }
        let survivors = Truth::read(&self.outside).texts();
        self.undone.push(Undo { after: self.life, survivors, deleted: None });
    }

    pub fn set_clock(&self, seconds: i64) {
        if let Some(clock) = &self.clock {
            clock.shift(seconds);
        }
    }

    pub fn fill_disk(&mut self) {
        self.unsafe_lives.push(self.life);
        self.disk.as_ref().expect("a disk").fill();
    }

    pub fn free_disk(&self) {
        self.disk.as_ref().expect("a disk").free();
    }

    /// Deletes the database under the server.
    pub fn delete(&mut self) {
        // The last that can be known of it.
        let last = tempfile::tempdir().expect("a directory");
        let file = self.next_state();
        if self.of_data("backup", &file) {
            std::fs::copy(&file, last.path().join(FILES[0])).expect("a copy");
            truth::remove(&file);
            self.lives.push((self.life, Truth::read(last.path()).brief()));
        }
        FILES.iter().for_each(|name| truth::remove(&self.outside.join(name)));
        self.unsafe_lives.push(self.life);
        self.deleted = Some(Instant::now());
    }

    /// Takes a message away, of a server that is down, and tells nobody: the judge is to find it.
    pub fn lose_one(&self) -> bool {
        // SQLite itself does not find its way by that path.
        let copy = tempfile::tempdir().expect("a directory");
        truth::copy_files(&self.outside, copy.path());
        let history = rusqlite::Connection::open(copy.path().join(FILES[0])).expect("a history");
        let sql = "DELETE FROM message WHERE seq = \
                   (SELECT seq FROM message WHERE kind < 3 AND token IS NOT NULL ORDER BY seq DESC LIMIT 1 OFFSET 3)";
        let gone = history.execute(sql, []).expect("the schema");
        history.close().expect("it is closed");
        truth::copy_files(copy.path(), &self.outside);
        gone > 0
    }

    /// The server's history at the end.
    pub fn truth(&self) -> Truth {
        Truth::read(&self.outside)
    }

    pub fn log(&self) -> Vec<String> {
        self.server.log()
    }

    fn next_state(&mut self) -> PathBuf {
        self.taken += 1;
        self.dir.path().join(format!("state-{}", self.taken))
    }

    fn keep_state(&mut self, state: State) {
        self.states.push(state);
        if self.states.len() > STATES {
            // A temporary directory: what is left goes with it.
            match self.states.remove(0) {
                State::File(file) => truth::remove(&file),
                State::Copy(dir, _) => std::fs::remove_dir_all(dir).expect("a directory"),
            }
        }
    }

    fn of_data(&self, subcommand: &str, file: &Path) -> bool {
        let (file, data_dir) = (file.to_str().expect("a path"), self.inside.to_str().expect("a path"));
        self.program(subcommand, &[file, "--data-dir", data_dir])
    }

    /// Runs the program beside the server; whether it succeeds.
    fn program(&self, subcommand: &str, args: &[&str]) -> bool {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
        command.arg(subcommand).args(args);
        for (name, value) in serve_command(&self.server.home, &[]).get_envs() {
            if let Some(value) = value.filter(|_| !name.to_string_lossy().starts_with("LANCHAT_")) {
                command.env(name, value);
            }
        }
        let mut command = wrap(self.disk.clone(), self.clock.clone())(&command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().expect("the program").success()
    }
}

/// A process that sees the disk and goes by the clock.
fn wrap(disk: Option<Arc<SmallDisk>>, clock: Option<Arc<SetClock>>) -> Wrap {
    Box::new(move |command: &Command| {
        let mut inside = match &disk {
            Some(disk) => disk.command(command),
            None => {
                let mut copy = Command::new(command.get_program());
                copy.args(command.get_args());
                copy.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
                copy
            }
        };
        if let Some(clock) = &clock {
            clock.apply(&mut inside);
        }
        inside
    })
}
