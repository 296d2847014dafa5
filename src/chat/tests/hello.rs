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
