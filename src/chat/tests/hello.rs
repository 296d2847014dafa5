//! The texts with which clients register.

use super::*;

#[test]
fn a_hello_that_says_nothing_to_somebody_only_registers() {
    let mut house = House::new();
    house.join(1, "bob");
    house.connect(2);
    house.send(2, r#"{"type":"hello","from":{"name":"alice"},"to":"bob","msg":""}"#);
    assert!(house.is_in(2));
    assert!(house.take(2, "error").is_empty() && house.take(1, "chat").is_empty());
}

#[test]
fn a_greeting_to_the_server_only_registers_and_a_command_is_carried_out() {
    let mut house = House::new();
    for (id, name, msg) in [(1, "alice", "hello there"), (2, "bob", "/time")] {
        house.connect(id);
        house.send(id, &serde_json::json!({"from": {"name": name}, "to": "server", "msg": msg}).to_string());
        assert!(house.is_in(id), "{msg}");
        assert!(house.take(id, "error").is_empty(), "{msg}");
    }
}

#[test]
fn a_guest_owns_no_name_until_the_key_comes_to_chat() {
    let mut house = House::new();
    let guest = r#"{"type":"hello","from":{"name":"alice"},"mode":"tail","guest":true}"#;
    let reads_along = |house: &mut House, id| {
        house.act(|chat, _, _| chat.connect(SessionId(id), House::peer(id, Some(key(1)))));
        house.send(id, guest);
        assert!(house.is_in(id));
    };
    reads_along(&mut house, 1);
    assert!(!house.owns("alice"));
    house.leave(1);
    house.join_key(2, "alice", 2);
    assert!(house.is_in(2) && house.owns("alice"), "the name was free for another key");
    house.leave(2);
    let mut house = House::new();
    reads_along(&mut house, 1);
    house.join_key(2, "alice", 1);
    assert!(house.owns("alice"), "the same user, who now chats");
    house.leave(2);
    house.leave(1);
    house.join_key(3, "alice", 2);
    assert!(!house.is_in(3));
}
