//! Invariants of owned names, for tests and fuzzers.

use super::{At, NameRow, OwnedNames, Slot, stamp};
use crate::chat::records::NameRecord;
use crate::fingerprint::Fingerprint;
use crate::name::Name;

impl OwnedNames {
    /// The rows as the next start would load them.
    pub(in crate::chat) fn records(&self, at: At) -> Vec<NameRecord> {
        let rows = self.rows.iter().flatten().filter(|row| !row.is_over(at.second));
        let as_of_now = |row: &NameRow| NameRecord {
            name: row.name.to_string(),
            key: row.key,
            last: if row.in_use { stamp(at.second) } else { row.stamp() },
            used: row.used(at.second),
            in_use: false,
        };
        rows.map(as_of_now).collect()
    }

    /// Asserts that all tables agree, and that exactly these owned names are in use.
    pub(in crate::chat) fn check(&self, used: &[(&Name, &Fingerprint)]) {
        for (place, row) in (1..).filter_map(Slot::new).zip(&self.rows) {
            let Some(row) = row else {
                assert!(self.free.contains(&place));
                continue;
            };
            assert_eq!(self.looks.find(&row.name.likeness()).collect::<Vec<_>>(), [place]);
            assert!(self.by_key[&row.key].contains(&Some(place)));
            assert_eq!(self.by_name.get(&row.name.key()), Some(&place));
            let by_whom = used.iter().filter(|(name, key)| **key == row.key && name.looks_like(&row.name));
            assert_eq!(by_whom.count() > 0, row.in_use, "{row:?} {used:?}");
        }
        assert_eq!(self.by_name.len(), self.len());
        assert_eq!(self.rows.iter().flatten().filter(|row| row.in_use).count(), self.keeping.in_use());
        assert_eq!(self.by_key.values().flatten().flatten().count(), self.len());
    }
}
