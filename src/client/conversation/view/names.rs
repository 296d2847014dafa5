//! The colours of names: no two people who talk share one while another is free.

use std::collections::HashMap;

use anstyle::Style;

use super::{BOLD, DIM, ViewState};
use crate::protocol::packet::UserInfo;
use crate::text::safe_line;

/// Names to keep. Beyond these, the one that has been silent longest is forgotten.
const MAX_NAMES: usize = 1000;

/// A colour among those of the palette, and when its owner talked last.
#[derive(Debug, Clone, Copy)]
struct OwnColor {
    place: usize,
    turn: u64,
}

/// The colours of names.
#[derive(Debug, Default)]
pub(super) struct NameColors {
    owners: HashMap<String, OwnColor>,
    turn: u64,
}

impl NameColors {
    /// The colour of a user who talks, among `count`. At first sight, it is a free one; if none is free, that of
    /// the users who have been silent longest.
    fn talks(&mut self, name: &str, count: usize) -> usize {
        self.turn += 1;
        let (turn, key) = (self.turn, name.to_lowercase());
        if let Some(owner) = self.owners.get_mut(&key) {
            owner.turn = turn;
            return owner.place % count;
        }
        let mut last_used = vec![0; count];
        for owner in self.owners.values() {
            let last = &mut last_used[owner.place % count];
            *last = owner.turn.max(*last);
        }
        // The same name begins at the same colour in every run.
        let first = hash(&key) % count;
        let places = (0..count).map(|step| (first + step) % count);
        let place = places.min_by_key(|place| last_used[*place]).unwrap_or_default();
        if self.owners.len() >= MAX_NAMES {
            let silent = self.owners.iter().min_by_key(|(_, owner)| owner.turn);
            if let Some(silent) = silent.map(|(name, _)| name.clone()) {
                self.owners.remove(&silent);
            }
        }
        self.owners.insert(key, OwnColor { place, turn });
        place
    }

    /// The colour of a user who has talked.
    fn known(&self, name: &str) -> Option<usize> {
        self.owners.get(&name.to_lowercase()).map(|owner| owner.place)
    }

    pub(super) fn rename(&mut self, old: &str, name: &str) {
        if let Some(owner) = self.owners.remove(&old.to_lowercase()) {
            self.owners.insert(name.to_lowercase(), owner);
        }
    }
}

/// FNV-1a.
pub(super) fn hash(name: &str) -> usize {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash >> 33).unwrap_or_default()
}

impl ViewState {
    /// The name of a user who talks, in its colour; this user's own in bold.
    pub(super) fn name(&self, name: &str) -> String {
        if name == self.me {
            return self.bold(&safe_line(name));
        }
        if self.is_past || !self.color {
            return self.paint(DIM, &safe_line(name));
        }
        let colors = self.palette.names();
        let place = self.memory.lock().names.talks(name, colors.len());
        self.paint(Style::new().fg_color(colors.get(place).copied()), &safe_line(name))
    }

    /// The style of a name in a list: users who have talked have their colour.
    pub(super) fn list_style(&self, name: &str) -> Style {
        if name == self.me {
            return BOLD;
        }
        let known = self.memory.lock().names.known(name);
        let colors = self.palette.names();
        known.map_or(Style::new(), |place| Style::new().fg_color(colors.get(place % colors.len()).copied()))
    }
}

/// A user's name in a list: operators have an `@`, names that no key backs a `?`; a word for users who are away.
pub(super) fn listed(user: &UserInfo) -> String {
    let operator = if user.operator == Some(true) { "@" } else { "" };
    let traits = match (user.away.is_some(), user.web == Some(true)) {
        (true, true) => " (away, web)",
        (true, false) => " (away)",
        (false, true) => " (web)",
        (false, false) => "",
    };
    format!("{operator}{}{}{traits}", safe_line(&user.name), mark(user.key.as_deref(), false))
}

/// The mark after a name that no key backs.
pub(super) fn mark(key: Option<&str>, is_server: bool) -> &'static str {
    if key.is_some() || is_server { "" } else { "?" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_talkers_share_a_colour_while_another_is_free() {
        let mut colors = NameColors::default();
        let people =
            ["heidi", "kate", "frank", "dave", "mallory", "grace", "leo", "bob", "carol", "eve", "x", "y"];
        let mut given: Vec<usize> = people.iter().map(|name| colors.talks(name, 12)).collect();
        let again: Vec<usize> = people.iter().map(|name| colors.talks(&name.to_uppercase(), 12)).collect();
        assert_eq!(given, again, "they keep theirs");
        // The thirteenth shares with the one who has been silent longest.
        assert_eq!(colors.talks("ivan", 12), given[0]);
        colors.rename("kate", "katherine");
        assert_eq!(colors.talks("Katherine", 12), given[1]);
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), 12);
    }

    #[test]
    fn a_flood_of_names_is_forgotten() {
        let mut colors = NameColors::default();
        for n in 0..3 * MAX_NAMES {
            colors.talks(&format!("user{n}"), 12);
        }
        assert_eq!(colors.owners.len(), MAX_NAMES);
        assert!(colors.known("user1").is_none() && colors.known("user2999").is_some());
    }
}
