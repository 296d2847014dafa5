//! Alternatives to a name that is taken.

use super::{Likeness, Name, NameKey, look};
use crate::limits::MAX_NAME_CHARS;
use smol_str::SmolStr;

impl Name {
    /// The `n`th alternative: `bob-2`, shortened if needed.
    pub fn alternative(&self, n: u32) -> Option<Self> {
        let digits = n.checked_ilog10().unwrap_or(0) as usize + 1;
        Some(Stem::new(self, digits)?.name(n))
    }
}

/// The common start of names that differ in the number at their end: `bob` of `bob-2` and `bob-3`.
///
/// It is computed once for all of them; a test checks that such an end never changes what comes before it.
#[derive(Debug, Clone)]
pub struct Stem {
    text: SmolStr,
    key: NameKey,
    likeness: Likeness,
}

impl Stem {
    /// The stem, shortened so that a number of that many digits fits. `None`: no such name is valid.
    pub fn new(name: &Name, digits: usize) -> Option<Self> {
        let text: String = name.text.chars().take(MAX_NAME_CHARS.saturating_sub(digits + 1)).collect();
        // If one is valid, so are all: they differ only in digits.
        Name::new(&numbered(&text, 2)).ok()?;
        let key = NameKey::of(&text);
        Some(Self { likeness: Likeness::of(&key, &text), key, text: text.into() })
    }

    pub fn name(&self, number: u32) -> Name {
        let with = |text: &SmolStr| SmolStr::from(numbered(text, number));
        let tail = look(&numbered("", number));
        let look = |head: &SmolStr| SmolStr::from(format!("{head}{tail}"));
        let likeness = Likeness { folded: look(&self.likeness.folded), cased: look(&self.likeness.cased) };
        Name::of(with(&self.text), NameKey(with(&self.key.0)), likeness)
    }
}

fn numbered(head: &str, number: u32) -> String {
    format!("{head}-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_alternative_is_a_name_of_the_same_bound() {
        let long = Name::new(&"x".repeat(32)).expect("a name");
        let other = long.alternative(2).expect("a name");
        assert_eq!(other.as_str(), format!("{}-2", "x".repeat(30)));
    }

    proptest! {
        #[test]
        fn a_number_at_the_end_changes_nothing_before_it(
            text in "[a-zA-Z0-9_.'!\u{300}-\u{330}à-ſΑ-ωЀ-џא-תا-ي가-힣ぁ-ゖァ-ヺ一-鿿]{1,32}", number in 2..100_000_u32
        ) {
            if let Some(short) = Name::new(&text).ok().and_then(|name| name.alternative(number)) {
                let whole = Name::new(short.as_str());
                prop_assert_eq!(whole.as_ref(), Ok(&short));
                let whole = whole.expect("a name");
                prop_assert_eq!((short.key(), short.likeness()), (whole.key(), whole.likeness()));
            }
        }
    }
}
