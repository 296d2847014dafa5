//! Compares what people saw and learned with the server's history at the end, and with what was undone in
//! between.

use super::diary::{Diary, Life, Said, Shown};
use super::person::ROOM;
use super::truth::{Truth, key};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::time::Instant;

/// The history went back, between two lives.
#[derive(Debug, Clone)]
pub struct Undo {
    /// The last life before it.
    pub after: Life,
    /// The texts of what was there then.
    pub survivors: HashSet<String>,
    /// The database was deleted in that life, at this instant.
    pub deleted: Option<Instant>,
}

/// The kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It had a receipt, and is gone.
    Lost,
    /// A user did not get a stored message.
    NeverShown,
    Twice,
    /// A user had a message that was undone, but did not learn of a gap.
    Untold,
    /// A receipt promised what was deleted already.
    Promised,
    /// Out of order, in the wrong hands, or nothing that anybody said.
    Wrong,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost, with a receipt",
            Self::NeverShown => "stored, and never shown",
            Self::Twice => "shown twice",
            Self::Untold => "undone, and no gap told",
            Self::Promised => "receipts after the database was deleted",
            Self::Wrong => "out of order or place",
        })
    }
}

#[derive(Debug, Default)]
pub struct Verdict {
    pub faults: Vec<(Fault, String)>,
    pub receipts: usize,
    pub unstored: usize,
    /// Messages with a receipt that are gone since they were undone.
    pub undone: usize,
    /// Users who learned of an undoing, and of which.
    pub told: usize,
    pub shown: usize,
    /// How often the judge checked that a user had every message due by then.
    pub checked: usize,
    /// Shown again, after it was undone and said again, or a crash of a server that could not store it.
    pub again: usize,
}

/// The evidence for the judge.
pub struct Case<'a> {
    pub people: &'a [Diary],
    /// In order.
    pub undone: &'a [Undo],
    pub unsafe_lives: &'a [Life],
    pub truth: &'a Truth,
    /// What there was when a life ended, of those for which that is known; texts are brief.
    pub lives: &'a [(Life, Truth)],
}

pub fn judge(case: &Case<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let said: HashMap<&str, (&Diary, &Said)> = case
        .people
        .iter()
        .flat_map(|one| one.said.iter().map(move |said| (&*said.text, (one, said))))
        .collect();
    let final_texts = case.truth.texts();
    case.truth(&said, &mut verdict);
    for one in case.people {
        verdict.faults.extend(one.faults.iter().map(|fault| (Fault::Wrong, fault.clone())));
        for said in &one.said {
            case.receipts(one, said, &final_texts, &mut verdict);
        }
        case.shown(one, &said, &mut verdict);
        case.reached(one, &mut verdict);
        case.told(one, &said, &mut verdict);
    }
    verdict
}

impl Case<'_> {
    /// Each message once, and as its author wrote it.
    fn truth(&self, said: &HashMap<&str, (&Diary, &Said)>, verdict: &mut Verdict) {
        let mut seen = HashSet::new();
        for kept in &self.truth.kept {
            if !seen.insert(&kept.text) {
                verdict.fault(Fault::Twice, format!("{} is kept twice", short(&kept.text)));
            }
            let is_said = said.get(&*kept.text).is_some_and(|(one, said)| {
                one.name == kept.from
                    && said.to == kept.to
                    && (said.refused.is_none() || said.sends.len() > 1)
            });
            if !is_said {
                verdict.fault(Fault::Wrong, format!("nobody said, or it was refused: {}", short(&kept.text)));
            }
        }
    }

    /// A message with a receipt is there, unless it was undone.
    fn receipts(&self, one: &Diary, said: &Said, kept: &HashSet<String>, verdict: &mut Verdict) {
        verdict.receipts += usize::from(said.is_stored());
        verdict.unstored += usize::from(!said.is_stored() && !said.receipts.is_empty());
        for receipt in said.receipts.iter().filter(|receipt| receipt.seq.is_some()) {
            let is_late = |undo: &&Undo| {
                undo.after == receipt.life && undo.deleted.is_some_and(|deleted| receipt.sent > deleted)
            };
            if self.undone.iter().any(|undo| is_late(&undo)) {
                verdict.fault(Fault::Promised, format!("{}: {}", one.name, short(&said.text)));
            }
        }
        let Some(last) =
            said.receipts.iter().filter(|receipt| receipt.seq.is_some()).map(|receipt| receipt.life).max()
        else {
            return;
        };
        if kept.contains(&said.text) {
            return;
        }
        // The latest counts: it may have put back what an earlier one undid.
        let latest = self.undone.iter().rfind(|undo| undo.after >= last);
        if latest.is_some_and(|undo| !undo.survivors.contains(&said.text)) {
            verdict.undone += 1;
        } else {
            verdict.fault(Fault::Lost, format!("{} in life {last}", short(&said.text)));
        }
    }

    /// All that is there and for them, each once.
    fn shown(&self, one: &Diary, said: &HashMap<&str, (&Diary, &Said)>, verdict: &mut Verdict) {
        let mut shown: HashMap<&str, &Shown> = HashMap::new();
        for now in &one.shown {
            verdict.shown += 1;
            let is_for_them = said.get(&*now.text).is_some_and(|(author, said)| {
                let is_theirs = said.to == "all" || said.to == ROOM && one.is_in_room || said.to == one.name;
                author.name == now.from && said.to == now.to && (is_theirs || author.name == one.name)
            });
            if !is_for_them {
                verdict.fault(Fault::Wrong, format!("{} was shown {}", one.name, short(&now.text)));
            }
            let Some(before) = shown.insert(&now.text, now).filter(|_| now.from != one.name) else {
                continue;
            };
            if self.may_come_again(before, now) {
                verdict.again += 1;
            } else {
                let (lives, numbers) = ((before.life, now.life), (before.seq, now.seq));
                let what = format!("{}: {} in lives {lives:?} as {numbers:?}", one.name, short(&now.text));
                verdict.fault(Fault::Twice, what);
            }
        }
        let mut is_told = false;
        // The herald says the last words and listens to nothing.
        for kept in self.truth.kept.iter().filter(|_| !one.returns.is_empty()) {
            if self.truth.is_for(kept, &one.name) && !shown.contains_key(&*kept.text) {
                let mut what = format!("{} was not shown {} {}", one.name, kept.seq, short(&kept.text));
                if !is_told {
                    is_told = true;
                    what += &one.visits(usize::MAX);
                }
                verdict.fault(Fault::NeverShown, what);
            }
        }
    }

    /// All that was there when a life ended and had come to their number by then.
    fn reached(&self, one: &Diary, verdict: &mut Verdict) {
        let mut first: HashMap<&str, Life> = HashMap::new();
        for shown in &one.shown {
            first.entry(key(&shown.text)).or_insert(shown.life);
        }
        let mut missing = HashSet::new();
        let mut told = HashSet::new();
        for (life, truth) in self.lives {
            let Some(reached) = one.reached.get(life) else { continue };
            for kept in truth.kept.iter().filter(|kept| kept.seq <= *reached && truth.is_for(kept, &one.name))
            {
                verdict.checked += 1;
                if first.get(&*kept.text).is_none_or(|shown| shown > life) && missing.insert(&kept.text) {
                    let (seq, text) = (kept.seq, short(&kept.text));
                    let state = if self.unsafe_lives.contains(life) { " (not all stored)" } else { "" };
                    let mut what =
                        format!("{} came to {reached} in life {life}{state} without {seq} {text}", one.name);
                    if told.insert(*life) {
                        what += &one.visits(*life);
                    }
                    verdict.fault(Fault::NeverShown, what);
                }
            }
        }
    }

    /// It was undone in between and said again; or it was stored nowhere, and the server that knew it is dead.
    fn may_come_again(&self, before: &Shown, now: &Shown) -> bool {
        let is_between = |undo: &&Undo| {
            let over_lives = undo.after >= before.life && undo.after < now.life;
            let by_deletion =
                undo.after == now.life && undo.deleted.is_some_and(|at| before.at < at && now.at > at);
            over_lives || by_deletion
        };
        let is_undone = self.undone.iter().filter(is_between).any(|undo| !undo.survivors.contains(&now.text));
        let is_forgotten =
            before.life < now.life && (before.seq.is_none() || self.unsafe_lives.contains(&before.life));
        // It was stored just before that, and shown just after.
        let is_deleted = before.life == now.life
            && (before.seq.is_some() && now.seq.is_none())
            && self.undone.iter().any(|undo| undo.after == now.life && undo.deleted.is_some());
        is_undone || is_forgotten || is_deleted || before.is_ahead
    }

    /// Users who had an undone message learn of it when they return.
    fn told(&self, one: &Diary, said: &HashMap<&str, (&Diary, &Said)>, verdict: &mut Verdict) {
        let had = self.had(one, said);
        for (place, undo) in self.undone.iter().enumerate() {
            let Some(next) = one.returns.iter().find(|next| next.life > undo.after) else { continue };
            if next.is_gap {
                verdict.told += 1;
                continue;
            }
            let before = place.checked_sub(1).map(|place| &self.undone[place]);
            let begins = before.map_or(0, |before| before.after + 1);
            // A later undoing may have put it back before they came.
            let latest = self.undone.iter().rfind(|undo| undo.after < next.life).unwrap_or(undo);
            let was_here = one.returns.iter().any(|seen| (begins..=undo.after).contains(&seen.life));
            let untold = had.iter().filter(|(text, lives)| {
                let is_new = lives.iter().any(|life| (begins..=undo.after).contains(life));
                let is_old = was_here
                    && lives.iter().any(|life| *life < begins)
                    && before.is_some_and(|before| before.survivors.contains(**text));
                (is_new || is_old) && !undo.survivors.contains(**text) && !latest.survivors.contains(**text)
            });
            let untold: Vec<_> = untold.map(|(text, _)| short(text)).collect();
            if let Some(first) = untold.first() {
                let what = format!(
                    "{} had {} undone after life {}, such as {first}, and comes in life {}",
                    one.name,
                    untold.len(),
                    undo.after,
                    next.life
                );
                verdict.fault(Fault::Untold, what);
            }
        }
    }

    /// The stored messages that a user had, and in which lives.
    fn had<'d>(&self, one: &'d Diary, said: &HashMap<&str, (&Diary, &Said)>) -> BTreeMap<&'d str, Vec<Life>> {
        let is_stored = |text: &str| {
            said.get(text).is_some_and(|(_, said)| said.is_stored())
                || self.undone.iter().any(|undo| undo.survivors.contains(text))
        };
        let shown = one.shown.iter().filter(|shown| shown.seq.is_some() && is_stored(&shown.text));
        // What could not be stored has a number too, for those who see it when that is noticed.
        let shown = shown.filter(|shown| {
            let receipts = said.get(&*shown.text).into_iter().flat_map(|(_, said)| &said.receipts);
            let mut stored = receipts.filter(|receipt| receipt.seq.is_some());
            !self.unsafe_lives.contains(&shown.life) || stored.any(|receipt| receipt.life == shown.life)
        });
        let mut had: BTreeMap<&str, Vec<Life>> = BTreeMap::new();
        for shown in shown {
            had.entry(&shown.text).or_default().push(shown.life);
        }
        for said in &one.said {
            let lives =
                said.receipts.iter().filter(|receipt| receipt.seq.is_some()).map(|receipt| receipt.life);
            for life in lives {
                had.entry(&said.text).or_default().push(life);
            }
        }
        had
    }
}

impl Verdict {
    fn fault(&mut self, kind: Fault, what: String) {
        self.faults.push((kind, what));
    }
}

/// A text's beginning.
pub fn short(text: &str) -> String {
    format!("{:?}", key(text).chars().take(40).collect::<String>())
}
