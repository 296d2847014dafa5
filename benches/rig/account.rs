//! What one client must get, and what it got.

use super::stretch::SENDERS;
use super::tally::Tally;

/// The books on one client. Numbers of messages are those of their sender in the stretch.
#[derive(Debug, Default)]
pub struct Account {
    /// The next number of each sender.
    next: [u32; SENDERS],
    /// From this number on all must come: those between hello and welcome may.
    due: [u32; SENDERS],
    /// Passed over so far.
    missing: Vec<(usize, u32)>,
    /// Below these numbers all was sent before hello. What the server had not read by then may come.
    begun: [u32; SENDERS],
    /// The result.
    early: Vec<(usize, u32)>,
    /// Said hello in this stretch.
    is_new: bool,
    /// Said hello in the last one, so that something of that may come.
    was_new: bool,
}

impl Account {
    /// A user who says hello after so many messages.
    pub fn new(sent: [u32; SENDERS]) -> Self {
        Self { next: sent, due: sent, begun: sent, is_new: true, ..Self::default() }
    }

    /// The books of the next stretch.
    pub fn next_stretch(&self, is_in: bool) -> Self {
        Self { was_new: self.is_new || !is_in, ..Self::default() }
    }

    /// Whether a message of an earlier stretch has no business here.
    pub fn refuses_stale(&self) -> bool {
        !self.was_new
    }

    /// Is welcomed when so many are sent.
    pub fn welcome(&mut self, sent: [u32; SENDERS]) {
        self.due = sent;
    }

    /// Gets a message.
    pub fn take(&mut self, sender: usize, number: u32, tally: &mut Tally) {
        let (next, due) = (self.next[sender], self.due[sender]);
        let is_early = number < self.begun[sender] && next == self.begun[sender];
        if is_early && self.early.iter().all(|(other, early)| *other != sender || *early < number) {
            return self.early.push((sender, number));
        }
        if number < next {
            let place = self.missing.iter().position(|missing| *missing == (sender, number));
            match place.map(|place| self.missing.swap_remove(place)) {
                Some(_) => tally.disordered += 1,
                None => {
                    tally.doubled += 1;
                    return;
                }
            }
        } else {
            self.missing.extend((next.max(due)..number).map(|number| (sender, number)));
            self.next[sender] = number + 1;
        }
        if number >= due {
            tally.deliveries += 1;
        }
    }

    /// How many it still has to get of so many, its own not counted.
    pub fn outstanding(&self, sent: [u32; SENDERS], itself: Option<usize>) -> u64 {
        let of = |sender: usize| sent[sender].saturating_sub(self.next[sender].max(self.due[sender]));
        let others = (0..SENDERS).filter(|sender| Some(*sender) != itself);
        others.map(|sender| u64::from(of(sender))).sum::<u64>() + self.missing.len() as u64
    }
}
