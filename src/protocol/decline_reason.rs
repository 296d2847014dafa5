//! Why a receiver declines an offer, for its sender.

use serde::{Serialize, Serializer};

/// The member `reason`. Others than these count as none: a newer peer may know more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeclineReason {
    /// The user does not want it.
    NotWanted,
    /// Nobody is there to ask, and the user has not allowed this sender in advance.
    NotAllowed,
    /// It has more bytes than the user takes.
    TooBig,
    /// The disk has too little space.
    NoSpace,
    /// The file cannot be stored for another reason.
    CannotStore,
    /// Too many files, in all or from this sender, are unfinished.
    Busy,
}

impl DeclineReason {
    /// All reasons, in the order of PROTOCOL.md.
    pub const ALL: [Self; 6] =
        [Self::NotWanted, Self::NotAllowed, Self::TooBig, Self::NoSpace, Self::CannotStore, Self::Busy];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotWanted => "not_wanted",
            Self::NotAllowed => "not_allowed",
            Self::TooBig => "too_big",
            Self::NoSpace => "no_space",
            Self::CannotStore => "cannot_store",
            Self::Busy => "busy",
        }
    }

    /// For people, after a colon; `None`: declining says it all.
    pub fn text(self) -> Option<&'static str> {
        match self {
            Self::NotWanted => None,
            Self::NotAllowed => Some("not allowed in advance, and nobody is there to ask"),
            Self::TooBig => Some("too big"),
            Self::NoSpace => Some("no space"),
            Self::CannotStore => Some("cannot store it"),
            Self::Busy => Some("too many unfinished files; try again when they are complete"),
        }
    }

    /// The reason with a colon before it; empty without one.
    pub fn suffix(reason: Option<Self>) -> String {
        reason.and_then(Self::text).map_or_else(String::new, |text| format!(": {text}"))
    }

    /// `None` for a reason that this version does not know.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

impl Serialize for DeclineReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_read_as_it_is_written_and_others_are_none() {
        for reason in DeclineReason::ALL {
            assert_eq!(DeclineReason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(DeclineReason::parse("dislike"), None);
        assert_eq!(DeclineReason::suffix(Some(DeclineReason::NoSpace)), ": no space");
        assert_eq!(DeclineReason::suffix(Some(DeclineReason::NotWanted)), "");
    }
}
