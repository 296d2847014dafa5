//! A command line of bash up to the cursor, as bash passes it on: with its quotes. Pure.
//!
//! bash breaks words at characters such as `=` and `:`, replaces only the part after the last one, and inserts
//! the replacement as it is. So this keeps how the last word was typed, and quotes what goes in its place.

/// Characters besides letters and digits that mean nothing to bash in any place.
const TAME: &str = "_-./:@%+,=";

/// The quotes that are open at the end of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// The words of a line. The last one ends at the cursor and may be empty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BashLine {
    /// The words before the last one, without quotes and redirections.
    pub(super) words: Vec<String>,
    /// The last word without quotes.
    pub(super) current: String,
    /// The last word as typed.
    raw: String,
    /// Whether the last word is the file of a redirection.
    pub(super) is_redirected: bool,
}

/// A word in the making.
#[derive(Default)]
struct Word {
    text: String,
    raw: String,
}

impl BashLine {
    pub(super) fn parse(line: &str) -> BashLine {
        let mut words = Vec::new();
        let mut word = Word::default();
        let (mut quotes, mut is_redirected) = (Quotes::None, false);
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            let ends = quotes == Quotes::None && (c.is_ascii_whitespace() || matches!(c, '<' | '>'));
            if !ends {
                word.raw.push(c);
                word.text.extend(unquoted(c, &mut quotes, &mut chars, &mut word.raw));
                continue;
            }
            let ended = std::mem::take(&mut word);
            if matches!(c, '<' | '>') {
                // A number or & before it names what is redirected.
                let is_descriptor = ended.raw.chars().all(|c| c.is_ascii_digit() || c == '&');
                if !is_descriptor && !is_redirected {
                    words.push(ended.text);
                }
                is_redirected = true;
            } else if !ended.raw.is_empty() {
                if !is_redirected {
                    words.push(ended.text);
                }
                is_redirected = false;
            }
        }
        BashLine { words, current: word.text, raw: word.raw, is_redirected }
    }

    /// Returns the text to insert so that the last word becomes `value`. bash replaces `typed`, the end of the last
    /// word. `None` if `value` cannot stand there.
    pub(super) fn replacement(&self, value: &str, typed: &str) -> Option<String> {
        let (kept, quotes) = read(self.raw.strip_suffix(typed).unwrap_or_default());
        quoted(value.strip_prefix(&kept)?, quotes)
    }
}

/// A word of a shell without its quotes.
pub(super) fn literal(word: &str) -> String {
    read(word).0
}

/// A text without its quotes, and the quotes that are open at its end.
fn read(raw: &str) -> (String, Quotes) {
    let (mut text, mut quotes) = (String::new(), Quotes::None);
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        text.extend(unquoted(c, &mut quotes, &mut chars, &mut String::new()));
    }
    (text, quotes)
}

/// Returns the character that `c` stands for within the open quotes, if any.
fn unquoted(c: char, quotes: &mut Quotes, rest: &mut std::str::Chars<'_>, raw: &mut String) -> Option<char> {
    let (after, stands) = match (*quotes, c) {
        (Quotes::None, '\'') => (Quotes::Single, None),
        (Quotes::None, '"') => (Quotes::Double, None),
        (Quotes::Single, '\'') | (Quotes::Double, '"') => (Quotes::None, None),
        (Quotes::None, '\\') => {
            let next = rest.next();
            raw.extend(next);
            (Quotes::None, next)
        }
        (Quotes::Double, '\\') if rest.as_str().starts_with(['$', '`', '"', '\\']) => {
            let next = rest.next();
            raw.extend(next);
            (Quotes::Double, next)
        }
        (same, c) => (same, Some(c)),
    };
    *quotes = after;
    stands
}

/// Quotes a text so that bash takes it literally. `None` if that is impossible within the open quotes.
fn quoted(text: &str, open: Quotes) -> Option<String> {
    let mut quoted = String::new();
    for c in text.chars() {
        match open {
            _ if c.is_control() => return None,
            Quotes::Single if c == '\'' => quoted.push_str(r"'\''"),
            Quotes::Single => quoted.push(c),
            // It would still expand the history, and a backslash before it would stay.
            Quotes::Double if c == '!' => return None,
            Quotes::Double => {
                if matches!(c, '$' | '`' | '"' | '\\') {
                    quoted.push('\\');
                }
                quoted.push(c);
            }
            Quotes::None => {
                if c.is_ascii() && !c.is_ascii_alphanumeric() && !TAME.contains(c) {
                    quoted.push('\\');
                }
                quoted.push(c);
            }
        }
    }
    Some(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> (Vec<String>, String) {
        let line = BashLine::parse(line);
        (line.words, line.current)
    }

    #[test]
    fn words_lose_their_quotes_and_redirections() {
        for (line, before, current) in [
            ("lanchat ", vec!["lanchat"], ""),
            ("lanchat send --to 'my fri", vec!["lanchat", "send", "--to"], "my fri"),
            (r#"lanchat --server "a \"b\" c" --na"#, vec!["lanchat", "--server", r#"a "b" c"#], "--na"),
            (r"lanchat --server Off\ ic", vec!["lanchat", "--server"], "Off ic"),
            ("lanchat send '' x", vec!["lanchat", "send", ""], "x"),
            ("lanchat export 2>/dev/null --ro", vec!["lanchat", "export"], "--ro"),
            ("lanchat export &> all.log --ro", vec!["lanchat", "export"], "--ro"),
            (r"lanchat --color=al", vec!["lanchat"], "--color=al"),
        ] {
            let before = before.into_iter().map(str::to_owned).collect();
            assert_eq!(words(line), (before, current.to_owned()), "{line}");
        }
    }

    #[test]
    fn the_file_of_a_redirection_is_no_word_of_lanchat() {
        for line in ["lanchat export >", "lanchat export > fi", "lanchat tail 2>> lo", "lanchat send <fi"] {
            assert!(BashLine::parse(line).is_redirected, "{line}");
        }
        assert!(!BashLine::parse("lanchat export > file --").is_redirected);
        assert!(!BashLine::parse("lanchat send 'a > b").is_redirected);
    }

    #[test]
    fn a_replacement_is_quoted_as_the_word_was_begun() {
        for (line, typed, value, inserted) in [
            ("lanchat --server ", "", "Bob's laptop", Some(r"Bob\'s\ laptop")),
            ("lanchat --server 'Bo", "Bo", "Bob's laptop", Some(r"Bob'\''s laptop")),
            ("lanchat --server \"Bo", "Bo", "Bob's $HOME", Some(r"Bob's \$HOME")),
            ("lanchat --server \"Bo", "Bo", "Bob!", None),
            ("lanchat --server=Bo", "Bo", "--server=Bob", Some("Bob")),
            ("lanchat --to='#bu", "#bu", "--to=#builds", Some("#builds")),
            ("lanchat --to #bu", "#bu", "#builds", Some(r"\#builds")),
            ("lanchat -H 10.0.0.5:76", "76", "10.0.0.5:7667", Some("7667")),
            (r"lanchat --server Off\ ic", r"Off\ ic", "Off ice", Some(r"Off\ ice")),
            ("lanchat --server x", "x", "$(touch x)`y`;&|", Some(r"\$\(touch\ x\)\`y\`\;\&\|")),
            ("lanchat --server x", "x", "a\nb", None),
        ] {
            let replacement = BashLine::parse(line).replacement(value, typed);
            assert_eq!(replacement.as_deref(), inserted, "{line}");
        }
    }
}
