//! The cutover between what was missed and what is live: no gap, no double, no other order.

use crate::support::one_node;
use crate::support::storm::dice::{self, Dice};
use crate::support::storm::herald::{Herald, comes_to, until};
use crate::support::storm::judge;
use crate::support::storm::member::{Identity, Member, Orders, ROOM, Role, Visits};
use crate::support::storm::server::Mortal;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Clients who lose their connections, and how often each resumes.
const CLIENTS: usize = 20;
const RESUMES: usize = 50;

/// Who talk meanwhile, and how far apart each one's messages are.
const TALKERS: usize = 4;
const EVERY: Duration = Duration::from_millis(20);

/// Every other one has a key, and can be written to while it is away.
fn client(n: usize) -> Role {
    let name = format!("client{n:02}");
    let token = Identity::Token(format!("the secret of {name}"));
    let role = Role::listener(&name);
    Role {
        identity: if n.is_multiple_of(2) { role.identity } else { token },
        join_after: Some(0),
        visits: Some(Visits { stays: (0, 25), is_away: (0, 25) }),
        ..role
    }
}

fn talker(n: usize) -> Role {
    let people = (0..CLIENTS).step_by(2).map(|n| format!("client{n:02}"));
    let places = ["all", ROOM].into_iter().flat_map(|place| std::iter::repeat_n(place.to_owned(), 10));
    Role {
        targets: places.chain(people).collect(),
        messages: usize::MAX,
        every: EVERY,
        window: 1,
        ..Role::listener(&format!("talker{n}"))
    }
}

#[test]
fn a_thousand_resumes_under_load_have_no_gap_and_no_double() {
    let mut dice = Dice::new(dice::seed());
    let clients: Vec<_> = (0..CLIENTS).map(client).collect();
    let mut server = Mortal::start_with(&["--rate-limit", "off"], clients.iter());
    let address = server.address();
    let orders = Arc::new(Orders::default());
    // Nobody leaves before the answer has come.
    orders.settle.store(true, Ordering::Relaxed);
    let mut start = |role| Member::start(role, address, &orders, dice.fork());
    let clients: Vec<_> = clients.into_iter().map(&mut start).collect();
    until("all are in the room", || clients.iter().all(|client| client.record().joined.is_answered));
    orders.settle.store(false, Ordering::Relaxed);
    // Who has nothing at all is a newcomer, and gets nothing of the room.
    let mut herald = Herald::new();
    let first = herald.say(address, "all", "the first words");
    until("all have heard", || clients.iter().all(|client| client.record().since >= first));
    let talkers: Vec<_> = (0..TALKERS).map(|n| start(talker(n))).collect();
    orders.talk.store(true, Ordering::Relaxed);
    // With a log, each coming and going waits for disks.
    let enough = if one_node::processes_have_logs() { RESUMES / 5 } else { RESUMES };
    let has_resumed = |client: &Member| client.record().resumes >= enough;
    let have_resumed = comes_to(|| clients.iter().all(has_resumed));
    for behind in clients.iter().filter(|client| !has_resumed(client)) {
        let record = behind.record();
        eprintln!("{} resumes: {} {:?}", record.resumes, record.summary(), record.faults);
    }
    assert!(have_resumed, "not all have resumed often enough");
    orders.talk.store(false, Ordering::Relaxed);
    orders.settle.store(true, Ordering::Relaxed);
    until("all has receipts", || talkers.iter().all(|talker| talker.record().unsent() == 0));
    let last = herald.say(address, "all", "the last words");
    let all = || clients.iter().chain(&talkers);
    let have_all = comes_to(|| all().all(|member| member.record().since >= last));

    let mut records: Vec<_> = clients.into_iter().chain(talkers).map(|member| member.stop().0).collect();
    server.stop();
    let stored = judge::read_store(server.home.path());
    records.push(herald.record);
    let verdict = judge::judge(&stored, &records);
    let resumes: usize = records.iter().map(|record| record.resumes).sum();
    let caught_up: usize = records.iter().map(|record| record.caught_up).sum();
    eprintln!(
        "{resumes} resumes, {} messages, {} deliveries checked, {caught_up} of them as history",
        verdict.stored, verdict.deliveries
    );
    assert!(verdict.faults.is_empty(), "{:#?}", verdict.faults);
    assert!(have_all, "not all have heard the last words");
    assert!(resumes >= CLIENTS * enough && caught_up > resumes, "too little to tell");
    assert!(caught_up < verdict.deliveries, "nothing came live");
    assert!(records.iter().all(|record| record.errors.is_empty()), "errors");
}
