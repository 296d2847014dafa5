//! The text of a source file as the house rules see it: without comments, the contents of strings, and what
//! is compiled for tests and fuzzers only.

use crate::support::tree::files;

/// A source file.
pub struct Source {
    /// From the root, with slashes.
    pub path: String,
    /// All of it.
    pub text: String,
    /// Comments and contents of strings are spaces; test items are gone, unless all of the file is for tests.
    pub code: String,
    /// Whether all of the file is for tests.
    pub is_test: bool,
}

/// One function that has a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// From `fn` to the closing brace.
    pub lines: usize,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let (is_test, code) = (is_test(path), blanked(text));
        let code = if is_test { code } else { without_tests(&code) };
        Self { path: path.to_owned(), text: text.to_owned(), code, is_test }
    }

    /// Every Rust file below `src`.
    pub fn all() -> Vec<Self> {
        let sources: Vec<_> = files("src", "rs").iter().map(|(path, text)| Self::new(path, text)).collect();
        assert!(sources.len() > 20, "only {} files: the search is broken", sources.len());
        sources
    }
}

/// Unit tests in a file of their own.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

pub fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `word` stands in `text` by itself, and not as part of a longer name.
pub fn names(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let goes_on = word.ends_with(char::is_alphanumeric) && after.is_some_and(is_name_part);
        !before.is_some_and(is_name_part) && !goes_on
    })
}

/// The text with spaces for comments, for characters, and for what is in strings.
pub fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_name = out.chars().next_back().is_some_and(is_name_part);
        let (kept, hidden) = match first {
            '/' if rest.starts_with("//") => (0, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (0, rest.find("*/").map_or(rest.len(), |at| at + 2)),
            '"' => (1, string_end(rest)),
            'r' if !after_name || out.ends_with('b') => match raw_string_end(rest) {
                Some(end) => (0, end),
                None => (1, 1),
            },
            '\'' => (0, character_end(rest).unwrap_or(0)),
            _ => (0, 0),
        };
        let end = hidden.max(first.len_utf8());
        let seen = if hidden == 0 { end } else { kept };
        out.push_str(&rest[..seen]);
        out.extend(rest[seen..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[end..];
    }
    out
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string_end(text: &str) -> Option<usize> {
    let marks = text[1..].chars().take_while(|c| *c == '#').count();
    text[1 + marks..].starts_with('"').then(|| {
        let end = format!("\"{}", "#".repeat(marks));
        text[2 + marks..].find(&end).map_or(text.len(), |at| 2 + marks + at + end.len())
    })
}

/// `None`: the quote begins a lifetime.
fn character_end(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    match chars.next()?.1 {
        '\\' => text[3..].find('\'').map(|at| 3 + at + 1),
        _ => chars.next().filter(|(_, c)| *c == '\'').map(|(at, _)| at + 1),
    }
}

/// Blanked code without the items that have an attribute for tests or fuzzers, their lines included.
pub fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = next_test(rest) {
        let line = rest[..at].rfind('\n').map_or(0, |at| at + 1);
        out.push_str(&rest[..line]);
        let end = at + item_end(&rest[at..]);
        let next = rest[end..].strip_prefix('\n').unwrap_or(&rest[end..]);
        rest = next;
    }
    out + rest
}

fn next_test(code: &str) -> Option<usize> {
    code.match_indices("#[").map(|(at, _)| at).find(|at| {
        let attribute = &code[*at..*at + attribute_end(&code[*at..])];
        let when = attribute.strip_prefix("#[cfg(");
        attribute == "#[test]"
            || when
                .is_some_and(|when| !when.contains("not(") && (names(when, "test") || names(when, "fuzzing")))
    })
}

fn attribute_end(text: &str) -> usize {
    text.find(']').map_or(text.len(), |at| at + 1)
}

/// Where the item ends that begins with attributes: at its semicolon, comma, or closing brace.
fn item_end(code: &str) -> usize {
    let mut at = 0;
    while code[at..].trim_start().starts_with("#[") {
        at += code[at..].find("#[").unwrap();
        at += attribute_end(&code[at..]);
    }
    let mut depth = 0;
    let mut before = ' ';
    let mut is_block = false;
    for (offset, c) in code[at..].char_indices() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            '>' if before == '-' || before == '=' => {}
            ')' | ']' | '}' | '>' => depth -= 1,
            _ => {}
        }
        is_block |= c == '{' && depth == 1;
        let is_list = code[at + offset + 1..].starts_with([';', ',']);
        if depth < 0 || depth == 0 && (matches!(c, ';' | ',') || c == '}' && is_block && !is_list) {
            return at + offset + usize::from(depth == 0);
        }
        before = c;
    }
    code.len()
}

/// The functions in blanked code.
pub fn functions(code: &str) -> Vec<Function> {
    let begins = code.match_indices("fn ").filter(|(at, _)| !code[..*at].ends_with(is_name_part));
    begins.filter_map(|(at, _)| function(&code[at..])).collect()
}

fn function(code: &str) -> Option<Function> {
    let name: String = code["fn ".len()..].chars().take_while(|c| is_name_part(*c)).collect();
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            // A type such as `[u8; 4]` is deeper.
            ';' if depth == 0 => return None,
            _ => {}
        }
        if c == '}' && depth == 0 {
            return Some(Function { name, lines: code[..=at].lines().count() });
        }
    }
    None
}

#[test]
fn comments_and_strings_are_no_code() {
    let text = "a // b\nc \"d\\\"e\" 'f' '\\'' 'g: h r#\"i\"j\"# br\"k\" /* l\nm */ n";
    let code = blanked(text);
    assert_eq!(code.split_whitespace().collect::<String>(), "ac\"'g:hbn");
    assert_eq!(code.lines().count(), text.lines().count());
}

#[test]
fn test_items_are_no_code_and_all_else_is() {
    let text = "\
a
#[cfg(test)]
mod tests;
b
    #[cfg(any(test, fuzzing))]
    #[allow(x)]
    pub fn f<A, B>(x: A) -> B {
        { c }
    }
d
#[cfg(test)]
use x::{
    y,
};
    #[cfg(test)]
    field: Map<K, V>,
e
#[cfg(not(test))]
f
#[cfg(test)]
mod tests {
    g
}
h
";
    let code = without_tests(&blanked(text));
    assert_eq!(
        code.split_whitespace().collect::<Vec<_>>(),
        ["a", "b", "d", "e", "#[cfg(not(test))]", "f", "h"]
    );
    assert_eq!(code.lines().count(), 7);
}

#[test]
fn functions_are_measured_to_their_closing_brace() {
    let found =
        functions("trait T { fn none(x: [u8; 4]); }\nfn two(\n) -> X {}\nasync fn four() {\n  if {\n  }\n}");
    let expected = [("two", 2), ("four", 4)].map(|(name, lines)| Function { name: name.into(), lines });
    assert_eq!(found, expected);
}
