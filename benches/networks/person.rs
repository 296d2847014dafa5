//! A person with a home directory who runs the program on a host.

use super::figures::Said;
use super::lan::Host;
use nobody::fingerprint;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::{Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How closely the end of a program is watched.
const LOOK: Duration = Duration::from_millis(1);

/// How long a command may take before it is killed.
const COMMAND: Duration = Duration::from_secs(40);

/// The program under test.
pub fn binary() -> PathBuf {
    std::env::var_os("LANCHAT_BIN").map_or_else(|| env!("CARGO_BIN_EXE_lanchat").into(), PathBuf::from)
}

pub struct Person {
    home: tempfile::TempDir,
    /// A name of their own: who asks for one that is taken has to ask again.
    name: String,
}

impl Person {
    pub fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        let name = format!("p{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        Self { home: tempfile::tempdir().expect("a directory"), name }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The name of their server; by default the machine's name, which all hosts here share.
    pub fn calls_server(&self, name: &str) {
        let config = self.home().join(".config/lanchat");
        fs::create_dir_all(&config).expect("a directory");
        fs::write(config.join("config.toml"), format!("[serve]\nname = \"{name}\"\n")).expect("a file");
    }

    /// The variables of their environment, and no others.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let home = self.home().display().to_string();
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned();
        let text = str::to_owned;
        vec![
            ("HOME", home),
            ("PATH", path),
            ("LANCHAT_NAME", self.name.clone()),
            ("TERM", text("xterm-256color")),
            ("LANG", text("C.UTF-8")),
            ("NO_COLOR", text("1")),
        ]
    }

    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(binary());
        command.args(args).env_clear().envs(self.env()).stdin(Stdio::null());
        command
    }

    /// Runs it to its end on a host.
    pub fn run(&self, host: &Host, args: &[&str]) -> Said {
        watch(host, self.command(args))
    }

    /// Runs another program that leads to it.
    pub fn run_program(&self, program: &str, host: &Host, args: &[&str]) -> Said {
        let mut command = Command::new(program);
        command.args(args).env_clear().envs(self.env()).stdin(Stdio::null());
        watch(host, command)
    }

    /// One message; how long that took, if it got there.
    pub fn send(&self, host: &Host, args: &[&str]) -> Said {
        self.run(host, &[&["send"], args, &["hello"]].concat())
    }

    /// Lets them know so many servers of other networks, each at one address where nobody answers.
    pub fn remembers(&self, count: usize) {
        let state = self.home().join(".local/state/lanchat");
        fs::create_dir_all(&state).expect("a directory");
        fs::set_permissions(&state, Permissions::from_mode(0o700)).expect("a mode");
        let row = |n: usize| {
            let (fp, net) = (fingerprint(n), n % 256);
            format!(
                "{{\"fp\":\"{fp}\",\"name\":\"cafe {n}\",\"addrs\":[\"10.200.{net}.1:7667\"],\"how\":\"tofu\",\
                 \"first\":\"2026-11-20T18:36:34.221Z\",\"last\":\"2026-11-21T18:37:24.898Z\"}}\n"
            )
        };
        let path = state.join("known_servers");
        fs::write(&path, (0..count).map(row).collect::<String>()).expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
    }
}

fn watch(host: &Host, mut command: Command) -> Said {
    let mut file = tempfile::tempfile().expect("a file");
    command.stdout(file.try_clone().expect("a file")).stderr(file.try_clone().expect("a file"));
    let (status, took) = host.run(|| {
        let start = Instant::now();
        let mut child = command.spawn().expect("the program");
        let status = end(&mut child, COMMAND);
        (status, start.elapsed())
    });
    let mut bytes = Vec::new();
    file.rewind().expect("a file");
    file.read_to_end(&mut bytes).expect("a file");
    Said { status, text: String::from_utf8_lossy(&bytes).into_owned(), took }
}

/// Waits for the end of a program; kills it when it takes too long.
pub fn end(child: &mut Child, most: Duration) -> Option<i32> {
    let deadline = Instant::now() + most;
    while Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return status.code();
        }
        std::thread::sleep(LOOK);
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

mod nobody {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    /// The fingerprint of a key that nobody has.
    pub fn fingerprint(n: usize) -> String {
        let mut hash = [0xa5; 32];
        hash[..8].copy_from_slice(&(n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        format!("SHA256:{}", URL_SAFE_NO_PAD.encode(hash))
    }
}
