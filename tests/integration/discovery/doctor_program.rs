//! `lanchat doctor` with a real server: what they find out together, and how it is told.

use crate::support::lan::{Host, Lan, Running};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

/// Until a server that was started listens.
const DEADLINE: Duration = Duration::from_secs(10);

/// A chain that lets in what answers one's own questions, and what `rule` says.
fn deaf_but_for(rule: &str) -> String {
    format!(
        "flush ruleset\ntable inet f {{\nchain i {{ type filter hook input priority 0; policy drop; iif lo accept; \
         ct state established,related accept; meta l4proto {{ icmp, ipv6-icmp }} accept; {rule} }}\n}}\n"
    )
}

/// Starts `lanchat serve` on the usual port, which nobody else has in its network.
fn serve(host: &Host, home: &Path, args: &[&str]) -> Running {
    let mut command = host.command(env!("CARGO_BIN_EXE_lanchat"));
    command.args(["serve", "--name", "office", "--data-dir"]).arg(home).args(args);
    command.env("HOME", home).env("XDG_CONFIG_HOME", home);
    let running = host.spawn(command.stdin(Stdio::null()).stderr(Stdio::null()));
    let start = Instant::now();
    let addrs = [SocketAddr::from((host.v4(), 7667)), SocketAddr::from(([127, 0, 0, 1], 7667))];
    while host.run(|| std::net::TcpStream::connect(&addrs[..]).is_err()) {
        assert!(start.elapsed() < DEADLINE, "the server does not listen");
        std::thread::yield_now();
    }
    running
}

fn doctor(host: &Host, home: &Path, args: &[&str]) -> Output {
    let mut command = host.command(env!("CARGO_BIN_EXE_lanchat"));
    command
        .arg("doctor")
        .args(args)
        .env("HOME", home)
        .env("XDG_STATE_HOME", home)
        .env("XDG_CONFIG_HOME", home);
    command.stdin(Stdio::null()).output().expect("doctor runs")
}

/// The one object that it prints.
fn judged(host: &Host, home: &Path, args: &[&str]) -> Value {
    let output = doctor(host, home, &[&["--json"], args].concat());
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let judged: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(judged["exit"], output.status.code().unwrap(), "{judged}");
    judged
}

#[test]
fn which_way_multicast_gets_lost_is_found_out_with_the_server() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    server.nft(&deaf_but_for("tcp dport 7667 accept;"));
    let _running = serve(&server, data.path(), &[]);
    let found = judged(&client, home.path(), &[]);
    assert_eq!((&found["cause"], &found["class"]), (&"questions_lost".into(), &"well".into()), "{found}");
    // On the server itself that it answers is not all there is to say.
    let own = judged(&server, home.path(), &[]);
    assert_eq!((&own["cause"], &own["exit"]), (&"own_server_unheard".into(), &1.into()), "{own}");
    let remedy = own["remedies"][0]["line"].as_str().unwrap();
    assert_eq!(remedy, "sudo nft insert rule inet f i udp dport 5353 accept");
    // The line is pasted.
    let words: Vec<&str> = remedy.split_whitespace().skip(2).collect();
    assert!(server.command("nft").args(words).status().unwrap().success());
    assert_eq!(judged(&client, home.path(), &[])["cause"], "well");
}

#[test]
fn a_client_that_hears_no_answers_is_told_to_let_them_in() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _running = serve(&server, data.path(), &[]);
    client.nft(&deaf_but_for(""));
    let found = judged(&client, home.path(), &[]);
    assert_eq!((&found["cause"], &found["class"]), (&"answers_lost".into(), &"well".into()), "{found}");
    let lines = found["remedies"].to_string();
    assert!(lines.contains("sudo nft insert rule inet f i udp dport 5353 accept"), "{lines}");
}

#[test]
fn a_server_that_uses_no_multicast_says_so() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _running = serve(&server, data.path(), &["--no-discovery"]);
    let found = judged(&client, home.path(), &[]);
    assert_eq!(found["cause"], "not_announced", "{found}");
    assert!(found["verdict"].as_str().unwrap().contains("--no-discovery"), "{found}");
}

#[test]
fn a_server_that_only_its_own_machine_reaches_is_told_so() {
    let Some(lan) = Lan::new() else { return };
    let server = lan.host();
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _running = serve(&server, data.path(), &["--host", "127.0.0.1"]);
    let own = judged(&server, home.path(), &[]);
    assert_eq!((&own["cause"], &own["exit"]), (&"own_server_local".into(), &1.into()), "{own}");
    // Whoever asks whether it is up gets their answer.
    assert_eq!(judged(&server, home.path(), &["--host", "127.0.0.1", "--no-discovery"])["exit"], 0);
}

#[test]
fn all_is_told_on_standard_output_and_a_ticket_has_no_keys() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = server.v4().to_string();
    let output = doctor(&client, home.path(), &["--host", &target]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(4), 0), "{text}");
    assert!(text.contains("refuses connections") && text.contains("lanchat serve"), "{text}");
    let _running = serve(&server, data.path(), &[]);
    let told = String::from_utf8(doctor(&client, home.path(), &[]).stdout).unwrap();
    let key = told.lines().find(|line| line.contains("key of office")).expect("a line about its key");
    let digits =
        key.split_whitespace().find(|word| word.len() == 5 && word.bytes().all(|b| b.is_ascii_digit()));
    let report = String::from_utf8(doctor(&client, home.path(), &["--report"]).stdout).unwrap();
    assert!(report.starts_with("lanchat doctor report\n") && report.contains("result: well"), "{report}");
    assert!(report.contains(&client.v4().to_string()), "{report}");
    assert!(!report.contains(digits.expect("digits of the key")), "{report}");
    assert_eq!(doctor(&client, home.path(), &["-q"]).stdout, b"");
}

/// So that nobody can make a server send much, or anywhere else.
#[test]
fn a_test_of_multicast_is_a_few_small_packets_and_one_at_a_time() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let data = tempfile::tempdir().unwrap();
    let _running = serve(&server, data.path(), &["--allow-plaintext"]);
    let token = "0123456789abcdef";
    let (packets, answers) = client.run(|| {
        let ear = UdpSocket::bind("0.0.0.0:5353").unwrap();
        ear.join_multicast_v4(&Ipv4Addr::new(224, 0, 0, 251), &client.v4()).unwrap();
        ear.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut stream = TcpStream::connect((server.v4(), 7667)).unwrap();
        let line = format!("{{\"type\":\"multicast\",\"token\":\"{token}\"}}\n");
        stream.write_all(line.repeat(4).as_bytes()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let answers: Vec<Value> = BufReader::new(&stream)
            .lines()
            .take(4)
            .map(|line| serde_json::from_str(&line.expect("an answer")).unwrap())
            .collect();
        let mut packets = Vec::new();
        let mut buffer = [0; 9000];
        while let Ok((length, from)) = ear.recv_from(&mut buffer) {
            let packet = &buffer[..length];
            if packet.windows(token.len()).any(|part| part == token.as_bytes()) {
                packets.push((length, from));
            }
        }
        (packets, answers)
    });
    let codes: Vec<&str> = answers.iter().filter_map(|answer| answer["code"].as_str()).collect();
    assert_eq!(codes, ["rate_limited"; 3], "{answers:?}");
    let came = answers.iter().find(|answer| answer["type"] == "multicast").expect("the test's end");
    assert_eq!((&came["count"], &came["heard"]), (&4.into(), &false.into()), "{came}");
    assert_eq!(packets.len(), 4, "{packets:?}");
    for (length, from) in packets {
        assert!(length < 80, "{length} bytes");
        assert_eq!(from.to_string(), format!("{}:5353", server.v4()));
    }
}
