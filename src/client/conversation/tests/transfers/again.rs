//! Transfers that the other side or the server ends early, and what the user reads of it.

use super::*;

#[test]
fn a_sender_who_missed_the_end_and_offers_again_meanwhile_learns_of_it() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let first = talk.takes(7);
    talk.event(ended(7, None, Code::Withdrawn), None);
    assert_eq!(talk.offers(8, "alice", plan("plan.pdf")), "", "the first has not ended here");
    let said = talk.report(first, received());
    let recall = said.lines().find(|line| line.starts_with("(recall ")).expect(&said);
    let mark = recall.trim_start_matches("(recall ").trim_end_matches(')').parse().expect(recall);
    talk.report(mark, TransferReport::Recalled(Some(Arc::new(landing()))));
    assert_eq!(talk.sent().offer, Some(8));
}

#[test]
fn an_other_side_that_does_not_connect_is_an_interruption() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = talk.takes(7);
    talk.event(ended(7, Some("bob"), Code::Cut), None);
    let said = talk.report(task, cut());
    assert!(said.contains("it goes on by itself when bob offers it again"), "{said}");
    talk.later(2);
    assert_eq!(talk.sent().offer, Some(7));
}

#[test]
fn the_words_of_the_server_are_short() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = task(&talk.line("/accept 7"));
    talk.report(task, TransferReport::Prepared(Ok(Arc::new(landing()))));
    let id = talk.sent().id;
    let error = Event::Error { code: None, name: None, msg: "A".repeat(60_000) };
    let said = talk.event(error, id.as_deref());
    assert!(said.len() < 5_000, "{}", said.len());
}

#[test]
fn what_its_sender_has_cancelled_is_not_taken_again_without_a_question() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = talk.takes(7);
    talk.event(ended(7, Some("bob"), Code::Cancelled), None);
    let shown = talk.offers(8, "alice", plan("plan.pdf"));
    assert!(shown.contains("offers you plan.pdf") && shown.contains("/accept 8"), "{shown}");
    talk.report(task, cut());
    talk.nothing_sent();
}

#[test]
fn a_refusal_that_lasts_is_told_and_not_tried_again() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = talk.takes(7);
    let refused = TransferError::Refused { code: Some(Code::Banned), msg: "you are banned".into() };
    assert_eq!(
        talk.report(task, TransferReport::Received(Err(refused))),
        "12:03 ! plan.pdf from bob failed: the server refused: you are banned; to try again: /accept 7"
    );
    talk.later(600);
    talk.nothing_sent();
    // One that does not last is.
    let task = talk.takes(7);
    let full = TransferError::Refused { code: Some(Code::ServerFull), msg: "full".into() };
    assert!(talk.report(task, TransferReport::Received(Err(full))).contains("was interrupted"));
    talk.later(1);
    assert_eq!(talk.asks("accept").offer, Some(7));
}

#[test]
fn a_sender_whose_connection_breaks_at_the_end_learns_that_all_is_here() {
    // The server says so before the end on this side, and after.
    for is_early in [true, false] {
        let mut talk = Talk::new();
        talk.offered(7, "plan.pdf");
        let first = talk.takes(7);
        let mut said = String::new();
        if is_early {
            assert_eq!(talk.event(ended(7, Some("bob"), Code::Cut), None), "");
        }
        said += &talk.report(first, received());
        if !is_early {
            said += "\n";
            said += &talk.event(ended(7, Some("bob"), Code::Cut), None);
        }
        let recall = said.lines().find(|line| line.starts_with("(recall ")).expect(&said);
        let mark = recall.trim_start_matches("(recall ").trim_end_matches(')').parse().expect(recall);
        talk.report(mark, TransferReport::Recalled(Some(Arc::new(landing()))));
        assert_eq!(talk.asks("accept").offer, Some(7));
    }
}

#[test]
fn the_senders_own_reason_counts_more_than_the_end_that_the_server_tells() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = talk.takes(7);
    assert_eq!(talk.event(ended(7, Some("bob"), Code::Cancelled), None), format!("(cancel {task})"));
    let error = TransferError::ByPeer { code: StopCode::Changed, msg: "plan.pdf changed".into() };
    let said = talk.report(task, TransferReport::Received(Err(error)));
    assert!(said.contains("plan.pdf from bob failed: the other side ended it: plan.pdf changed"), "{said}");
}

#[test]
fn an_interrupted_offer_does_not_go_on_as_the_same_to_a_room() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = talk.takes(7);
    talk.lose("gone");
    talk.report(task, cut());
    talk.connect("alice", None);
    let recall = talk.offers(1, "#dev", plan("plan.pdf"));
    assert!(recall.starts_with("(recall "), "{recall}");
    talk.nothing_sent();
    talk.offers(2, "alice", plan("plan.pdf"));
    assert_eq!(talk.asks("accept").offer, Some(2));
}

#[test]
fn an_offer_that_does_not_come_again_after_a_lost_connection_is_told_once() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    for _ in 0..2 {
        talk.lose("gone");
        assert_eq!(talk.later(60), "", "without a connection, nobody can offer");
        talk.come(office(), None);
        assert_eq!(talk.later(1), "");
        assert_eq!(talk.later(29), "", "its sender may still return");
    }
    assert_eq!(
        talk.later(1),
        "12:03 -- bob has not offered plan.pdf again since the connection was lost; if you want it, ask bob to \
         /send it again"
    );
    assert_eq!(talk.later(60), "");
}

#[test]
fn an_offer_that_comes_again_after_a_lost_connection_is_not_told_as_missing() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    talk.lose("gone");
    talk.come(office(), None);
    talk.later(1);
    assert_eq!(talk.offers(7, "alice", plan("plan.pdf")), "(label)", "the user has read of it");
    assert_eq!(talk.later(60), "");
    assert!(talk.line("/accept").starts_with("(prepare"));
}

#[test]
fn an_offer_that_its_sender_took_back_is_not_told_as_missing() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = talk.takes(7);
    talk.event(ended(7, None, Code::Withdrawn), None);
    let refused = TransferError::Refused { code: Some(Code::Banned), msg: "you are banned".into() };
    talk.report(task, TransferReport::Received(Err(refused)));
    assert_eq!(talk.later(60), "");
}
