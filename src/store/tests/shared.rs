//! The history of a server of several.

use super::*;
use crate::clock::Clock;
use crate::store::{StoreError, leave_log};
use std::sync::Arc;

/// The incarnation that the servers share.
const LOG: &str = "6f1a0c2b3d4e5f60";

fn open_with(place: &Place, log: &str) -> Result<Store, StoreError> {
    let (keep, clock) = (Retention::default(), Arc::new(Clock::new()));
    Store::open_shared(&place.path(), keep, clock, log).map(|(store, _)| store)
}

#[tokio::test]
async fn a_history_that_follows_a_log_is_used_with_that_log_only() {
    let place = Place::new();
    let store = open_with(&place, LOG).unwrap();
    let followed = WriteBatch { ledger: Some(vec![1]), ..WriteBatch::default() };
    store.commit(Arc::new(followed)).await.unwrap();
    store.close().await;
    let alone = Store::open(&place.path(), Retention::default()).map(drop).unwrap_err();
    assert_eq!(alone, StoreError::OfSeveral(place.path()));
    let other = open_with(&place, "0f1a0c2b3d4e5f60").map(drop).unwrap_err();
    assert_eq!(other, StoreError::OfOtherLog(place.path()));
    open_with(&place, LOG).unwrap().close().await;
}

#[tokio::test]
async fn a_history_that_left_a_log_and_went_alone_does_not_return_to_it() {
    let place = Place::new();
    open_with(&place, LOG).unwrap().close().await;
    assert_eq!(leave_log(&place.path()).unwrap(), 0);
    place.open().0.close().await;
    let again = open_with(&place, LOG).map(drop).unwrap_err();
    assert_eq!(again, StoreError::WentAlone(place.path()));
}
