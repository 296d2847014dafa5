//! What happens under a running client: the server restarts or moves, the client moves, and nobody is asked
//! anything that is not so or while they type. On networks made of namespaces.

use crate::support::lan::{Host, Lan, Running};
use crate::support::soon::{takes_less_than, until};
use crate::support::terminal::{Home, Key, LANCHAT, Launch, Terminal, last_row};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A move is noticed within a second or two; TCP takes 25 s.
const BACK: Duration = Duration::from_secs(6);

fn chat(host: &Host, home: &Home, name: &str) -> Terminal {
    let config = home.path().join("config").join("lanchat");
    std::fs::create_dir_all(&config).expect("a directory");
    std::fs::write(config.join("config.toml"), format!("[serve]\nname = \"{name}'s desk\"\n"))
        .expect("a file");
    host.run(|| Launch::lanchat(&["--name", name]).size(40, 160).start(home))
}

fn serve(host: &Host, home: &Home) -> Running {
    let mut command = host.command(LANCHAT);
    command.envs(home.env()).args(["serve", "--name", "office"]);
    let mut server = host.spawn(command.stdin(Stdio::null()).stderr(Stdio::piped()));
    let mut log = BufReader::new(server.0.stderr.take().expect("a log")).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("serving ")), "the server did not start");
    // What else it logs is read so that it never waits for a reader; ends with it.
    std::thread::spawn(move || log.for_each(drop));
    server
}

/// Ends it as a service manager does, with its goodbye.
fn stop(mut server: Running) {
    let status = Command::new("kill").args(["-TERM", &server.0.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
    server.0.wait().expect("the server ends");
}

const OFFER: &str = "No lanchat server found on this network. Start one here? [Y/n/s]";

#[test]
fn nobody_is_asked_to_host_beside_a_server_that_is_announced_and_cannot_be_connected_to() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let homes = [Home::new(), Home::new()];
    let _server = serve(&server, &homes[0]);
    let drop = "tcp dport 7667 drop";
    server.nft(&format!("table inet f {{ chain i {{ type filter hook input priority 0; {drop}; }}\n}}"));
    let alice = chat(&client, &homes[1], "alice");
    let screen = alice.wait_for("is announced at");
    assert!(screen.contains("! office (") && screen.contains("TCP port 7667"), "{screen}");
    server.nft("flush ruleset");
    let screen = alice.wait_for("connected to office as alice");
    assert!(!screen.contains("Start"), "{screen}");
}

#[test]
fn what_is_typed_under_an_offer_is_no_answer_and_arrives() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let homes = [Home::new(), Home::new()];
    let mut alice = chat(&client, &homes[1], "alice");
    alice.wait_for_last(OFFER);
    alice.key(Key::Enter);
    alice.type_text("hello every");
    alice.wait_for_last(&format!("{OFFER} hello every"));
    alice.enter("body");
    alice.wait_for("will be sent when connected: hello everybody");
    alice.type_text("half a th");
    let _server = serve(&server, &homes[0]);
    let screen = alice.wait_for("<alice> hello everybody");
    assert!(screen.contains("connected to office as alice") && !screen.contains("desk"), "{screen}");
    alice.wait_for_last("[#lobby] half a th");
}

#[test]
fn where_the_last_server_is_off_enter_starts_none() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let homes = [Home::new(), Home::new()];
    let running = serve(&server, &homes[0]);
    let mut alice = chat(&client, &homes[1], "alice");
    alice.wait_for_last("[#lobby]");
    alice.enter("/quit");
    alice.wait_exit();
    stop(running);
    let mut alice = chat(&client, &homes[1], "alice");
    let asked = "Start one here anyway? [y/N/s]";
    alice.wait_until("the question", |screen| last_row(screen).ends_with(asked));
    alice.enter("n");
    alice.wait_for("still looking for a server; Enter asks again, /quit leaves");
    let _server = serve(&server, &homes[0]);
    alice.wait_for("connected to office as alice");
}

#[test]
fn a_look_at_all_addresses_finds_what_multicast_does_not() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let homes = [Home::new(), Home::new()];
    let _server = serve(&server, &homes[0]);
    client.nft("table inet f { chain i { type filter hook input priority 0; meta l4proto udp drop; }\n}");
    let mut alice = chat(&client, &homes[1], "alice");
    alice.wait_for("s: try all 254 addresses of 10.77.1.0/24 first");
    alice.wait_for_last(OFFER);
    alice.enter("s");
    alice.wait_for("trying all 254 addresses of 10.77.1.0/24...");
    alice.wait_for("connected to office as alice");
}

#[test]
fn the_passphrase_of_a_closed_server_that_was_chosen_is_asked_for() {
    let Some(lan) = Lan::new() else { return };
    let hosts = [lan.host(), lan.host(), lan.host()];
    let homes = [Home::new(), Home::new(), Home::new()];
    let _office = serve(&hosts[0], &homes[0]);
    let file = homes[1].path().join("passphrase");
    std::fs::write(&file, "correct horse battery").expect("a file");
    let mut command = hosts[1].command(LANCHAT);
    command
        .envs(homes[1].env())
        .args(["serve", "--name", "vault", "--closed", "--passphrase-file"])
        .arg(&file);
    let mut vault = hosts[1].spawn(command.stdin(Stdio::null()).stderr(Stdio::piped()));
    let mut log = BufReader::new(vault.0.stderr.take().expect("a log")).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("serving ")), "the server did not start");
    let mut alice = chat(&hosts[2], &homes[2], "alice");
    let screen = alice.wait_for("Which one? [1-2, or its name]");
    let row = screen.lines().find(|row| row.contains("vault (")).expect("the vault");
    alice.enter(row.trim().split(' ').next().expect("a number"));
    alice.wait_for("Passphrase of \"vault\":");
    alice.enter("correct horse battery");
    alice.wait_for("connected to vault as alice");
    alice.enter("inside");
    alice.wait_for("<alice> inside");
}

#[test]
fn of_two_who_start_a_server_at_the_same_time_one_gives_way_with_everybody() {
    let Some(lan) = Lan::new() else { return };
    let hosts = [lan.host(), lan.host()];
    let homes = [Home::new(), Home::new()];
    let (mut alice, mut bob) = (chat(&hosts[0], &homes[0], "alice"), chat(&hosts[1], &homes[1], "bob"));
    alice.wait_for_last(OFFER);
    bob.wait_for_last(OFFER);
    alice.enter("y");
    bob.enter("y");
    let gave_way = |terminal: &Terminal| String::from_utf8_lossy(&terminal.raw()).contains("gives way to");
    until(|| (gave_way(&alice) || gave_way(&bob)).then_some(()));
    let (stayed, moved) = if gave_way(&alice) { (&bob, &alice) } else { (&alice, &bob) };
    stayed.wait_for("joined; 2 here");
    moved.wait_for_last("[#lobby]");
    alice.enter("from alice");
    bob.enter("from bob");
    alice.wait_for("<bob> from bob");
    bob.wait_for("<alice> from alice");
    for terminal in [&alice, &bob] {
        terminal.wait_for_last("[#lobby]");
    }
}

/// A prompt on its own host, connected to `office`, beside somebody who reads what it says.
fn pair(lan: &Lan) -> (Host, Host, [Home; 3], Running, Terminal, Terminal) {
    let (server, mover, other) = (lan.host(), lan.host(), lan.host());
    let homes = [Home::new(), Home::new(), Home::new()];
    let running = serve(&server, &homes[0]);
    let alice = chat(&mover, &homes[1], "alice");
    let bob = chat(&other, &homes[2], "bob");
    alice.wait_for("connected to office as alice");
    bob.wait_for("connected to office as bob");
    // Its host may go: the process stays where it is.
    std::mem::forget(other);
    (server, mover, homes, running, alice, bob)
}

/// How long it takes until a line typed after this reaches the other.
fn time_to_speak(alice: &mut Terminal, bob: &Terminal, change: impl FnOnce()) -> Duration {
    change();
    let start = Instant::now();
    alice.enter("here I am");
    bob.wait_for("<alice> here I am");
    let took = start.elapsed();
    let screen = bob.wait_for_last("[#lobby]");
    assert_eq!(screen.matches("here I am").count(), 1, "{screen}");
    took
}

#[test]
fn a_client_with_a_new_address_is_back_in_seconds() {
    takes_less_than(BACK, || {
        let lan = Lan::new()?;
        let (_server, mover, _homes, _running, mut alice, bob) = pair(&lan);
        let took = time_to_speak(&mut alice, &bob, || {
            mover.ip(
                "addr flush dev lan0\naddr add 10.77.1.200/24 dev lan0\naddr add fe80::c8/64 dev lan0 nodad",
            );
        });
        alice.wait_for("this machine's address has changed; reconnecting");
        Some(took)
    });
}

#[test]
fn a_server_with_a_new_address_is_found_in_seconds() {
    takes_less_than(BACK, || {
        let lan = Lan::new()?;
        let (server, _mover, _homes, _running, mut alice, bob) = pair(&lan);
        Some(time_to_speak(&mut alice, &bob, || {
            server.ip(
                "addr flush dev lan0\naddr add 10.77.1.201/24 dev lan0\naddr add fe80::c9/64 dev lan0 nodad",
            );
        }))
    });
}

#[test]
fn a_client_in_pipes_comes_back_after_a_restart_and_shows_what_it_missed_once() {
    let Some(lan) = Lan::new() else { return };
    let (server, client, other) = (lan.host(), lan.host(), lan.host());
    let homes = [Home::new(), Home::new(), Home::new()];
    let running = serve(&server, &homes[0]);
    let mut command = client.command(LANCHAT);
    command.envs(homes[1].env()).args(["--name", "alice"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut alice = client.spawn(command.stderr(Stdio::null()));
    let mut input = alice.0.stdin.take().expect("an input");
    let output = alice.0.stdout.take().expect("an output");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let mut seen = Vec::new();
    let mut wait = |text: &str| {
        for line in lines.by_ref() {
            let is_it = line.contains(text);
            seen.push(line);
            if is_it {
                return;
            }
        }
        panic!("no {text:?} in {seen:#?}");
    };
    wait("connected to office as alice");
    let mut bob = chat(&other, &homes[2], "bob");
    bob.wait_for("connected to office as bob");
    bob.enter("before");
    wait("<bob> before");
    stop(running);
    input.write_all(b"during\n").expect("a pipe");
    wait("will be sent when connected: during");
    let _running = serve(&server, &homes[0]);
    wait("connected again");
    wait("<alice> during");
    bob.wait_for("<alice> during");
    bob.enter("after");
    wait("<bob> after");
    drop(input);
    assert_eq!(alice.0.wait().expect("a status").code(), Some(0), "{seen:#?}");
    assert_eq!(seen.iter().filter(|line| line.contains("<bob> before")).count(), 1, "{seen:#?}");
}
