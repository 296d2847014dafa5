//! Compares what members hold with what the server kept.

use super::member::ROOM;
use super::record::{Heard, Record, Said};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A message as the server kept it.
#[derive(Debug, Clone)]
pub struct Stored {
    pub heard: Heard,
    pub id: Option<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Messages that the server kept.
    pub stored: usize,
    pub receipts: usize,
    /// Messages without a receipt, by whether the server kept them.
    pub unsure_kept: usize,
    pub unsure_lost: usize,
    /// Messages that somebody got and should have got.
    pub deliveries: usize,
    /// Own messages that another connection of the same member saw as they were said.
    pub echoes: usize,
    pub faults: Vec<String>,
}

/// All that was said, in the order of its numbers. The server must not run.
pub fn read_store(data_dir: &Path) -> Vec<Stored> {
    let history = rusqlite::Connection::open(data_dir.join("history.db")).expect("a history");
    let query = "SELECT seq, from_name, coalesce(room.name, to_text), text, token
                 FROM message LEFT JOIN room ON room.id = message.room
                 WHERE kind < 3 ORDER BY seq";
    let mut statement = history.prepare(query).expect("the schema");
    let rows = statement.query_map([], |row| {
        let to: String = row.get(2)?;
        Ok(Stored {
            heard: Heard {
                seq: row.get::<_, i64>(0)?.unsigned_abs(),
                from: row.get(1)?,
                to: if to == "#lobby" { "all".into() } else { to },
                text: row.get(3)?,
                history: false,
            },
            id: row.get(4)?,
        })
    });
    rows.expect("rows").map(|row| row.expect("a message")).collect()
}

/// Judges all members, of whom each should have everything up to the number that it knows.
pub fn judge(stored: &[Stored], records: &[Record]) -> Verdict {
    let mut verdict = Verdict { stored: stored.len(), ..Verdict::default() };
    judge_store(stored, records, &mut verdict);
    let by_text: HashMap<&str, &Stored> =
        stored.iter().map(|stored| (stored.heard.text.as_str(), stored)).collect();
    for record in records {
        verdict.faults.extend(record.faults.iter().cloned());
        for said in &record.said {
            judge_said(record, said, by_text.get(said.text.as_str()).copied(), &mut verdict);
        }
        judge_heard(record, stored, &mut verdict);
    }
    verdict
}

/// Each message once, and each as somebody said it.
fn judge_store(stored: &[Stored], records: &[Record], verdict: &mut Verdict) {
    let mut said = HashMap::new();
    for record in records {
        for one in &record.said {
            said.insert(one.text.as_str(), (record, one));
        }
    }
    let mut seen = BTreeMap::new();
    for Stored { heard, id } in stored {
        if let Some(first) = seen.insert(&heard.text, heard.seq) {
            verdict.faults.push(format!("{} is kept twice, first as {first}", name_of(heard)));
        }
        let is_as_said = said.get(heard.text.as_str()).is_some_and(|(record, said)| {
            record.name == heard.from && said.to == heard.to && id.as_deref() == Some(said.id.as_str())
        });
        if !is_as_said {
            verdict.faults.push(format!("nobody said {}", name_of(heard)));
        }
    }
}

/// What has a receipt is kept under its number; what has none is still in the outbox.
fn judge_said(record: &Record, said: &Said, stored: Option<&Stored>, verdict: &mut Verdict) {
    verdict.receipts += usize::from(said.is_done);
    let kept = stored.map(|stored| stored.heard.seq);
    if said.seq.is_some() && said.seq != kept {
        verdict.faults.push(format!("{:?} was told {:?}, and kept is {kept:?}", said.text, said.seq));
    }
    if said.times == 0 && kept.is_some() {
        verdict.faults.push(format!("{:?} was kept and never sent", said.text));
    }
    match (said.is_done, kept) {
        (true, None) => verdict.faults.push(format!("{:?} has a receipt and is lost", said.text)),
        (true, Some(_)) => {}
        (false, None) => verdict.unsure_lost += 1,
        (false, Some(seq)) => {
            verdict.unsure_kept += 1;
            // It has all of the lobby up to there, so it has its own message, which is a receipt. What it
            // said elsewhere it may learn of only when it says it again.
            let is_past =
                said.to == "all" && seq <= record.since && record.lobby_from.is_some_and(|from| seq > from);
            if is_past && said.seq.is_none() {
                verdict.faults.push(format!("{} never learned of its own {:?}", record.name, said.text));
            }
        }
    }
}

/// Exactly what is for it, each once, in the order of the numbers.
fn judge_heard(record: &Record, stored: &[Stored], verdict: &mut Verdict) {
    let fault = |what: String| format!("{}: {what}", record.name);
    for pair in record.heard.windows(2).filter(|pair| pair[0].seq >= pair[1].seq) {
        verdict.faults.push(fault(format!("{} before {}", name_of(&pair[0]), name_of(&pair[1]))));
    }
    let own = record.heard.iter().filter(|heard| heard.from == record.name && !heard.history);
    for echo in own {
        // Only from a connection before, of which the server did not know yet that it was broken.
        let said = record.said.iter().find(|said| said.text == echo.text);
        if said.is_none_or(|said| said.times < 2) {
            verdict.faults.push(fault(format!("its own {} came back", name_of(echo))));
        }
        verdict.echoes += 1;
    }
    let room = Stay::of(record);
    let wanted = stored.iter().map(|stored| &stored.heard).filter(|heard| {
        heard.from != record.name
            && heard.seq <= record.since
            && match heard.to.as_str() {
                "all" => record.lobby_from.is_some_and(|from| heard.seq > from),
                ROOM => room.as_ref().is_some_and(|stay| stay.has(heard.seq)),
                to => to == record.name,
            }
    });
    let mut others = record.heard.iter().filter(|heard| heard.from != record.name).peekable();
    for wanted in wanted {
        while let Some(more) = others.next_if(|heard| heard.seq < wanted.seq) {
            verdict.faults.push(fault(format!("{} is not for it", name_of(more))));
        }
        match others.next_if(|heard| heard.seq == wanted.seq) {
            Some(heard)
                if (&heard.from, &heard.to, &heard.text) == (&wanted.from, &wanted.to, &wanted.text) =>
            {
                verdict.deliveries += 1;
            }
            Some(heard) => {
                verdict.faults.push(fault(format!("{} is kept as {}", name_of(heard), name_of(wanted))));
            }
            None => verdict.faults.push(fault(format!("{} never came", name_of(wanted)))),
        }
    }
    for more in others {
        verdict.faults.push(fault(format!("{} is not for it", name_of(more))));
    }
}

/// From when to when somebody was in the room. The moments themselves have no numbers: what was said
/// between question and answer may count or not, but there is no hole after the first that does.
struct Stay {
    from: u64,
    to: u64,
}

impl Stay {
    fn of(record: &Record) -> Option<Self> {
        let asked = record.joined.asked?;
        let heard = || record.heard.iter().filter(|heard| heard.to == ROOM && heard.from != record.name);
        let surely = record.joined.done.unwrap_or(u64::MAX);
        let first = heard().next().map_or(u64::MAX, |heard| heard.seq - 1);
        let from = surely.min(first).max(asked);
        let Some(left) = record.parted.asked else { return Some(Self { from, to: u64::MAX }) };
        let last = heard().next_back().map_or(0, |heard| heard.seq);
        Some(Self { from, to: last.max(left).min(record.parted.done.unwrap_or(u64::MAX)) })
    }

    fn has(&self, seq: u64) -> bool {
        seq > self.from && seq <= self.to
    }
}

/// Mail that waited: its author knows of it, and knows when it has arrived.
pub fn judge_arrivals(records: &[Record], verdict: &mut Verdict) {
    for record in records {
        for to in record.said.iter().map(|said| &said.to).collect::<std::collections::BTreeSet<_>>() {
            let waiting = || record.said.iter().filter(|said| said.waits && said.to == *to);
            let arrived = || record.arrivals.iter().filter(|arrival| arrival.name == *to);
            let count: u64 = arrived().map(|arrival| arrival.count).sum();
            let most = record.said.iter().filter(|said| said.to == *to && said.seq.is_some()).count() as u64;
            if !(waiting().count() as u64..=most).contains(&count) {
                let fault = format!(
                    "{}: of {most} messages to {to}, {} had to wait, and {count} have arrived",
                    record.name,
                    waiting().count()
                );
                verdict.faults.push(fault);
            }
        }
    }
}

/// Whether the author was told of everything that waited.
pub fn has_all_arrivals(record: &Record) -> bool {
    record.said.iter().filter(|said| said.waits).all(|said| {
        record.arrivals.iter().any(|arrival| arrival.name == said.to && Some(arrival.last) >= said.seq)
    })
}

fn name_of(heard: &Heard) -> String {
    let text: String = heard.text.chars().take(30).collect();
    format!("message {} ({text:?} to {})", heard.seq, heard.to)
}

#[cfg(test)]
mod tests;
