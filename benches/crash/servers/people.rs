//! The people of the chat, each at home at one of the servers.

use super::house::NAMES;
use crate::storm::dice::Dice;
use crate::storm::doors::Doors;
use crate::storm::member::{Client, Identity, Member, Orders, ROOM, Role, Visits};
use crate::storm::record::Record;
use crate::storm::server;
use crate::tls::Key;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Every third is at home at the same server.
const PEOPLE: [&str; 12] =
    ["ann", "bob", "cleo", "dan", "eve", "finn", "gus", "hana", "ida", "joe", "kim", "leo"];

/// Those with a secret instead of a key, who can't be written to while away; and those in a browser.
const KEYLESS: [&str; 2] = ["eve", "hana"];
const BROWSERS: [&str; 4] = ["cleo", "finn", "hana", "joe"];

/// How many messages may wait for a receipt.
const WINDOW: usize = 200;

pub struct People {
    members: Vec<Member>,
    orders: Arc<Orders>,
    calls: Arc<AtomicUsize>,
}

/// Whose names are theirs, for the servers.
pub fn names(roles: &[Role]) -> String {
    server::names(roles.iter().map(|role| (role.name.as_str(), &role.identity)))
}

/// What each does, so that there are so many messages in that time.
pub fn roles(messages: usize, time: Duration) -> Vec<Role> {
    let each = u32::try_from(messages / PEOPLE.len()).unwrap_or(u32::MAX).max(1);
    PEOPLE.iter().map(|name| role(name, time / each)).collect()
}

fn role(name: &str, every: Duration) -> Role {
    let count = |name: &str, times: usize| std::iter::repeat_n(name.to_owned(), times);
    let keyed = PEOPLE.iter().filter(|other| **other != name && !KEYLESS.contains(*other));
    let people = keyed.map(|name| (*name).to_owned());
    Role {
        name: name.into(),
        identity: match KEYLESS.contains(&name) {
            true => Identity::Token(format!("the secret of {name}")),
            false => Identity::Key(Box::new(Key::new())),
        },
        client: if BROWSERS.contains(&name) { Client::Browser } else { Client::Program },
        targets: count("all", 10).chain(count(ROOM, 6)).chain(people).collect(),
        messages: usize::MAX,
        every,
        window: WINDOW,
        join_after: (name != "hana").then_some(0),
        part_after: None,
        reads_own_history: !["ann", "cleo", "gus"].contains(&name),
        visits: (name == "dan").then_some(Visits { stays: (500, 5_000), is_away: (100, 1_500) }),
    }
}

impl People {
    pub fn come(roles: Vec<Role>, addresses: &[SocketAddr], dice: &mut Dice) -> Self {
        let (orders, calls) = (Arc::new(Orders::default()), Arc::new(AtomicUsize::new(0)));
        let start = |(number, role): (usize, Role)| {
            let doors = Doors::of(addresses, number % addresses.len(), &calls);
            Member::start(role, doors, &orders, dice.fork())
        };
        let members = roles.into_iter().enumerate().map(start).collect();
        Self { members, orders, calls }
    }

    pub fn talk(&self, is_to_talk: bool) {
        self.orders.talk.store(is_to_talk, Ordering::Relaxed);
    }

    /// Nobody comes and goes any more.
    pub fn settle(&self) {
        self.orders.settle.store(true, Ordering::Relaxed);
    }

    pub fn call_home(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// How much each has said.
    pub fn said(&self) -> Vec<usize> {
        self.members.iter().map(|member| member.record().said.len()).collect()
    }

    /// Those who have no receipt for anything that they have said since then.
    pub fn silent_since(&self, said: &[usize]) -> Vec<String> {
        let silent = self.members.iter().zip(said).filter(|(member, said)| {
            let record = member.record();
            !record.said[**said..].iter().any(|said| said.is_done)
        });
        silent.map(|(member, _)| who(&member.record())).collect()
    }

    pub fn last_seq(&self) -> u64 {
        self.members.iter().map(|member| member.record().since).max().unwrap_or_default()
    }

    /// Those who have not heard so far.
    pub fn behind(&self, seq: u64) -> Vec<String> {
        self.without(|record| record.is_live && record.since >= seq)
    }

    pub fn without(&self, has: impl Fn(&Record) -> bool) -> Vec<String> {
        let lacking = self.members.iter().filter(|member| !has(&member.record()));
        lacking.map(|member| who(&member.record())).collect()
    }

    pub fn summaries(&self) -> Vec<String> {
        self.members.iter().map(|member| member.record().summary()).collect()
    }

    pub fn go(self) -> Vec<Record> {
        self.members.into_iter().map(|member| member.stop().0).collect()
    }
}

/// With the server at which they are.
fn who(record: &Record) -> String {
    let server = record.at.and_then(|at| match at {
        // The street is the first host of the network.
        SocketAddr::V4(at) => NAMES.get(usize::from(at.ip().octets()[3] / 2).wrapping_sub(1)).copied(),
        SocketAddr::V6(_) => None,
    });
    format!("{} at {}", record.name, server.unwrap_or("?"))
}
