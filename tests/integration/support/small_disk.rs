//! A small disk: a tmpfs in a mount namespace of its own, so that the machine sees nothing of it. Ends
//! with the test.

use super::peer::DEADLINE;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

/// The environment variable that turns a skipped test into a failed one; as for networks, which need
/// the same rights.
const REQUIRE: &str = "LANCHAT_REQUIRE_LAN";

pub struct SmallDisk {
    /// Where it is for processes that are started [on it](Self::command).
    pub path: PathBuf,
    holder: Child,
    /// The holder ends when this is closed.
    _alive: ChildStdin,
    _mountpoint: tempfile::TempDir,
}

impl SmallDisk {
    /// Of so many KiB; `None`, with the reason printed, where there can be none.
    pub fn new(kib: usize) -> Option<Self> {
        let mountpoint = tempfile::tempdir().expect("a directory");
        let path = mountpoint.path().to_owned();
        let script =
            format!("mount -t tmpfs -o size={kib}k,mode=700 tmpfs \"$0\" && echo mounted && read -r _");
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut said = String::new();
        BufReader::new(holder.stdout.take().expect("an output")).read_line(&mut said).expect("its output");
        if said.trim() == "mounted" {
            let alive = holder.stdin.take().expect("an input");
            return Some(Self { path, holder, _alive: alive, _mountpoint: mountpoint });
        }
        let output = holder.wait_with_output().expect("it ended");
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let is_required = std::env::var_os(REQUIRE).is_some_and(|value| value == "1");
        assert!(!is_required, "{REQUIRE}=1, but no small disk here: {reason}");
        eprintln!("skipped: no small disk here: {reason}");
        None
    }

    /// The command as a process that sees the disk.
    pub fn command(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id())).arg("--");
        inside.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    /// Where this process sees a file of the disk.
    pub fn file(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.path.strip_prefix("/").expect("an absolute path")).join(name)
    }

    /// Takes all the room that is left.
    pub fn fill(&self) {
        let mut filler =
            OpenOptions::new().create(true).append(true).open(self.file("filler")).expect("a file");
        for size in [65_536, 4_096] {
            let full = loop {
                if let Err(error) = filler.write_all(&vec![0; size]) {
                    break error;
                }
            };
            assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
        }
    }

    /// Gives back what [`fill`](Self::fill) took.
    pub fn free(&self) {
        fs::remove_file(self.file("filler")).expect("it was filled");
    }

    pub fn make_read_only(&self) {
        let mut mount = Command::new("mount");
        mount.args(["-o", "remount,ro"]).arg(&self.path);
        let start = Instant::now();
        // Files that were open for writing a moment ago make it busy.
        while !self.command(&mount).stderr(Stdio::null()).status().expect("mount").success() {
            assert!(start.elapsed() < DEADLINE, "the disk stays busy");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

impl AsRef<Path> for SmallDisk {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
