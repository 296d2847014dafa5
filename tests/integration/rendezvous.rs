//! Finding each other with no options at all, on networks made of namespaces: who comes first
//! offers to be the server, the others find it, and somebody takes over when it goes.

use crate::support::lan::{Host, Lan, Running};
use crate::support::soon::takes_less_than;
use crate::support::terminal::{Home, Key, LANCHAT, Launch, Terminal, last_row};
use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

/// `lanchat` with no more than a name, at a terminal on that host.
fn chat(host: &Host, home: &Home, name: &str) -> Terminal {
    // The hosts share the machine's name, which its servers would have otherwise.
    chat_from(&format!("{name}'s desk"), host, home, name)
}

/// The same on a machine of that name.
fn chat_from(machine: &str, host: &Host, home: &Home, name: &str) -> Terminal {
    let config = home.path().join("config").join("lanchat");
    std::fs::create_dir_all(&config).expect("a directory");
    std::fs::write(config.join("config.toml"), format!("[serve]\nname = \"{machine}\"\n")).expect("a file");
    host.run(|| Launch::lanchat(&["--name", name]).start(home))
}

/// The same in pipes, with nothing to read.
fn plain(host: &Host, home: &Home, args: &[&str]) -> Output {
    let mut command = host.command(LANCHAT);
    command.envs(home.env()).args(args).stdin(Stdio::null());
    command.output().expect("an output")
}

/// `lanchat serve` on that host, up and ready.
fn serve(host: &Host, home: &Home, args: &[&str]) -> Running {
    let mut command = host.command(LANCHAT);
    command.envs(home.env()).arg("serve").args(args);
    let mut server = host.spawn(command.stdin(Stdio::null()).stderr(Stdio::piped()));
    let mut log = BufReader::new(server.0.stderr.take().expect("a log")).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("serving ")), "the server did not start");
    // What else it logs is read so that it never waits for a reader; ends with it.
    std::thread::spawn(move || log.for_each(drop));
    server
}

const OFFER: &str = "No lanchat server found on this network. Start one here? [Y/n/s]";

/// The same after the server was there.
const SUCCESSION: &str = "Start one here anyway? [y/N/s]";

fn is_ready(screen: &str) -> bool {
    last_row(screen) == "[#lobby]"
}

/// From nothing to a chat both ways, discovery and start of the program included.
const TIME_TO_CHAT: Duration = Duration::from_secs(2);

#[test]
fn a_server_and_clients_without_any_options_chat_within_two_seconds() {
    takes_less_than(TIME_TO_CHAT, || {
        let lan = Lan::new()?;
        let hosts = [lan.host(), lan.host(), lan.host(), lan.host()];
        hosts.iter().for_each(|host| host.add_dead_bridge());
        let homes = [Home::new(), Home::new(), Home::new(), Home::new()];
        let _server = serve(&hosts[0], &homes[0], &["--name", "office"]);
        let start = Instant::now();
        let mut one = hosts[1].run(|| Launch::lanchat::<&str>(&[]).start(&homes[1]));
        let mut two = hosts[2].run(|| Launch::lanchat::<&str>(&[]).start(&homes[2]));
        for terminal in [&mut one, &mut two] {
            // Where the login name is none for a chat, as root's, lanchat asks for one.
            let is_asked = |screen: &str| last_row(screen).starts_with("Your name for the chat?");
            let screen = terminal.wait_until("a prompt", |screen| is_asked(screen) || is_ready(screen));
            if is_asked(&screen) {
                terminal.key(Key::Enter);
            }
            terminal.wait_until("the prompt", is_ready);
        }
        one.enter("from one");
        two.wait_for("> from one");
        two.enter("from two");
        one.wait_for("> from two");
        let took = start.elapsed();
        let listed = plain(&hosts[3], &homes[3], &["discover", "--json"]);
        let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
        assert_eq!(listed[0]["name"], "office", "{listed}");
        assert!(listed[0]["addresses"].to_string().contains(&hosts[0].v4().to_string()), "{listed}");
        Some(took)
    });
}

/// The UDP sockets and multicast groups in the namespace of a process.
#[cfg(target_os = "linux")]
fn multicast_state(process: u32) -> (usize, bool) {
    let read =
        |file: &str| std::fs::read_to_string(format!("/proc/{process}/net/{file}")).expect("a file of proc");
    let sockets = ["udp", "udp6"].map(|file| read(file).lines().count() - 1);
    // 224.0.0.251 as the kernel writes it, and ff02::fb.
    let joined =
        read("igmp").contains("FB0000E0") || read("igmp6").contains("ff0200000000000000000000000000fb");
    (sockets.iter().sum(), joined)
}

#[cfg(target_os = "linux")]
#[test]
fn without_discovery_no_multicast_socket_is_opened() {
    let Some(lan) = Lan::new() else { return };
    let (server, client, searcher) = (lan.host(), lan.host(), lan.host());
    let (homes, host) = ([Home::new(), Home::new(), Home::new()], server.v4().to_string());
    let _server = serve(&server, &homes[0], &["--no-discovery"]);
    let args = ["--no-discovery", "--host", &host, "--name", "alice"];
    let joined = client.run(|| Launch::lanchat(&args).start(&homes[1]));
    joined.wait_for_last("[#lobby]");
    assert_eq!(multicast_state(joined.process_id()), (0, false));
    // The same look at a client that does search sees its sockets.
    let searching = chat(&searcher, &homes[2], "alice");
    searching.wait_for("Looking for a server...");
    let (sockets, joined) = multicast_state(searching.process_id());
    assert!(sockets > 0 && joined, "{sockets} sockets, joined: {joined}");
}

#[test]
fn the_first_offers_to_be_the_server_and_the_second_finds_it() {
    let Some(lan) = Lan::new() else { return };
    let (one, two) = (lan.host(), lan.host());
    let (alices, bobs) = (Home::new(), Home::new());
    let mut alice = chat(&one, &alices, "alice");
    alice.wait_for(OFFER);
    alice.enter("y");
    alice.wait_for_last("[#lobby]");
    let mut bob = chat(&two, &bobs, "bob");
    bob.wait_for_last("[#lobby]");
    alice.wait_for("-> bob joined; 2 here");
    bob.enter("hello");
    alice.wait_for("<bob> hello");
    alice.enter("hello yourself");
    bob.wait_for("<alice> hello yourself");
    // The one who hosts is asked before the chat ends for others.
    alice.key(Key::CtrlD);
    alice.wait_for("1 other user is connected to the server that you run. Leave and stop it? [y/N]");
    alice.enter("n");
    alice.wait_for_last("[#lobby]");
    alice.key(Key::CtrlD);
    alice.wait_until("the question again", |screen| screen.matches("Leave and stop it?").count() == 2);
    alice.enter("y");
    assert_eq!(alice.wait_exit().0, 0);
    // The other one is offered the succession, with what was half typed kept for later.
    bob.type_text("half a th");
    bob.wait_for_last("[#lobby, no server] half a th");
    bob.wait_for("s: try all");
    // Nobody is asked while they type.
    bob.wait_for_last("[#lobby, no server] half a th");
    bob.key(Key::CtrlC);
    bob.wait_until("the question", |screen| last_row(screen).ends_with(SUCCESSION));
    bob.enter("y");
    let screen = bob.wait_for_last("[#lobby]");
    assert!(screen.contains("the server is shutting down; looking for a server"), "{screen}");
    let mut alice = chat(&one, &alices, "alice");
    alice.wait_for_last("[#lobby]");
    alice.enter("again");
    bob.wait_for("<alice> again");
}

#[test]
fn an_enter_typed_while_waiting_takes_no_offer() {
    let Some(lan) = Lan::new() else { return };
    let (host, home) = (lan.host(), Home::new());
    let mut alice = chat(&host, &home, "alice");
    alice.wait_for("Looking for a server...");
    alice.key(Key::Enter);
    alice.wait_for_last(OFFER);
    alice.key(Key::CtrlD);
    let (status, screen) = alice.wait_exit();
    assert_eq!(status, 3, "{screen}");
}

#[test]
fn an_offer_is_withdrawn_when_somebody_else_takes_it() {
    let Some(lan) = Lan::new() else { return };
    let hosts = [lan.host(), lan.host(), lan.host()];
    let homes = [Home::new(), Home::new(), Home::new()];
    let mut alice = chat(&hosts[0], &homes[0], "alice");
    alice.wait_for(OFFER);
    alice.enter("y");
    alice.wait_for_last("[#lobby]");
    let mut bob = chat(&hosts[1], &homes[1], "bob");
    let carol = chat(&hosts[2], &homes[2], "carol");
    bob.wait_for_last("[#lobby]");
    carol.wait_for_last("[#lobby]");
    alice.wait_for("carol joined");
    alice.wait_for("bob");
    alice.enter("/quit");
    alice.wait_for("2 other users are connected");
    alice.enter("y");
    alice.wait_exit();
    let is_asked = |screen: &str| last_row(screen).ends_with(SUCCESSION);
    bob.wait_until("the question", is_asked);
    carol.wait_until("the question", is_asked);
    bob.enter("y");
    carol.wait_for_last("[#lobby]");
    bob.wait_for_last("[#lobby]");
    bob.enter("here we are");
    carol.wait_for("<bob> here we are");
}

#[test]
fn whoever_hosted_the_last_time_hosts_again_by_enter() {
    let Some(lan) = Lan::new() else { return };
    let (host, home) = (lan.host(), Home::new());
    for day in 1..=2 {
        let mut alice = chat(&host, &home, "alice");
        let screen = alice.wait_for_last(OFFER);
        assert!(!screen.contains("does not answer"), "day {day}: {screen}");
        alice.enter("y");
        alice.wait_for("connected to alice's desk as alice");
        alice.enter("/quit");
        assert_eq!(alice.wait_exit().0, 0);
    }
    let output = plain(&host, &home, &["--timeout", "1s"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{error}");
    assert!(error.contains("was last on this machine and is not running"), "{error}");
}

#[test]
fn two_machines_of_one_name_that_start_a_server_at_the_same_time_end_up_in_one_chat() {
    let Some(lan) = Lan::new() else { return };
    let hosts = [lan.host(), lan.host()];
    let homes = [Home::new(), Home::new()];
    let [mut alice, mut bob] =
        [("alice", 0), ("bob", 1)].map(|(name, at)| chat_from("raspberrypi", &hosts[at], &homes[at], name));
    alice.wait_for_last(OFFER);
    bob.wait_for_last(OFFER);
    alice.enter("y");
    bob.enter("y");
    alice.wait_for("connected to raspberrypi as alice");
    bob.wait_for("connected to raspberrypi as bob");
    // Whichever gives way, or finds the other one just before it starts its own.
    alice.wait_until("both in one chat", |screen| {
        (screen.contains("2 users here") || screen.contains("; 2 here")) && last_row(screen) == "[#lobby]"
    });
    alice.enter("one chat");
    bob.wait_for("<alice> one chat");
}

#[test]
fn who_said_no_is_asked_again_by_enter() {
    let Some(lan) = Lan::new() else { return };
    let (host, home) = (lan.host(), Home::new());
    let mut alice = chat(&host, &home, "alice");
    alice.wait_for_last(OFFER);
    alice.enter("n");
    alice.wait_for_last("[#lobby, no server]");
    alice.key(Key::Enter);
    alice.wait_until("the question again", |screen| last_row(screen).ends_with(OFFER));
    alice.enter("y");
    alice.wait_for("connected to alice's desk as alice");
}

#[test]
fn who_declines_or_cannot_be_asked_gets_status_3_and_the_remedy() {
    let Some(lan) = Lan::new() else { return };
    let (host, home) = (lan.host(), Home::new());
    let mut alice = chat(&host, &home, "alice");
    alice.wait_for(OFFER);
    alice.enter("n");
    alice.wait_for("still looking for a server; Enter asks again, /quit leaves");
    alice.enter("/quit");
    let (status, screen) = alice.wait_exit();
    assert_eq!(status, 3, "{screen}");
    assert!(screen.contains("no lanchat server answered") && screen.contains("--host"), "{screen}");
    let output = plain(&host, &home, &["--timeout", "1s"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.starts_with("lanchat: no lanchat server answered") && error.contains("--host"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn several_servers_are_a_choice_and_the_last_used_one_is_taken_by_itself() {
    let Some(lan) = Lan::new() else { return };
    let hosts = [lan.host(), lan.host(), lan.host()];
    let homes = [Home::new(), Home::new(), Home::new()];
    let _servers =
        [serve(&hosts[0], &homes[0], &["--name", "office"]), serve(&hosts[1], &homes[1], &["--name", "lab"])];
    let output = plain(&hosts[2], &homes[2], &["--name", "alice"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("--server") && error.contains("office (") && error.contains("lab ("), "{error}");
    let mut alice = chat(&hosts[2], &homes[2], "alice");
    let screen = alice.wait_for("Which one? [1-2, or its name]");
    assert!(screen.contains("lab (") && screen.contains("office ("), "{screen}");
    alice.enter("7");
    alice.wait_for("\"7\" does not pick one of them");
    alice.wait_until("the question again", |screen| last_row(screen).contains("Which one?"));
    alice.key(Key::CtrlD);
    let (status, screen) = alice.wait_exit();
    assert_eq!(status, 3, "{screen}");
    assert!(screen.contains("choose one with --server NAME") && !screen.contains("not sent"), "{screen}");
    let mut alice = chat(&hosts[2], &homes[2], "alice");
    alice.wait_for("Which one? [1-2, or its name]");
    alice.enter("Lab");
    alice.wait_for("connected to lab as alice");
    alice.enter("/quit");
    alice.wait_exit();
    let again = chat(&hosts[2], &homes[2], "alice");
    again.wait_for("connected to lab as alice");
    let named = hosts[2].run(|| Launch::lanchat(&["--name", "alice", "--server", "office"]).start(&homes[2]));
    named.wait_for("connected to office as alice");
}

#[test]
fn a_server_with_another_address_is_found_again() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let homes = [Home::new(), Home::new()];
    let serve = || serve(&server, &homes[0], &["--name", "office", "--port", "0"]);
    let first = serve();
    let mut alice = chat(&client, &homes[1], "alice");
    alice.wait_for("connected to office as alice");
    alice.type_text("half a th");
    alice.wait_for_last("[#lobby] half a th");
    // Killed, so it says no goodbye; the next one has another port.
    drop(first);
    alice.wait_for_last("[#lobby, reconnecting] half a th");
    let _second = serve();
    let screen = alice.wait_for_last("[#lobby] half a th");
    assert!(screen.contains("-- connected again after"), "{screen}");
}

/// What `lanchat fingerprint` prints aloud for the server with that home.
fn digits(host: &Host, home: &Home) -> String {
    let output = plain(host, home, &["fingerprint"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().nth(1).expect("digits").to_owned()
}

#[test]
fn the_known_server_is_joined_and_its_twin_is_told_of() {
    let Some(lan) = Lan::new() else { return };
    let hosts = [lan.host(), lan.host(), lan.host()];
    let homes = [Home::new(), Home::new(), Home::new()];
    let _office = serve(&hosts[0], &homes[0], &["--name", "office"]);
    let mut alice = chat(&hosts[2], &homes[2], "alice");
    alice.wait_for("connected to office as alice");
    alice.enter("/quit");
    alice.wait_exit();
    let _twin = serve(&hosts[1], &homes[1], &["--name", "Office"]);
    let (known, other) = (digits(&hosts[0], &homes[0]), digits(&hosts[1], &homes[1]));
    let alice = hosts[2].run(|| Launch::lanchat(&["--name", "alice"]).size(30, 200).start(&homes[2]));
    alice.wait_for(&format!(
        "Two servers call themselves \"office\". Joining the one you know ({} ...). The other one ({} ...) was \
         ignored.",
        &known[..5],
        &other[..5]
    ));
    alice.wait_for("connected to office as alice");
}

#[test]
fn a_twin_alone_is_refused_and_gets_nothing() {
    let Some(lan) = Lan::new() else { return };
    let hosts = [lan.host(), lan.host(), lan.host()];
    let homes = [Home::new(), Home::new(), Home::new()];
    let office = serve(&hosts[0], &homes[0], &["--name", "office"]);
    let output = plain(&hosts[2], &homes[2], &["--name", "alice"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    drop(office);
    let _twin = serve(&hosts[1], &homes[1], &["--name", "office"]);
    let output = plain(&hosts[2], &homes[2], &["--name", "alice"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{error}");
    assert!(
        error.starts_with("REFUSED: \"office\"") && error.contains(&digits(&hosts[1], &homes[1])),
        "{error}"
    );
    let listed = plain(&hosts[2], &homes[2], &["discover", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!((&listed[0]["known"], &listed[0]["closed"]), (&false.into(), &false.into()), "{listed}");
    assert!(listed[0]["txt"]["fp"].as_str().is_some_and(|fp| fp.len() == 43), "{listed}");
}
