//! Names of users and rooms: which are valid, and which count as the same.
//!
//! Knows no users: the chat knows which names are free.

mod alternative;
mod file;
mod reserved;
mod room;

pub use alternative::Stem;
pub use file::FileName;
pub use room::{LOBBY, RoomName, RoomNameError, with_hash};

use crate::limits::MAX_NAME_CHARS;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use unicode_security::{
    GeneralSecurityProfile as _, RestrictionLevel, RestrictionLevelDetection as _, skeleton,
};

/// No valid name has a longer key: only short characters (`İ`) fold to two.
const MAX_KEY_BYTES: usize = 4 * MAX_NAME_CHARS;

/// The skeleton of each ASCII character. Invariant: an ASCII text's skeleton is these in order, as ASCII has no
/// combining marks.
static ASCII_LOOKS: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..128_u8).map(|byte| full_look(char::from(byte).encode_utf8(&mut [0; 4]))).collect());

/// A valid user name, as its owner writes it.
///
/// 1 to 32 characters of PRECIS' UsernameCasePreserved profile (RFC 8265 3.4): letters, digits and ASCII
/// punctuation, no white space, no control characters. Other characters must be allowed in identifiers (UTS
/// 39 3.1) and be of one script, or of a set that is written together (UTS 39 5.2, Highly Restrictive). At
/// least one is a letter or a digit. A name does not start with `#`, `@`, `/`, `key:` or `ip:`, cannot be
/// read as a reserved word, and is not an IP address.
#[derive(Clone)]
pub struct Name {
    text: SmolStr,
    /// `None` for most names: ASCII names, for which it is quickly computed, and names that equal all their
    /// folds.
    folds: Option<Arc<Folds>>,
}

/// The forms to compare. Computing them takes up to 60 us, so that is done once, where nobody waits.
#[derive(Debug)]
struct Folds {
    key: NameKey,
    likeness: Likeness,
}

/// Names with equal keys are the same. The name is case-folded and normalised (UsernameCaseMapped, RFC 8265
/// 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NameKey(SmolStr);

/// The skeletons of a name (UTS 39 4), to find names that look alike: `1`, `I` and `l`, `rn` and `m`,
/// Cyrillic `О` and Latin `O`.
///
/// There are two, with case folded before and after taking the skeleton, as each alone misses some: folded
/// before, `Ivan` is not `lvan`; folded after, `Mary` is not `rnary`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    folded: SmolStr,
    cased: SmolStr,
}

/// Why text is not a user name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a name is missing; give one of 1 to {MAX_NAME_CHARS} characters")]
    Empty,
    #[error("a name has at most {MAX_NAME_CHARS} characters, not {0}; choose a shorter one")]
    TooLong(usize),
    /// It starts with a character that marks a room, a person or a command.
    #[error("a name cannot start with {0:?}; choose another")]
    Start(char),
    /// It is a word with a special meaning.
    #[error("{0:?} has a special meaning here; choose another name")]
    Reserved(String),
    /// It is an IP address, which is a different target.
    #[error("an IP address cannot be a name; choose another")]
    Address,
    /// White space, control characters or other invalid characters.
    #[error("a name may contain letters, digits and punctuation, but no spaces or symbols; choose another")]
    Characters,
    /// It ends with the mark of users without a key.
    #[error("a name cannot end with \"?\", which marks users without a key; choose another")]
    Unproven,
    /// It is only punctuation, which people could take for the server's.
    #[error("a name needs a letter or a digit; choose another")]
    NoLetter,
    /// Letters of scripts that are not written together, such as Latin and Cyrillic.
    #[error("a name must use the letters of one script; choose another")]
    Scripts,
}

impl Name {
    /// Checks and normalises `text`.
    ///
    /// # Errors
    /// A [`NameError`] that says what to change.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let chars = text.chars().count();
        if chars > MAX_NAME_CHARS {
            return Err(NameError::TooLong(chars));
        }
        let normal = normalised(text)?;
        if normal.parse::<IpAddr>().is_ok() {
            return Err(NameError::Address);
        }
        if normal.ends_with('?') {
            return Err(NameError::Unproven);
        }
        if !normal.chars().any(char::is_alphanumeric) {
            return Err(NameError::NoLetter);
        }
        let key = NameKey::of(&normal);
        if reserved::is_reserved(&normal, &key) {
            return Err(NameError::Reserved(normal.into()));
        }
        let likeness = Likeness::of(&key, &normal);
        Ok(Self::of(normal.into(), key, likeness))
    }

    fn of(text: SmolStr, key: NameKey, likeness: Likeness) -> Self {
        let is_all = key.0 == text && likeness.folded == text && likeness.cased == text;
        let folds = (!text.is_ascii() && !is_all).then(|| Arc::new(Folds { key, likeness }));
        Self { text, folds }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Equal for equal names.
    pub fn key(&self) -> NameKey {
        match &self.folds {
            Some(folds) => folds.key.clone(),
            None if self.text.is_ascii() => NameKey::of(&self.text),
            None => NameKey(self.text.clone()),
        }
    }

    /// Similar for names that look alike.
    pub fn likeness(&self) -> Likeness {
        match &self.folds {
            Some(folds) => folds.likeness.clone(),
            None if self.text.is_ascii() => Likeness::of(&NameKey::of(&self.text), &self.text),
            None => Likeness { folded: self.text.clone(), cased: self.text.clone() },
        }
    }

    /// Whether people could confuse the names.
    pub fn looks_like(&self, other: &Self) -> bool {
        self.likeness().resembles(&other.likeness())
    }

    pub fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Name {}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Name").field(&self.text).finish()
    }
}

/// Normalises the name and checks its characters.
fn normalised(text: &str) -> Result<Cow<'_, str>, NameError> {
    let normal = if text.bytes().all(|b| b.is_ascii_graphic()) {
        Cow::Borrowed(text)
    } else {
        UsernameCasePreserved::enforce(text).map_err(|_| NameError::Characters)?
    };
    // Check after normalising: full-width forms map to ASCII.
    if let Some(first) = normal.chars().next().filter(|c| "#@/".contains(*c)) {
        return Err(NameError::Start(first));
    }
    check_scripts(&normal)?;
    if stands_by_itself(&normal) { Ok(normal) } else { Err(NameError::Characters) }
}

impl NameKey {
    /// The key of any text, so lookups need no valid name: the key of an invalid name matches no valid name.
    pub fn of(text: &str) -> Self {
        if text.is_ascii() {
            let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
            return Self(if is_lower { text.into() } else { text.to_ascii_lowercase().into() });
        }
        // No valid name is that long in any form, so it need not be folded.
        if text.len() > MAX_KEY_BYTES {
            return Self(text.into());
        }
        match UsernameCaseMapped::enforce(text) {
            // RFC 8265 folds each letter alone, so a capital sigma never becomes a final one.
            Ok(folded) => Self(folded.replace('ς', "σ").into()),
            Err(_) => Self(text.into()),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Likeness {
    /// NFKC would change nothing here: PRECIS' IdentifierClass has no characters with compatibility
    /// decompositions (RFC 8264 9.17), and full-width forms are already mapped.
    fn of(key: &NameKey, written: &str) -> Self {
        Self { folded: look(&key.0), cased: look(written) }
    }

    pub fn resembles(&self, other: &Self) -> bool {
        self.folded == other.folded || self.cased == other.cased
    }

    /// The skeleton of the name in lower case.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// The skeleton of the name as written, in lower case.
    pub fn cased(&self) -> &str {
        &self.cased
    }
}

/// The skeleton in lower case.
fn look(text: &str) -> SmolStr {
    if !text.is_ascii() {
        return full_look(text).into();
    }
    let looks = text.bytes().filter_map(|byte| ASCII_LOOKS.get(usize::from(byte)));
    // Long enough for most names without an allocation.
    let look: SmallVec<[u8; 64]> = looks.flat_map(|one| one.bytes()).collect();
    SmolStr::new(String::from_utf8_lossy(&look))
}

fn full_look(text: &str) -> String {
    skeleton(text).collect::<String>().to_lowercase()
}

/// Most consecutive marks (UTS 39 5.4). More would not be visible, so names could differ but look the same.
const MAX_MARKS_IN_A_ROW: usize = 4;

/// Whether each mark has a letter to stand on, rather than the text before the name, and there are few enough
/// marks to tell apart.
fn stands_by_itself(name: &str) -> bool {
    if name.is_ascii() {
        // ASCII has no marks.
        return true;
    }
    // Start as if after the most marks, so a leading mark is too many.
    let (mut marks, mut last) = (MAX_MARKS_IN_A_ROW, None);
    name.chars().all(|c| {
        let is_mark = unicode_width::UnicodeWidthChar::width(c) == Some(0);
        marks = if is_mark { marks + 1 } else { 0 };
        let is_repeated = is_mark && last == Some(c);
        last = Some(c);
        marks <= MAX_MARKS_IN_A_ROW && !is_repeated
    })
}

/// ASCII punctuation counts as part of every script, whatever UTS 39 says of it in identifiers.
fn check_scripts(name: &str) -> Result<(), NameError> {
    if name.is_ascii() {
        return Ok(());
    }
    if name.chars().any(|c| !c.is_ascii() && !c.identifier_allowed()) {
        return Err(NameError::Characters);
    }
    let letters: String = name.chars().filter(|c| !c.is_ascii() || c.is_ascii_alphanumeric()).collect();
    let fits = letters.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive);
    if fits { Ok(()) } else { Err(NameError::Scripts) }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_many_scripts_and_machines_are_names() {
        for text in [
            "bob",
            "Bob_2",
            "José",
            "Зоя",
            "山田太郎",
            "أحمد",
            "Müller!",
            "ナオミ2",
            "山田Taro",
            "pc-17.lan",
            "(o_O)",
            "a",
            &"x".repeat(32),
        ] {
            assert_eq!(Name::new(text).map(|n| n.as_str().to_owned()), Ok(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_reason() {
        for (text, error) in [
            ("", NameError::Empty),
            ("#room", NameError::Start('#')),
            ("@bob", NameError::Start('@')),
            ("/users", NameError::Start('/')),
            ("Server", NameError::Reserved("Server".into())),
            ("ALL", NameError::Reserved("ALL".into())),
            ("192.168.1.7", NameError::Address),
            ("::1", NameError::Address),
            ("two words", NameError::Characters),
            ("tab\there", NameError::Characters),
            ("esc\u{1b}[2J", NameError::Characters),
            ("zero\u{200b}width", NameError::Characters),
            ("rtl\u{202e}", NameError::Characters),
            ("😀", NameError::Characters),
            ("\u{307}\u{307}\u{307}", NameError::Characters),
            ("\u{301}lice", NameError::Characters),
            ("x\u{307}\u{307}y", NameError::Characters),
            ("\u{430}lice", NameError::Scripts),
            ("ip:10.0.0.7", NameError::Reserved("ip:10.0.0.7".into())),
            ("KEY:x", NameError::Reserved("KEY:x".into())),
            ("bob?", NameError::Unproven),
            ("***", NameError::NoLetter),
            (":-)", NameError::NoLetter),
        ] {
            assert_eq!(Name::new(text), Err(error), "{text:?}");
        }
        assert_eq!(Name::new(&"x".repeat(33)), Err(NameError::TooLong(33)));
    }

    #[test]
    fn names_differing_in_case_or_form_are_the_same() {
        for (one, other) in
            [("Bob", "bOB"), ("JOSÉ", "jose\u{301}"), ("ЗОЯ", "зоя"), ("ｂｏｂ", "bob"), ("ΝΊΚΟΣ", "νίκος")]
        {
            assert_eq!(NameKey::of(one), NameKey::of(other), "{one} {other}");
        }
        assert_ne!(NameKey::of("bob"), NameKey::of("rob"));
    }

    #[test]
    fn a_full_width_reserved_word_is_still_reserved() {
        assert!(matches!(Name::new("ｓｅｒｖｅｒ"), Err(NameError::Reserved(_))));
    }

    #[test]
    fn names_that_look_alike_are_told_from_those_that_do_not() {
        let name = |text: &str| Name::new(text).expect(text);
        for (one, other) in [
            ("Ivan", "lvan"),
            ("I", "l"),
            ("l", "1"),
            ("I", "1"),
            ("o0", "OO"),
            ("m", "rn"),
            ("Mary", "rnary"),
            ("bob", "B0B"),
            ("scope", "ѕсоре"),
            ("Bob", "bOB"),
        ] {
            assert!(name(one).looks_like(&name(other)), "{one} {other}");
            assert!(name(other).looks_like(&name(one)), "{other} {one}");
        }
        for (one, other) in [("bob", "rob"), ("alice", "alice-2"), ("ivan", "Ivana"), ("Зоя", "Соя")] {
            assert!(!name(one).looks_like(&name(other)), "{one} {other}");
        }
    }

    #[test]
    fn numbered_names_do_not_look_alike() {
        let looks: Vec<_> =
            (0..2000).map(|n| Name::new(&format!("pc{n}")).expect("a name").likeness()).collect();
        for kind in [Likeness::folded, Likeness::cased] {
            let different: std::collections::HashSet<_> = looks.iter().map(kind).collect();
            assert_eq!(different.len(), looks.len());
        }
    }

    proptest! {
        #[test]
        fn what_a_name_is_compared_by_is_as_if_it_were_found_anew(
            text in "[a-zA-Z0-9é-ŽА-яα-ω가-힣ぁ-ゖ一-鿿]{1,32}"
        ) {
            if let Ok(name) = Name::new(&text) {
                prop_assert_eq!(name.key(), NameKey::of(name.as_str()));
                prop_assert_eq!(name.likeness(), Likeness::of(&name.key(), name.as_str()));
                prop_assert!(name.key().as_str().len() <= MAX_KEY_BYTES);
            }
        }

        #[test]
        fn names_that_are_the_same_look_alike(text in "[a-zA-Z0-9|_!é-ŽА-яα-ω]{1,32}") {
            if let (Ok(name), Ok(upper)) = (Name::new(&text), Name::new(&text.to_uppercase())) {
                prop_assert!(name.key() != upper.key() || name.looks_like(&upper));
            }
        }

        #[test]
        fn ascii_looks_like_its_characters_one_after_another(text in "[ -~]{0,40}") {
            prop_assert_eq!(look(&text), full_look(&text));
        }

        #[test]
        fn any_name_round_trips_and_its_key_ignores_case(text in any::<String>()) {
            if let Ok(name) = Name::new(&text) {
                prop_assert_eq!(Name::new(name.as_str()), Ok(name.clone()));
                prop_assert!(!name.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
                prop_assert!(name.looks_like(&name));
            }
        }
    }
}
