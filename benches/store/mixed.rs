//! Messages of many scripts, and searches of all kinds in them: `--mixed`.

use super::talk::{Talk, account};
use super::times::Times;
use anyhow::{Result, ensure};
use jiff::Timestamp;
use lanchat::chat::{Entry, MailView, Search, View};
use lanchat::name::RoomName;
use lanchat::store::{Retention, Store, WriteBatch};
use std::path::Path;
use std::time::{Duration, Instant};

/// Times that each search is done, with other words each.
const RUNS: u64 = 15;

/// Messages in a transaction while the history is made.
const BATCH: usize = 1000;

/// The bound for the median of each kind.
const MOST: Duration = Duration::from_millis(50);

const SYLLABLES: [&str; 40] = [
    "the", "an", "in", "er", "re", "on", "at", "en", "ti", "es", "or", "te", "ed", "is", "it", "al", "ar",
    "st", "to", "nt", "ng", "se", "ha", "as", "ou", "io", "le", "ve", "co", "me", "de", "hi", "ri", "ro",
    "ic", "ne", "ea", "ra", "ce", "part",
];

const THAI: [&str; 24] = [
    "กา",
    "ขอ",
    "คุณ",
    "มาก",
    "ครับ",
    "ไป",
    "มา",
    "ที่",
    "นี่",
    "ไม่",
    "ได้",
    "ให้",
    "และ",
    "เป็น",
    "ว่า",
    "วัน",
    "ทำ",
    "งาน",
    "บ้าน",
    "น้ำ",
    "กิน",
    "ข้าว",
    "รถ",
    "ไทย",
];

const EMOJI: [&str; 12] = [
    "👍",
    "😀",
    "🎉",
    "❤\u{fe0f}",
    "👍🏽",
    "🇩🇪",
    "🚀",
    "👨\u{200d}👩\u{200d}👧",
    "🐛",
    "✅",
    "🫠",
    "🏴\u{200d}☠\u{fe0f}",
];

const CODE: [&str; 10] = [
    "if (a->b == NULL) { return -1; }",
    "let x: Vec<&str> = y?;",
    "C++ std::vector<int> v;",
    "<<< HEAD ===",
    "git commit -m 'fix #42'",
    "GET /api/v1/users?id=7 HTTP/1.1",
    "100% :) ok",
    "for i in $(seq 1 9); do",
    "SELECT * FROM t WHERE a != b;",
    "0xdeadbeef && !done",
];

/// Where texts come from; the same each time.
struct Texts(u64);

impl Texts {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Rank n of `many` has a share of about 1 / n.
    fn rank(&mut self, many: u64) -> u64 {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (many as f64).powf(share) as u64
    }

    fn many(&mut self, least: u64, more: u64, one: impl Fn(&mut Self) -> String, between: &str) -> String {
        let count = least + self.next() % more;
        (0..count).map(|_| one(self)).collect::<Vec<_>>().join(between)
    }

    /// One message: six of ten are Latin.
    fn text(&mut self) -> String {
        let mut text = match self.next() % 100 {
            0..60 => self.many(4, 13, |texts| word(texts.rank(60_000)), " "),
            60..73 => self.many(6, 25, |texts| han(texts.rank(3000)), ""),
            73..81 => self.many(6, 25, |texts| kana_or_han(texts.next(), texts.rank(2000)), ""),
            81..87 => self.many(3, 8, |texts| texts.many(1, 4, |texts| hangul(texts.rank(1500)), ""), " "),
            87..92 => self.many(5, 20, |texts| THAI[(texts.rank(24) - 1) as usize % 24].to_owned(), ""),
            92..96 => CODE[self.next() as usize % CODE.len()].to_owned() + " " + &word(self.rank(60_000)),
            _ => word(self.rank(60_000)) + " " + &word(self.rank(60_000)),
        };
        if self.next().is_multiple_of(20) {
            text += " ";
            text += EMOJI[(self.rank(12) - 1) as usize % 12];
        }
        text
    }
}

/// The word of a rank: the commoner, the shorter.
fn word(rank: u64) -> String {
    let mut left = rank;
    let mut word = String::new();
    while left > 0 || word.is_empty() {
        word += SYLLABLES[(left % 40) as usize];
        left /= 40;
    }
    word
}

fn character(first: u32, rank: u64) -> String {
    char::from_u32(first + rank as u32).map(String::from).unwrap_or_default()
}

fn han(rank: u64) -> String {
    character(0x4e00, rank * 5)
}

fn hangul(rank: u64) -> String {
    character(0xac00, rank * 7)
}

fn kana_or_han(kind: u64, rank: u64) -> String {
    match kind % 3 {
        0 => han(rank),
        1 => character(0x3042, rank % 80),
        _ => character(0x30a2, rank % 80),
    }
}

/// Makes the history and searches in it.
pub async fn measure(base: &Path, messages: u64) -> Result<()> {
    let dir = tempfile::tempdir_in(base)?;
    let path = dir.path().join("history.db");
    fill(&path, messages).await?;
    single(&path).await?;
    super::sizes::print(&path)?;
    let (store, _) = Store::open(&path, Retention::default())?;
    println!("searches over {messages} messages of many scripts");
    let mut slow = Vec::new();
    for (name, times, found) in run(&store).await? {
        println!("    {name:42} {times}, {found} found in all");
        if times.at(0.5) > MOST {
            slow.push(name);
        }
    }
    store.close().await;
    ensure!(slow.is_empty(), "medians of more than {MOST:?}: {slow:?}");
    Ok(())
}

fn batch(talk: &mut Talk, texts: &mut Texts, messages: usize) -> WriteBatch {
    let mut batch = talk.batch_of(messages, 0);
    for entry in &mut batch.entries {
        if let Entry::Message(message) = entry {
            message.text = texts.text();
        }
    }
    batch
}

async fn fill(path: &Path, messages: u64) -> Result<()> {
    let (store, archive) = Store::open(path, Retention::default())?;
    let (mut talk, mut texts) = (Talk::after(archive.seq), Texts(1));
    let mut spent = Duration::ZERO;
    while talk.seq() < messages {
        let size = BATCH.min((messages - talk.seq()) as usize);
        let batch = batch(&mut talk, &mut texts, size);
        let start = Instant::now();
        store.commit(batch).await?;
        spent += start.elapsed();
    }
    store.close().await;
    let each = spent.as_secs_f64() * 1e6 / messages as f64;
    println!("{messages} messages of many scripts, {BATCH} in a transaction: {each:.1} us each");
    Ok(())
}

/// The cost of a message that arrives alone.
async fn single(path: &Path) -> Result<()> {
    let (store, archive) = Store::open(path, Retention::default())?;
    let (mut talk, mut texts) = (Talk::after(archive.seq), Texts(2));
    for size in [1, 10] {
        let mut times = Times::default();
        for _ in 0..2000 {
            let batch = batch(&mut talk, &mut texts, size);
            let start = Instant::now();
            store.commit(batch).await?;
            times.add(start.elapsed());
        }
        println!("    {size} in a transaction: {times}, 99th of 100 {:?}", times.at(0.99));
    }
    store.close().await;
    Ok(())
}

fn searches(run: u64) -> Vec<(&'static str, Search)> {
    let rooms = (0..5).map(|number| RoomName::new(&format!("#room{number}")).expect("a name"));
    let rooms = rooms.chain([RoomName::lobby()]).map(|room| (room, 0)).collect();
    let everywhere = View { account: Some(account(run)), mail: MailView::All, rooms };
    let search = |words: &str| Search {
        words: words.into(),
        view: everywhere.clone(),
        limit: 20,
        ..Search::default()
    };
    let from = Some(format!("user{}", run * 3));
    let rooms = vec![(RoomName::new("#room3").expect("a name"), 0)];
    let room = View { rooms, ..View::default() };
    let until = Timestamp::from_millisecond(Timestamp::now().as_millisecond() - 1_700_000_000).ok();
    let (common, rare) = (word(1 + run % 5), word(40_000 + run * 7));
    let inside = |word: &str| word[1..word.len() - 1].to_owned();
    vec![
        ("a common word", search(&common)),
        ("a rare word", search(&rare)),
        ("a part of a common word", search(&inside(&word(60 + run)))),
        ("a part of a rare word", search(&inside(&word(30_000 + run * 11)))),
        ("two letters", search(&word(2 + run)[..2])),
        ("two letters, rare", search(["qx", "0x", "zz", "42", "fi"][run as usize % 5])),
        ("one letter", search(["a", "e", "q", "7", "x"][run as usize % 5])),
        ("two words, both common", search(&format!("{common} {}", word(7 + run)))),
        ("two words, one rare", search(&format!("{common} {rare}"))),
        ("two words, never together", search(&format!("{} {}", word(20_000 + run), word(25_000 + run)))),
        ("two-letter words next to each other", search(&format!("\"{common} {}\"", word(2 + run % 5)))),
        ("a phrase of common words", search(&format!("\"{common} {}\"", word(40 + run)))),
        (
            "a phrase of common words, never said",
            search(&format!("\"{0} {1} {0} {1}\"", word(40 + run), word(41 + run))),
        ),
        (
            "two-letter words next to each other, never",
            search(&format!("\"{common} {} {0} {common}\"", word(7 + run))),
        ),
        ("Chinese, one character", search(&han(1 + run % 5))),
        ("Chinese, one rare character", search(&han(2700 + run))),
        ("Chinese, two characters", search(&(han(1 + run % 5) + &han(2 + run)))),
        ("Chinese, two rare characters", search(&(han(300 + run) + &han(400 + run)))),
        ("Chinese, four characters", search(&(han(1 + run % 5) + &han(2) + &han(3 + run) + &han(1)))),
        ("Japanese, two characters", search(&(character(0x30a2, run) + &character(0x3042, 1 + run)))),
        ("Korean, one syllable", search(&hangul(100 + run))),
        ("Korean, two syllables", search(&(hangul(1 + run % 5) + &hangul(2 + run)))),
        ("Thai, a word", search(THAI[run as usize])),
        ("emoji", search(EMOJI[run as usize % 12])),
        ("emoji, never said", search(["🦀", "🧵", "🪿"][run as usize % 3])),
        ("a sign", search(["->", "<<<", "C++", "100%", ":)", "!="][run as usize % 6])),
        ("a sign, never said", search(["~~~", ":-P", "©"][run as usize % 3])),
        ("a word nobody used", search(&format!("xyzzy{run}"))),
        ("from: alone", Search { from: from.clone(), ..search("") }),
        ("a common word, from:", Search { from: from.clone(), ..search(&common) }),
        ("a rare word, from:", Search { from: from.clone(), ..search(&rare) }),
        ("one character, from:", Search { from, ..search(&han(500 + run)) }),
        ("in: and before:", Search { view: room.clone(), until, ..search("") }),
        ("a common word, in: and before:", Search { view: room.clone(), until, ..search(&common) }),
        ("a rare word, in:", Search { view: room.clone(), ..search(&rare) }),
        ("two letters, in:", Search { view: room, ..search("zq") }),
        ("a rare word, before:", Search { until, ..search(&rare) }),
    ]
}

async fn run(store: &Store) -> Result<Vec<(&'static str, Times, usize)>> {
    let mut all: Vec<(&'static str, Times, usize)> = Vec::new();
    for run in 0..RUNS {
        for (place, (name, search)) in searches(run).into_iter().enumerate() {
            let start = Instant::now();
            let found = store.search(search, 256 * 1024).await?;
            if all.len() == place {
                all.push((name, Times::default(), 0));
            }
            all[place].1.add(start.elapsed());
            all[place].2 += found.messages.len();
        }
    }
    Ok(all)
}
