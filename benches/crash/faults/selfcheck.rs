//! Whether the judge finds what it is there for: a small case without a fault, and one of each kind.

use super::diary::{Diary, Life, Receipt, Return, Said, Shown};
use super::judge::{Case, Fault, Undo, judge};
use super::truth::{Kept, Truth};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Ann has said three things in life 0, of which the second was undone, and one in life 1. Bob has it all.
struct Small {
    people: Vec<Diary>,
    undone: Vec<Undo>,
    truth: Truth,
    lives: Vec<(Life, Truth)>,
}

const TEXTS: [&str; 4] = ["one", "two", "three", "four"];

impl Small {
    fn new(start: Instant) -> Self {
        let life = |n: usize| usize::from(n == 3);
        let said = TEXTS.iter().enumerate().map(|(n, text)| Said {
            id: text.to_string(),
            to: "all".into(),
            text: text.to_string(),
            sends: vec![(life(n), start)],
            receipts: vec![Receipt { life: life(n), sent: start, seq: Some(n as u64 + 1) }],
            refused: None,
            is_back: false,
        });
        let shown = TEXTS.iter().enumerate().map(|(n, text)| Shown {
            is_ahead: false,
            from: "ann".into(),
            to: "all".into(),
            text: text.to_string(),
            seq: Some(n as u64 + 1),
            life: life(n),
            at: start,
        });
        let returns = vec![Return { life: 0, is_gap: false }, Return { life: 1, is_gap: true }];
        let ann =
            Diary { name: "ann".into(), said: said.collect(), returns: returns.clone(), ..Diary::default() };
        let reached = [(0, 3), (1, 4)].into();
        let bob = Diary { name: "bob".into(), shown: shown.collect(), returns, reached, ..Diary::default() };
        let kept = |n: usize| Kept {
            seq: n as u64 + 1,
            from: "ann".into(),
            to: "all".into(),
            text: TEXTS[n].into(),
        };
        let survivors = HashSet::from(["one".to_owned(), "three".to_owned()]);
        Self {
            people: vec![ann, bob],
            undone: vec![Undo { after: 0, survivors, deleted: None }],
            truth: Truth { kept: [0, 2, 3].map(kept).into(), members: Vec::new() },
            lives: vec![(0, Truth { kept: [0, 1, 2].map(kept).into(), members: Vec::new() })],
        }
    }

    fn faults(&self) -> Vec<Fault> {
        let case = Case {
            people: &self.people,
            undone: &self.undone,
            unsafe_lives: &[],
            truth: &self.truth,
            lives: &self.lives,
        };
        judge(&case).faults.into_iter().map(|(kind, _)| kind).collect()
    }
}

/// Lists the judge's errors.
pub fn run() -> Vec<String> {
    let start = Instant::now();
    let mut wrong = Vec::new();
    let mut expect = |what: &str, expected: &[Fault], spoil: &dyn Fn(&mut Small)| {
        let mut small = Small::new(start);
        spoil(&mut small);
        let found = small.faults();
        if found != expected {
            wrong.push(format!("{what}: found {found:?}, expected {expected:?}"));
        }
    };
    expect("no fault", &[], &|_| {});
    expect("a loss", &[Fault::Lost], &|small| drop(small.truth.kept.remove(0)));
    expect("what nobody was shown", &[Fault::NeverShown, Fault::NeverShown], &|small| {
        drop(small.people[1].shown.remove(2))
    });
    expect("what was undone before anybody missed it", &[Fault::NeverShown], &|small| {
        drop(small.people[1].shown.remove(1));
    });
    expect("what came after somebody had gone", &[], &|small| {
        drop(small.people[1].shown.remove(1));
        small.people[1].reached.insert(0, 1);
    });
    expect("a double", &[Fault::Twice], &|small| {
        let again = small.people[1].shown[2].clone();
        small.people[1].shown.push(Shown { life: 1, ..again });
    });
    expect("what was undone and said again", &[], &|small| {
        let again = small.people[1].shown[1].clone();
        small.people[1].shown.push(Shown { life: 1, seq: Some(5), ..again });
    });
    expect("a gap that bob was not told of", &[Fault::Untold], &|small| {
        small.people[1].returns[1].is_gap = false
    });
    expect("a gap that the author was not told of", &[Fault::Untold], &|small| {
        small.people[0].returns[1].is_gap = false;
    });
    expect("a gap that nobody need be told of", &[], &|small| {
        small.undone[0].survivors.insert("two".into());
        small.truth.kept.insert(1, Kept { seq: 2, text: "two".into(), ..small.truth.kept[0].clone() });
        small.people.iter_mut().for_each(|one| one.returns[1].is_gap = false);
    });
    expect("a promise after the deletion", &[Fault::Promised], &|small| {
        small.undone[0].deleted = Some(start);
        small.people[0].said[2].receipts[0].sent = start + Duration::from_millis(1);
    });
    expect("what is for another", &[Fault::Wrong, Fault::Wrong], &|small| {
        small.people[0].said[0].to = "cleo".into();
    });
    expect("two of one", &[Fault::Twice], &|small| small.truth.kept.push(small.truth.kept[0].clone()));
    wrong
}
