//! What a user wrote, saw and learned, from the first connection to the last.

use std::collections::BTreeMap;
use std::time::Instant;

/// Which of the server's processes, from 0 on.
pub type Life = usize;

/// Something said. Its text is its own, so that it is known by that.
#[derive(Debug, Clone)]
pub struct Said {
    pub id: String,
    pub to: String,
    pub text: String,
    /// When it went out, and to which life.
    pub sends: Vec<(Life, Instant)>,
    pub receipts: Vec<Receipt>,
    /// The code with which it was refused.
    pub refused: Option<String>,
    /// It came back in the history.
    pub is_back: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Receipt {
    pub life: Life,
    /// When the message was sent that it answers.
    pub sent: Instant,
    /// `None`: it is not stored.
    pub seq: Option<u64>,
}

impl Said {
    /// Whether it need not be sent again.
    pub fn is_done(&self) -> bool {
        !self.receipts.is_empty() || self.refused.is_some() || self.is_back
    }

    pub fn is_stored(&self) -> bool {
        self.receipts.iter().any(|receipt| receipt.seq.is_some())
    }
}

/// Something shown.
#[derive(Debug, Clone)]
pub struct Shown {
    pub from: String,
    pub to: String,
    pub text: String,
    pub seq: Option<u64>,
    pub life: Life,
    pub at: Instant,
    /// The server could not read what came before: this comes again when they ask for that.
    pub is_ahead: bool,
}

/// The end of catching up.
#[derive(Debug, Clone, Copy)]
pub struct Return {
    pub life: Life,
    /// Something is missing, or what was there is not any more.
    pub is_gap: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Diary {
    pub name: String,
    pub is_in_room: bool,
    pub said: Vec<Said>,
    pub shown: Vec<Shown>,
    pub returns: Vec<Return>,
    /// What was asked and answered when they came, for whoever looks for the cause of a fault.
    pub visits: Vec<(Life, String)>,
    /// Up to which number of each life they should have all that is theirs.
    pub reached: BTreeMap<Life, u64>,
    pub repeats: usize,
    pub breaks: usize,
    /// Codes of errors, with how often they came.
    pub errors: BTreeMap<String, usize>,
    pub faults: Vec<String>,
    /// The connection is there and has caught up.
    pub is_live: bool,
}

impl Diary {
    pub fn unsent(&self) -> usize {
        self.said.iter().filter(|said| !said.is_done()).count()
    }

    pub fn fault(&mut self, what: impl std::fmt::Display) {
        // The first ones tell; a server that is wrong all the time would fill the memory.
        if self.faults.len() < 50 {
            self.faults.push(format!("{}: {what}", self.name));
        }
    }

    pub fn answered(&mut self, what: &str) {
        if let Some((_, visit)) = self.visits.last_mut() {
            visit.push_str(what);
        }
    }

    /// The requests and answers of returns, in the latest lives up to that one.
    pub fn visits(&self, life: Life) -> String {
        let until = self.visits.iter().take_while(|(visit, _)| *visit <= life).count();
        let near = &self.visits[until.saturating_sub(6)..until];
        near.iter().map(|(life, what)| format!("\n             life {life}: {what}")).collect()
    }

    pub fn has_shown(&self, text: &str) -> bool {
        self.shown.iter().rev().any(|shown| shown.text == text)
    }
}
