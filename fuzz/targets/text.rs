//! Text that people see: the sanitizer and names.

use super::input::Input;
use crate::limits::{MAX_FILE_NAME_BYTES, MAX_NAME_CHARS};
use crate::name::{FileName, Name, NameKey};
use crate::text::{break_lines, safe_line, safe_lines};

/// Any text made safe: nothing is left that drives a terminal, and a second pass changes nothing.
pub(super) fn sanitize(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let safe = safe_line(&text);
    check_safe(&safe);
    check_parts(&safe);
    assert_eq!(safe_line(&safe), safe, "a second pass changes it");
    let lines = safe_lines(&text);
    assert!(!lines.is_empty(), "there is always a line");
    for line in &lines {
        check_safe(line);
        assert_eq!(safe_lines(line), [line.as_str()], "a second pass changes it");
    }
}

/// A list of its own, by what the characters do and not by how they are replaced.
fn check_safe(line: &str) {
    let line = without_flags(line);
    let (mut marks, mut open) = (0, Vec::new());
    for c in line.chars() {
        assert!(!c.is_control(), "a control character: {c:?}");
        assert!(!matches!(c, '\u{202D}' | '\u{202E}'), "reorders: {c:?}");
        assert!(!matches!(c, '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}'), "hides: {c:?}");
        assert!(!matches!(c, '\u{2028}' | '\u{2029}'), "breaks the line: {c:?}");
        assert!(!matches!(u32::from(c), 0xE0000..=0xE007F), "is a tag: {c:?}");
        match c {
            '\u{202A}' | '\u{202B}' | '\u{2066}'..='\u{2068}' => open.push(c >= '\u{2066}'),
            '\u{202C}' => assert_eq!(open.pop(), Some(false), "ends no embedding"),
            '\u{2069}' => {
                let isolate =
                    open.iter().rposition(|is_isolate| *is_isolate).expect("an isolate that it ends");
                open.truncate(isolate);
            }
            '\u{200E}' | '\u{200F}' | '\u{061C}' => {}
            c if unicode_width::UnicodeWidthChar::width(c) == Some(0) => marks += 1,
            _ => marks = 0,
        }
        assert!(marks <= 4, "a stack of marks");
    }
    assert!(open.is_empty(), "the direction goes on after the line");
}

/// The line without flags of regions: a black flag, three to six letters or digits as tags, and their end.
fn without_flags(line: &str) -> String {
    let mut parts = line.split('\u{1F3F4}');
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let tags: String = part.chars().take_while(|c| matches!(u32::from(*c), 0xE0020..=0xE007F)).collect();
        let region = tags.split('\u{E007F}').next().unwrap_or_default();
        let is_region = |c: char| matches!(u32::from(c), 0xE0030..=0xE0039 | 0xE0061..=0xE007A);
        let is_flag = (3..=6).contains(&region.chars().count())
            && region.chars().all(is_region)
            && tags[region.len()..].starts_with('\u{E007F}');
        let taken = if is_flag { region.len() + '\u{E007F}'.len_utf8() } else { 0 };
        rest.push('x');
        rest += &part[taken..];
    }
    rest
}

/// A safe line in parts: in order, nothing but spaces lost, and too long only with one word.
fn check_parts(line: &str) {
    let mut end = 0;
    for part in break_lines(line, 7, 5) {
        assert!(line[end..part.start].trim_start_matches(char::is_whitespace).is_empty(), "text is lost");
        end = part.end;
    }
    assert_eq!(end, line.len());
}

/// Two texts as names: what is one stays one, and being the same is mutual.
pub(super) fn name(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let one = String::from_utf8_lossy(input.line()).into_owned();
    let other = String::from_utf8_lossy(input.rest()).into_owned();
    let names = [check_name(&one), check_name(&other)];
    if let [Some(one), Some(other)] = &names
        && one.as_str().to_lowercase() == other.as_str().to_lowercase()
    {
        assert_eq!(one.key(), other.key(), "{one} and {other} differ in case only");
    }
}

fn check_name(text: &str) -> Option<Name> {
    let key = NameKey::of(text);
    let name = Name::new(text).ok()?;
    let written = name.as_str();
    assert!((1..=MAX_NAME_CHARS).contains(&written.chars().count()), "{written:?}");
    assert!(!written.contains(char::is_whitespace), "{written:?}");
    assert_eq!(safe_line(written), written, "a name that is no safe text");
    assert_eq!(key, name.key(), "{text:?} is found under another key than {written:?}");
    let again = Name::new(written);
    assert_eq!(again.as_ref(), Ok(&name), "{written:?} is no name of its own");
    let others: Vec<Name> = (2..5).filter_map(|n| name.alternative(n)).collect();
    assert!(others.iter().all(|other| other.as_str().chars().count() <= MAX_NAME_CHARS));
    // A name of the longest kind may be one of its own alternatives.
    assert!(others.is_empty() || others.iter().any(|other| other.key() != key), "{written:?} has none");
    Some(name)
}

/// Any name made safe for a folder: one part of a path, which a second pass does not change.
pub(super) fn file_name(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let number = u32::from(input.byte());
    let theirs = String::from_utf8_lossy(input.bytes(usize::MAX)).into_owned();
    let name = FileName::from_sender(&theirs);
    assert_eq!(FileName::from_sender(name.as_str()), name, "a second pass changes it");
    for name in [name.numbered(number).unfinished(number), name.numbered(number), name] {
        let text = name.as_str();
        assert!((1..=MAX_FILE_NAME_BYTES).contains(&text.len()), "its length");
        assert!(!text.starts_with('.') && !text.ends_with(['.', ' ']), "hidden, or cut by Windows");
        let is_wrong = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
        assert!(!text.chars().any(is_wrong), "a character that has a meaning");
    }
}
