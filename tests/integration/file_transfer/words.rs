//! What both programs say, and what they refuse.

use super::*;

/// What a program says to people until it ends.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_missing_folder_is_refused_at_the_start_and_not_made() {
    let server = Serve::start(&[]);
    let bob = User::new("bob");
    let output = bob.command("receive", server.address, &["--to", "inbxo", "--once"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(said(&output), "lanchat: there is no folder inbxo; create it, or give another one\n");
    assert!(tree(&bob.files()).is_empty());
}

#[test]
fn a_folder_that_goes_away_is_not_made_again() {
    let server = Serve::start(&[]);
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    alice.file("plan.pdf", "plan");
    fs::create_dir(bob.files().join("disk")).unwrap();
    let args = ["--json", "--to", "disk", "--yes-to-all"];
    let running = Running::start(&mut bob.command("receive", server.address, &args));
    running.event("waiting");
    fs::remove_dir(bob.files().join("disk")).unwrap();
    let output = alice.send(server.address, &["--to", "bob", "--file", "plan.pdf"]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let msg = running.event("failed")["msg"].as_str().unwrap().to_owned();
    assert_eq!(msg, "there is no folder disk; create it, or give another one");
    assert!(tree(&bob.files()).is_empty());
}

#[test]
fn a_name_that_nobody_has_verified_is_told_at_the_start() {
    let server = Serve::start(&[]);
    let bob = User::new("bob");
    let mut child =
        bob.command("receive", server.address, &["--to", ".", "--yes-from", "alice"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let hint = lines.find(|line| line.contains("--yes-from alice takes nothing"));
    child.kill().unwrap();
    child.wait().unwrap();
    let hint = hint.expect("a hint");
    assert!(hint.contains("/verify alice") && hint.contains("key:FINGERPRINT"), "{hint}");
}

#[test]
fn a_cut_is_told_in_plain_words_with_what_follows() {
    let server = TestServer::with(|options| options.files.as_mut().expect("files").rate = Some(4 << 20));
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    alice.file("big", noise(20_000_000));
    let ways = [Proxy::to(server.address), Proxy::to(server.address)];
    let receiving = receiver(&bob, ways[1].address, &["--yes-to-all"]);
    let args = ["--json", "--to", "bob", "--file", "big"];
    let sending = Running::start(&mut alice.command("send", ways[0].address, &args));
    ways[1].cut_after(3_000_000);
    for running in [&sending, &receiving] {
        let msg = running.event("failed")["msg"].as_str().unwrap().to_owned();
        assert!(msg.starts_with("the transfer was cut: "), "{msg}");
        assert!(
            !["rustls", "http", "close_notify", "os error"].iter().any(|word| msg.contains(word)),
            "{msg}"
        );
    }
    receiving.event("received");
}

fn offered(number: u64, id: &str) -> Value {
    let file = json!({"name": "plan.pdf", "size": 3, "id": id});
    let eve = json!({"name": "eve", "ip": "127.0.0.1"});
    about_offer("offer", json!({"from": eve, "to": "bob", "file": file, "offer": number}))
}

#[test]
fn two_files_of_one_name_accepted_at_once_have_places_of_their_own() {
    let server = FakeServer::start(json!({}));
    let bob = User::new("bob");
    let _running = receiver(&bob, server.address, &["--plaintext", "--yes-to-all"]);
    let chat = server.accept();
    for (number, id) in [(1, "c1"), (2, "c2")] {
        say(&chat, &offered(number, id));
        let packet = server.packet();
        assert_eq!((packet["type"].as_str(), packet["offer"].as_u64()), (Some("accept"), Some(number)));
    }
    let parts = tree(&bob.files());
    assert!(parts.len() == 2 && parts.keys().all(|name| name.starts_with("plan.pdf.")), "{parts:?}");
}

#[test]
fn the_same_content_offered_twice_is_accepted_one_after_the_other() {
    let server = FakeServer::start(json!({}));
    let bob = User::new("bob");
    let running = receiver(&bob, server.address, &["--plaintext", "--yes-to-all"]);
    let chat = server.accept();
    say(&chat, &offered(1, "c1"));
    assert_eq!(server.packet()["offer"], 1);
    say(&chat, &offered(2, "c1"));
    say(&chat, &offered(3, "c3"));
    assert_eq!(server.packet()["offer"], 3, "the second waits for the first");
    // The end of the first leads to the second, and takes nothing away from it.
    say(&chat, &about_offer("ended", json!({"code": "withdrawn", "offer": 1})));
    assert_eq!(server.packet()["offer"], 2);
    assert_eq!(tree(&bob.files()).len(), 2);
    for number in [2, 3] {
        say(&chat, &about_offer("ended", json!({"code": "withdrawn", "offer": number})));
    }
    until(|| tree(&bob.files()).is_empty().then_some(()));
    drop(running);
}

#[test]
fn whole_files_of_one_name_land_beside_each_other() {
    let server = Serve::start(&[]);
    let (alice, carol, bob) = (User::new("alice"), User::new("carol"), User::new("bob"));
    alice.file("plan.pdf", noise(5_000_000));
    carol.file("plan.pdf", noise(4_000_000));
    let running = receiver(&bob, server.address, &["--yes-to-all"]);
    let args = ["--json", "--to", "bob", "--file", "plan.pdf"];
    let sending =
        [&alice, &carol].map(|user| Running::start(&mut user.command("send", server.address, &args)));
    sending.iter().for_each(|sending| drop(sending.event("sent")));
    (0..2).for_each(|_| drop(running.event("received")));
    let sizes: Vec<_> = tree(&bob.files()).into_values().map(|content| content.unwrap().len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 9_000_000);
    assert_eq!(tree(&bob.files()).into_keys().collect::<Vec<_>>(), ["plan (2).pdf", "plan.pdf"]);
}

#[cfg(unix)]
#[test]
fn odd_names_and_hidden_files_arrive_and_are_told() {
    let server = Serve::start(&[]);
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    let running = receiver(&bob, server.address, &["--yes-to-all"]);
    for name in ["two\nlines", "it's \"so\"", "cafe\u{301}", " blank", "-rf"] {
        alice.file(name, name);
        let path = format!("./{name}");
        assert_done(&alice.send(server.address, &["--to", "bob", "--file", &path]));
        let path = PathBuf::from(running.event("received")["path"].as_str().unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), name);
    }
    let names: Vec<_> = tree(&bob.files()).into_keys().collect();
    assert_eq!(names, ["_-rf", "blank", "caf\u{e9}", "it's _so_", "two_lines"]);
    alice.file("docs/.env", "secret");
    alice.file("docs/.git/config", "x");
    let output = alice.send(server.address, &["--to", "bob", "--file", "docs"]);
    assert!(
        said(&output).contains("hidden files are sent, too, and arrive without the dot: .env, .git\n"),
        "{}",
        said(&output)
    );
}

#[test]
fn what_was_taken_into_one_folder_is_not_taken_into_another_without_consent() {
    let server = Serve::start(&[]);
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    alice.file("plan.pdf", "plan");
    let args = ["--to", "bob", "--file", "plan.pdf"];
    let running = receiver(&bob, server.address, &["--yes-to-all", "--once"]);
    assert_done(&alice.send(server.address, &args));
    running.event("received");
    drop(running);
    fs::create_dir(bob.files().join("other")).unwrap();
    let others = |args: &[&str]| {
        let args = [&["--json", "--to", "other"], args].concat();
        let running = Running::start(&mut bob.command("receive", server.address, &args));
        running.event("waiting");
        running
    };
    let running = others(&[]);
    assert_eq!(alice.send(server.address, &args).status.code(), Some(5));
    assert_eq!(running.event("offer")["refused"], true);
    drop(running);
    let running = others(&["--yes-to-all"]);
    assert_done(&alice.send(server.address, &args));
    running.event("received");
    assert_eq!(tree(&bob.files()).keys().collect::<Vec<_>>(), ["other", "other/plan.pdf", "plan.pdf"]);
}
