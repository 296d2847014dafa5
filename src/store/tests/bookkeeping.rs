//! Sums, sizes and news that the store keeps besides its messages.

use super::*;
use crate::store::notices::NoticeQueue;
use crate::store::weight::Weights;
use crate::store::{health::Health, rows, schema};
use std::time::Duration;

#[tokio::test]
async fn of_somebody_of_whom_nothing_is_kept_no_sum_is_kept() {
    let place = Place::new();
    let (store, _) = place.open();
    store.close().await;
    let connection = schema::open(&place.path()).unwrap();
    let sums =
        || connection.query_row("SELECT count(*) FROM weight", [], |row| row.get::<_, u32>(0)).unwrap();
    let mut weights = Weights::default();
    weights.add(Some(1), "one");
    weights.add(None, "two");
    weights.write(&connection).unwrap();
    assert_eq!(sums(), 2);
    weights.take(Some(1), "one".len());
    weights.write(&connection).unwrap();
    assert_eq!(sums(), 1);
}

/// A frame is cut into pages by this size before it is written.
#[test]
fn the_size_of_a_frame_is_reckoned_with_as_it_is_or_a_little_more() {
    let odd = Sender { name: "\"quoted\"".repeat(3), ip: "fd00::1".into(), key: Some("tag".into()) };
    for message in [
        said(1, 1, "hello"),
        said(99_999_999, 1, &"line\u{1}\"\\".repeat(200)),
        whispered(2, 1, 2, true),
        Message { from: odd, id: Some("\"".repeat(60)), ..said(3, 1, "x") },
    ] {
        let (reckoned, frame) =
            (rows::frame_bytes(&message), message.to_packet(message.author.as_ref()).to_frame());
        assert!((frame.len()..frame.len() + 200).contains(&reckoned), "{reckoned} of {}", frame.len());
    }
}

#[tokio::test]
async fn mail_that_was_too_old_is_news_and_that_there_was_none_is_not() {
    let notices = NoticeQueue::default();
    notices.expired(Vec::new());
    let next = tokio::time::timeout(Duration::from_millis(1), notices.next());
    assert!(next.await.is_err());
    let expired = crate::chat::Expired {
        account: key(2),
        name: "user2".into(),
        author: Some(key(1)),
        is_said: true,
        seq: 1,
    };
    notices.expired(vec![expired.clone()]);
    assert_eq!(notices.next().await.expired, [expired]);
}

#[tokio::test]
async fn a_health_that_is_closed_lets_nobody_rest() {
    let place = Place::new();
    let (store, _) = place.open();
    store.close().await;
    let health = Health::watch(&place.path()).unwrap();
    assert!(!health.is_closed() && health.rest(Duration::ZERO));
    health.set_check(crate::store::health::CheckState::Closed);
    assert!(health.is_closed() && !health.rest(Duration::ZERO) && !health.next_check());
}

#[test]
fn a_message_is_stamped_with_its_time_in_utc_to_the_millisecond() {
    let stamp = said(1, 1, "x").stamp();
    assert_eq!(stamp.parse::<Timestamp>().unwrap(), at(1));
    assert_eq!(stamp, "2026-02-02T02:40:01.000Z");
}
