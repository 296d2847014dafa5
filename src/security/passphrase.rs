//! Passphrases of closed servers: generated, typed or read from files.
//!
//! Knows neither how to prove one nor who asks for it.

use crate::encoding;
use crate::files;
use crate::limits::{MAX_SECRET_FILE_BYTES, MIN_PASSPHRASE_CHARS};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// First letters of syllables, 4 bits each, without letters that sound like others.
const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";

/// Second letters of syllables, 2 bits each.
const VOWELS: &[u8; 4] = b"aiou";

/// Words in a generated passphrase, of two syllables each.
const WORDS: usize = 4;

const WORD_LETTERS: usize = 4;

/// A passphrase in the form in which it is compared: NFKC, without surrounding spaces, with at least
/// [`MIN_PASSPHRASE_CHARS`] characters. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// It is too easy to guess.
    #[error("a passphrase has at least {MIN_PASSPHRASE_CHARS} characters")]
    TooShort,
    /// The same in a file.
    #[error("the passphrase in {0} has fewer than {MIN_PASSPHRASE_CHARS} characters; correct the file")]
    TooShortIn(PathBuf),
    /// The file cannot be read or written.
    #[error("cannot use the passphrase in {0}: {1}")]
    Unusable(PathBuf, io::Error),
    /// The system provides no random numbers.
    #[error("cannot get random numbers from the system: {0}")]
    Random(getrandom::Error),
}

impl Passphrase {
    /// Takes a passphrase as typed. Generated ones may be typed in capitals, and with spaces or nothing between
    /// words, because only the letters count. All others must be exact.
    pub fn new(typed: &str) -> Result<Self, PassphraseError> {
        // In this order, because NFKC turns other characters into spaces.
        let whole: Zeroizing<String> = Zeroizing::new(typed.nfkc().collect());
        let text = Zeroizing::new(whole.trim().to_owned());
        let text = made_up(&text).unwrap_or(text);
        if text.chars().count() < MIN_PASSPHRASE_CHARS {
            return Err(PassphraseError::TooShort);
        }
        Ok(Self(text))
    }

    /// Generates 4 words of 4 letters, such as `bisu-karo-muto-lanu`: 8 syllables of 6 bits, so 48 bits. At 60
    /// guesses per minute, half of all take over 4 million years.
    pub fn generate() -> Result<Self, PassphraseError> {
        let mut bits = Zeroizing::new(getrandom::u64().map_err(PassphraseError::Random)?);
        let mut letters = Zeroizing::new(String::with_capacity(WORDS * WORD_LETTERS));
        for _ in 0..WORDS * WORD_LETTERS / 2 {
            letters.push(CONSONANTS[(*bits & 15) as usize].into());
            letters.push(VOWELS[(*bits >> 4 & 3) as usize].into());
            *bits >>= 6;
        }
        Ok(Self(spelled(&letters)))
    }

    /// Loads the passphrase from this program's own file, which others must not be able to read; generates it
    /// if the file does not exist.
    pub fn load_or_create(path: &Path) -> Result<Self, PassphraseError> {
        match Self::load(path) {
            Err(PassphraseError::Unusable(_, error)) if error.kind() == io::ErrorKind::NotFound => {}
            loaded => return loaded,
        }
        let made = Self::generate()?;
        let line = Zeroizing::new(format!("{}\n", made.as_str()));
        match files::create(path, line.as_bytes()) {
            Ok(()) => Ok(made),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(PassphraseError::Unusable(path.into(), error)),
        }
    }

    fn load(path: &Path) -> Result<Self, PassphraseError> {
        let content = files::read_secret(path, MAX_SECRET_FILE_BYTES);
        Self::from_file(path, content)
    }

    /// Reads the first line of the file or pipe that the user has named. Others may be able to read it: secrets that are mounted into
    /// containers are often open to everyone inside.
    pub fn read(path: &Path) -> Result<Self, PassphraseError> {
        Self::from_file(path, files::read_named(path, MAX_SECRET_FILE_BYTES + 1))
    }

    fn from_file(path: &Path, content: io::Result<Zeroizing<Vec<u8>>>) -> Result<Self, PassphraseError> {
        let unusable = |error| PassphraseError::Unusable(path.into(), error);
        let content = content.map_err(unusable)?;
        if content.len() > MAX_SECRET_FILE_BYTES {
            return Err(unusable(files::too_long(MAX_SECRET_FILE_BYTES)));
        }
        let (text, _) = encoding::decode(&content).map_err(|error| unusable(error.into()))?;
        let text = Zeroizing::new(text);
        let line = text.lines().next().unwrap_or_default();
        Self::new(line).map_err(|_| PassphraseError::TooShortIn(path.into()))
    }

    /// The text, to show it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes that both ends compute with.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(hidden)")
    }
}

/// Spells a passphrase as [`Passphrase::generate`] does, if `text` is such a one in another spelling.
fn made_up(text: &str) -> Option<Zeroizing<String>> {
    let mut letters = Zeroizing::new(String::with_capacity(text.len()));
    for letter in text.chars().filter(|letter| !matches!(letter, ' ' | '-' | '_' | '.')) {
        letters.push(letter.to_ascii_lowercase());
    }
    let is_syllable = |pair: &[u8]| matches!(pair, [first, second] if CONSONANTS.contains(first) && VOWELS.contains(second));
    let is_made_up = letters.len() == WORDS * WORD_LETTERS && letters.as_bytes().chunks(2).all(is_syllable);
    is_made_up.then(|| spelled(&letters))
}

/// Puts hyphens between the words of a generated passphrase.
fn spelled(letters: &str) -> Zeroizing<String> {
    let mut spelled = Zeroizing::new(String::with_capacity(WORDS * (WORD_LETTERS + 1)));
    for (at, letter) in letters.chars().enumerate() {
        if at > 0 && at % WORD_LETTERS == 0 {
            spelled.push('-');
        }
        spelled.push(letter);
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::fs;

    fn new(typed: &str) -> Passphrase {
        Passphrase::new(typed).unwrap()
    }

    #[test]
    fn made_up_ones_are_words_that_can_be_said_and_all_differ() {
        let made: HashSet<String> =
            (0..1000).map(|_| Passphrase::generate().unwrap().as_str().to_owned()).collect();
        assert_eq!(made.len(), 1000);
        let letters: HashSet<char> = made.iter().flat_map(|text| text.chars()).collect();
        assert_eq!(letters.len(), 16 + 4 + 1, "some letters never occur: {letters:?}");
        for text in made {
            assert_eq!(text.len(), 19);
            assert_eq!(new(&text).as_str(), text, "it is not what it is typed as");
        }
    }

    #[test]
    fn made_up_ones_may_be_typed_in_other_ways_and_others_only_as_they_are() {
        let made = Passphrase::generate().unwrap();
        let text = made.as_str();
        for typed in [
            text.to_uppercase(),
            text.replace('-', " "),
            text.replace('-', ""),
            format!("  {text}\r\n"),
            text.replace('-', " - "),
        ] {
            assert_eq!(new(&typed), made, "{typed}");
        }
        assert_ne!(new("Correct Horse"), new("correct horse"));
        assert_ne!(new("correct-horse"), new("correct horse"));
        assert_ne!(new("x-bisu-karo-muto"), new("x bisu karo muto"));
    }

    #[test]
    fn the_same_text_is_the_same_in_all_its_encodings() {
        assert_eq!(new("Cafe\u{301} noir"), new("Caf\u{e9} noir"));
        assert_eq!(new("\u{ff41}bcdefgh"), new("abcdefgh"));
    }

    #[test]
    fn short_ones_are_refused() {
        for typed in ["", "1234567", "      1234567      ", "\u{301}"] {
            assert!(matches!(Passphrase::new(typed), Err(PassphraseError::TooShort)), "{typed:?}");
        }
        new("12345678");
        new("\u{4e00}\u{4e01}\u{4e03}\u{4e08}\u{4e09}\u{4e0a}\u{4e0b}\u{4e0d}");
    }

    #[test]
    fn a_file_keeps_it_and_the_log_never_shows_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passphrase");
        assert!(matches!(Passphrase::read(&path), Err(PassphraseError::Unusable(..))));
        let made = Passphrase::load_or_create(&path).unwrap();
        assert_eq!(Passphrase::load_or_create(&path).unwrap(), made);
        assert_eq!(Passphrase::read(&path).unwrap(), made);
        assert!(!format!("{made:?}").contains(made.as_str()));
        files::replace(&path, b"my own phrase\nwith a second line\n").unwrap();
        assert_eq!(Passphrase::load_or_create(&path).unwrap().as_str(), "my own phrase");
        files::replace(&path, b"short\n").unwrap();
        let error = Passphrase::load_or_create(&path).unwrap_err();
        assert!(matches!(error, PassphraseError::TooShortIn(_)), "{error}");
        files::replace(&path, &[0xf8; 20]).unwrap();
        let error = Passphrase::read(&path).unwrap_err().to_string();
        assert!(error.ends_with(": line 1 is not UTF-8 text; save the file as UTF-8"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), [0xf8; 20]);
        files::replace(&path, "long ".repeat(MAX_SECRET_FILE_BYTES).as_bytes()).unwrap();
        let error = Passphrase::read(&path).unwrap_err().to_string();
        assert!(error.ends_with(": it is over 4096 bytes long"), "{error}");
    }

    #[test]
    fn a_file_that_notepad_saved_holds_the_passphrase_that_people_type() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passphrase");
        for saved in encoding::saved("korrekt pferd b\u{e4}r\nsecond line\n") {
            files::replace(&path, &saved).unwrap();
            for read in [Passphrase::read(&path), Passphrase::load_or_create(&path)] {
                assert_eq!(read.unwrap(), new("korrekt pferd b\u{e4}r"), "{saved:?}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_own_file_that_others_may_read_is_refused_and_a_mounted_one_is_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passphrase");
        let made = Passphrase::load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let error = Passphrase::load_or_create(&path).unwrap_err().to_string();
        assert!(error.contains("mode 444; it must not be readable by others (chmod 600"), "{error}");
        assert_eq!(Passphrase::read(&path).unwrap(), made);
    }

    /// A text that outgrows its memory leaves a copy behind, which nobody wipes.
    #[test]
    fn a_made_up_one_never_moves_in_memory() {
        let room = WORDS * (WORD_LETTERS + 1);
        assert_eq!(Passphrase::generate().unwrap().0.capacity(), room);
    }

    #[test]
    fn of_two_who_make_the_file_at_the_same_time_both_have_what_is_in_it() {
        for _ in 0..50 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("passphrase");
            let start = std::sync::Barrier::new(4);
            let make = || {
                start.wait();
                Passphrase::load_or_create(&path).unwrap()
            };
            let made: Vec<Passphrase> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(made.iter().all(|made| *made == made_in(&path)));
        }
    }

    fn made_in(path: &Path) -> Passphrase {
        Passphrase::read(path).unwrap()
    }
}
