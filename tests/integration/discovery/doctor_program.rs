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

/// What it says of the page, as `state subject: detail`.
fn page_lines(host: &Host, home: &Path, args: &[&str]) -> Vec<String> {
    let judged = judged(host, home, args);
    let text = |check: &Value, part: &str| check[part].as_str().unwrap().to_owned();
    let lines = judged["checks"].as_array().unwrap().iter().map(|check| {
        format!("{} {}: {}", text(check, "state"), text(check, "subject"), text(check, "detail"))
    });
    lines.filter(|line| line.contains("for browsers")).collect()
}

#[test]
fn the_page_for_browsers_is_looked_at_as_a_browser_would() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = server.v4().to_string();
    let seen = |args: &[&str]| {
        let _running = serve(&server, data.path(), args);
        page_lines(&client, home.path(), &["--host", &target])
    };
    let lines = seen(&[]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("serves none; its administrator can with: lanchat serve --web"), "{lines:?}");
    let lines = seen(&["--web"]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0], format!("ok page for browsers: https://{target}:7667/, encrypted only"));
    assert!(lines[1].starts_with("note certificate for browsers: the server's own"), "{lines:?}");
    let lines = seen(&["--web=plaintext"]);
    assert!(lines[0].ends_with("also over http, which is not encrypted"), "{lines:?}");
    // In a ticket, there are no keys.
    let _running = serve(&server, data.path(), &["--web"]);
    let report = doctor(&client, home.path(), &["--report", "--host", &target]);
    let report = String::from_utf8(report.stdout).unwrap();
    assert!(report.contains("certificate for browsers: not in this report"), "{report}");
    // Found by the search as well, however many addresses it has.
    let lines = page_lines(&client, home.path(), &[]);
    assert_eq!(lines.iter().filter(|line| line.contains("certificate")).count(), 1, "{lines:?}");
}

#[test]
fn a_certificate_that_browsers_refuse_is_named_with_its_remedy() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(authority, root).unwrap();
    let target = server.v4().to_string();
    let seen = |names: &[&str], from: i32, until: i32| {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut parameters = rcgen::CertificateParams::new(names).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "chat");
        (parameters.not_before, parameters.not_after) =
            (rcgen::date_time_ymd(from, 1, 1), rcgen::date_time_ymd(until, 1, 1));
        let certificate = parameters.signed_by(&key, &authority).unwrap();
        let files = [("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())];
        let [certificate, key] = files.map(|(name, content)| {
            let path = home.path().join(name);
            lanchat::files::replace(&path, content.as_bytes()).unwrap();
            path.to_str().unwrap().to_owned()
        });
        let _running = serve(&server, data.path(), &["--web", "--web-cert", &certificate, "--web-key", &key]);
        page_lines(&client, home.path(), &["--host", &target]).pop().unwrap()
    };
    let fits = seen(&["chat.example", &target], 2020, 2090);
    assert_eq!(
        fits,
        format!("ok certificate for browsers: for {target}; browsers that know its authority do not warn")
    );
    let named = seen(&["chat.example"], 2020, 2090);
    assert!(
        named.starts_with("note") && named.ends_with("give people https://chat.example:7667/"),
        "{named}"
    );
    let ended = seen(&["chat.example"], 2020, 2021);
    assert!(ended.starts_with("failed") && ended.contains("ended on 2021-01-01 00:00 UTC"), "{ended}");
    assert!(ended.contains("--web-cert and --web-key, and reload the server"), "{ended}");
    let begins = seen(&["chat.example"], 2080, 2090);
    assert!(begins.starts_with("failed") && begins.contains("set the clock, here or"), "{begins}");
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
