//! `lanchat --json`: a program takes part in the chat over its standard input and output.

use crate::support::document::{is_presence, settled};
use crate::support::home::{Home, LANCHAT};
use crate::support::peer::Peer;
use crate::support::proxy::Proxy;
use crate::support::server::TestServer;
use crate::support::tls::Key;
use crate::support::tools::Talk;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

const DOCUMENT: &str = include_str!("../../docs/programs.md");

fn program(home: &Home, host: &str) -> Talk {
    let mut command = Command::new(LANCHAT);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
        command.env_remove(name);
    }
    command.envs(home.env()).args(["--json", "--no-discovery", "--name", "bot", "--host", host]);
    Talk::start(&mut command)
}

/// A server that keeps a history, its directory, and the home of a program.
struct Scene {
    dir: tempfile::TempDir,
    home: Home,
    server: TestServer,
    key: Key,
}

impl Scene {
    fn new() -> Self {
        let (dir, home, key) = (tempfile::tempdir().unwrap(), Home::new(), Key::new());
        let server = TestServer::in_dir(dir.path());
        Self { dir, home, server, key }
    }

    fn alice(&self) -> Peer {
        Peer::join_with(self.server.address, "alice", &self.key)
    }

    /// A program called bot that has joined.
    fn bot(&self) -> Talk {
        let mut bot = program(&self.home, &self.server.link());
        assert_eq!(bot.packet()["type"], "welcome");
        bot
    }
}

#[test]
fn a_program_is_present_and_gets_each_answer_with_its_id_and_line() {
    let scene = Scene::new();
    let (mut alice, mut bot) = (scene.alice(), scene.bot());
    alice.sees_join("bot");
    bot.send(&json!({"type": "join", "room": "#builds", "id": "j"}));
    let room = bot.wait_for("room");
    assert_eq!((&room["id"], &room["line"], &room["joined"]), (&json!("j"), &json!(1), &json!(true)));
    alice.send(json!({"type": "join", "room": "#builds"}));
    while bot.wait_for("joined")["room"] != "#builds" {}
    bot.send(&json!({"to": "#builds", "msg": "done", "id": "same"}));
    bot.send(&json!({"to": "alice", "msg": "just you", "id": "same"}));
    for line in [2, 3] {
        let sent = bot.wait_for("sent");
        assert_eq!((&sent["id"], &sent["line"]), (&json!("same"), &json!(line)), "{sent}");
    }
    assert_eq!((alice.text(), alice.text()), ("done".into(), "just you".into()));
    alice.send(json!({"type": "topic", "room": "#builds", "topic": "green"}));
    assert_eq!(bot.wait_for("topic")["topic"], "green");
    bot.send(&json!({"to": "server", "msg": "/time"}));
    assert_eq!(bot.wait_for("time")["line"], 4);
    bot.send(&json!({"type": "history", "room": "#builds", "id": "h"}));
    let said = bot.wait_for("chat");
    assert_eq!((&said["msg"], &said["id"], &said["history"]), (&json!("done"), &json!("h"), &json!(true)));
    assert_eq!(bot.wait_for("history")["line"], 5);
    let (_, status, errors) = bot.finish();
    assert_eq!(status, Some(0), "{errors}");
}

#[test]
fn a_wrong_line_is_answered_and_the_others_are_carried_out() {
    let scene = Scene::new();
    let (mut alice, mut bot) = (scene.alice(), scene.bot());
    bot.say("hello");
    bot.say("");
    bot.say(r#"{"to":"all","msg":7,"id":"x"}"#);
    bot.say(&format!(r#"{{"to":"all","msg":"{}"}}"#, "x".repeat(70_000)));
    bot.say(r#"{"type":"hello","from":{"name":"eve"}}"#);
    bot.say(r#"{"to":"nobody","msg":"psst","id":"y"}"#);
    bot.say(r#"{"to":"all","msg":"still here"}"#);
    assert_eq!(alice.text(), "still here");
    let (packets, status, errors) = bot.finish();
    let of_lines = packets.iter().filter(|packet| packet["line"].is_number());
    let told: Vec<_> =
        of_lines.map(|packet| (packet["line"].as_u64().unwrap(), &packet["type"], &packet["code"])).collect();
    let error = json!("error");
    let expected = [
        (1, &error, &json!("bad_packet")),
        (3, &error, &json!("bad_packet")),
        (4, &error, &json!("bad_packet")),
        (5, &error, &json!("not_allowed")),
        (6, &error, &json!("no_such_user")),
        (7, &json!("sent"), &Value::Null),
    ];
    assert_eq!(told, expected, "{packets:?}");
    assert_eq!(status, Some(5), "{errors}");
    assert!(errors.contains("5 lines were refused"), "{errors}");
    assert_eq!(packets.last().unwrap()["code"], "refused");
}

#[test]
fn over_a_restart_nothing_is_lost_in_either_direction() {
    let mut scene = Scene::new();
    let (mut alice, mut bot) = (scene.alice(), scene.bot());
    bot.send(&json!({"type": "join", "room": "#builds"}));
    bot.wait_for("room");
    alice.say("all", "before");
    assert_eq!(bot.wait_for("chat")["msg"], "before");
    scene.server.stop();
    bot.wait_for("disconnected");
    bot.send(&json!({"to": "#builds", "msg": "while it was away", "id": "w"}));
    scene.server.restart(scene.dir.path());
    let mut alice = scene.alice();
    alice.say("all", "missed or live");
    bot.wait_for("welcome");
    let mut said = Vec::new();
    while said.len() < 2 {
        let packet = bot.packet();
        match packet["type"].as_str() {
            Some("chat") => said.push(packet["msg"].clone()),
            Some("sent") => said.push(packet["id"].clone()),
            _ => {}
        }
    }
    said.sort_by_key(Value::to_string);
    assert_eq!(said, [json!("missed or live"), json!("w")]);
    let (rest, status, errors) = bot.finish();
    assert_eq!(status, Some(0), "{errors}");
    assert!(rest.iter().all(|packet| packet["type"] != "chat"), "{rest:?}");
}

#[test]
fn a_message_whose_receipt_was_lost_is_said_once_and_gets_its_receipt() {
    let scene = Scene::new();
    let mut alice = scene.alice();
    let proxy = Proxy::to(scene.server.address);
    let mut bot = program(&scene.home, &scene.server.link_at(proxy.address));
    bot.wait_for("welcome");
    proxy.mute();
    bot.send(&json!({"to": "all", "msg": "once", "id": "m"}));
    bot.send(&json!({"to": "server", "msg": "/time", "id": "t"}));
    assert_eq!(alice.text(), "once");
    proxy.cut();
    bot.wait_for("disconnected");
    let told = bot.wait_for("error");
    assert_eq!((&told["id"], &told["code"]), (&json!("t"), &json!("disconnected")), "a command in words");
    proxy.mend();
    let sent = bot.wait_for("sent");
    assert_eq!((&sent["id"], &sent["line"]), (&json!("m"), &json!(1)));
    bot.send(&json!({"to": "all", "msg": "end"}));
    assert_eq!(alice.text(), "end");
    assert_eq!(bot.finish().1, Some(5));
}

#[test]
fn at_the_end_of_the_input_every_line_still_gets_its_answer() {
    let scene = Scene::new();
    let (mut alice, mut bot) = (scene.alice(), scene.bot());
    // More than may be without an answer at a time.
    for number in 0..250 {
        bot.send(&json!({"to": "all", "msg": number.to_string(), "id": number.to_string()}));
    }
    let (packets, status, errors) = bot.finish();
    assert_eq!(status, Some(0), "{errors}");
    let receipts = packets.iter().filter(|packet| packet["type"] == "sent");
    let ids: Vec<_> = receipts.map(|packet| packet["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (0..250).map(|number| number.to_string()).collect::<Vec<_>>());
    (0..250).for_each(|number| assert_eq!(alice.text(), number.to_string()));
}

#[test]
fn lines_without_an_answer_are_named_when_a_program_is_ended_without_a_server() {
    let mut scene = Scene::new();
    let mut bot = scene.bot();
    scene.server.stop();
    bot.wait_for("disconnected");
    bot.send(&json!({"to": "all", "msg": "too late", "id": "m"}));
    bot.say("read up to here");
    bot.wait_for("error");
    let process = bot.process();
    // The first ends the input, a later one the wait.
    let ended = crate::support::soon::until(|| {
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        let told = bot.try_packet()?;
        (told["id"] == "m").then_some(told)
    });
    assert_eq!((&ended["code"], &ended["line"]), (&json!("disconnected"), &json!(1)));
    let (_, status, errors) = bot.finish();
    assert_eq!(status, Some(4), "{errors}");
}

#[test]
fn a_program_that_closes_the_output_early_is_told_that_its_lines_may_be_lost() {
    let scene = Scene::new();
    let mut command = Command::new(LANCHAT);
    command.envs(scene.home.env()).args(["--json", "--no-discovery", "--name", "bot"]);
    command.args(["--host", &scene.server.link()]);
    let mut alice = scene.alice();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    alice.sees_join("bot");
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // The answers to these end it, before or after it has read them all.
    let _ = (0..50).try_for_each(|_| input.write_all(b"{\"to\":\"all\",\"msg\":\"hello\"}\n"));
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("nobody reads standard output any more"), "{errors}");
}

#[test]
fn a_program_that_cannot_join_gets_the_reason_as_a_line() {
    let mut scene = Scene::new();
    scene.server.stop();
    let (packets, status, errors) = program(&scene.home, &scene.server.link()).finish();
    assert_eq!(status, Some(4), "{errors}");
    assert_eq!((packets.len(), &packets[0]["code"]), (1, &json!("disconnected")), "{packets:?}");
}

#[test]
fn the_example_in_the_document_is_what_happens() {
    let scene = Scene::new();
    let mut bot = program(&scene.home, &scene.server.link());
    let mut alice = None;
    let example = DOCUMENT.split("```lanchat-json\n").nth(1).unwrap().split("```").next().unwrap();
    for line in example.lines() {
        let (actor, text) = line.split_at(line.find(' ').unwrap());
        let text = text.trim_start();
        match actor {
            "bot>" => bot.say(text),
            "alice>" => {
                let alice = alice.get_or_insert_with(|| scene.alice());
                alice.send(serde_json::from_str(text).unwrap());
                alice.settle();
            }
            "bot<" => {
                let shown: Value = serde_json::from_str(text).unwrap();
                let mut real = bot.packet();
                while is_presence(&real) {
                    real = bot.packet();
                }
                let (mut shown, mut real) = (settled(&shown, true), settled(&real, true));
                for members in [&mut shown, &mut real] {
                    // As other than the documented ones may appear, as long as a client may ignore them.
                    members.as_object_mut().unwrap().remove("log");
                    members.as_object_mut().unwrap().remove("rooms");
                    if members["from"]["key"].is_string() {
                        members["from"]["key"] = json!("a key");
                    }
                }
                assert_eq!(real, shown, "{line}");
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(bot.finish().1, Some(5), "two lines were refused");
}
