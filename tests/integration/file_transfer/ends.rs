//! How transfers end, and what each side and the log tell of it.

use super::*;
use lanchat::protocol::record::{
    ContentHash, FileHeader, FileRecord, Have, RECORD_HEAD_BYTES, RecordKind, StartPlace, Totals,
};
use lanchat::server::FileOptions;

#[test]
fn a_sender_learns_why_the_file_is_declined_even_if_the_receiver_then_ends() {
    let server = Serve::start(&[]);
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    alice.file("plan.pdf", noise(2000));
    let args = ["--yes-to-all", "--once", "--max", "1000"];
    let mut running = receiver(&bob, server.address, &args);
    let output = alice.send(server.address, &["--to", "bob", "--file", "plan.pdf"]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("bob declines the file: too big"), "{said}");
    assert!(!running.child.wait().unwrap().success());
}

#[test]
fn a_receiver_that_ends_waits_for_the_answer_to_its_last_packet() {
    let server = FakeServer::start(json!({}));
    let bob = User::new("bob");
    let args = ["--plaintext", "--yes-to-all", "--once", "--max", "1000"];
    let mut running = receiver(&bob, server.address, &args);
    let chat = server.accept();
    let file = json!({"name": "plan.pdf", "size": 2000, "id": "c1"});
    let from = json!({"name": "eve", "ip": "127.0.0.1"});
    say(&chat, &about_offer("offer", json!({"from": from, "to": "bob", "file": file})));
    let decline = server.packet();
    assert_eq!((&decline["type"], &decline["reason"]), (&json!("decline"), &json!("too_big")));
    assert!(running.child.try_wait().unwrap().is_none(), "the server has not answered");
    say(&chat, &about_offer("ended", json!({"id": decline["id"], "code": "declined"})));
    assert!(!running.child.wait().unwrap().success());
}

#[test]
fn the_log_and_the_status_tell_the_truth() {
    let mut server = Serve::start(&[]);
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    alice.file("plan.pdf", noise(100_000));
    let running = receiver(&bob, server.address, &["--yes-to-all"]);
    assert_done(&alice.send(server.address, &["--to", "bob", "--file", "plan.pdf"]));
    running.event("received");
    server.wait_for_log("why=\"done\"");
    // The file changes between the offer and the answer.
    let (mut carol, dave) = (Peer::join(server.address, "carol"), User::new("dave"));
    dave.file("plan.pdf", "the plan");
    let args = ["--json", "--plaintext", "--to", "carol", "--file", "plan.pdf"];
    let mut sending = Running::start(&mut dave.command("send", server.address, &args));
    let offer = carol.wait_for("offer")["offer"].clone();
    dave.file("plan.pdf", "other");
    carol.send(json!({"type": "accept", "offer": offer}));
    let token = carol.wait_for("accepted")["token"].as_str().unwrap().to_owned();
    let mut file = FilePeer::open(server.address, None, &token);
    file.go();
    file.write(&FileRecord::Have(Have::nothing()).to_bytes());
    let (words, _) = file.read_to_end();
    assert!(String::from_utf8_lossy(&words).contains(r#""code":"changed""#));
    file.end();
    server.wait_for_log("why=\"changed\"");
    assert!(!sending.child.wait().unwrap().success());
}

#[test]
fn a_receiver_accepts_again_if_the_connection_broke_after_the_last_byte() {
    let server = Serve::start(&[]);
    let bob = User::new("bob");
    let running = receiver(&bob, server.address, &["--plaintext", "--yes-to-all", "--once"]);
    let mut alice = Peer::join(server.address, "alice");
    alice.send(json!({"type": "offer", "to": "bob", "file": {"name": "plan.pdf", "size": 4, "id": "c1"}}));
    let token = alice.wait_for("accepted")["token"].as_str().unwrap().to_owned();
    let mut file = FilePeer::open(server.address, None, &token);
    file.go();
    let header = FileHeader { path: vec!["plan.pdf".into()], size: Some(4), folder: false };
    for record in [
        FileRecord::StartPlace(StartPlace::default()),
        FileRecord::File(header),
        FileRecord::Data(b"plan"),
        FileRecord::Hash(ContentHash(*blake3::hash(b"plan").as_bytes())),
        FileRecord::Totals(Totals { files: 1, bytes: 4 }),
    ] {
        file.write(&record.to_bytes());
    }
    // All is sent, and the sender hears nothing of the answer.
    file.end();
    running.event("received");
    assert_eq!(alice.wait_for("ended")["code"], "cut");
    let token = alice.wait_for("accepted")["token"].as_str().unwrap().to_owned();
    let mut file = FilePeer::open(server.address, None, &token);
    file.go();
    let head = file.read(RECORD_HEAD_BYTES);
    let (kind, length) = RecordKind::read_head(head.try_into().unwrap()).unwrap();
    let content = file.read(length);
    match FileRecord::read(kind, &content) {
        Ok(FileRecord::Have(have)) => assert_eq!((have.files, have.have), (1, 0), "it has all"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sender_takes_the_server_s_word_that_all_has_arrived() {
    let server = FakeServer::start(json!({}));
    let alice = User::new("alice");
    let (mut running, chat) = offering(&server, &alice);
    say(&chat, &about_offer("accepted", json!({"name": "bob", "token": "secret", "send": true})));
    assert_eq!(running.event("failed")["code"], "cut");
    say(&chat, &about_offer("ended", json!({"name": "bob", "code": "received"})));
    assert_eq!(running.event("sent")["name"], "bob");
    assert!(running.child.wait().unwrap().success());
}

#[test]
fn an_offer_to_oneself_says_so_and_reaches_ones_other_session() {
    let server = Serve::start(&[]);
    let alice = User::new("alice");
    alice.file("plan.pdf", "plan");
    let output = alice.send(server.address, &["--to", "Alice", "--file", "plan.pdf", "--wait", "2s"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Alice is you, and has no other session here"), "{said}");
    let folder = alice.home.path().join("other");
    fs::create_dir(&folder).unwrap();
    let to = folder.to_str().unwrap();
    let running = receiver(&alice, server.address, &["--yes-to-all", "--to", to]);
    assert_done(&alice.send(server.address, &["--to", "alice", "--file", "plan.pdf"]));
    running.event("received");
    assert_eq!(fs::read_to_string(folder.join("plan.pdf")).unwrap(), "plan");
}

#[test]
fn options_for_files_are_refused_with_a_text() {
    let alice = User::new("alice");
    for option in ["--as", "--wait"] {
        let address = "127.0.0.1:9".parse().unwrap();
        let output = alice.send(address, &["--to", "bob", "hello", option, "3s"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("--as and --wait are for files"), "{said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_is_refused_at_the_start() {
    let Some(disk) = SmallDisk::new(1000) else { return };
    let mut mount = Command::new("mount");
    mount.args(["-o", "remount,ro"]).arg(&disk.path);
    assert!(disk.command(&mount).status().unwrap().success());
    let bob = User::new("bob");
    let to = disk.path.to_str().unwrap();
    let command = bob.command("receive", "127.0.0.1:9".parse().unwrap(), &["--yes-to-all", "--to", to]);
    let output = disk.command(&command).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("cannot write to {to}")) && said.contains("with --to"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_what_has_come_for_the_next_attempt() {
    const BYTES: usize = 14_000_000;
    let Some(disk) = SmallDisk::new(40_000) else { return };
    let server = TestServer::start();
    let bob = User::new("bob");
    let to = disk.path.to_str().unwrap();
    let command =
        bob.command("receive", server.address, &["--json", "--plaintext", "--yes-to-all", "--to", to]);
    let running = Running::start(disk.command(&command).stdin(Stdio::null()).stdout(Stdio::piped()));
    running.event("waiting");
    let mut alice = Peer::join(server.address, "alice");
    let content = noise(BYTES);
    let mut attempt = || {
        alice.send(json!({"type": "offer", "to": "bob", "file": {"name": "big", "size": BYTES, "id": "c1"}}));
        let token = alice.wait_for("accepted")["token"].as_str().unwrap().to_owned();
        let mut file = FilePeer::open(server.address, None, &token);
        file.go();
        let head = file.read(RECORD_HEAD_BYTES);
        let (kind, length) = RecordKind::read_head(head.try_into().unwrap()).unwrap();
        let have = file.read(length);
        let Ok(FileRecord::Have(have)) = FileRecord::read(kind, &have) else { panic!("{have:?}") };
        file.write(&FileRecord::StartPlace(have.place()).to_bytes());
        let header = FileHeader { path: vec!["big".into()], size: Some(BYTES as u64), folder: false };
        file.write(&FileRecord::File(header).to_bytes());
        (file, usize::try_from(have.have).unwrap())
    };
    let send = |file: &mut FilePeer, bytes: &[u8]| {
        bytes.chunks(60_000).for_each(|part| file.write(&FileRecord::Data(part).to_bytes()));
    };
    let (mut file, have) = attempt();
    assert_eq!(have, 0);
    send(&mut file, &content[..1_000_000]);
    let part = || tree(&disk.file("")).into_iter().find(|(name, _)| name.ends_with(".part"));
    until(|| part()?.1.filter(|content| content.len() == 1_000_000));
    fs::write(disk.file("filler"), noise(12_000_000)).unwrap();
    send(&mut file, &content[1_000_000..10_000_000]);
    let failed = running.event("failed");
    assert_eq!(failed["code"], "no_space");
    assert!(failed["msg"].as_str().unwrap().contains("stays for a week"), "{failed}");
    fs::remove_file(disk.file("filler")).unwrap();
    let (mut file, have) = attempt();
    assert!(have >= 1_000_000, "{have}");
    send(&mut file, &content[have..]);
    file.write(&FileRecord::Hash(ContentHash(*blake3::hash(&content).as_bytes())).to_bytes());
    file.write(&FileRecord::Totals(Totals { files: 1, bytes: BYTES as u64 }).to_bytes());
    running.event("received");
    assert!(fs::read(disk.file("big")).unwrap() == content);
}

#[test]
fn a_receiver_learns_that_the_file_changed_although_much_of_it_is_under_way() {
    let server = TestServer::with(|options| {
        options.files = Some(FileOptions { rate: Some(1 << 20), ..FileOptions::default() })
    });
    let (alice, bob) = (User::new("alice"), User::new("bob"));
    alice.file("big", noise(16_000_000));
    let receiving = receiver(&bob, server.address, &["--plaintext", "--yes-to-all"]);
    let args = ["--json", "--plaintext", "--to", "bob", "--file", "big"];
    let sending = Running::start(&mut alice.command("send", server.address, &args));
    let has_come =
        || fs::read_dir(bob.files()).unwrap().any(|file| file.unwrap().metadata().unwrap().len() > 0);
    until(|| has_come().then_some(()));
    alice.file("big", "another one");
    assert_eq!(receiving.event("failed")["code"], "changed");
    let error = sending.event("error");
    assert!(error["msg"].as_str().is_some_and(|msg| msg.contains("changed")), "{error}");
}
