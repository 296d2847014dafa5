//! The user's own offers, and their answers.

use super::*;

#[test]
fn an_own_offer_is_told_and_its_end_too() {
    let mut talk = Talk::new();
    assert_eq!(
        talk.sends("bob", 7),
        "12:03 -- you offer plan.pdf (1.2 MiB) to bob (to take it back: /cancel 7)"
    );
    let shown = talk.event(accepted(7, "bob", true), None);
    assert!(shown.ends_with("12:03 -- bob accepts plan.pdf"), "{shown}");
    assert_eq!(talk.report(task(&shown), sent()), "12:03 -- bob has plan.pdf (1.2 MiB)\n(label)");
    let cancel = talk.asks("cancel");
    assert_eq!((cancel.offer, cancel.name), (Some(7), None), "the offer is over");
    talk.sends("bob", 8);
    assert_eq!(talk.event(ended(8, Some("bob"), Code::Declined), None), "12:03 -- bob declines plan.pdf");
}

#[test]
fn the_reason_for_declining_is_told() {
    let mut talk = Talk::new();
    talk.sends("bob", 7);
    let declined = Event::Ended {
        offer: 7,
        name: Some("bob".into()),
        code: Some(Code::Declined),
        reason: Some(DeclineReason::NoSpace),
        msg: "why".into(),
    };
    assert_eq!(talk.event(declined, None), "12:03 -- bob declines plan.pdf: no space");
    assert!(talk.line("/transfers").contains("declined: no space"));
    talk.offered(8, "plan.pdf");
    talk.line("/reject 8");
    assert_eq!(talk.asks("decline").reason.as_deref(), Some("not_wanted"));
}

#[test]
fn an_offer_to_oneself_says_so() {
    let mut talk = Talk::new();
    talk.sends("alice", 6);
    let order = talk.line("/send alice plan.pdf");
    let collected = CollectedFiles { parcel: Arc::new(parcel()), file: plan("plan.pdf"), notes: Vec::new() };
    talk.report(task(&order), TransferReport::Collected(Ok(collected)));
    let id = talk.sent().id;
    let said = talk.event(Event::Offered { offer: 7, waits: Some("alice".into()) }, id.as_deref());
    assert_eq!(
        said,
        "12:03 -- you offer plan.pdf (1.2 MiB) to alice, which is you; you have no other session here, and one that \
         comes gets the offer (to take it back: /cancel 7)"
    );
}

#[test]
fn the_server_knows_that_a_receiver_has_what_was_cut_at_the_end() {
    // Before the user's client notices the cut, and after.
    for is_early in [true, false] {
        let mut talk = Talk::new();
        talk.sends("bob", 7);
        let task = task(&talk.event(accepted(7, "bob", true), None));
        if !is_early {
            talk.report(task, TransferReport::Sent(Err(broken())));
        }
        let said = talk.event(ended(7, Some("bob"), Code::Received), None);
        assert!(said.contains("bob has plan.pdf (1.2 MiB)"), "{said}");
        assert_eq!(said.contains(&format!("(abandon {task})")), is_early, "{said}");
        assert_eq!(talk.asks("cancel").offer, Some(7), "the offer is over");
        assert_eq!(talk.report(task, TransferReport::Sent(Err(broken()))), "");
    }
}

#[test]
fn a_rooms_answers_are_counted() {
    let mut talk = Talk::new();
    talk.sends("#dev", 7);
    let first = talk.event(accepted(7, "bob", true), None);
    assert!(first.ends_with("12:03 -- bob accepts plan.pdf; /transfers counts all who do"), "{first}");
    let second = talk.event(accepted(7, "carol", true), None);
    assert_eq!(second.lines().count(), 1, "{second}");
    assert_eq!(talk.event(ended(7, Some("dave"), Code::Declined), None), "");
    assert!(talk.line("/transfers").contains("to #dev: 2 receiving, 1 declined"));
    assert_eq!(talk.report(task(&first), sent()), "");
    assert_eq!(talk.report(task(&second), sent()), "12:03 -- bob and carol have plan.pdf (1.2 MiB)");
    assert!(talk.line("/transfers").contains("to #dev: 2 received it, 1 declined"));
}

#[test]
fn a_path_that_does_not_work_comes_back_for_correction() {
    let mut talk = Talk::new();
    let task = task(&talk.line("/send bob /nowhere"));
    assert_eq!(
        talk.report(task, TransferReport::Collected(Err("there is no file /nowhere".into()))),
        "12:03 ! not offered: there is no file /nowhere\n(back: /send bob /nowhere)"
    );
    assert!(talk.line("/transfers").contains("there are no transfers"));
}

#[test]
fn the_list_names_the_file_and_the_receiver_of_a_refused_offer_once() {
    let mut talk = Talk::new();
    talk.sends("bob", 7);
    talk.lose("gone");
    talk.come(office(), None);
    let packets: Vec<_> = std::iter::from_fn(|| talk.next_sent()).collect();
    let offer = packets.iter().find(|packet| packet.kind.as_deref() == Some("offer")).expect("an offer");
    let error = Event::Error { code: Some(Code::NoFiles), name: None, msg: "no files here".into() };
    let said = talk.event(error, offer.id.as_deref());
    assert!(said.contains("12:03 ! plan.pdf is not offered to bob: no files here"), "{said}");
    let listed = talk.line("/transfers");
    assert!(listed.contains("to bob: not offered: no files here"), "{listed}");
    assert_eq!(listed.matches("plan.pdf").count(), 1, "{listed}");
}

#[test]
fn own_offers_are_made_again_over_a_new_connection() {
    let mut talk = Talk::new();
    talk.sends("bob", 7);
    let task = task(&talk.event(accepted(7, "bob", true), None));
    talk.lose("gone");
    assert_eq!(
        talk.report(task, TransferReport::Sent(Err(broken()))),
        "12:03 -- plan.pdf to bob was interrupted; it goes on when bob is back"
    );
    talk.come(office(), None);
    let packets: Vec<_> = std::iter::from_fn(|| talk.next_sent()).collect();
    let offer = packets.iter().find(|packet| packet.kind.as_deref() == Some("offer")).expect("an offer");
    assert_eq!(offer.file.as_ref().map(|file| file.id.as_str()), Some("content"));
    assert_eq!(talk.event(Event::Offered { offer: 3, waits: None }, offer.id.as_deref()), "");
    let shown = talk.flows(accepted(3, "bob", true));
    assert!(shown.ends_with("12:03 -- sending plan.pdf to bob goes on"), "{shown}");
}

#[test]
fn a_user_with_a_new_name_is_the_same_sender_and_receiver() {
    let mut talk = Talk::new();
    talk.sends("bob", 7);
    let task = task(&talk.event(accepted(7, "bob", true), None));
    talk.offered(8, "plan.pdf");
    talk.event(Event::Renamed { old: "bob".into(), name: "rob".into() }, None);
    assert!(talk.line("/transfers").contains("from rob: /accept 8"));
    assert_eq!(talk.event(ended(7, Some("rob"), Code::Cancelled), None), format!("(cancel {task})"));
}
