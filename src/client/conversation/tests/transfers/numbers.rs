//! The numbers of offers, their order and their count.

use super::*;

impl Talk {
    /// The server starts again, and counts offers from 1. Takes the user's own offer under that number.
    fn restarts(&mut self, own: Option<u64>) {
        self.lose("gone");
        self.come(office(), None);
        let sent: Vec<_> = std::iter::from_fn(|| self.next_sent()).collect();
        let offer = sent.iter().find(|packet| packet.kind.as_deref() == Some("offer"));
        if let (Some(number), Some(offer)) = (own, offer) {
            self.event(Event::Offered { offer: number, waits: None }, offer.id.as_deref());
        }
    }

    /// An offer of other content to this user.
    fn offers_other(&mut self, number: u64, name: &str, id: &str) -> String {
        let recall = self.offers(number, "alice", FileInfo { id: id.into(), ..plan(name) });
        let task = recall.trim_start_matches("(recall ").trim_end_matches(')').parse().expect(&recall);
        self.report(task, TransferReport::Recalled(None))
    }
}

#[test]
fn a_number_never_means_another_offer_than_the_one_that_the_user_read() {
    for command in ["accept", "reject"] {
        let mut talk = Talk::new();
        talk.offered(1, "plan.pdf");
        talk.restarts(None);
        talk.offers_other(1, "virus.exe", "other");
        assert_eq!(
            talk.line(&format!("/{command} 1")),
            format!(
                "12:03 ! 1 was another offer before; now it is virus.exe (1.2 MiB) from bob: if you mean this one, \
                 /{command} 1 again\n(back: /{command} 1)"
            )
        );
        talk.nothing_sent();
        let now = talk.line(&format!("/{command} 1"));
        assert!(
            now.starts_with(if command == "accept" { "(prepare" } else { "12:03 -- you decline" }),
            "{now}"
        );
    }
}

#[test]
fn the_number_of_an_own_offer_is_not_that_of_another_after_a_restart() {
    let mut talk = Talk::new();
    talk.sends("bob", 1);
    talk.offered(2, "plan.pdf");
    let task = talk.takes(2);
    talk.restarts(Some(3));
    talk.report(task, cut());
    assert_eq!(talk.offers(1, "alice", plan("plan.pdf")), "", "it goes on by itself");
    let said = talk.line("/cancel 1");
    assert!(said.contains("1 was another offer before; now it is plan.pdf (1.2 MiB) from bob"), "{said}");
}

#[test]
fn a_list_tells_what_the_numbers_are_now() {
    let mut talk = Talk::new();
    talk.offered(1, "plan.pdf");
    talk.restarts(None);
    talk.offers_other(1, "other.pdf", "other");
    talk.line("/transfers");
    assert!(talk.line("/accept 1").starts_with("(prepare"));
}

#[test]
fn without_a_number_the_only_offer_after_a_restart_is_taken_only_once_it_can_have_been_read() {
    let mut talk = Talk::new();
    talk.offered(1, "plan.pdf");
    talk.restarts(None);
    talk.offers_other(1, "virus.exe", "other");
    assert_eq!(
        talk.line("/accept"),
        "12:03 ! an offer has gone just now; there is /accept 1 for virus.exe (1.2 MiB) from bob: if you mean this one, \
         enter it"
    );
    assert!(talk.line("/accept").starts_with("(prepare"));
}

#[test]
fn a_list_has_what_ended_first_and_the_newest_last() {
    let mut talk = Talk::new();
    talk.offered(4, "first");
    let task = talk.takes(4);
    talk.report(task, received());
    talk.offers_other(5, "second", "b");
    talk.sends("carol", 6);
    talk.offers_other(7, "fourth", "d");
    talk.restarts(Some(2));
    talk.offers_other(1, "fifth", "e");
    let list = talk.line("/transfers");
    let places: Vec<_> = ["first", "second", "plan.pdf", "fourth", "fifth"]
        .iter()
        .filter_map(|name| list.find(name))
        .collect();
    assert!(places.is_sorted() && places.len() >= 3, "{list}");
    assert!(list.lines().last().is_some_and(|line| line.contains("1 fifth")), "{list}");
}

#[test]
fn an_offer_to_a_room_counts_in_the_label() {
    let mut talk = Talk::at_prompt();
    talk.offered(1, "plan.pdf");
    talk.offers(2, "#dev", FileInfo { id: "b".into(), ..plan("docs") });
    talk.report(2, TransferReport::Recalled(None));
    assert_eq!(talk.conversation.label(), "[#lobby · 2 offers] ");
    talk.line("/reject 2");
    assert_eq!(talk.conversation.label(), "[#lobby · 1 offer] ");
}

#[test]
fn a_room_offer_of_what_the_user_has_is_shown_and_says_so() {
    let mut talk = Talk::at_prompt();
    talk.offers(2, "#dev", plan("plan.pdf"));
    talk.report(1, TransferReport::Recalled(None));
    let task = talk.takes(2);
    talk.report(task, received());
    assert_eq!(talk.offers(3, "#dev", plan("plan.pdf")), "(recall 4)");
    let shown = talk.report(4, TransferReport::Recalled(Some(Arc::new(landing_done()))));
    assert!(
        shown.contains(
            "bob (unverified) offers plan.pdf (1.2 MiB), which you have already: /accept 3 or /reject 3"
        ),
        "{shown}"
    );
    assert_eq!(talk.conversation.label(), "[#lobby] ", "nothing waits for an answer");
    let order = self::task(&talk.line("/accept 3"));
    let said = talk.report(order, TransferReport::Prepared(Ok(Arc::new(landing_done()))));
    assert_eq!(said, "(label)");
    assert_eq!(talk.asks("accept").offer, Some(3));
    let task = talk.starts(3);
    let said = talk.report(task, received());
    assert!(said.starts_with("12:03 -- you have plan.pdf (1.2 MiB) from bob already: /"), "{said}");
}

fn landing_done() -> Landing {
    landing().finished(Received::in_test(place().into(), 1_300_000))
}

#[test]
fn an_offer_that_the_user_has_answered_or_never_saw_goes_without_a_doubt_about_the_only_one() {
    // Answered here.
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    talk.line("/accept");
    talk.offered(8, "notes.txt");
    talk.event(ended(7, None, Code::Withdrawn), None);
    assert!(talk.line("/accept").starts_with("(prepare"));
    // Answered in another session.
    for code in [Code::Taken, Code::Declined] {
        let mut talk = Talk::new();
        talk.offered(7, "plan.pdf");
        talk.offered(8, "notes.txt");
        talk.event(ended(7, None, code), None);
        assert!(talk.line("/accept").starts_with("(prepare"), "{code}");
    }
    // Not on the screen yet.
    let mut talk = Talk::new();
    talk.offered(8, "notes.txt");
    talk.offers(7, "alice", plan("plan.pdf"));
    talk.event(ended(7, None, Code::Withdrawn), None);
    assert!(talk.line("/accept").starts_with("(prepare"));
}
