//! The history of a server of several.

use super::*;
use crate::chat::NodeSet;
use crate::clock::Clock;
use crate::store::{ReplicaState, StoreError, leave_log};
use std::sync::Arc;

/// The incarnation that the servers share.
const LOG: &str = "6f1a0c2b3d4e5f60";

fn open_with(place: &Place, log: &str) -> Result<Store, StoreError> {
    open_state(place, log).map(|(store, _)| store)
}

fn open_state(place: &Place, log: &str) -> Result<(Store, ReplicaState), StoreError> {
    let (keep, clock) = (Retention::default(), Arc::new(Clock::new()));
    Store::open_shared(&place.path(), keep, clock, log)
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

#[tokio::test]
async fn the_closed_servers_are_known_after_a_restart_and_in_another_log() {
    let place = Place::new();
    let store = open_with(&place, LOG).unwrap();
    let said = [(1, true), (2, true), (1, false), (0, false)];
    let entries = said.map(|(server, is_closed)| Entry::Closed(server, is_closed)).into();
    let batch = WriteBatch { entries, ledger: Some(vec![1]), ..WriteBatch::default() };
    store.commit(Arc::new(batch)).await.unwrap();
    let closed = NodeSet::default().with(2, true);
    assert_eq!(store.shared_state().await.unwrap().closed, closed);
    store.close().await;
    let (store, state) = open_state(&place, LOG).unwrap();
    assert_eq!(state.closed, closed);
    store.close().await;
    leave_log(&place.path()).unwrap();
    let (store, state) = open_state(&place, "0f1a0c2b3d4e5f60").unwrap();
    assert_eq!(state.closed, closed);
    store.close().await;
}
