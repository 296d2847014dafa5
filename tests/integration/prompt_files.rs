//! Files at the prompt, as both users see them: two real clients in terminals, and a real server.

use crate::support::peer::Peer;
use crate::support::proxy::Proxy;
use crate::support::server::TestServer;
use crate::support::terminal::{Home, Key as Press, Launch, Terminal, last_row};
use crate::support::tls::Key;
use lanchat::server::ServerOptions;
use serde_json::json;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

/// Joins as that name, and waits for the prompt.
fn join(home: &Home, server: impl ToString, name: &str) -> Terminal {
    let host = server.to_string();
    let terminal = Launch::lanchat(&["--no-discovery", "--host", &host, "--name", name]).start(home);
    terminal.wait_for_last("[#lobby]");
    terminal
}

/// Alice and bob, who knows her.
fn both(server: &TestServer, homes: &[Home; 2]) -> [Terminal; 2] {
    let alice = join(&homes[0], server.link(), "alice");
    let bob = join(&homes[1], server.link(), "bob");
    alice.wait_for("-> bob joined");
    [alice, bob]
}

/// Passes files on slowly, so that a transfer lasts for some seconds however fast the machine is.
fn slowly(options: &mut ServerOptions) {
    options.files.as_mut().expect("files").rate = Some(4 << 20);
}

/// A file that no two bytes of which are at the wrong place unnoticed.
fn write(home: &Home, name: &str, bytes: usize) -> Vec<u8> {
    let content: Vec<u8> = (0..bytes).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect();
    let path = home.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, &content).expect("a file");
    content
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path.as_ref()).expect("the file is there")
}

/// The screen without line breaks and indents, so that a text is found wherever it is broken.
fn joined(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn wait_for(terminal: &Terminal, text: &str) -> String {
    joined(&terminal.wait_until(text, |screen| joined(screen).contains(text)))
}

#[test]
fn an_offer_its_answer_and_the_end_are_a_line_each_on_both_screens() {
    let (server, homes) = (TestServer::start(), [Home::new(), Home::new()]);
    let [mut alice, mut bob] = both(&server, &homes);
    let content = write(&homes[0], "plan.pdf", 300_000);
    alice.enter("/send bob plan.pdf");
    wait_for(&alice, "-- you offer plan.pdf (293 KiB) to bob (to take it back: /cancel 1)");
    wait_for(&bob, "-- alice (unverified) offers you plan.pdf (293 KiB): /accept 1 or /reject 1");
    bob.wait_for_last("[#lobby · 1 offer]");
    bob.enter("/accept");
    let place = homes[1].path().canonicalize().unwrap().join("Downloads/plan.pdf");
    bob.wait_until("the end", |screen| {
        screen.contains("-- received plan.pdf (293 KiB) from alice:") && last_row(screen) == "[#lobby]"
    });
    wait_for(&alice, "-- bob accepts plan.pdf");
    wait_for(&alice, "-- bob has plan.pdf (293 KiB)");
    assert_eq!(read(&place), content);
    alice.wait_for_last("[#lobby]");
    // The same name again: nothing is overwritten.
    write(&homes[0], "plan.pdf", 5);
    alice.enter("/send bob plan.pdf");
    bob.wait_for_last("[#lobby · 1 offer]");
    bob.enter("/accept");
    wait_for(&bob, "-- received plan.pdf (5 bytes) from alice:");
    wait_for(&bob, "plan (2).pdf");
    assert_eq!(read(&place), content);
    bob.enter("/transfers");
    wait_for(&bob, "2 plan.pdf from alice: received:");
}

#[test]
fn who_declines_is_named_and_the_file_stays_where_it_is() {
    let (server, homes) = (TestServer::start(), [Home::new(), Home::new()]);
    let [mut alice, mut bob] = both(&server, &homes);
    write(&homes[0], "plan.pdf", 10);
    alice.enter("/send bob plan.pdf");
    bob.wait_for_last("[#lobby · 1 offer]");
    bob.enter("/reject 1");
    wait_for(&bob, "-- you decline plan.pdf from alice");
    wait_for(&alice, "-- bob declines plan.pdf");
    bob.wait_for_last("[#lobby]");
    bob.enter("/accept 1");
    wait_for(&bob, "! there is no offer 1; nobody offers you a file at the moment");
    assert!(!homes[1].path().join("Downloads").exists());
}

#[test]
fn progress_is_in_the_label_and_a_transfer_that_is_cut_goes_on() {
    let (server, homes) = (TestServer::with(slowly), [Home::new(), Home::new()]);
    let mut alice = join(&homes[0], server.link(), "alice");
    let proxy = Proxy::to(server.address);
    let mut bob = join(&homes[1], server.link_at(proxy.address), "bob");
    alice.wait_for("-> bob joined");
    let content = write(&homes[0], "big file.bin", 12 << 20);
    bob.enter("/time");
    bob.wait_for("server time");
    bob.enter("/status");
    bob.wait_for("your own key");
    alice.enter("/send bob 'big file.bin'");
    bob.wait_for_last("[#lobby · 1 offer]");
    bob.enter("/accept");
    let is_under_way = |screen: &str| {
        let row = last_row(screen);
        row.starts_with("[#lobby · big file.bin ") && row.contains("% ") && row.contains("iB/s ")
    };
    bob.wait_until("progress", is_under_way);
    alice.wait_until("progress", is_under_way);
    // The place among the earlier lines stays while the numbers change.
    [Press::Up, Press::Up].into_iter().for_each(|key| bob.key(key));
    bob.wait_until("an earlier line", |screen| last_row(screen).ends_with("] /status"));
    bob.key(Press::Up);
    bob.wait_until("the line before", |screen| last_row(screen).ends_with("] /time"));
    bob.key(Press::CtrlC);
    proxy.cut();
    wait_for(&bob, "-- \"big file.bin\" from alice was interrupted at");
    wait_for(&alice, "-- \"big file.bin\" to bob was interrupted at");
    proxy.mend();
    wait_for(&bob, "-- receiving \"big file.bin\" from alice goes on");
    wait_for(&alice, "-- sending \"big file.bin\" to bob goes on");
    let screen = wait_for(&bob, "-- received \"big file.bin\" (12 MiB) from alice:");
    assert_eq!(screen.matches("was interrupted").count(), 1, "{screen}");
    wait_for(&alice, "-- bob has \"big file.bin\" (12 MiB)");
    assert_eq!(read(homes[1].path().join("Downloads/big file.bin")), content);
    bob.wait_for_last("[#lobby]");
}

#[test]
fn leaving_asks_while_a_file_is_on_its_way_and_the_next_run_goes_on() {
    let (server, homes) = (TestServer::with(slowly), [Home::new(), Home::new()]);
    let [mut alice, mut bob] = both(&server, &homes);
    let content = write(&homes[0], "big.bin", 12 << 20);
    alice.enter("/send bob big.bin");
    bob.wait_for_last("[#lobby · 1 offer]");
    bob.enter("/accept");
    bob.wait_until("progress", |screen| last_row(screen).contains("iB/s "));
    bob.key(Press::CtrlD);
    bob.wait_for_last("1 file is on its way. Leave and interrupt that? [y/N]");
    bob.enter("y");
    bob.wait_exit();
    wait_for(&alice, "-- big.bin to bob was interrupted at");
    let bob = join(&homes[1], server.link(), "bob");
    wait_for(&bob, "-- receiving big.bin from alice goes on");
    wait_for(&bob, "-- received big.bin (12 MiB) from alice:");
    wait_for(&alice, "-- bob has big.bin (12 MiB)");
    assert_eq!(read(homes[1].path().join("Downloads/big.bin")), content);
}

#[test]
fn tab_completes_the_user_then_paths_then_the_number_and_a_folder() {
    let (server, homes) = (TestServer::start(), [Home::new(), Home::new()]);
    let [mut alice, mut bob] = both(&server, &homes);
    write(&homes[0], "docs/my plan.pdf", 10);
    write(&homes[1], "inbox/old", 1);
    for (typed, expected) in
        [("/send bo", "/send bob"), ("do", "/send bob docs/"), ("", "/send bob 'docs/my plan.pdf'")]
    {
        alice.type_text(typed);
        alice.key(Press::Tab);
        alice.wait_for_last(&format!("[#lobby] {expected}"));
    }
    alice.key(Press::Enter);
    bob.wait_for_last("[#lobby · 1 offer]");
    for (typed, expected) in [("/accept ", "/accept 1"), ("in", "/accept 1 inbox/")] {
        bob.type_text(typed);
        bob.key(Press::Tab);
        bob.wait_for_last(&format!("[#lobby · 1 offer] {expected}"));
    }
    bob.key(Press::Enter);
    wait_for(&bob, "-- received \"my plan.pdf\" (10 bytes) from alice:");
    assert_eq!(read(homes[1].path().join("inbox/my plan.pdf")).len(), 10);
}

#[test]
fn a_dragged_file_is_sent_and_a_wrong_path_comes_back() {
    let (server, homes) = (TestServer::start(), [Home::new(), Home::new()]);
    let [mut alice, bob] = both(&server, &homes);
    write(&homes[0], "it's a plan.pdf", 10);
    alice.type_text("/send bob ");
    alice.paste(&format!("'{}/it'\\''s a plan.pdf' ", homes[0].path().display()));
    alice.key(Press::Enter);
    wait_for(&bob, "offers you \"it's a plan.pdf\" (10 bytes)");
    alice.enter("/send bob nowhere.pdf");
    wait_for(&alice, "! not offered: there is no file or folder nowhere.pdf; correct its path");
    alice.wait_for_last("[#lobby] /send bob nowhere.pdf");
}

#[test]
fn a_hostile_name_does_no_harm_on_the_screen_or_the_disk() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut eve = Peer::join_with(server.address, "eve", &Key::new());
    let mut bob = join(&home, server.link(), "bob");
    let name = "../../.ssh/\u{1b}[2Jx\u{202e}fdp.exe\n12:03 <alice> hi";
    eve.send(json!({"type": "offer", "to": "bob", "id": "1",
        "file": {"name": name, "size": 5, "id": "content"}}));
    bob.wait_for_last("[#lobby · 1 offer]");
    let screen = wait_for(&bob, "-- eve (unverified) offers you");
    assert!(!screen.contains('\u{202e}') && !screen.contains("<alice>"), "{screen}");
    bob.enter("/accept");
    wait_for(&bob, "goes to");
    let found: Vec<_> = std::fs::read_dir(home.path().join("Downloads"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    assert!(found.len() == 1 && !found[0].starts_with('.'), "{found:?}");
    assert!(found[0].chars().all(|c| !c.is_control() && c != '\u{202e}'), "{found:?}");
}

#[test]
fn the_sender_may_lose_the_link_and_the_server_may_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = |port: u16| {
        TestServer::with(|options| {
            (options.data_dir, options.port) = (Some(dir.path().to_owned()), port);
            slowly(options);
        })
    };
    let (server, homes) = (start(0), [Home::new(), Home::new()]);
    let proxy = Proxy::to(server.address);
    let mut alice = join(&homes[0], server.link_at(proxy.address), "alice");
    let mut bob = join(&homes[1], server.link(), "bob");
    alice.wait_for("-> bob joined");
    let content = write(&homes[0], "big.bin", 16 << 20);
    let is_under_way = |screen: &str| last_row(screen).contains("iB/s ");
    alice.enter("/send bob big.bin");
    bob.wait_for_last("[#lobby · 1 offer]");
    bob.enter("/accept");
    bob.wait_until("progress", is_under_way);
    proxy.cut();
    wait_for(&bob, "-- big.bin from alice was interrupted at");
    wait_for(&alice, "-- big.bin to bob was interrupted at");
    proxy.mend();
    wait_for(&bob, "-- receiving big.bin from alice goes on");
    bob.wait_until("progress", is_under_way);
    bob.enter("/clear");
    let port = server.address.port();
    drop(server);
    let _server = start(port);
    wait_for(&bob, "-- big.bin from alice was interrupted at");
    wait_for(&bob, "-- receiving big.bin from alice goes on");
    let screen = wait_for(&bob, "-- received big.bin (16 MiB) from alice:");
    assert!(!screen.contains("has cancelled") && !screen.contains("offers you"), "{screen}");
    wait_for(&alice, "-- bob has big.bin (16 MiB)");
    assert_eq!(read(homes[1].path().join("Downloads/big.bin")), content);
}

#[test]
fn without_a_prompt_a_transfer_is_a_line_at_its_start_and_one_at_its_end() {
    let (server, homes) = (TestServer::start(), [Home::new(), Home::new()]);
    let host = server.link();
    let args = ["--no-discovery", "--host", &host, "--name", "bob", "--commands"];
    let mut command = std::process::Command::new(crate::support::home::LANCHAT);
    command.envs(homes[1].env()).args(args).current_dir(homes[1].path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut bob = command.spawn().expect("the program starts");
    let mut lines = BufReader::new(bob.stdout.take().expect("an output")).lines().map_while(Result::ok);
    let mut line = |text: &str| {
        lines.find(|line| line.contains(text)).unwrap_or_else(|| panic!("the output ended before {text}"))
    };
    line("connected to");
    let mut alice = join(&homes[0], server.link(), "alice");
    write(&homes[0], "plan.pdf", 300_000);
    alice.enter("/send bob plan.pdf");
    line("-- alice (unverified) offers you plan.pdf (293 KiB): /accept 1 or /reject 1");
    let mut input = bob.stdin.take().expect("an input");
    input.write_all(b"/accept\n").expect("it reads");
    line("-- plan.pdf from alice goes to");
    line("-- received plan.pdf (293 KiB) from alice:");
    drop(input);
    assert!(bob.wait().expect("its end").success());
}
