//! Decides which names go when there is no room for a new one.

use super::{At, OwnedNames, Slot};
use crate::chat::Deliveries;
use crate::fingerprint::Fingerprint;
use crate::name::Likeness;

/// How many names to consider for removal in a full table: enough to find one that matters little, few enough
/// not to delay anyone.
const LOOKED_AT: usize = 64;

/// How far apart they are, as a part of the table: the golden ratio spreads them evenly from any start.
const STRIDE: f64 = 0.618_033_988_75;

impl OwnedNames {
    /// Removes expired names that look like this one.
    pub(super) fn drop_lapsed(&mut self, likeness: &Likeness, at: At, out: &mut Deliveries) {
        let places: Vec<Slot> = self.looks.find(likeness).collect();
        for place in places {
            if self.row(place).is_some_and(|row| row.is_over(at.second)) {
                self.remove(place, out);
            }
        }
    }

    /// Makes room for one more name of the key: removes its least recently used name, and from a full table a
    /// name that was only tried, the oldest first. Returns whether there is room.
    pub(super) fn make_room(&mut self, key: &Fingerprint, at: At, out: &mut Deliveries) -> bool {
        if let Some(own) = self.by_key.get(key).filter(|own| own.iter().all(Option::is_some)) {
            let unused = own.iter().flatten().filter_map(|place| Some((*place, self.row(*place)?)));
            let unused = unused.filter(|(_, row)| !row.in_use);
            let Some((oldest, _)) = unused.min_by_key(|(_, row)| (row.last, row.order)) else { return false };
            self.remove(oldest, out);
        }
        if self.len() >= self.most {
            self.evict(at, out);
        }
        self.len() < self.most
    }

    /// Of some unused names, removes one that has expired, or was only tried, or was unused for longest.
    fn evict(&mut self, at: At, out: &mut Deliveries) {
        let stride = ((self.rows.len() as f64 * STRIDE) as usize).max(1);
        let mut worst = None;
        for _ in 0..LOOKED_AT.min(self.rows.len()) {
            self.looked = (self.looked + stride) % self.rows.len();
            let place = u32::try_from(self.looked + 1).ok().and_then(Slot::new);
            let Some((place, row)) = place.and_then(|place| Some((place, self.row(place)?))) else {
                continue;
            };
            if !row.in_use {
                let value =
                    (!row.is_over(at.second), !row.usage().is_tried_only(), row.last, row.order, place);
                worst = worst.into_iter().chain([value]).min();
            }
        }
        if let Some((.., place)) = worst {
            self.remove(place, out);
        }
    }
}
