//! Catching up, searches, and opening.

use super::talk::{Talk, account};
use super::times::{Begun, Times};
use anyhow::{Result, ensure};
use lanchat::chat::{Entry, MailView, Scope, Search, Venue, View, Wanted};
use lanchat::name::RoomName;
use lanchat::store::{ResumeFrom, Retention, Store, ViewRange};
use std::path::Path;
use std::time::Instant;

/// Times that each thing is done.
const RUNS: u64 = 15;

/// Messages of the last second.
const NEW: usize = 10_000;

fn view(number: u64) -> View {
    View { account: Some(account(number)), mail: MailView::All, rooms: vec![(RoomName::lobby(), 0)] }
}

/// How long it takes to read the newest `most` messages as a returning user gets them.
pub async fn resume(store: &Store, upto: u64, most: usize) -> Result<Times> {
    let mut times = Times::default();
    for number in 0..RUNS {
        let start = Begun::now();
        let mut after = store.begin(view(number), ResumeFrom::Seq(1), most).await?.after;
        let mut count = 0;
        while after < upto {
            let page = store
                .page(ViewRange { view: view(number), after, upto, known: after }, 256, 64 * 1024)
                .await?;
            after = page.reached;
            count += page.messages.len();
        }
        times.add_since(start);
        ensure!(count == most, "{count} messages instead of {most}");
    }
    Ok(times)
}

/// The searches, with their names.
pub fn searches(run: u64) -> Vec<(&'static str, Search)> {
    let rooms = (0..5).map(|number| RoomName::new(&format!("#room{number}")).expect("a name"));
    let rooms = rooms.chain([RoomName::lobby()]).map(|room| (room, 0)).collect();
    let everywhere = View { rooms, ..view(run) };
    let search = |words: String| Search { words, view: everywhere.clone(), limit: 20, ..Search::default() };
    let (rare, common) = (40_000 + run * 7, 1 + run % 5);
    let from = Some(format!("user{}", run * 3));
    let rooms = vec![(RoomName::new("#room3").expect("a name"), 0)];
    let room = View { rooms, ..View::default() };
    let mail = View { rooms: Vec::new(), ..view(run) };
    vec![
        ("a rare word", search(format!("w{rare}"))),
        ("a common word", search(format!("w{common}"))),
        ("a word nobody used", search(format!("never{run}"))),
        ("two words, both common", search(format!("w{common} w{}", common + 7))),
        ("two words, one rare", search(format!("w{common} w{rare}"))),
        ("two words, seldom together", search(format!("w{} w{}", 100 + run, 200 + run))),
        ("two words, never together", search(format!("w{} w{}", 2000 + run, 3000 + run))),
        ("a phrase of common words", search(format!("\"w{common} w{}\"", common + 1))),
        ("a beginning of words", search(format!("w{}*", 100 + run))),
        ("a common word, from:", Search { from: from.clone(), ..search(format!("w{common}")) }),
        ("a rare word, from:", Search { from, ..search(format!("w{rare}")) }),
        ("a common word, in:", Search { view: room.clone(), ..search(format!("w{common}")) }),
        ("a rare word, in:", Search { view: room, ..search(format!("w{rare}")) }),
        ("a common word, in one's own mail", Search { view: mail, ..search(format!("w{common}")) }),
    ]
}

/// Each search several times, with other words each.
pub async fn search(store: &Store) -> Result<Vec<(&'static str, Times, usize)>> {
    let mut all: Vec<(&'static str, Times, usize)> = Vec::new();
    for run in 0..RUNS {
        for (place, (name, search)) in searches(run).into_iter().enumerate() {
            let start = Begun::now();
            let found = store.search(search, 256 * 1024).await?.messages.len();
            if all.len() == place {
                all.push((name, Times::default(), 0));
            }
            all[place].1.add_since(start);
            all[place].2 += found;
        }
    }
    Ok(all)
}

/// Whether words are found that came just now, while the index has them not yet: the newest of some, and the
/// oldest.
pub async fn search_new(store: &Store, upto: u64) -> Result<Times> {
    let mut talk = Talk::after(upto);
    let mut batch = talk.batch(NEW);
    for (place, entry) in batch.entries.iter_mut().enumerate() {
        if let Entry::Message(message) = entry {
            message.venue = Venue::Room(RoomName::lobby());
            message.text += &format!(" new{upto}x{place}x");
        }
    }
    store.commit(batch).await?;
    let mut times = Times::default();
    for run in 0..RUNS as usize {
        for place in [run, NEW - 1 - run] {
            let words = format!("new{upto}x{place}x");
            let view = View { rooms: vec![(RoomName::lobby(), 0)], ..View::default() };
            let start = Begun::now();
            let found =
                store.search(Search { words, view, limit: 20, ..Search::default() }, 256 * 1024).await?;
            times.add_since(start);
            ensure!(found.messages.len() == 1 && !found.partial, "{place} is not found");
        }
    }
    Ok(times)
}

/// The history of a room, and of two people.
pub async fn history(store: &Store) -> Result<Vec<(&'static str, Times)>> {
    let mut times = [Times::default(), Times::default()];
    for run in 0..RUNS {
        let scopes = [Scope::Room(RoomName::lobby()), Scope::Mail(account(run), account(run + 50))];
        for (scope, times) in scopes.into_iter().zip(&mut times) {
            let wanted = Wanted { scope, before: None, limit: 200, deleted: false };
            let start = Instant::now();
            store.history(wanted, 256 * 1024).await?;
            times.add(start.elapsed());
        }
    }
    Ok(["the newest 200 of the lobby", "the newest 200 between two people"].into_iter().zip(times).collect())
}

/// How long it takes to open the history.
pub async fn open(path: &Path) -> Result<Times> {
    let mut times = Times::default();
    for _ in 0..RUNS {
        let start = Instant::now();
        let (store, _) = Store::open(path, Retention::default())?;
        times.add(start.elapsed());
        store.close().await;
    }
    Ok(times)
}
