//! Which names go when there is no room for a new one.

use super::{At, OwnedNames, Place};
use crate::chat::Deliveries;
use crate::fingerprint::Fingerprint;
use crate::name::Likeness;

/// Names that are looked at, when the table is full, for the one that goes: enough that it is one of
/// those that matter least, and few, as nobody else is served meanwhile.
const LOOKED_AT: usize = 64;

/// How far apart they are, as a part of the table: the golden ratio spreads them evenly, wherever the
/// first is.
const STRIDE: f64 = 0.618_033_988_75;

impl OwnedNames {
    /// Frees the names that look like it and whose time is over.
    pub(super) fn drop_lapsed(&mut self, likeness: &Likeness, at: At, out: &mut Deliveries) {
        let places: Vec<Place> = self.looks.find(likeness).collect();
        for place in places {
            if self.row(place).is_some_and(|row| row.is_over(at.second)) {
                self.remove(place, out);
            }
        }
    }

    /// Room for one more name of the key: the one it used longest ago goes, and of all names those
    /// that were only tried, the oldest first. Returns whether there is room.
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

    /// Of some names that are not in use, the one goes that is over, or was only tried, or was not used for
    /// longest.
    fn evict(&mut self, at: At, out: &mut Deliveries) {
        let stride = ((self.rows.len() as f64 * STRIDE) as usize).max(1);
        let mut worst = None;
        for _ in 0..LOOKED_AT.min(self.rows.len()) {
            self.looked = (self.looked + stride) % self.rows.len();
            let place = u32::try_from(self.looked + 1).ok().and_then(Place::new);
            let Some((place, row)) = place.and_then(|place| Some((place, self.row(place)?))) else {
                continue;
            };
            if !row.in_use {
                let value = (!row.is_over(at.second), !row.is_tried_only(), row.last, row.order, place);
                worst = worst.into_iter().chain([value]).min();
            }
        }
        if let Some((.., place)) = worst {
            self.remove(place, out);
        }
    }
}
