//! Tokens and offers in a chat of several servers.

use super::*;
use crate::chat::{Archive, Delivery, Entry, TokenWay};

impl House {
    /// Presents a token at a server. Each session is at the server with its number.
    fn claim_at(&mut self, id: u64, token: &str, at: u8, is_passed_on: bool) -> Result<TransferSide, Code> {
        let peer = self.chat.sessions[&SessionId(id)].peer();
        let way = TokenWay { is_passed_on, at, server_of: |id| id.0 as u8 };
        let claimed = self.chat.claim_transfer_at(token, &peer, way, &self.now);
        claimed.map(|ticket| ticket.side).map_err(|refusal| refusal.code)
    }

    /// Has another server's rules go on with this chat.
    fn change_leader(&mut self, term: u64) {
        let mut kept = Vec::new();
        self.chat.keep_standing(&mut kept);
        self.chat.reopen(Archive::default());
        self.chat.keep_sessions();
        let (mut offers, mut latest) = (Vec::new(), 0);
        for delivery in kept {
            match delivery {
                Delivery::Keep(Entry::Session(_, Some(record))) => {
                    self.act(|chat, now, out| chat.adopt(*record, now, out));
                }
                Delivery::Keep(Entry::Offer(number, record)) => {
                    offers.extend(record.map(|record| *record));
                    latest = latest.max(number);
                }
                _ => {}
            }
        }
        self.act(|chat, now, out| chat.adopt_offers(offers, (latest, term << 32), now, out));
    }
}

#[test]
fn a_token_from_another_server_admits_that_server_alone_where_the_sides_meet() {
    let mut house = people(&[(1, "alice"), (2, "bob"), (3, "eve")]);
    let number = house.offer(1, "bob");
    let [sends, receives] = house.accept((1, 2), number);
    let refused = Err(Code::BadToken);
    assert_eq!(house.claim_at(3, &sends, 2, true), refused, "nobody has presented it");
    assert_eq!(house.claim_at(3, &sends, 1, false), refused, "it is not hers");
    assert_eq!(house.claim_at(1, &sends, 1, false), Ok(TransferSide::Sender));
    for at in [1, 2] {
        assert_eq!(house.claim_at(1, &sends, at, false), refused, "it is on its way");
    }
    assert_eq!(house.claim_at(3, &sends, 1, true), refused, "they do not meet there");
    assert_eq!(house.claim_at(3, &sends, 2, true), Ok(TransferSide::Sender));
    assert_eq!(house.claim_at(3, &sends, 2, true), refused, "it is used up");
    assert_eq!(house.claim_at(2, &receives, 2, false), Ok(TransferSide::Receiver));
    house.later(TRANSFER_MEETING);
    assert_eq!(house.endings(1), [], "both are there");
}

#[test]
fn a_connection_that_never_reaches_the_other_server_counts_as_missing() {
    let mut house = people(&[(1, "alice"), (2, "bob"), (3, "eve")]);
    let number = house.offer(1, "bob");
    let [sends, receives] = house.accept((1, 2), number);
    assert!(house.claim_at(1, &sends, 1, false).is_ok() && house.claim_at(2, &receives, 2, false).is_ok());
    house.later(TRANSFER_MEETING);
    assert_eq!(house.endings(1), [end(number, "bob", "cut")]);
    assert_eq!(house.claim_at(3, &sends, 2, true), Err(Code::BadToken));
}

#[test]
fn offers_and_transfers_that_run_outlive_the_server_that_leads() {
    let mut house = people(&[]);
    house.chat.keep_sessions();
    house.join_key(1, "alice", 1);
    house.join_key(2, "bob", 2);
    let [open, running, half] = [house.offer(1, "bob"), house.offer(1, "all"), house.offer(1, "bob")];
    let [sends, receives] = house.accept((1, 2), running);
    let runs = house.claim(1, &sends).expect("a token").transfer;
    house.claim(2, &receives).expect("a token");
    let [sends, _] = house.accept((1, 2), half);
    house.claim(1, &sends).expect("a token");
    let gone = house.offer(1, "bob");
    house.ask(1, json!({"type": "cancel", "offer": gone}));
    for id in [1, 2] {
        house.endings(id);
    }
    house.change_leader(3);
    assert_eq!(house.endings(1), [end(half, "bob", "cut")]);
    assert_eq!(house.endings(2), [end(half, "alice", "cut")]);
    house.accept((1, 2), open);
    assert_eq!(house.refused(2, json!({"type": "accept", "offer": running})), "taken");
    assert_eq!(house.refused(2, json!({"type": "accept", "offer": gone})), "no_such_offer");
    house.act(|chat, _, out| chat.transfer_ended(runs, TransferEnd::Cut(TransferSide::Sender), out));
    assert_eq!(house.endings(2), [end(running, "alice", "cut")]);
    let [sends, _] = house.accept((1, 2), half);
    assert_eq!(house.claim(1, &sends).expect("a token").transfer.0 >> 32, 3, "no number is used twice");
    assert_eq!(house.offer(1, "bob"), gone + 1);
}
