//! `lanchat cluster`: the files that set up a chat of several servers, and engines that run with them.

mod engine;
mod status;

use crate::support::home::LANCHAT;
use crate::support::process::Serve;
use crate::support::soon::until;
use engine::{Engine, EngineClient, asked_until, current_program, programs};
use lanchat::cluster_files::EngineFile;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A machine room: a directory with a home of its own, in which commands run.
struct Room(tempfile::TempDir);

impl Room {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn output(&self, line: &str) -> Output {
        let mut command = Command::new(LANCHAT);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
            command.env_remove(name);
        }
        for folder in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
            command.env(folder, self.path("home"));
        }
        command.args(line.split(' ')).current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap()
    }

    /// What a line prints; it must succeed.
    #[track_caller]
    fn run(&self, line: &str) -> String {
        let output = self.output(line);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{line}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The line with which a line fails.
    #[track_caller]
    fn refused(&self, line: &str, status: i32) -> String {
        let output = self.output(line);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{line}: {errors}");
        assert!(output.stdout.is_empty() && errors.lines().count() == 1, "{line}: {errors}");
        errors
    }

    /// Every file in a directory with its content and mode, without what a running engine keeps.
    fn files(&self, name: &str) -> Vec<(PathBuf, Vec<u8>, u32)> {
        let entries = fs::read_dir(self.path(name)).into_iter().flatten().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries
            .filter(|path| path.is_file())
            .map(|path| {
                let mode = path.metadata().unwrap().permissions().mode() & 0o777;
                (path.clone(), fs::read(&path).unwrap(), mode)
            })
            .collect();
        files.sort();
        files
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Makes the files of three servers at the addresses of this process.
    fn new_of_three(&self, more: &str) -> [SocketAddr; 3] {
        let (addresses, line) = addresses();
        self.run(&format!("cluster new office {line}{more}"));
        addresses
    }

    fn join(&self, name: &str) -> String {
        self.run(&format!("cluster join {name}.join --data-dir data-{name} --out out-{name}"))
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Three addresses of loopback that no other process of the tests has, with a free port, and the options for
/// them.
fn addresses() -> ([SocketAddr; 3], String) {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let host = |last: u8| IpAddr::V4(Ipv4Addr::new(127, high | 1, low, last));
    let hosts = [2, 3, 4].map(host);
    // Each listens on both ports of the first one, which are free there together.
    let [engine, routes] = [(); 2].map(|()| TcpListener::bind((hosts[0], 0)).unwrap());
    let [engine, routes] = [engine, routes].map(|listener| listener.local_addr().unwrap().port());
    let boxes = NAMES.iter().zip(hosts).map(|(name, host)| format!("--box {name}={host} "));
    let line = format!("{}--engine-port {engine} --route-port {routes}", boxes.collect::<String>());
    (hosts.map(|host| SocketAddr::new(host, engine)), line)
}

#[test]
fn each_machine_gets_what_it_needs_for_its_owner_only_and_a_second_time_nothing() {
    let room = Room::new();
    let said = room.run("cluster new office --box c=10.0.0.3 --box a=10.0.0.1 --box b=chat-b.example");
    assert!(said.contains("each is a secret") && said.contains("good until 2"), "{said}");
    assert!(said.contains("scp b.join chat-b.example:"), "{said}");
    for name in NAMES {
        let said = room.join(name);
        assert!(said.contains(&format!("delete {name}.join")), "{said}");
        let [conf, data] = ["out", "data"].map(|dir| room.path(&format!("{dir}-{name}")));
        let engine = format!("nats-server -c {}", conf.join("nats-server.conf").display());
        let server = format!("--engine-file {}", data.join("engine.toml").display());
        assert!(said.contains(&engine) && said.contains(&server), "{said}");
    }
    let folders = ["data-a", "out-a", "data-b", "out-b", "."];
    let before = folders.map(|folder| room.files(folder));
    for (path, content, mode) in before.iter().flatten() {
        assert_eq!(*mode, 0o600, "{path:?}");
        assert!(!content.is_empty() || path.ends_with("lock"), "{path:?}");
    }
    assert!(room.join("a").lines().all(|line| !line.starts_with("wrote")), "a second time");
    assert_eq!(folders.map(|folder| room.files(folder)), before);
    let [a, b] = ["data-a", "data-b"].map(|dir| room.run(&format!("fingerprint --data-dir {dir}")));
    assert_eq!(a, b, "one key");
    assert_eq!(room.read("data-a/passphrase"), room.read("data-b/passphrase"));
    let file = EngineFile::read(&room.path("data-b/engine.toml")).unwrap();
    assert_eq!(
        (file.chat.as_str(), file.server.as_str(), file.number(), file.port),
        ("office", "b", 1, 7667)
    );
    assert_eq!(file.engine.urls, ["tls://chat-b.example:4222", "tls://10.0.0.1:4222", "tls://10.0.0.3:4222"]);
    assert_eq!((file.engine.replicas, file.history_from), (3, None));
    let tls = file.engine.tls.unwrap();
    for path in [tls.ca, tls.certificate, tls.key] {
        assert!(path.is_file(), "{path:?}");
    }
}

#[test]
fn nothing_is_overwritten_and_a_machine_of_another_chat_is_refused() {
    let room = Room::new();
    room.run("cluster new office --box a=10.0.0.1");
    let before = room.read("a.join");
    let error = room.refused("cluster new office --box a=10.0.0.1", 1);
    assert!(error.contains("a.join is there already"), "{error}");
    assert_eq!(room.read("a.join"), before);
    room.join("a");

    room.run("cluster new other --box a=10.0.0.1 --out other");
    let error = room.refused("cluster join other/a.join --data-dir data-a --out elsewhere", 1);
    assert!(error.contains("server.pem is the key of another chat than other/a.join"), "{error}");
    let error = room.refused("cluster join other/a.join --data-dir new --out out-a", 1);
    assert!(error.contains("out-a/engine-ca.pem is there already and differs"), "{error}");
    assert!(!room.path("elsewhere").exists() && !room.path("new").exists(), "something was written");

    // Settings that the administrator changed stay.
    fs::write(room.path("out-a/nats-server.conf"), "# mine\n").unwrap();
    let said = room.join("a");
    assert!(said.contains("kept, although it differs from the join file: "), "{said}");
    assert_eq!(room.read("out-a/nats-server.conf"), "# mine\n");

    fs::create_dir(room.path("old")).unwrap();
    fs::write(room.path("old/history.db"), "x").unwrap();
    let error = room.refused("cluster join a.join --data-dir old --out new", 1);
    assert!(error.contains("old has a history, but not the key of its server"), "{error}");
}

#[test]
fn wrong_servers_and_wrong_files_are_refused_with_the_remedy() {
    let room = Room::new();
    for (line, words) in [
        ("cluster new office --box a=10.0.0.1 --box b=10.0.0.2", "a chat has 1, 3 or 5 servers, not 2"),
        ("cluster new office --box a=10.0.0.1 --box a=10.0.0.2 --box c=10.0.0.3", "two servers are called a"),
        ("cluster new office --box a=10.0.0.1 --port 4222", "must differ from each other; see --port"),
        ("cluster new office --box A=10.0.0.1", "cannot be a server's name"),
        ("cluster new office", "--box <NAME=HOST>"),
        ("cluster join", "lanchat cluster join --help"),
        ("cluster", "[subcommands: new, join, restore, status]"),
    ] {
        let error = room.refused(line, 2);
        assert!(error.contains(words), "{line}: {error}");
    }
    room.run("cluster new office --box a=10.0.0.1");
    fs::write(room.path("b.join"), "hello\n").unwrap();
    fs::set_permissions(room.path("b.join"), fs::Permissions::from_mode(0o600)).unwrap();
    let error = room.refused("cluster join b.join --data-dir data --out out", 1);
    assert!(error.contains("b.join is not a join file; name a file that"), "{error}");
    fs::set_permissions(room.path("a.join"), fs::Permissions::from_mode(0o644)).unwrap();
    let error = room.refused("cluster join a.join --data-dir data --out out", 1);
    assert!(error.contains("mode 644") && error.contains("(chmod 600 a.join)"), "{error}");
    assert!(!room.path("data").exists() && !room.path("out").exists());
}

#[test]
fn a_server_s_key_and_passphrase_come_along_once_it_has_stopped() {
    let room = Room::new();
    let mut server = Serve::start(&["--closed"]);
    let data = server.home.path().display().to_string();
    let line = format!("cluster new office --box b=10.0.0.2 --box a=10.0.0.1 --box c=10.0.0.3 --from {data}");
    let error = room.refused(&line, 1);
    assert!(error.contains(&format!("is using the data directory {data}; stop it first")), "{error}");
    assert!(room.files(".").is_empty());

    server.signal(rustix::process::Signal::TERM);
    assert!(server.wait().0.success());
    let said = room.run(&line);
    assert!(
        said.contains(&format!("the history stays in {data}: it must be the data directory on 10.0.0.2")),
        "{said}"
    );
    room.join("a");
    let digits = |dir: &str| room.run(&format!("fingerprint --data-dir {dir}"));
    assert_eq!(digits("data-a"), digits(&data));
    let passphrase = |dir: &Path| fs::read_to_string(dir.join("passphrase")).unwrap();
    assert_eq!(passphrase(&room.path("data-a")), passphrase(Path::new(&data)));
    let file = EngineFile::read(&room.path("data-a/engine.toml")).unwrap();
    assert_eq!(file.history_from.unwrap().as_str(), "b");

    // The machine with the history joins with its own data directory.
    let said = room.run(&format!("cluster join b.join --data-dir {data} --out out-b"));
    assert!(said.contains(&format!("unchanged: {data}/server.pem")), "{said}");
    assert!(said.contains(&format!("wrote {data}/engine.toml")), "{said}");
    let error = room
        .refused(&format!("cluster new x --box a=10.0.0.1 --out x --from {}", room.path("no").display()), 1);
    assert!(error.contains("there is no server's key in"), "{error}");
}

#[test]
fn a_running_server_s_data_directory_gets_no_files() {
    let room = Room::new();
    let server = Serve::start(&[]);
    let data = server.home.path().display().to_string();
    let (key, join) = (server.home.path().join("server.pem"), room.path("data-a"));
    fs::create_dir(&join).unwrap();
    fs::copy(key, join.join("server.pem")).unwrap();
    room.run("cluster new office --box a=10.0.0.1 --from data-a");
    let error = room.refused(&format!("cluster join a.join --data-dir {data} --out out"), 1);
    assert!(error.contains(&format!("is using the data directory {data}; stop it")), "{error}");
    assert!(!server.home.path().join("engine.toml").exists() && !room.path("out").exists());
}

#[test]
fn three_engines_with_these_settings_form_a_cluster_that_only_the_chat_s_servers_get_into() {
    let Some(program) = current_program() else { return };
    let room = Room::new();
    let addresses = room.new_of_three("");
    for name in NAMES {
        room.join(name);
    }
    let conf = |name: &str| room.path(&format!("out-{name}/nats-server.conf"));
    let mut engines: Vec<Engine> = NAMES.iter().map(|name| Engine::start(&program, &conf(name))).collect();
    let (ca, a, b) = (room.path("data-a/engine-ca.pem"), room.path("data-a"), room.path("data-b"));

    let stream = r#"{"name":"log","subjects":["log.x"],"storage":"file","num_replicas":3}"#;
    asked_until(addresses[0], (&ca, &a), ("$JS.API.STREAM.CREATE.log", stream, 1), |answers| {
        answers.into_iter().find(|answer| answer["config"]["num_replicas"] == 3)
    });
    asked_until(addresses[0], (&ca, &a), ("$JS.API.STREAM.INFO.log", "", 1), |answers| {
        let others = answers.first()?["cluster"]["replicas"].as_array()?;
        (others.len() == 2 && others.iter().all(|other| other["current"] == true)).then_some(())
    });
    // Each certificate is good for each engine, as a message shows.
    asked_until(addresses[1], (&ca, &b), ("log.x", "hello", 1), |answers| {
        answers.into_iter().find(|answer| answer["stream"] == "log" && answer["seq"].as_u64() >= Some(1))
    });

    // Lanchat can see the settings that it has to check.
    let settings = ("$SYS.REQ.SERVER.PING.JSZ", "", 3);
    let all =
        asked_until(addresses[2], (&ca, &a), settings, |answers| (answers.len() == 3).then_some(answers));
    for answer in &all {
        assert_eq!(answer["data"]["config"]["sync_always"], true, "{answer}");
    }
    let version =
        asked_until(addresses[0], (&ca, &a), ("$SYS.REQ.SERVER.PING.VARZ", "", 1), |mut answers| {
            answers.pop()
        });
    assert!(version["server"]["ver"].is_string(), "{version}");

    // Without a certificate, or with one of another chat, nobody gets in.
    for identity in [None, Some(stranger(&room, addresses[0].ip()))] {
        let refused = EngineClient::connect(addresses[0], &ca, identity.as_deref()).err();
        assert!(refused.is_some(), "{identity:?} got in");
    }
    // The engine logs each refusal a moment later.
    for reason in ["client didn't provide a certificate", "unknown certificate authority|unknown authority"] {
        until(|| reason.split('|').any(|words| engines[0].log().contains(words)).then_some(()));
    }

    // The others go on without one of them.
    drop(engines.remove(0));
    asked_until(addresses[1], (&ca, &b), ("log.x", "again", 1), |answers| {
        answers.into_iter().find(|answer| answer["stream"] == "log" && answer["seq"].as_u64() >= Some(2))
    });
}

/// The certificate of a server at that address in another chat.
fn stranger(room: &Room, host: IpAddr) -> PathBuf {
    room.run(&format!("cluster new other --box a={host} --out other"));
    room.run("cluster join other/a.join --data-dir other/data --out other/out");
    room.path("other/data")
}

#[test]
fn one_engine_works_alone() {
    let Some(program) = current_program() else { return };
    let room = Room::new();
    let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let port = TcpListener::bind((host, 0)).unwrap().local_addr().unwrap().port();
    room.run(&format!("cluster new office --box a={host} --engine-port {port}"));
    room.join("a");
    let engine = Engine::start(&program, &room.path("out-a/nats-server.conf"));
    let (address, a) = (SocketAddr::new(host, port), room.path("data-a"));
    let stream = r#"{"name":"log","subjects":["log.x"],"storage":"file","num_replicas":1}"#;
    let ca = a.join("engine-ca.pem");
    asked_until(address, (&ca, &a), ("$JS.API.STREAM.CREATE.log", stream, 1), |answers| {
        answers.into_iter().find(|answer| answer["config"]["num_replicas"] == 1)
    });
    let client = until(|| EngineClient::connect(address, &ca, Some(&a)).ok());
    assert_eq!((&client.info["tls_verify"], &client.info["server_name"]), (&true.into(), &"a".into()));
    assert!(!engine.log().contains("Plaintext passwords"), "{}", engine.log());
}

#[test]
fn an_engine_that_is_too_old_refuses_the_settings_and_joining_warns_of_it() {
    let Some((program, version)) = programs().into_iter().find(|(_, version)| *version < [2, 10, 0]) else {
        eprintln!("skipped: there is no nats-server before 2.10 here");
        return;
    };
    let room = Room::new();
    room.run("cluster new office --box a=127.0.0.1");
    room.join("a");
    let conf = room.path("out-a/nats-server.conf");
    let output = Command::new(&program).arg("-t").arg("-c").arg(conf).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("unknown field \"sync_interval\""), "{said}");

    // The join itself looks at the first one in the PATH.
    let bin = room.path("bin");
    fs::create_dir(&bin).unwrap();
    let program = if program.is_absolute() { program } else { PathBuf::from("/usr/sbin/nats-server") };
    std::os::unix::fs::symlink(program, bin.join("nats-server")).unwrap();
    let mut command = Command::new(LANCHAT);
    command.args(["cluster", "join", "a.join", "--data-dir", "data-a", "--out", "out-a"]);
    let output =
        command.current_dir(room.0.path()).env("PATH", bin).env("HOME", room.path("home")).output().unwrap();
    let warned = String::from_utf8(output.stderr).unwrap();
    let version = version.map(|number| number.to_string()).join(".");
    assert!(output.status.success());
    assert!(warned.contains(&format!("nats-server {version} on this machine is too old")), "{warned}");
    assert!(warned.contains("install 2.10.23 or newer"), "{warned}");
}
