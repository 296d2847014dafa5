//! Negotiates the protocol version of a session.

use super::*;

#[test]
fn a_client_of_a_later_version_is_answered_in_the_highest_that_both_know() {
    let mut house = House::new();
    for (id, version) in
        (1..).zip([r#""v":1,"#, r#""v":1.0,"#, r#""v":2,"#, r#""v":99,"#, r#""v":null,"#, ""])
    {
        house.connect(id);
        house.send(id, &format!(r#"{{"type":"hello",{version}"from":{{"name":"user{id}"}}}}"#));
        assert_eq!(house.take(id, "welcome").pop().and_then(|welcome| welcome.v), Some(1), "{version}");
    }
}

#[test]
fn a_first_packet_with_a_version_that_is_none_is_refused_and_nobody_comes_in() {
    let mut house = House::new();
    for (id, version) in (1..).zip(["0", "-1", "1.5", r#""1""#, "true", "[1]", "{}"]) {
        for (id, kind) in [(id, "hello"), (id + 10, "chat")] {
            house.connect(id);
            house.send(id, &format!(r#"{{"type":"{kind}","v":{version},"from":{{"name":"a"}},"to":"all"}}"#));
            let (code, msg) = house.error(id);
            assert_eq!(
                (code.as_str(), msg.contains("whole number")),
                ("bad_packet", true),
                "{version} {msg}"
            );
            assert!(house.closed.contains(&id) && !house.is_in(id));
        }
    }
}

#[test]
fn the_version_counts_in_the_packet_that_registers_and_in_no_other() {
    let mut house = House::new();
    house.connect(1);
    house.send(1, r#"{"type":"ping","v":"x"}"#);
    house.send(1, r#"{"type":"hello","from":{"name":"alice"}}"#);
    house.send(1, r#"{"to":"all","msg":"hi","v":0,"id":"m"}"#);
    assert_eq!(house.take(1, "sent").len(), 1);
}
