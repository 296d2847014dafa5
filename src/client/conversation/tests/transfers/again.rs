//! Offers that come again, and those that do not count any longer.

use super::*;

#[test]
fn what_was_accepted_in_an_earlier_run_goes_on() {
    let mut talk = Talk::new();
    assert_eq!(talk.offers(7, "alice", plan("plan.pdf")), "(recall 1)");
    assert_eq!(talk.report(1, TransferReport::Recalled(Some(Arc::new(landing())))), "");
    assert_eq!(talk.asks("accept").offer, Some(7));
    assert!(talk.flows(accepted(7, "bob", false)).contains("receiving plan.pdf from bob goes on"));
}

#[test]
fn an_open_offer_that_the_server_repeats_is_not_shown_twice() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    talk.lose("gone");
    talk.connect("alice", None);
    assert_eq!(talk.offers(7, "alice", plan("plan.pdf")), "(label)");
    talk.nothing_sent();
    assert!(talk.line("/accept 7").starts_with("(prepare"));
}

#[test]
fn either_side_can_end_a_transfer() {
    let mut talk = Talk::new();
    talk.sends("bob", 7);
    let task = task(&talk.event(accepted(7, "bob", true), None));
    assert_eq!(talk.event(ended(7, Some("bob"), Code::Cancelled), None), format!("(cancel {task})"));
    let end = TransferReport::Sent(Err(by_user()));
    assert_eq!(talk.report(task, end), "12:03 -- bob has cancelled plan.pdf\n(label)");
    talk.asks("cancel");
    talk.offered(8, "plan.pdf");
    let task = talk.takes(8);
    assert_eq!(
        talk.line("/cancel"),
        format!("(cancel {task})\n12:03 -- you no longer receive plan.pdf from bob\n(label)")
    );
    assert_eq!(talk.asks("cancel").offer, Some(8));
    assert_eq!(talk.report(task, cut()), "");
}

#[test]
fn a_transfer_that_was_complete_when_its_offer_ended_is_complete() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = talk.takes(7);
    assert_eq!(talk.event(ended(7, Some("bob"), Code::Cancelled), None), format!("(cancel {task})"));
    assert!(talk.report(task, received()).contains("received plan.pdf"));
}

#[test]
fn progress_is_in_the_label_and_never_a_line() {
    let mut talk = Talk::at_prompt();
    talk.offered(7, "plan.pdf");
    let order = talk.line("/accept 7");
    talk.report(task(&order), TransferReport::Prepared(Ok(Arc::new(landing()))));
    talk.sent();
    let effects = talk.conversation.event(&accepted(7, "bob", false), None, talk.now);
    let progress = effects.iter().find_map(progress_of).expect("a transfer");
    assert_eq!(talk.later(0), "");
    progress.put(13 << 20, Some(100 << 20));
    assert_eq!(talk.later(1), "(label)");
    assert_eq!(talk.conversation.label(), "[#lobby · plan.pdf 13%  13 MiB/s 0:07] ");
    progress.put(26 << 20, Some(100 << 20));
    assert_eq!(talk.later(0), "", "too early");
    assert_eq!(talk.later(1), "(label)");
    assert_eq!(talk.conversation.label(), "[#lobby · plan.pdf 26%  13 MiB/s 0:06] ");
    let before = talk.conversation.label();
    talk.conversation.view.outlet = Outlet::Prompt(ScreenSize { rows: 24, columns: 40 });
    assert_eq!(talk.conversation.label(), "[#lobby · plan.pdf 26%] ", "a narrow window: {before}");
    assert_eq!(talk.conversation.running_transfers(), 1);
}

#[test]
fn an_answer_without_a_number_never_means_another_offer_than_the_user_has_seen() {
    let mut talk = Talk::new();
    talk.offers(7, "alice", plan("plan.pdf"));
    assert!(talk.line("/accept").contains("nobody offers you a file"), "it is not on the screen yet");
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    talk.offered(8, "virus.exe");
    assert_eq!(
        talk.event(ended(7, None, Code::Withdrawn), None),
        "12:03 -- bob no longer offers plan.pdf\n(label)"
    );
    assert_eq!(
        talk.line("/accept"),
        "12:03 ! an offer has gone just now; there is /accept 8 (virus.exe from bob)"
    );
    talk.later(5);
    assert!(talk.line("/accept").starts_with("(prepare"));
}

#[test]
fn the_beginning_of_a_file_that_will_not_go_on_is_removed() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = talk.takes(7);
    talk.report(task, cut());
    assert_eq!(talk.line("/cancel"), "(forget 1)\n12:03 -- you no longer receive plan.pdf from bob\n(label)");
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
