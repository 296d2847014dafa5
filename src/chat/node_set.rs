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
pub(super) struct NodeSet(u16);

impl FromIterator<u8> for NodeSet {
    fn from_iter<T: IntoIterator<Item = u8>>(numbers: T) -> Self {
        let bit = |number: u8| 1_u16.checked_shl(number.into()).unwrap_or_default();
        Self(numbers.into_iter().fold(0, |set, number| set | bit(number)))
    }
}

impl NodeSet {
    /// Their names in order.
    pub(super) fn names(self, names: &[String]) -> Vec<String> {
        let numbered = (0_u16..16).zip(names);
        numbered.filter(|(number, _)| self.0 & (1 << number) != 0).map(|(_, name)| name.clone()).collect()
    }
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
}
