//! Offers of files: their receivers, the limits on them, and how they end.

mod limits;
mod networks;
mod servers;

use super::*;
use crate::limits::TRANSFER_MEETING;
use serde_json::json;

impl House {
    /// Offers a file. Returns its number; 0: it was refused.
    fn offer(&mut self, id: u64, to: &str) -> u64 {
        self.ask(id, json!({"type": "offer", "to": to, "file": {"name": "plan.pdf", "size": 12, "id": "c"}}));
        let inbox = self.inboxes.get(&id).into_iter().flatten();
        let answer = inbox.rev().find(|packet| packet.kind.as_deref() == Some("offered"));
        let number = answer.and_then(|packet| packet.offer).unwrap_or_default();
        self.inboxes
            .get_mut(&id)
            .into_iter()
            .for_each(|inbox| inbox.retain(|p| p.kind.as_deref() != Some("offered")));
        number
    }

    /// Accepts an offer. Returns the sender's token and the receiver's.
    fn accept(&mut self, (from, to): (u64, u64), offer: u64) -> [String; 2] {
        self.ask(to, json!({"type": "accept", "offer": offer}));
        [from, to].map(|id| {
            let accepted = self.take(id, "accepted").pop().expect("an accepted");
            assert_eq!(accepted.send, (id == from).then_some(true));
            accepted.token.expect("a token")
        })
    }

    fn refused(&mut self, id: u64, request: serde_json::Value) -> String {
        self.ask(id, request);
        self.error(id).0
    }

    /// New ends of offers and transfers: number, other side, code.
    fn endings(&mut self, id: u64) -> Vec<(u64, String, String)> {
        let text = |text: Option<String>| text.unwrap_or_default();
        let all = self.take(id, "ended").into_iter();
        all.map(|end| (end.offer.unwrap_or_default(), text(end.name), text(end.code))).collect()
    }

    fn claim(&mut self, id: u64, token: &str) -> Result<FileTicket, Code> {
        let peer = self.chat.sessions[&SessionId(id)].peer();
        self.chat.claim_transfer(token, &peer, &self.now).map_err(|refusal| refusal.code)
    }

    fn offers_seen(&mut self, id: u64) -> Vec<u64> {
        self.take(id, "offer").into_iter().filter_map(|packet| packet.offer).collect()
    }
}

fn end(offer: u64, name: &str, code: &str) -> (u64, String, String) {
    (offer, name.into(), code.into())
}

/// Users with the keys of their numbers.
fn people(people: &[(u64, &str)]) -> House {
    let mut house = House::new();
    for (id, name) in people {
        house.join_key(*id, name, u8::try_from(*id % 10).expect("a small number"));
    }
    house.later(PRESENCE_WINDOW);
    house.inboxes.clear();
    house
}

#[test]
fn all_listening_sessions_of_the_receiver_are_told_and_nobody_else() {
    let mut house = people(&[(1, "alice"), (2, "bob"), (12, "bob"), (3, "eve")]);
    house.chat.connect(SessionId(22), House::peer(22, Some(key(2))));
    house.send(22, r#"{"type":"hello","from":{"name":"bob"},"mode":"send"}"#);
    let number = house.offer(1, "BOB");
    assert_eq!(number, 1);
    for id in [2, 12] {
        let offer = house.take(id, "offer").pop().expect("an offer");
        assert_eq!((offer.offer, offer.to.as_str(), offer.from.name.as_str()), (Some(1), "bob", "alice"));
        assert_eq!(offer.from.key, Some(key(1).tag()));
        let file = offer.file.expect("a file");
        assert_eq!(
            (file.name.as_str(), file.size, file.count, file.id.as_str()),
            ("plan.pdf", Some(12), None, "c")
        );
    }
    assert_eq!(house.offers_seen(3).len() + house.offers_seen(22).len() + house.offers_seen(1).len(), 0);
    // To oneself: to the other sessions.
    let own = house.offer(2, "bob");
    assert_eq!((house.offers_seen(12), house.offers_seen(2)), (vec![own], vec![]));
    house.accept((2, 12), own);
}

#[test]
fn a_receiver_who_is_away_is_told_on_coming_while_the_sender_is_still_here() {
    let mut house = people(&[(1, "alice"), (2, "bob")]);
    house.leave(2);
    house.ask(1, json!({"type": "offer", "to": "bob", "file": {"name": "x", "id": "c"}}));
    assert_eq!(house.take(1, "offered")[0].name.as_deref(), Some("bob"));
    house.offer(1, "all");
    house.join_key(12, "bob", 2);
    let kinds: Vec<_> = house.inboxes[&12].iter().filter_map(|packet| packet.kind.clone()).collect();
    assert_eq!(kinds, ["welcome", "offer", "offer"], "after the welcome");
    assert_eq!(house.offers_seen(12), [1, 2]);
    house.leave(1);
    assert_eq!(house.endings(12), [end(1, "", "withdrawn"), end(2, "", "withdrawn")]);
    house.join_key(22, "bob", 2);
    assert!(house.offers_seen(22).is_empty());
}

#[test]
fn a_rooms_members_each_take_the_file_and_others_do_not() {
    let mut house = people(&[(1, "alice"), (2, "bob"), (3, "carol"), (4, "eve")]);
    for id in [1, 2] {
        house.enter(id, "#games");
    }
    let number = house.offer(1, "#games");
    assert_eq!((house.offers_seen(2), house.offers_seen(4)), (vec![number], vec![]));
    house.ask(3, json!({"type": "join", "room": "#games"}));
    assert_eq!(house.offers_seen(3), [number], "a new member hears of it");
    assert_eq!(house.refused(4, json!({"type": "accept", "offer": number})), "no_such_offer");
    assert_eq!(house.refused(1, json!({"type": "accept", "offer": number})), "no_such_offer");
    house.accept((1, 2), number);
    house.accept((1, 3), number);
    assert_eq!(house.refused(2, json!({"type": "accept", "offer": number})), "taken");
    // Leaving the room ends what is received from it.
    house.ask(3, json!({"type": "part", "room": "#games"}));
    assert_eq!(
        (house.endings(1), house.endings(3)),
        (vec![end(number, "carol", "cancelled")], vec![end(number, "alice", "cancelled")])
    );
    assert_eq!(house.ended, [(TransferId(2), Code::Cancelled)]);
    house.ask(2, json!({"type": "decline", "offer": number}));
    assert_eq!(house.endings(1), [end(number, "bob", "declined")]);
    assert_eq!(house.accept((1, 2), number).len(), 2, "declining once is not for ever, in a room");
}

#[test]
fn the_session_that_accepts_first_has_it_and_the_others_learn_that() {
    let mut house = people(&[(1, "alice"), (2, "bob"), (12, "bob")]);
    let number = house.offer(1, "bob");
    house.accept((1, 12), number);
    assert_eq!((house.endings(2), house.endings(12)), (vec![end(number, "", "taken")], vec![]));
    assert_eq!(house.refused(2, json!({"type": "accept", "offer": number})), "taken");
    house.act(|chat, _, out| chat.transfer_ended(TransferId(1), TransferEnd::Cut(TransferSide::Sender), out));
    assert_eq!(
        (house.endings(1), house.endings(12)),
        (vec![end(1, "bob", "cut")], vec![end(1, "alice", "cut")])
    );
    // After a cut, any session may go on.
    house.accept((1, 2), number);
}

#[test]
fn a_token_is_for_one_use_of_one_key_or_else_of_one_address() {
    let mut house = people(&[(1, "alice"), (2, "bob"), (3, "eve")]);
    house.join(5, "guest");
    let number = house.offer(1, "bob");
    let [sends, receives] = house.accept((1, 2), number);
    for wrong in ["", "1", "+0000000000000000000000000000001", "0000000000000000000000000000000g"] {
        assert_eq!(house.claim(1, wrong), Err(Code::BadToken), "{wrong}");
    }
    assert_eq!(house.claim(3, &sends), Err(Code::BadToken));
    assert_eq!(house.claim(2, &sends), Err(Code::BadToken));
    let ticket = house.claim(1, &sends).expect("it is alice's");
    assert_eq!((ticket.side, ticket.names), (TransferSide::Sender, ["alice".into(), "bob".into()]));
    assert_eq!(house.claim(1, &sends), Err(Code::BadToken), "it is used up");
    assert_eq!(house.claim(2, &receives).map(|ticket| ticket.side), Ok(TransferSide::Receiver));
    let number = house.offer(1, "guest");
    let [_, receives] = house.accept((1, 5), number);
    assert_eq!(house.claim(2, &receives), Err(Code::BadToken), "a key at another address");
    assert!(house.claim(5, &receives).is_ok());
}

#[test]
fn both_sides_have_a_while_to_connect_and_then_learn_who_did_not() {
    let mut house = people(&[(1, "alice"), (2, "bob")]);
    let number = house.offer(1, "bob");
    let [sends, receives] = house.accept((1, 2), number);
    house.claim(2, &receives).expect("a place");
    assert_eq!(house.chat.due(), Some(house.now.uptime + TRANSFER_MEETING));
    house.later(TRANSFER_MEETING);
    let told = house.take(1, "ended").pop().expect("an end");
    assert_eq!((told.code.as_deref(), told.name.as_deref()), (Some("cut"), Some("bob")));
    assert!(told.msg.contains("alice did not connect"), "{}", told.msg);
    assert_eq!(house.endings(2), [end(number, "alice", "cut")]);
    assert_eq!(house.claim(1, &sends), Err(Code::BadToken));
    let [sends, receives] = house.accept((1, 2), number);
    house.claim(1, &sends).expect("a place");
    house.claim(2, &receives).expect("a place");
    house.later(10 * TRANSFER_MEETING);
    assert!(house.endings(1).is_empty(), "a transfer may take its time");
}

#[test]
fn declining_ends_an_offer_to_one_user_and_the_sender_learns_it() {
    let mut house = people(&[(1, "alice"), (2, "bob"), (12, "bob"), (3, "eve")]);
    let number = house.offer(1, "bob");
    assert_eq!(house.refused(3, json!({"type": "decline", "offer": number})), "no_such_offer");
    house.ask(2, json!({"type": "decline", "offer": number, "id": "d"}));
    let answer = house.take(2, "ended").pop().expect("an answer");
    assert_eq!((answer.id.as_deref(), answer.code.as_deref()), (Some("d"), Some("declined")));
    assert_eq!(
        (house.endings(1), house.endings(12)),
        (vec![end(number, "bob", "declined")], vec![end(number, "alice", "declined")])
    );
    assert_eq!(house.refused(2, json!({"type": "accept", "offer": number})), "no_such_offer");
    assert_eq!(house.refused(1, json!({"type": "cancel", "offer": number})), "no_such_offer");
}

#[test]
fn the_sender_cancels_one_transfer_or_all_and_the_receiver_its_own() {
    let mut house = people(&[(1, "alice"), (2, "bob"), (3, "carol"), (4, "eve")]);
    let number = house.offer(1, "all");
    house.accept((1, 2), number);
    house.accept((1, 3), number);
    assert_eq!(house.refused(4, json!({"type": "cancel", "offer": number})), "no_such_offer");
    assert_eq!(house.refused(1, json!({"type": "cancel", "offer": number, "name": "eve"})), "no_such_offer");
    house.ask(1, json!({"type": "cancel", "offer": number, "name": "BOB", "id": "x"}));
    let answer = house.take(1, "ended");
    assert_eq!((answer.len(), answer[0].id.as_deref()), (1, Some("x")));
    assert_eq!((house.endings(2), house.endings(3)), (vec![end(number, "alice", "cancelled")], vec![]));
    house.ask(3, json!({"type": "cancel", "offer": number}));
    assert_eq!(
        (house.endings(1), house.endings(3)),
        (vec![end(number, "carol", "cancelled")], vec![end(number, "alice", "cancelled")])
    );
    house.accept((1, 2), number);
    house.ask(1, json!({"type": "cancel", "offer": number}));
    assert_eq!(house.endings(2), [end(number, "alice", "cancelled"), end(number, "", "withdrawn")]);
    assert_eq!(
        (house.endings(4), house.endings(1)),
        (vec![end(number, "", "withdrawn")], vec![end(number, "", "withdrawn")])
    );
    assert_eq!(house.refused(2, json!({"type": "accept", "offer": number})), "no_such_offer");
    assert_eq!(house.ended.len(), 3);
}

#[test]
fn whoever_leaves_is_kicked_or_banned_takes_offers_and_transfers_along() {
    let mut house = House::with_operator();
    for (id, name, number) in [(1, "alice", 1), (2, "bob", 2), (3, "carol", 3)] {
        house.join_key(id, name, number);
    }
    let (first, second) = (house.offer(1, "bob"), house.offer(2, "carol"));
    house.accept((1, 2), first);
    house.accept((2, 3), second);
    house.inboxes.clear();
    house.console("/ban bob").expect("a ban");
    assert_eq!(house.endings(1), [end(first, "bob", "cut")]);
    assert_eq!(house.endings(3), [end(second, "bob", "cut"), end(second, "", "withdrawn")]);
    assert_eq!(house.ended.len(), 2);
    let (third, ()) = (house.offer(1, "carol"), house.inboxes.clear());
    let [sends, _] = house.accept((1, 3), third);
    let peer = House::peer(1, Some(key(1)));
    house.console("/kick alice").expect("a kick");
    assert_eq!(house.chat.claim_transfer(&sends, &peer, &house.now).map_err(|r| r.code), Err(Code::BadToken));
    assert_eq!(house.endings(3).len(), 2);
    house.check();
}

#[test]
fn an_offer_to_a_guest_ends_with_the_guest_and_renames_change_nothing() {
    let mut house = people(&[(1, "alice"), (2, "bob")]);
    house.connect(5);
    house.ask(5, json!({"type": "hello", "from": {"name": "guest"}}));
    let (to_guest, to_bob) = (house.offer(1, "guest"), house.offer(1, "bob"));
    house.ask(2, json!({"type": "nick", "name": "robert"}));
    house.ask(1, json!({"type": "nick", "name": "alicia"}));
    house.ask(2, json!({"type": "accept", "offer": to_bob}));
    assert_eq!(house.take(2, "accepted")[0].name.as_deref(), Some("alicia"));
    assert_eq!(house.take(1, "accepted")[0].name.as_deref(), Some("robert"));
    house.leave(5);
    assert_eq!(house.endings(1), [end(to_guest, "guest", "no_such_user")]);
    house.check();
}

#[test]
fn what_can_take_no_file_is_refused_and_so_is_who_may_not_speak() {
    let mut house = House::with_operator();
    house.join_key(1, "alice", 1);
    house.join_key(2, "bob", 2);
    let offer = |to: &str, size: u64| json!({"type": "offer", "to": to, "file": {"name": "x", "size": size, "id": "c"}});
    for (to, code) in [
        ("server", "not_allowed"),
        ("10.0.0.2", "not_allowed"),
        ("nobody", "no_such_user"),
        ("#nowhere", "no_such_room"),
    ] {
        assert_eq!(house.refused(1, offer(to, 1)), code, "{to}");
    }
    assert_eq!(house.refused(1, offer("bob", (1 << 30) + 1)), "file_too_big");
    assert_eq!(house.refused(1, json!({"type": "offer", "to": "bob", "file": {"name": "x"}})), "bad_packet");
    for request in ["accept", "decline", "cancel"] {
        assert_eq!(house.refused(1, json!({"type": request, "offer": 77})), "no_such_offer");
        assert_eq!(house.refused(1, json!({"type": request})), "bad_packet");
    }
    house.console("/mute alice").expect("a mute");
    assert_eq!(house.refused(1, offer("bob", 1)), "muted");
    house.chat.offers = None;
    assert_eq!(house.refused(2, offer("alice", 1)), "no_files");
    assert_eq!(house.refused(2, json!({"type": "accept", "offer": 1})), "no_files");
}

#[test]
fn the_sender_learns_why_a_receiver_declines() {
    let mut house = people(&[(1, "alice"), (2, "bob"), (12, "bob")]);
    for (reason, text) in [
        (json!("no_space"), "bob declines offer 1: no space"),
        (json!("too_big"), "bob declines offer 2: too big"),
        (json!("not_wanted"), "bob declines offer 3"),
        // From an older peer, and from a newer one.
        (json!(null), "bob declines offer 4"),
        (json!("dislike"), "bob declines offer 5"),
    ] {
        let offer = house.offer(1, "bob");
        house.ask(2, json!({"type": "decline", "offer": offer, "reason": reason}));
        let told = house.take(1, "ended").pop().expect("an end");
        assert_eq!((told.msg.as_str(), told.code.as_deref()), (text, Some("declined")));
        let known = ["no_space", "too_big", "not_wanted"].into_iter().find(|known| reason == *known);
        assert_eq!(told.reason.as_deref(), known);
        assert_eq!(house.take(12, "ended").pop().expect("an end").reason, None, "it is for the sender");
    }
}

#[test]
fn a_sender_who_missed_the_end_learns_that_the_receiver_has_it() {
    let mut house = people(&[(1, "alice"), (2, "bob")]);
    let number = house.offer(1, "bob");
    house.accept((1, 2), number);
    house.act(|chat, _, out| chat.transfer_ended(TransferId(1), TransferEnd::Received, out));
    assert_eq!((house.endings(1), house.endings(2)), (vec![end(number, "bob", "received")], vec![]));
    house.accept((1, 2), number);
}

#[test]
fn nobody_but_the_two_learns_of_an_offer() {
    let mut house = people(&[(1, "alice"), (2, "bob"), (3, "eve")]);
    let number = house.offer(1, "bob");
    let [sends, receives] = house.accept((1, 2), number);
    house.inboxes.remove(&3);
    for request in ["accept", "decline", "cancel"] {
        let refusal = |house: &mut House, offer: u64| {
            house.ask(3, json!({"type": request, "offer": offer, "name": "bob", "reason": "no_space"}));
            let (code, msg) = house.error(3);
            (code, msg.replace(&offer.to_string(), "N"))
        };
        let (real, made_up) = (refusal(&mut house, number), refusal(&mut house, 77));
        assert_eq!(real, made_up, "{request}: the same as for an offer that does not exist");
    }
    assert_eq!(
        (house.claim(3, &sends), house.claim(3, &receives)),
        (Err(Code::BadToken), Err(Code::BadToken))
    );
    house.act(|chat, _, out| chat.transfer_ended(TransferId(1), TransferEnd::Cut(TransferSide::Sender), out));
    house.ask(2, json!({"type": "decline", "offer": number, "reason": "too_big"}));
    let other = house.offer(1, "bob");
    house.ask(1, json!({"type": "cancel", "offer": other}));
    let heard = house.inboxes.remove(&3).unwrap_or_default();
    assert!(heard.iter().all(|packet| packet.kind.as_deref() == Some("error")), "{heard:?}");
}
