//! The servers of one chat: their names, and a set of them by number.

use crate::protocol::Nodes;
use std::sync::Arc;

/// The servers of the chat.
#[derive(Debug, Clone)]
pub(super) struct ChatNodes {
    /// As clients learn them.
    pub(super) places: Nodes,
    /// The names of all, by number; also of those that have no address at present.
    pub(super) names: Arc<[String]>,
}

/// Some of them. All others than the first sixteen are left out: a chat has fewer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NodeSet(u16);

impl FromIterator<u8> for NodeSet {
    fn from_iter<T: IntoIterator<Item = u8>>(numbers: T) -> Self {
        Self(numbers.into_iter().fold(0, |set, number| set | bit(number)))
    }
}

impl NodeSet {
    /// The set with that number, as [`Self::bits`] had it.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// For the store: bit 0 is for the server with the number 0.
    pub fn bits(self) -> u16 {
        self.0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn has(self, number: u8) -> bool {
        self.0 & bit(number) != 0
    }

    /// The set with or without a server.
    #[must_use]
    pub fn with(self, number: u8, is_in: bool) -> Self {
        let others = self.0 & !bit(number);
        Self(if is_in { others | bit(number) } else { others })
    }

    /// Those of the first `count` servers.
    #[must_use]
    pub fn among_first(self, count: usize) -> Self {
        (0..16).filter(|number| usize::from(*number) < count && self.has(*number)).collect()
    }

    /// Their names in order.
    pub(super) fn names(self, names: &[String]) -> Vec<String> {
        let numbered = (0..16).zip(names);
        numbered.filter(|(number, _)| self.has(*number)).map(|(_, name)| name.clone()).collect()
    }
}

fn bit(number: u8) -> u16 {
    1_u16.checked_shl(number.into()).unwrap_or_default()
}

const _: () = assert!(crate::limits::MAX_NODES <= 16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_each_server_once_and_in_order() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let set: NodeSet = [2, 0, 2, 77].into_iter().collect();
        assert_eq!(set.names(&names), ["a", "c"]);
        assert_eq!(NodeSet::default().names(&names), Vec::<String>::new());
    }

    #[test]
    fn a_server_is_put_in_and_taken_out() {
        let set = NodeSet::default().with(2, true).with(1, true).with(2, true);
        assert!(set.has(1) && set.has(2) && !set.has(0) && !set.has(77));
        assert_eq!(set.with(2, false), NodeSet::from_bits(0b10));
        assert_eq!(set.with(77, true).bits(), 0b110);
        assert_eq!(set.among_first(2), NodeSet::from_bits(0b10));
        assert!(set.with(1, false).with(2, false).is_empty());
    }
}
