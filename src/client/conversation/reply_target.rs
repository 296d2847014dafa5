//! The user whom `/reply` answers.

use std::time::{Duration, Instant};

/// How long after another user has written `/reply` names its target first: the user may have typed the
/// answer for the one before.
const SURPRISE: Duration = Duration::from_secs(10);

/// The senders of the latest direct messages.
#[derive(Debug, Default)]
pub(super) struct ReplyTarget {
    latest: Option<String>,
    /// The one before, and until when.
    before: Option<(String, Instant)>,
}

/// Whom to answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Addressee {
    Nobody,
    One(String),
    /// The first has written just now, so the user may mean the second.
    Doubtful(String, String),
}

impl ReplyTarget {
    pub(super) fn note(&mut self, name: &str, now: Instant) {
        if self.latest.as_deref() == Some(name) {
            return;
        }
        self.before = self.latest.replace(name.to_owned()).map(|before| (before, now));
    }

    pub(super) fn rename(&mut self, old: &str, new: &str) {
        let before = self.before.iter_mut().map(|(name, _)| name);
        self.latest
            .iter_mut()
            .chain(before)
            .filter(|name| *name == old)
            .for_each(|name| new.clone_into(name));
    }

    /// The sender of the latest direct message.
    pub(super) fn latest(&self) -> Option<&String> {
        self.latest.as_ref()
    }

    pub(super) fn addressee(&self, now: Instant) -> Addressee {
        match (&self.latest, &self.before) {
            (None, _) => Addressee::Nobody,
            (Some(latest), Some((before, at))) if now.duration_since(*at) < SURPRISE && before != latest => {
                Addressee::Doubtful(latest.clone(), before.clone())
            }
            (Some(latest), _) => Addressee::One(latest.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_correspondent_is_doubtful_for_a_while() {
        let start = Instant::now();
        let mut correspondent = ReplyTarget::default();
        assert_eq!(correspondent.addressee(start), Addressee::Nobody);
        correspondent.note("bob", start);
        assert_eq!(correspondent.addressee(start), Addressee::One("bob".into()));
        correspondent.note("carol", start);
        correspondent.note("carol", start);
        assert_eq!(correspondent.addressee(start), Addressee::Doubtful("carol".into(), "bob".into()));
        correspondent.rename("bob", "rob");
        assert_eq!(correspondent.addressee(start), Addressee::Doubtful("carol".into(), "rob".into()));
        assert_eq!(correspondent.addressee(start + SURPRISE), Addressee::One("carol".into()));
    }
}
