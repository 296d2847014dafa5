//! Steps of the rules, in crowds of several sizes.

use super::crowd::{Crowd, Kind};
use divan::Bencher;
use lanchat::chat::Parsed;
use lanchat::protocol::request::ClientPacket;

const CROWDS: [u64; 3] = [1000, 10_000, 15_000];

/// In a batch, so that a crowd stays about as big as it says.
const EACH: u64 = 100;

fn packet(json: &str) -> ClientPacket {
    ClientPacket::parse(json.as_bytes()).expect("a packet")
}

/// 100 connections come in, from connect to welcome, and leave.
#[divan::bench(args = CROWDS)]
fn login_and_logout_100(bencher: Bencher<'_, '_>, users: u64) {
    come_and_go(bencher, Kind::Local, users);
}

#[divan::bench(args = CROWDS)]
fn login_and_logout_100_from_elsewhere(bencher: Bencher<'_, '_>, users: u64) {
    come_and_go(bencher, Kind::Remote, users);
}

#[divan::bench(args = CROWDS)]
fn login_and_logout_100_with_keys(bencher: Bencher<'_, '_>, users: u64) {
    come_and_go(bencher, Kind::Key, users);
}

fn come_and_go(bencher: Bencher<'_, '_>, kind: Kind, users: u64) {
    let mut crowd = Crowd::new(kind, users);
    bencher.bench_local(|| {
        let ids: Vec<_> = (0..EACH).map(|_| crowd.login()).collect();
        ids.into_iter().for_each(|id| crowd.logout(id));
        crowd.settle();
    });
}

/// 100 come in; what they leave by is not counted.
#[divan::bench(args = CROWDS)]
fn login_100(bencher: Bencher<'_, '_>, users: u64) {
    let crowd = std::cell::RefCell::new((Crowd::new(Kind::Local, users), Vec::new()));
    let prepare = || {
        let (crowd, ids) = &mut *crowd.borrow_mut();
        std::mem::take(ids).into_iter().for_each(|id| crowd.logout(id));
        crowd.settle();
    };
    bencher.with_inputs(prepare).bench_local_refs(|()| {
        let (crowd, ids) = &mut *crowd.borrow_mut();
        *ids = (0..EACH).map(|_| crowd.login()).collect();
    });
}

/// Everybody leaves, and what of it is told.
#[divan::bench(args = CROWDS, sample_count = 10)]
fn logout_of_all(bencher: Bencher<'_, '_>, users: u64) {
    bencher.counter(users).with_inputs(|| Crowd::new(Kind::Local, users)).bench_local_refs(|crowd| {
        (0..users).for_each(|id| crowd.logout(lanchat::chat::SessionId(id)));
        crowd.settle();
    });
}

/// A message to everybody: routed, with its receipt.
#[divan::bench(args = CROWDS)]
fn say_to_all(bencher: Bencher<'_, '_>, users: u64) {
    let mut crowd = Crowd::new(Kind::Local, users);
    let said = packet(r#"{"from":{"name":"user7"},"to":"all","msg":"good morning","id":"17"}"#);
    say(bencher, &mut crowd, &said);
}

fn say(bencher: Bencher<'_, '_>, crowd: &mut Crowd, said: &ClientPacket) {
    let read = || Parsed::new(Box::new(said.clone()), false);
    bencher.with_inputs(read).bench_local_values(|parsed| crowd.receive(lanchat::chat::SessionId(7), parsed));
}

#[divan::bench(args = CROWDS)]
fn say_to_one(bencher: Bencher<'_, '_>, users: u64) {
    let mut crowd = Crowd::new(Kind::Local, users);
    let said = packet(r#"{"from":{"name":"user7"},"to":"user8","msg":"good morning","id":"17"}"#);
    say(bencher, &mut crowd, &said);
}

/// Another name, and back.
#[divan::bench(args = CROWDS)]
fn rename_twice(bencher: Bencher<'_, '_>, users: u64) {
    let mut crowd = Crowd::new(Kind::Local, users);
    let names = [packet(r#"{"type":"nick","name":"other"}"#), packet(r#"{"type":"nick","name":"user7"}"#)];
    bencher.bench_local(|| names.iter().for_each(|name| crowd.send(lanchat::chat::SessionId(7), name)));
}

/// A page of `/users` from the middle.
#[divan::bench(args = CROWDS)]
fn page_of_users(bencher: Bencher<'_, '_>, users: u64) {
    let mut crowd = Crowd::new(Kind::Local, users);
    let asked = packet(r#"{"type":"users","after":"user500"}"#);
    bencher.bench_local(|| crowd.send(lanchat::chat::SessionId(7), &asked));
}
