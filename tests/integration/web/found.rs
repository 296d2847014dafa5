//! How people find the page: invitations with links and QR codes, `/web`, and what mDNS says.

use super::{server, server_with};
use crate::support::browser::{Browser, WebKey};
use crate::support::lan::Lan;
use crate::support::server::TestServer;
use crate::support::terminal::{Home, LANCHAT, Launch, Terminal};
use crate::support::tools::{has_tools, run};
use lanchat::server::JoinPolicy;
use serde_json::json;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Pixels per module, so that a program reads the picture as a phone reads a screen.
const SCALE: usize = 4;

fn invite(home: &Home, dir: &std::path::Path, args: &[&str]) -> Output {
    let mut command = Command::new(LANCHAT);
    command.envs(home.env()).args(["invite", "--web", "--data-dir"]).arg(dir).args(args);
    command.stdin(Stdio::null()).output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn in_dir(dir: &std::path::Path, change: impl FnOnce(&mut lanchat::server::ServerOptions)) -> TestServer {
    server_with(|options| {
        options.data_dir = Some(dir.to_owned());
        change(options);
    })
}

/// What a QR code on the screen says. `None`: the program that reads it is not here.
fn decoded(terminal: &Terminal) -> Option<String> {
    if !has_tools(&[("zbarimg", "--version")]) {
        return None;
    }
    let is_code = |line: &&str| line.starts_with("████") && line.ends_with("████");
    let is_margin = |line: &&str| line.chars().all(|cell| cell == '█');
    // Down to the margin below it, of two lines as above it.
    let screen = terminal.wait_until("a QR code", |screen| {
        let rows: Vec<&str> = screen.lines().filter(is_code).collect();
        rows.len() > 14 && rows[rows.len() - 2..].iter().all(is_margin)
    });
    let rows: Vec<Vec<char>> = screen.lines().filter(is_code).map(|line| line.chars().collect()).collect();
    let width = rows[0].len();
    assert!(rows.iter().all(|row| row.len() == width), "{screen}");
    let mut picture = format!("P5 {} {} 255\n", width * SCALE, rows.len() * 2 * SCALE).into_bytes();
    for row in &rows {
        for light in [['█', '▀'], ['█', '▄']] {
            let line = row.iter().map(|half| if light.contains(half) { 255 } else { 0 });
            let line: Vec<u8> = line.flat_map(|shade| [shade; SCALE]).collect();
            picture.extend(line.repeat(SCALE));
        }
    }
    let file = tempfile::NamedTempFile::with_suffix(".pgm").expect("a file");
    std::fs::write(file.path(), picture).expect("written");
    Some(run(Command::new("zbarimg").args(["--raw", "-q"]).arg(file.path())).trim_end().to_owned())
}

fn at_terminal(home: &Home, dir: &str, host: &str) -> Terminal {
    let args = ["invite", "--web", "--data-dir", dir, "--host", host];
    Launch::lanchat(&args).size(40, 100).start(home)
}

#[test]
fn an_invitation_is_a_link_and_a_qr_code_of_it_at_a_terminal() {
    let (home, dir) = (Home::new(), tempfile::tempdir().expect("a directory"));
    let server = in_dir(dir.path(), |_| {});
    let address = server.address.to_string();
    let link = format!("https://{address}/");
    let output = invite(&home, dir.path(), &["--host", &address]);
    assert_eq!(text(&output.stdout), format!("{link}\nhttp://{address}/\n"), "{}", text(&output.stderr));
    let notes = text(&output.stderr);
    assert!(notes.contains("those with http:// are not: others on the network can read"), "{notes}");
    let mut terminal = at_terminal(&home, dir.path().to_str().expect("UTF-8"), &address);
    let Some(read) = decoded(&terminal) else { return };
    assert_eq!((read, terminal.wait_exit().0), (link, 0));
}

#[test]
fn the_link_to_a_closed_server_lets_one_browser_in() {
    let (home, dir) = (Home::new(), tempfile::tempdir().expect("a directory"));
    let server = in_dir(dir.path(), |options| {
        options.access = JoinPolicy::ClosedByOwn;
        options.rules.closed = true;
    });
    let address = server.address.to_string();
    let output = invite(&home, dir.path(), &["--host", &address]);
    let (link, notes) = (text(&output.stdout), text(&output.stderr));
    let (_, ticket) = link.trim_end().split_once("/#t=").unwrap_or_else(|| panic!("{link}{notes}"));
    assert!(notes.contains("one browser in within 10 minutes"), "{notes}");
    assert!(!link.contains("http:") && notes.contains("over http:// nobody gets in"), "{link}{notes}");
    let (mut browser, challenge) = Browser::open(server.address, true, "/chat");
    let mut proof = WebKey::new().proof(&challenge, &browser.origin.clone());
    proof["ticket"] = json!(ticket);
    browser.send(proof);
    browser.join("alice");
    let terminal = at_terminal(&home, dir.path().to_str().expect("UTF-8"), &address);
    let Some(read) = decoded(&terminal) else { return };
    let (place, ticket) = read.split_once("#t=").unwrap_or_else(|| panic!("{read}"));
    assert_eq!((place, ticket.len()), (format!("https://{address}/").as_str(), 32));
}

#[test]
fn without_a_page_or_a_server_there_is_no_invitation() {
    let (home, dir) = (Home::new(), tempfile::tempdir().expect("a directory"));
    let mut server = TestServer::in_dir(dir.path());
    let refused = || {
        let output = invite(&home, dir.path(), &["--host", "10.0.0.1"]);
        assert!(!output.status.success() && output.stdout.is_empty(), "{}", text(&output.stdout));
        text(&output.stderr)
    };
    assert!(refused().contains("start it with `lanchat serve --web`"), "{}", refused());
    server.stop();
    assert!(refused().contains("does not run"), "{}", refused());
    let nowhere = invite(&home, &dir.path().join("nowhere"), &[]);
    assert!(text(&nowhere.stderr).contains("no server uses"), "{}", text(&nowhere.stderr));
}

#[test]
fn web_at_the_prompt_says_where_the_page_is_and_who_can_read_along() {
    let (home, server) = (Home::new(), server());
    let host = server.address.to_string();
    let mut terminal =
        Launch::lanchat(&["--no-discovery", "--host", &host, "--plaintext", "--name", "bob"]).start(&home);
    terminal.wait_for_last("[#lobby]");
    terminal.enter("/web");
    terminal.wait_for(&format!("the page: https://{host}/"));
    terminal.wait_for(&format!("the page, not encrypted: http://{host}/"));
    terminal.wait_for("also over http");
    let plain = TestServer::start();
    let host = plain.address.to_string();
    let mut terminal =
        Launch::lanchat(&["--no-discovery", "--host", &host, "--plaintext", "--name", "bob"]).start(&home);
    terminal.wait_for_last("[#lobby]");
    terminal.enter("/web");
    terminal.wait_for("serves no page for browsers");
}

#[test]
fn the_console_draws_the_page_s_address_for_phones() {
    let Some(lan) = Lan::new() else { return };
    let (host, home) = (lan.host(), Home::new());
    let address = host.v4().to_string();
    let prefix = host.prefix();
    let args: Vec<&str> = prefix[1..].iter().map(String::as_str).collect();
    let serve = [LANCHAT, "serve", "--web", "--no-discovery", "--host", &address, "--port", "7700"];
    let args = [args, serve.to_vec()].concat();
    let mut terminal = Launch::program(&prefix[0], &args).size(60, 140).start(&home);
    let link = format!("https://{address}:7700/");
    terminal.wait_for(&format!("browsers join at {link} (encrypted, https only)"));
    terminal.wait_for_last("[server]");
    if let Some(read) = decoded(&terminal) {
        assert_eq!(read, link);
    }
    terminal.enter("/web");
    terminal.wait_for(&format!("the page: {link}"));
}

#[test]
fn only_a_server_with_a_page_is_announced_as_a_web_page() {
    let Some(lan) = Lan::new() else { return };
    let (host, client) = (lan.host(), lan.host());
    let home = tempfile::tempdir().expect("a directory");
    let serve = |args: &[&str]| {
        let mut command = host.command(LANCHAT);
        command.args(["serve", "--port", "0", "--name", "office", "--data-dir"]).arg(home.path()).args(args);
        command.env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
        host.spawn(command.stdin(Stdio::null()).stderr(Stdio::null()))
    };
    let discover = || {
        let mut command = client.command(LANCHAT);
        let output = command.env("HOME", home.path()).args(["discover", "--json", "--first"]).output();
        serde_json::from_slice::<serde_json::Value>(&output.expect("it runs").stdout).unwrap_or_default()
    };
    let listed = |wanted: bool| {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            let servers = discover();
            if servers[0]["web"] == json!(wanted) {
                return servers;
            }
            assert!(Instant::now() < deadline, "{servers}");
        }
    };
    let with_page = serve(&["--web"]);
    let servers = listed(true);
    assert_eq!(servers[0]["txt"]["web"], "1", "{servers}");
    let avahi = crate::support::avahi::Avahi::start(&client);
    if let Some(avahi) = &avahi {
        let deadline = Instant::now() + Duration::from_secs(15);
        let rows = loop {
            let rows = avahi.browse("_http._tcp");
            if !rows.is_empty() {
                break rows;
            }
            assert!(Instant::now() < deadline, "no page");
        };
        assert!(
            rows.iter().all(|row| row[3].starts_with("office-") && row[9].contains("path=/")),
            "{rows:?}"
        );
    }
    drop((with_page, avahi));
    let without = serve(&[]);
    let servers = listed(false);
    assert_eq!(servers[0]["txt"]["web"], serde_json::Value::Null, "{servers}");
    if let Some(avahi) = crate::support::avahi::Avahi::start(&client) {
        let deadline = Instant::now() + Duration::from_secs(15);
        let is_this = |row: &Vec<String>| row[9].contains("n=office") && !row[9].contains("web=1");
        while !avahi.browse("_lanchat._tcp").iter().any(is_this) {
            assert!(Instant::now() < deadline, "no server");
        }
        assert_eq!(avahi.browse("_http._tcp"), Vec::<Vec<String>>::new());
    }
    drop(without);
}
