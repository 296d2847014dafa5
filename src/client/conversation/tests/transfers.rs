//! Files: offers, answers and progress as the user meets them.

mod again;
mod numbers;
mod own_offers;

use std::sync::{Arc, LazyLock};

use tempfile::TempDir;

use super::*;
use crate::client::conversation::CollectedFiles;
use crate::client::transfer::{FileProgress, Landing, Parcel, Received, Sent, TransferError};
use crate::protocol::DeclineReason;
use crate::protocol::packet::FileInfo;
use crate::protocol::record::StopCode;

/// An order to the screen, as a line.
pub(super) fn ordered(order: &TransferOrder) -> String {
    match &order.work {
        TransferWork::Collect(paths) => format!("(collect {}: {paths})", order.task),
        TransferWork::Recall { .. } => format!("(recall {})", order.task),
        TransferWork::Prepare { folder, downloads, .. } => {
            format!("(prepare {}: {})", order.task, folder.as_ref().unwrap_or(downloads))
        }
        TransferWork::Send { meeting, .. } => format!("(send {} {})", order.task, meeting.token),
        TransferWork::Receive { meeting, .. } => format!("(receive {} {})", order.task, meeting.token),
        TransferWork::Forget(_) => format!("(forget {})", order.task),
        TransferWork::Abandon => format!("(abandon {})", order.task),
        TransferWork::Cancel => format!("(cancel {})", order.task),
    }
}

fn plan(name: &str) -> FileInfo {
    FileInfo { name: name.into(), size: Some(1_300_000), count: None, id: "content".into() }
}

fn ended(offer: u64, name: Option<&str>, code: Code) -> Event {
    Event::Ended { offer, name: name.map(str::to_owned), code: Some(code), reason: None, msg: "why".into() }
}

fn accepted(offer: u64, name: &str, send: bool) -> Event {
    Event::Accepted { offer, name: name.into(), token: "secret".into(), send }
}

impl Talk {
    fn report(&mut self, task: u64, report: TransferReport) -> String {
        text(self.conversation.transfer_report(task, report, self.now))
    }

    /// The server tells of an offer of bob's.
    fn offers(&mut self, number: u64, to: &str, file: FileInfo) -> String {
        let offer = Event::Offer {
            from: sender("bob"),
            to: to.into(),
            key: Some(OTHERS),
            offer: number,
            file: Box::new(file),
        };
        self.event(offer, None)
    }

    /// The same to this user, and says whose key that is.
    fn offered(&mut self, number: u64, name: &str) -> String {
        let recall = self.offers(number, "alice", plan(name));
        let task = recall.trim_start_matches("(recall ").trim_end_matches(')').parse().expect(&recall);
        self.report(task, TransferReport::Recalled(None))
    }

    /// Offers a file to `to`, up to the receipt.
    fn sends(&mut self, to: &str, number: u64) -> String {
        let order = self.line(&format!("/send {to} plan.pdf"));
        let task = task(&order);
        assert!(order.ends_with(": plan.pdf)"), "{order}");
        let parcel = Arc::new(parcel());
        let collected = CollectedFiles { parcel, file: plan("plan.pdf"), notes: Vec::new() };
        assert_eq!(self.report(task, TransferReport::Collected(Ok(collected))), "");
        let offer = self.sent();
        assert_eq!((offer.kind.as_deref(), offer.to.as_deref()), (Some("offer"), Some(to)));
        self.event(Event::Offered { offer: number, waits: None }, offer.id.as_deref())
    }

    /// Accepts the offer, up to the server's word.
    fn takes(&mut self, number: u64) -> u64 {
        let task = task(&self.line(&format!("/accept {number}")));
        self.report(task, TransferReport::Prepared(Ok(Arc::new(landing()))));
        assert_eq!(self.sent().offer, Some(number));
        self.starts(number)
    }

    /// Handles the event, and lets the bytes flow that it starts.
    fn flows(&mut self, event: Event) -> String {
        let mut effects = self.conversation.event(&event, None, self.now);
        effects.iter().filter_map(progress_of).for_each(|progress| progress.put(1, Some(100)));
        effects.extend(self.conversation.tick(self.now));
        text(effects)
    }

    fn starts(&mut self, number: u64) -> u64 {
        self::task(&self.event(accepted(number, "bob", false), None))
    }

    fn asks(&mut self, kind: &str) -> ClientPacket {
        let sent = self.sent();
        assert_eq!(sent.kind.as_deref(), Some(kind));
        sent
    }

    fn later(&mut self, seconds: u64) -> String {
        self.now.instant += Duration::from_secs(seconds);
        text(self.conversation.tick(self.now))
    }
}

/// The progress of the transfer that is ordered.
fn progress_of(effect: &Effect) -> Option<Arc<FileProgress>> {
    let Effect::Transfer(order) = effect else { return None };
    match &order.work {
        TransferWork::Receive { progress, .. } | TransferWork::Send { progress, .. } => {
            Some(Arc::clone(progress))
        }
        _ => None,
    }
}

/// The number of the first order in the effects.
fn task(effects: &str) -> u64 {
    let order = effects.lines().find(|line| {
        ["(collect ", "(prepare ", "(send ", "(receive ", "(cancel "]
            .iter()
            .any(|start| line.starts_with(start))
    });
    let word = order.and_then(|line| line.split([' ', ':', ')']).nth(1));
    word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no order in {effects}"))
}

fn parcel() -> Parcel {
    Parcel::stream("plan.pdf", std::io::empty())
}

/// The folder of all received files here.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fn landing() -> Landing {
    Landing::new(FOLDER.path(), &plan("plan.pdf"), None).unwrap()
}

/// The place of the received file.
fn place() -> String {
    FOLDER.path().canonicalize().unwrap().join("plan.pdf").display().to_string()
}

fn received() -> TransferReport {
    TransferReport::Received(Ok(Received::in_test(place().into(), 1_300_000)))
}

fn sent() -> TransferReport {
    TransferReport::Sent(Ok(Sent { bytes: 1_300_000, is_already: false }))
}

fn broken() -> TransferError {
    TransferError::Cut("closed by the server".into())
}

fn by_user() -> TransferError {
    TransferError::Here { code: StopCode::Cancelled, msg: "cancelled".into() }
}

fn cut() -> TransferReport {
    TransferReport::Received(Err(broken()))
}

#[test]
fn an_offer_says_who_offers_what_and_how_to_answer_and_notifies() {
    let mut talk = Talk::at_prompt();
    assert_eq!(
        talk.offered(7, "plan.pdf"),
        "12:03 -- bob (unverified) offers you plan.pdf (1.2 MiB): /accept 7 or /reject 7\n\
         (call: bob offers plan.pdf (1.2 MiB))\n(label)"
    );
    assert_eq!(talk.conversation.label(), "[#lobby · 1 offer] ");
}

#[test]
fn a_verified_sender_a_keyless_one_and_a_room_are_told_apart() {
    let mut talk = Talk::new();
    let at = TS.parse().unwrap();
    let user = crate::client::trust::VerifiedUser { key: OTHERS, name: "bob".into(), at };
    talk.conversation.trust.lock().users_mut().add(user);
    assert!(talk.offered(7, "plan.pdf").starts_with("12:03 -- bob (verified) offers you plan.pdf"));
    let from = Sender { name: "eve".into(), ip: "10.0.0.4".into(), key: None };
    let file = FileInfo { count: Some(3), ..plan("docs") };
    let offer = Event::Offer { from, to: "#dev".into(), key: None, offer: 8, file: Box::new(file) };
    assert_eq!(
        talk.event(offer, None),
        "12:03 #dev -- eve? (no key) offers docs (3 files, 1.2 MiB): /accept 8 or /reject 8\n(label)"
    );
}

#[test]
fn a_hostile_name_is_shown_safely() {
    let mut talk = Talk::new();
    let shown = talk.offered(7, "../x\u{1b}[2J\u{202e}fdp.exe\n12:03 <bob> hi");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
    assert_eq!(shown.lines().count(), 2, "{shown:?}");
}

#[test]
fn an_ignored_users_offer_is_not_shown() {
    let mut talk = Talk::at_prompt();
    talk.line("/ignore bob");
    let asked = talk.asks("whois");
    let user = UserInfo { name: "bob".into(), key: Some(OTHERS.to_string()), ..UserInfo::default() };
    talk.event(Event::Whois(user), asked.id.as_deref());
    assert_eq!(talk.offers(7, "alice", plan("plan.pdf")), "");
    talk.nothing_sent();
}

#[test]
fn the_only_open_offer_needs_no_number_and_of_several_all_are_named() {
    let mut talk = Talk::new();
    assert_eq!(talk.line("/accept"), "12:03 ! nobody offers you a file at the moment");
    talk.offered(7, "plan.pdf");
    assert!(talk.line("/accept /x y").starts_with("(prepare 2: /x y)"));
    talk.offered(8, "a b");
    talk.offered(9, "c");
    assert_eq!(
        talk.line("/reject"),
        "12:03 ! which one? /reject 8 for \"a b\" (1.2 MiB) from bob, /reject 9 for c (1.2 MiB) from bob"
    );
    assert_eq!(talk.line("/accept 7"), "12:03 ! you have accepted 7 already; to end it: /cancel 7");
    assert!(talk.line("/accept 5").starts_with("12:03 ! there is no offer 5; there is /accept 8"));
}

#[test]
fn what_is_accepted_says_where_it_goes_and_when_it_is_there() {
    let mut talk = Talk::at_prompt();
    talk.offered(7, "plan.pdf");
    let order = talk.line("/accept");
    assert_eq!(order, "(prepare 2: ~/Downloads)\n(label)");
    assert_eq!(
        talk.report(2, TransferReport::Prepared(Ok(Arc::new(landing())))),
        format!("12:03 -- plan.pdf from bob goes to {}\n(label)", place())
    );
    assert_eq!(talk.asks("accept").offer, Some(7));
    let task = talk.starts(7);
    assert_eq!(
        talk.report(task, received()).lines().next(),
        Some(&*format!("12:03 -- received plan.pdf (1.2 MiB) from bob: {}", place()))
    );
    // The sender's client ends its offer then.
    assert_eq!(talk.event(ended(7, None, Code::Withdrawn), None), "");
    assert!(talk.line("/transfers").contains(&format!("7 plan.pdf  from bob: received: {}", place())));
}

#[test]
fn a_folder_that_does_not_work_comes_back_for_correction() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = task(&talk.line("/accept 7 /nowhere"));
    assert_eq!(
        talk.report(task, TransferReport::Prepared(Err("there is no folder /nowhere".into()))),
        "12:03 ! not accepted: there is no folder /nowhere\n(back: /accept 7 /nowhere)\n(label)"
    );
    talk.nothing_sent();
    assert!(talk.line("/accept").starts_with("(prepare"), "the offer is still open");
}

#[test]
fn a_cut_is_told_once_and_what_was_accepted_goes_on() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let mut task = talk.takes(7);
    assert_eq!(talk.event(ended(7, Some("bob"), Code::Cut), None), "");
    assert_eq!(
        talk.report(task, cut()),
        "12:03 -- plan.pdf from bob was interrupted; it goes on by itself when bob offers it again"
    );
    for pause in [1, 2, 4] {
        assert_eq!(talk.later(pause - 1), "");
        talk.nothing_sent();
        assert_eq!(talk.later(1), "");
        assert_eq!(talk.asks("accept").offer, Some(7));
        if pause == 4 {
            break;
        }
        assert_eq!(talk.event(ended(7, Some("bob"), Code::Cut), None), "", "the other side did not come");
    }
    let shown = talk.flows(accepted(7, "bob", false));
    assert!(shown.ends_with("12:03 -- receiving plan.pdf from bob goes on"), "{shown}");
    task = self::task(&shown);
    assert!(talk.report(task, received()).contains("received plan.pdf"));
}

#[test]
fn after_the_senders_return_the_same_content_is_accepted_by_itself() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = talk.takes(7);
    talk.event(ended(7, None, Code::Withdrawn), None);
    talk.report(task, cut());
    assert_eq!(talk.later(600), "", "nobody offers it");
    talk.nothing_sent();
    assert_eq!(talk.offers(9, "alice", plan("plan.pdf")), "");
    assert_eq!(talk.asks("accept").offer, Some(9));
    // Other content is not.
    let other = talk.offers(10, "alice", FileInfo { id: "other".into(), ..plan("plan.pdf") });
    assert!(other.starts_with("(recall "), "{other}");
}

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
    progress.put(0, Some(100 << 20));
    assert_eq!(talk.later(1), "(label)");
    assert_eq!(talk.conversation.label(), "[#lobby · plan.pdf  0%] ", "too early for a rate");
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
        "12:03 ! an offer has gone just now; there is /accept 8 for virus.exe (1.2 MiB) from bob: if you mean this one, \
         enter it"
    );
    assert!(talk.line("/accept").starts_with("(prepare"), "the user knows now which one it is");
}

#[test]
fn the_beginning_of_a_file_that_will_not_go_on_is_removed() {
    let mut talk = Talk::new();
    talk.offered(7, "plan.pdf");
    let task = talk.takes(7);
    talk.report(task, cut());
    assert_eq!(talk.line("/cancel"), "(forget 1)\n12:03 -- you no longer receive plan.pdf from bob\n(label)");
}
