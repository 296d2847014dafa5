//! The end of the server, and the counts that the server asks for.

use super::*;
use crate::protocol::packet::ServerInfo;

#[test]
fn whom_the_server_gives_way_to_is_told_in_every_bye() {
    let mut house = House::new();
    house.join(1, "alice");
    let other = ServerInfo { id: "1f".into(), name: "Attic".into(), version: "1.0".into() };
    house.chat.hand_over(other.clone());
    house.act(|chat, _, out| chat.shut_down(out));
    let bye = house.take(1, "bye").pop().expect("a bye");
    assert!(bye.msg.contains("Attic"), "{}", bye.msg);
    assert_eq!(bye.server, Some(other));
}

#[test]
fn connections_are_counted_whether_they_register_or_not() {
    let mut house = House::new();
    assert_eq!(house.chat.connections(), 0);
    house.join(1, "alice");
    house.connect(2);
    house.connect(3);
    assert_eq!((house.chat.connections(), house.chat.present()), (3, 1));
    house.leave(2);
    assert_eq!(house.chat.connections(), 2);
}
