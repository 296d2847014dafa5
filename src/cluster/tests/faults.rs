//! The faults: crashes, cuts, and records of outsiders.

use super::world::{Event, World};
use std::time::Duration;

impl World {
    /// Now and then, an outsider without the chat's key appends to the log, at any position.
    fn stranger(&mut self) {
        if !self.log.is_empty() && self.dice.one_in(self.strangers) {
            (0..=self.dice.roll(3)).for_each(|_| self.log(None));
        }
    }

    /// One of the faults, now and then.
    pub(super) fn fault(&mut self) {
        self.stranger();
        let [crash, cut, longest] = self.faults;
        if self.dice.one_in(crash) {
            let place = self.victim();
            self.crash(place);
        }
        if self.dice.one_in(cut) {
            let (place, end) = (self.victim(), self.now + Duration::from_millis(self.dice.roll(longest)));
            self.nodes[place].cut_until = end.max(self.nodes[place].cut_until);
        }
    }

    fn victim(&mut self) -> usize {
        usize::try_from(self.dice.roll(self.victims)).unwrap()
    }

    fn crash(&mut self, place: usize) {
        if let Some(live) = self.nodes[place].live.take() {
            self.judge.over.insert(live.node.run());
            self.judge.meet("a crash");
            let wait = 100 + self.dice.roll(8_000);
            self.after(wait, Event::Start { place });
        }
    }
}
