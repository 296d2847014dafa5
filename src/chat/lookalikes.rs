//! Finds names that look like a given one.

use super::table::{NumberHasher, give_back};
use crate::name::Likeness;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

/// An index of names by both skeletons. They share one entry, as most names have the same skeleton twice.
#[derive(Debug)]
pub(super) struct Lookalikes<T> {
    /// By hash. Two skeletons that share one would count as the same, once in 2^64.
    by_skeleton: HashMap<u64, Holders<T>, NumberHasher>,
    /// Randomly keyed, because people choose their names.
    hasher: RandomState,
}

/// The names with this skeleton, of each kind. Invariant: at least one.
#[derive(Debug)]
struct Holders<T> {
    folded: Option<T>,
    cased: Option<T>,
}

impl<T> Default for Lookalikes<T> {
    fn default() -> Self {
        Self { by_skeleton: HashMap::default(), hasher: RandomState::new() }
    }
}

impl<T: Copy + PartialEq> Lookalikes<T> {
    /// The names that look alike, by either skeleton.
    pub(super) fn find(&self, likeness: &Likeness) -> impl Iterator<Item = T> + use<T> {
        let folded = self.get(likeness.folded()).and_then(|has| has.folded);
        let cased = self.get(likeness.cased()).and_then(|has| has.cased);
        folded.into_iter().chain(cased.filter(|cased| Some(*cased) != folded))
    }

    /// Adds a name that looks like no other here.
    pub(super) fn insert(&mut self, likeness: &Likeness, whose: T) {
        self.entry(likeness.folded()).folded = Some(whose);
        self.entry(likeness.cased()).cased = Some(whose);
    }

    pub(super) fn remove(&mut self, likeness: &Likeness) {
        self.clear(likeness.folded(), |has| has.folded = None);
        self.clear(likeness.cased(), |has| has.cased = None);
    }

    fn get(&self, skeleton: &str) -> Option<&Holders<T>> {
        self.by_skeleton.get(&self.hasher.hash_one(skeleton))
    }

    fn entry(&mut self, skeleton: &str) -> &mut Holders<T> {
        let hash = self.hasher.hash_one(skeleton);
        self.by_skeleton.entry(hash).or_insert(Holders { folded: None, cased: None })
    }

    fn clear(&mut self, skeleton: &str, clear: impl FnOnce(&mut Holders<T>)) {
        let hash = self.hasher.hash_one(skeleton);
        let Some(has) = self.by_skeleton.get_mut(&hash) else { return };
        clear(has);
        if has.folded.is_none() && has.cased.is_none() {
            self.by_skeleton.remove(&hash);
            give_back(&mut self.by_skeleton);
        }
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn len(&self) -> usize {
        self.by_skeleton.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    #[test]
    fn a_name_is_found_by_either_skeleton_and_leaves_nothing_behind() {
        let look = |text: &str| Name::new(text).expect(text).likeness();
        let mut index = Lookalikes::default();
        index.insert(&look("Ivan"), 1_u8);
        index.insert(&look("bob"), 2);
        let find = |index: &Lookalikes<u8>, text: &str| index.find(&look(text)).collect::<Vec<_>>();
        for (text, found) in [("IVAN", vec![1]), ("lvan", vec![1]), ("B0b", vec![2]), ("rob", vec![])] {
            assert_eq!(find(&index, text), found, "{text}");
        }
        index.remove(&look("Ivan"));
        assert_eq!(find(&index, "lvan"), Vec::<u8>::new());
        index.remove(&look("bob"));
        assert_eq!(index.len(), 0);
    }

    #[test]
    fn a_name_may_look_like_two_others() {
        let look = |text: &str| Name::new(text).expect(text).likeness();
        let mut index = Lookalikes::default();
        // Folded first, IO is io; as written, it is lo.
        index.insert(&look("io"), 1_u8);
        index.insert(&look("l0"), 2);
        assert_eq!(index.find(&look("IO")).collect::<Vec<_>>(), [1, 2]);
    }
}
