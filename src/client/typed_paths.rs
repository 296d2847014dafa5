//! Paths as people type them, as Tab completes them, and as terminals write a file that is dragged into them:
//! in quotes, with backslashes, or as a `file://` address.
//!
//! A library for shells' words would refuse a quote that is not closed yet, and cannot tell Tab where it began.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// How the system writes paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathStyle {
    /// A backslash takes a character as it is, and both kinds of quotes keep spaces.
    Unix,
    /// A backslash separates folders, and double quotes keep spaces.
    Windows,
}

/// A word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypedWord {
    /// The byte at which it starts, with its quote.
    pub(crate) start: usize,
    /// Without quotes and backslashes.
    pub(crate) text: String,
    /// Whether the line may go on within it.
    pub(crate) is_open: bool,
}

impl PathStyle {
    /// That of this system.
    pub(crate) const HERE: Self = if cfg!(windows) { Self::Windows } else { Self::Unix };

    /// The words of a line; a quote that is not closed lasts to its end.
    pub(crate) fn words(self, line: &str) -> Vec<TypedWord> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<TypedWord>, None);
        let mut chars = line.char_indices();
        while let Some((at, c)) = chars.next() {
            if quote.is_none() && c.is_whitespace() {
                words.extend(word.take().map(|word| TypedWord { is_open: false, ..word }));
                continue;
            }
            let word =
                word.get_or_insert_with(|| TypedWord { start: at, text: String::new(), is_open: true });
            match quote {
                Some(end) if c == end => quote = None,
                None if self.quotes(c) => quote = Some(c),
                None | Some('"') if c == '\\' && self == Self::Unix => {
                    // Within double quotes, it takes only these characters as they are.
                    let next = chars.next().map(|(_, next)| next);
                    let is_kept = quote.is_some() && !matches!(next, Some('"' | '\\' | '$' | '`'));
                    word.text.extend(is_kept.then_some(c));
                    word.text.extend(next);
                }
                Some(_) | None => word.text.push(c),
            }
        }
        words.extend(word);
        words
    }

    fn quotes(self, c: char) -> bool {
        c == '"' || c == '\'' && self == Self::Unix
    }

    /// A path as a word that [`Self::words`] reads. An open one lacks the quote at its end, so that the user can
    /// go on. With `quoted`, it has quotes even if it needs none.
    pub(crate) fn written(self, path: &str, is_open: bool, quoted: bool) -> String {
        if !quoted && !self.needs_quotes(path) {
            return path.to_owned();
        }
        match self {
            Self::Windows if is_open => format!("\"{path}"),
            Self::Windows => format!("\"{path}\""),
            Self::Unix => {
                let inner = path.replace('\'', "'\\''");
                format!("'{inner}{}", if is_open { "" } else { "'" })
            }
        }
    }

    pub(crate) fn needs_quotes(self, path: &str) -> bool {
        path.chars().any(|c| c.is_whitespace() || self.quotes(c) || c == '\\' && self == Self::Unix)
    }

    pub(crate) fn separates(self, c: char) -> bool {
        c == '/' || c == '\\' && self == Self::Windows
    }

    /// The path that a word means: with the home directory for `~`, and decoded if it is an address.
    pub(crate) fn path(self, word: &str, home: Option<PathBuf>) -> PathBuf {
        if let Some(path) = self.of_address(word) {
            return path;
        }
        let Some(rest) = word.strip_prefix('~') else { return word.into() };
        match home {
            Some(home) if rest.is_empty() => home,
            Some(home) if rest.starts_with(|c| self.separates(c)) => {
                home.join(rest.trim_start_matches(|c| self.separates(c)))
            }
            _ => word.into(),
        }
    }

    /// The path in `file:///home/alice/my%20plan.pdf`. The machine's name in it is its own.
    fn of_address(self, word: &str) -> Option<PathBuf> {
        let is_address = word.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
        let rest = word.get(5..).filter(|rest| is_address && rest.starts_with('/'))?;
        let path = match rest.strip_prefix("//") {
            Some(rest) => rest.get(rest.find('/')?..)?,
            None => rest,
        };
        let decoded: Vec<u8> = percent_decode_str(path).collect();
        match self {
            Self::Unix => Some(from_bytes(decoded)),
            // The drive has a slash in front.
            Self::Windows => {
                let text = String::from_utf8_lossy(&decoded).replace('/', "\\");
                Some(text.trim_start_matches('\\').into())
            }
        }
    }
}

/// A path need not be UTF-8.
#[cfg(unix)]
fn from_bytes(path: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    std::ffi::OsString::from_vec(path).into()
}

#[cfg(not(unix))]
fn from_bytes(path: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&path).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::PathStyle::{Unix, Windows};
    use super::*;
    use proptest::prelude::*;

    fn words(style: PathStyle, line: &str) -> Vec<String> {
        style.words(line).into_iter().map(|word| word.text).collect()
    }

    fn path(style: PathStyle, word: &str) -> String {
        style.path(word, Some("/home/al".into())).display().to_string()
    }

    #[test]
    fn what_a_terminal_writes_for_a_dragged_file_is_its_path() {
        for (line, expected) in [
            ("'/home/al/my plan.pdf' ", vec!["/home/al/my plan.pdf"]),
            ("\"/home/al/my plan.pdf\"", vec!["/home/al/my plan.pdf"]),
            ("/home/al/my\\ plan\\(1\\).pdf", vec!["/home/al/my plan(1).pdf"]),
            ("'/home/al/it'\\''s' b", vec!["/home/al/it's", "b"]),
            ("\"a \\\"b\\\" \\c\"", vec!["a \"b\" \\c"]),
            ("a  b\tc", vec!["a", "b", "c"]),
            ("'/home/al/not closed", vec!["/home/al/not closed"]),
            ("a\\", vec!["a"]),
            ("''", vec![""]),
        ] {
            assert_eq!(words(Unix, line), expected, "{line}");
        }
        assert_eq!(words(Windows, "\"C:\\My Files\\a.txt\" D:\\it's"), ["C:\\My Files\\a.txt", "D:\\it's"]);
    }

    #[test]
    fn an_address_and_the_home_directory_are_understood() {
        assert_eq!(path(Unix, "file:///home/al/my%20plan.pdf"), "/home/al/my plan.pdf");
        assert_eq!(path(Unix, "file://localhost/etc/%C3%A9"), "/etc/é");
        assert_eq!(path(Unix, "FILE:/etc/x"), "/etc/x");
        assert_eq!(path(Unix, "file:notes"), "file:notes", "a file may be called so");
        assert_eq!(path(Unix, "~/x"), "/home/al/x");
        assert_eq!(path(Unix, "~"), "/home/al");
        assert_eq!(path(Unix, "~bob/x"), "~bob/x");
        assert_eq!(path(Windows, "file:///C:/My%20Files/a.txt"), "C:\\My Files\\a.txt");
    }

    #[test]
    fn an_unfinished_word_says_where_it_began() {
        let last = |line| Unix.words(line).pop().map(|word| (word.start, word.text, word.is_open));
        assert_eq!(last("a 'b c"), Some((2, "b c".into(), true)));
        assert_eq!(last("a b "), Some((2, "b".into(), false)));
        assert_eq!(last("a b\\ "), Some((2, "b ".into(), true)));
    }

    proptest! {
        #[test]
        fn a_written_path_is_read_back(path in "[^\0\"]{1,12}", is_open: bool, quoted: bool) {
            prop_assume!(path.chars().all(|c| !c.is_whitespace() || c == ' '));
            for style in [Unix, Windows] {
                let line = format!("x {}", style.written(&path, is_open, quoted));
                prop_assert_eq!(&words(style, &line), &["x".to_owned(), path.clone()], "{}", line);
            }
        }

        #[test]
        fn no_line_is_too_odd(line in "\\PC*") {
            for style in [Unix, Windows] {
                let words = style.words(&line);
                prop_assert!(words.iter().all(|word| line.is_char_boundary(word.start)));
                words.iter().for_each(|word| drop(style.path(&word.text, None)));
            }
        }
    }
}
