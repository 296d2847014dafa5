//! Two machines made from one image have one key. The servers' logs, the doctor and the prompt say so.

use crate::support::home::LANCHAT;
use crate::support::lan::{Host, Lan, Running};
use crate::support::peer::DEADLINE;
use crate::support::terminal::{Home, Launch};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};

struct Copied {
    _running: Running,
    log: Receiver<String>,
}

impl Copied {
    /// Starts a server that listens on all addresses, and waits for it.
    fn start(host: &Host, home: &Home) -> Self {
        let mut command = host.command(LANCHAT);
        command
            .envs(home.env())
            .args(["serve", "--name", "Office", "--data-dir"])
            .arg(home.path().join("server"));
        let mut running = host.spawn(command.stdin(Stdio::null()).stderr(Stdio::piped()));
        let lines = BufReader::new(running.0.stderr.take().unwrap()).lines();
        let (sender, log) = channel();
        // Ends with the server.
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let copied = Self { _running: running, log };
        copied.wait_for("serving");
        copied
    }

    /// Waits for an event in the log; the line.
    fn wait_for(&self, event: &str) -> String {
        let event = format!("event=\"{event}\"");
        loop {
            let line = self.log.recv_timeout(DEADLINE).expect("the line is logged");
            if line.contains(&event) {
                return line;
            }
        }
    }
}

#[test]
fn a_copied_key_is_told_by_both_servers_the_doctor_and_the_prompt_of_a_client() {
    let Some(lan) = Lan::new() else { return };
    let (hosts, homes) = ([lan.host(), lan.host(), lan.host()], [Home::new(), Home::new(), Home::new()]);
    let image = Copied::start(&hosts[0], &homes[0]);
    let key = "server/server.pem";
    fs::create_dir(homes[1].path().join("server")).unwrap();
    // `cp` keeps the permissions.
    let copied = hosts[1]
        .command("cp")
        .arg("-a")
        .arg(homes[0].path().join(key))
        .arg(homes[1].path().join(key))
        .status();
    assert!(copied.unwrap().success());
    let copy = Copied::start(&hosts[1], &homes[1]);
    let prompt = hosts[2].run(|| Launch::lanchat(&["--name", "alice"]).start(&homes[2]));
    let shown = prompt.wait_for("2 servers have this server's key");
    assert!(hosts[..2].iter().all(|host| shown.contains(&host.v4().to_string())), "{shown}");
    let judged = hosts[2].command(LANCHAT).args(["doctor", "--json"]).envs(homes[2].env()).output().unwrap();
    let judged: serde_json::Value = serde_json::from_slice(&judged.stdout).unwrap();
    assert_eq!((&judged["cause"], &judged["class"]), (&"copied_key".into(), &"well".into()), "{judged}");
    let verdict = judged["verdict"].as_str().unwrap();
    assert!(hosts[..2].iter().all(|host| verdict.contains(&host.v4().to_string())), "{verdict}");
    for (server, other) in [(&image, &hosts[1]), (&copy, &hosts[0])] {
        let line = server.wait_for("key_copied");
        let places = [other.v4().to_string(), other.v6().to_string(), other.link_local().to_string()];
        assert!(places.iter().any(|place| line.contains(place)), "{line}");
    }
}

#[test]
fn a_server_at_several_addresses_is_no_copy() {
    let Some(lan) = Lan::new() else { return };
    let Some(second) = Lan::numbered(2) else { return };
    let (server, client) = (lan.host(), lan.host());
    for host in [&server, &client] {
        second.plug(host, "lan1", crate::support::lan::Addressing::Dual);
    }
    let (data, home) = (Home::new(), Home::new());
    let _office = Copied::start(&server, &data);
    let judged = client.command(LANCHAT).args(["doctor", "--json"]).envs(home.env()).output().unwrap();
    let judged: serde_json::Value = serde_json::from_slice(&judged.stdout).unwrap();
    assert_eq!(judged["cause"], "well", "{judged}");
    assert!(judged["verdict"].as_str().unwrap().contains("Office"), "{judged}");
}
