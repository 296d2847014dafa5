//! The content and the weight of a batch, and the end of a cutover.

use super::super::cutover::CatchUpSummary;
use super::*;
use crate::chat::{
    Archive, Chat, Deliveries, Delivery, Kind, Message, Now, Parsed, Peer, Profile, Rules, Venue, View,
};
use crate::name::RoomName;
use crate::protocol::Event;
use crate::protocol::ServerPacket;
use crate::protocol::packet::Sender;
use crate::protocol::request::ClientPacket;
use crate::store::Page;
use jiff::Timestamp;
use std::time::Duration;

fn packet() -> Packet {
    Event::Notice("hello".into()).to_packet("", None)
}

fn frame_bytes() -> usize {
    packet().to_frame().len()
}

fn message(seq: u64) -> Message {
    Message {
        seq,
        at: Timestamp::UNIX_EPOCH,
        kind: Kind::Chat,
        venue: Venue::Room(RoomName::lobby()),
        receiver: None,
        from: Sender { name: "alice".into(), ip: String::new(), key: None },
        author: None,
        id: None,
        text: format!("message {seq}"),
        reply: None,
        edited: false,
        mail: Vec::new(),
    }
}

fn entry() -> Entry {
    Entry::Message(Box::new(message(1)))
}

/// The chat's answer to a session's hello.
fn answer() -> Box<Answer> {
    let mut chat = Chat::new(Profile::default(), Rules::default(), Archive::default());
    let id = SessionId(1);
    let now = Now::new("2026-11-21T12:00:00+00:00[UTC]".parse().expect("a time"), Duration::ZERO);
    chat.connect(
        id,
        Peer { ip: [127, 0, 0, 1].into(), key: None, encrypted: false, local: true, web: false },
    );
    let hello = ClientPacket::parse(br#"{"type":"hello","from":{"name":"alice"}}"#).expect("JSON");
    let mut out = Deliveries::new();
    chat.receive(id, Parsed::new(Box::new(hello), true), &now, &mut out);
    let answer = |delivery| match delivery {
        Delivery::Answer(answer) => Some(answer),
        _ => None,
    };
    out.into_iter().find_map(answer).expect("a welcome")
}

#[test]
fn a_batch_with_anything_in_it_is_not_empty() {
    type Fill = fn(&mut OutputBatch);
    let fill: [(&str, Fill); 4] = [
        ("lobby", |batch| batch.lobby(&packet(), &[], None)),
        ("a session", |batch| batch.step(SessionId(1), StepKind::Close)),
        ("sessions", |batch| {
            batch.send(&packet(), Receivers::These(vec![SessionId(1), SessionId(2)]), Liveness::Own)
        }),
        ("the store", |batch| _ = batch.keep(entry())),
    ];
    assert!(OutputBatch::default().is_empty());
    for (what, fill) in fill {
        let mut batch = OutputBatch::default();
        fill(&mut batch);
        assert!(!batch.is_empty(), "for {what}");
    }
}

#[test]
fn a_batch_weighs_each_frame_once_and_each_entry_with_its_text() {
    let mut batch = OutputBatch::default();
    let mut expected = 0;
    batch.lobby(&packet(), &[SessionId(1)], None);
    expected += frame_bytes();
    assert_eq!(batch.bytes(), expected);
    batch.send(&packet(), Receivers::These(vec![SessionId(1)]), Liveness::Own);
    expected += frame_bytes();
    assert_eq!(batch.bytes(), expected, "to one");
    batch.send(&packet(), Receivers::These((0..5).map(SessionId).collect()), Liveness::Own);
    expected += frame_bytes() + 5 * size_of::<OutputStep>();
    assert_eq!(batch.bytes(), expected, "to five");
    batch.send(&packet(), Receivers::These(Vec::new()), Liveness::Own);
    assert_eq!(batch.bytes(), expected, "to nobody");
    let room = Arc::new((0..5).map(SessionId).collect());
    batch.send(&packet(), Receivers::Shared(room, None), Liveness::Own);
    expected += frame_bytes();
    assert_eq!(batch.bytes(), expected, "to a room, as to the lobby");
    let answer = answer();
    expected += answer.bytes();
    batch.answer(answer);
    assert_eq!(batch.bytes(), expected);
    assert_eq!([batch.keep(entry()), batch.keep(Entry::Refused(Box::new(message(1))))], [0, 1]);
    expected += 2 * (ENTRY_BYTES + "message 1".len());
    assert_eq!(batch.bytes(), expected);
}

#[test]
fn an_answer_is_a_step_of_the_session_that_asked() {
    let mut batch = OutputBatch::default();
    batch.answer(answer());
    let steps = batch.take_steps();
    assert!(matches!(
        &steps[..],
        [OutputStep { session: SessionId(1), kind: StepKind::Answer(Some(_)), .. }]
    ));
}

fn receipt() -> Box<Receipt> {
    let (to, id, ts) = (String::new(), "id".into(), String::new());
    Box::new(Receipt {
        session: SessionId(1),
        to,
        id,
        seq: Some(9),
        ts,
        waits: None,
        away: None,
        stored: true,
        refusal: None,
    })
}

#[test]
fn the_receipt_of_what_was_known_is_changed_and_no_other() {
    let mut batch = OutputBatch::default();
    for entry in 0..3 {
        batch.step(SessionId(1), StepKind::Receipt(receipt(), Some(entry)));
    }
    batch.step(SessionId(1), StepKind::Receipt(receipt(), None));
    batch.cut(&[0, 2], |place, receipt| receipt.seq = Some(100 + place as u64));
    let numbers = batch.take_steps().into_iter().map(|step| match step.kind {
        StepKind::Receipt(receipt, _) => receipt.seq,
        other => panic!("{other:?}"),
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [Some(100), Some(9), Some(101), Some(9)]);
}

fn cutover(after: u64, upto: u64, summary: Option<CatchUpSummary>) -> Cutover {
    Cutover {
        view: View::default(),
        others: Default::default(),
        after,
        upto,
        known: after,
        summary,
        frames: Vec::new(),
        remainder: None,
        written: None,
    }
}

fn page(numbers: &[u64], reached: u64) -> Option<Page> {
    Some(Page { messages: numbers.iter().map(|seq| message(*seq)).collect(), reached })
}

/// Closes it, and reads what its session gets: the numbers of messages, and the end.
fn closed(
    mut cutover: Cutover,
    page: Option<Page>,
) -> (Vec<u64>, Option<ServerPacket>, Option<(u64, usize)>) {
    cutover.close(page);
    let frames = String::from_utf8(cutover.frames).expect("text");
    let packets = frames.lines().map(|line| ServerPacket::parse(line.as_bytes()).expect("a frame"));
    let (ends, messages): (Vec<_>, Vec<_>) =
        packets.partition(|packet| packet.kind.as_deref() == Some("history"));
    let numbers = messages.into_iter().filter_map(|packet| packet.seq).collect();
    (numbers, ends.into_iter().next(), cutover.remainder.map(|remainder| (remainder.after, remainder.count)))
}

#[test]
fn a_cutover_that_is_read_to_its_end_tells_how_much_there_was() {
    let summary = CatchUpSummary { count: 10, gap: false, seq: None };
    let (numbers, end, remainder) = closed(cutover(5, 8, Some(summary)), page(&[6, 8], 8));
    let end = end.expect("an end");
    assert_eq!((numbers, remainder), (vec![6, 8], None));
    assert_eq!((end.count, end.seq, end.gap == Some(true)), (Some(12), Some(8), false));
    let summary = CatchUpSummary { count: 10, gap: true, seq: Some(4) };
    let (_, end, _) = closed(cutover(5, 8, Some(summary)), page(&[], 8));
    let end = end.expect("an end");
    assert_eq!((end.count, end.seq, end.gap), (Some(10), Some(4), Some(true)));
}

#[test]
fn a_cutover_that_is_too_long_for_a_batch_goes_on_later_and_has_no_end_yet() {
    let summary = CatchUpSummary { count: 10, gap: false, seq: None };
    let (numbers, end, remainder) = closed(cutover(5, 8, Some(summary)), page(&[6, 7], 7));
    assert_eq!((numbers, end.is_none(), remainder), (vec![6, 7], true, Some((7, 2))));
    // None of it is theirs.
    let (numbers, end, remainder) = closed(cutover(5, 8, Some(summary)), page(&[], 7));
    assert_eq!((numbers, end.is_some(), remainder), (vec![], true, None));
}

#[test]
fn a_cutover_that_cannot_be_read_is_a_gap_unless_there_was_nothing_to_read() {
    let summary = CatchUpSummary { count: 0, gap: false, seq: None };
    let (_, end, _) = closed(cutover(5, 8, Some(summary)), None);
    let end = end.expect("an end");
    assert_eq!((end.seq, end.gap), (Some(5), Some(true)));
    let (_, end, _) = closed(cutover(8, 8, Some(summary)), None);
    let end = end.expect("an end");
    assert_eq!((end.seq, end.gap == Some(true)), (Some(8), false));
    let (_, end, remainder) = closed(cutover(5, 8, None), None);
    assert_eq!((end.is_none(), remainder), (true, None));
}

#[test]
fn all_cutovers_of_a_batch_are_found() {
    let mut batch = OutputBatch::default();
    batch.step(SessionId(1), StepKind::Close);
    batch.step(SessionId(2), StepKind::Cutover(Box::new(cutover(1, 2, None))));
    batch.step(SessionId(3), StepKind::Cutover(Box::new(cutover(3, 4, None))));
    assert_eq!(batch.cutovers().map(|cutover| cutover.after).collect::<Vec<_>>(), [1, 3]);
}
