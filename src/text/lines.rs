//! The columns that a text takes, and where its lines may end.

use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr;

/// The columns of a safe text, counted by clusters: a family emoji takes two.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(UnicodeWidthStr::width).sum() }
}

/// Breaks a safe text into lines: the first of `first` columns at most, the others of `rest`. Breaks only at
/// spaces, and between Chinese and Japanese characters: a longer word, such as an address, stays whole and
/// exceeds its line. Omits the spaces at which it breaks.
pub fn break_lines(text: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    if width(text) <= first {
        lines.push(0..text.len());
        return lines;
    }
    let (mut start, mut column, mut limit) = (0, 0, first);
    // The last place for a break, with the column there.
    let mut place: Option<(usize, usize)> = None;
    let mut before: Option<&str> = None;
    for (at, cluster) in text.grapheme_indices(true) {
        let breaks = before.is_some_and(|before| may_break(before, cluster));
        if breaks && text[start..at].chars().any(|c| !is_space(c)) {
            place = Some((at, column));
        }
        column += width(cluster);
        before = Some(cluster);
        if column <= limit || is_space_cluster(cluster) {
            continue;
        }
        if let Some((end, until)) = place.take() {
            lines.push(start..start + text[start..end].trim_end_matches(is_space).len());
            (start, column, limit) = (end, column - until, rest);
        }
    }
    lines.push(start..text.len());
    lines
}

fn may_break(before: &str, after: &str) -> bool {
    if is_space_cluster(after) {
        return false;
    }
    let (last, next) = (before.chars().next(), after.chars().next());
    is_space_cluster(before)
        || last.zip(next).is_some_and(|(last, next)| {
            (stands_alone(last) || stands_alone(next)) && !opens(last) && !closes(next)
        })
}

fn is_space_cluster(cluster: &str) -> bool {
    cluster.chars().next().is_some_and(is_space)
}

/// Spaces at which a line may end; not those that forbid it (UAX 14, class GL).
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{1680}' | '\u{2000}'..='\u{2006}' | '\u{2008}'..='\u{200A}' | '\u{205F}' | '\u{3000}')
}

/// Characters of scripts that put no spaces between words, and may end a line anywhere.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{2E80}'..='\u{2FDF}' | '\u{3001}'..='\u{3029}' | '\u{3030}'..='\u{312F}' | '\u{31A0}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF01}'..='\u{FF60}'
        | '\u{20000}'..='\u{3FFFF}')
}

/// Punctuation after which no line ends.
fn opens(c: char) -> bool {
    matches!(
        c,
        '(' | '[' | '{' | '‘' | '“' | '«' | '〈' | '《' | '「' | '『' | '【' | '〔' | '（' | '［' | '｛'
    )
}

/// Punctuation and small letters with which no line starts.
fn closes(c: char) -> bool {
    matches!(
        c,
        ')' | ']'
            | '}'
            | '’'
            | '”'
            | '»'
            | ','
            | '.'
            | '!'
            | '?'
            | ':'
            | ';'
            | '、'
            | '。'
            | '〉'
            | '》'
            | '」'
            | '』'
            | '】'
            | '〕'
            | '）'
            | '］'
            | '｝'
            | '，'
            | '．'
            | '！'
            | '？'
            | '：'
            | '；'
            | 'ー'
            | '々'
            | '・'
            | 'ぁ'
            | 'ぃ'
            | 'ぅ'
            | 'ぇ'
            | 'ぉ'
            | 'っ'
            | 'ゃ'
            | 'ゅ'
            | 'ょ'
            | 'ァ'
            | 'ィ'
            | 'ゥ'
            | 'ェ'
            | 'ォ'
            | 'ッ'
            | 'ャ'
            | 'ュ'
            | 'ョ'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn broken(text: &str, first: usize, rest: usize) -> Vec<&str> {
        break_lines(text, first, rest).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn lines_end_at_spaces_and_words_stay_whole() {
        assert_eq!(broken("a look when you get a chance", 10, 12), ["a look", "when you get", "a chance"]);
        assert_eq!(broken("exactly ten", 11, 5), ["exactly ten"]);
        assert_eq!(broken("two  spaces   here", 8, 8), ["two", "spaces", "here"]);
        assert_eq!(broken("    indented code", 12, 20), ["    indented", "code"]);
        assert_eq!(broken("not\u{a0}here but here", 9, 9), ["not\u{a0}here", "but here"]);
        assert_eq!(broken("", 10, 10), [""]);
        assert_eq!(broken("ends with spaces      ", 16, 4), ["ends with spaces      "]);
    }

    #[test]
    fn an_address_longer_than_the_line_is_never_cut() {
        let address = "https://example.org/a/very/long/path?with=a&query";
        assert_eq!(broken(&format!("see {address} for more"), 20, 20), ["see", address, "for more"]);
        assert_eq!(broken(address, 10, 10), [address]);
    }

    #[test]
    fn chinese_and_japanese_lines_end_anywhere_but_before_a_full_stop() {
        assert_eq!(broken("我的爸爸肚子很餓。", 8, 8), ["我的爸爸", "肚子很", "餓。"]);
        assert_eq!(broken("走った「はい」", 4, 6), ["走っ", "た「は", "い」"]);
        assert_eq!(width("👨‍👩‍👧‍👦 字"), 5);
    }

    proptest! {
        #[test]
        fn nothing_but_spaces_is_lost(text in "[a-c字 \u{a0}é👩‍👧]{0,40}", first in 0..20_usize, rest in 0..20_usize) {
            let ranges = break_lines(&text, first, rest);
            let mut end = 0;
            for range in ranges {
                prop_assert!(text[end..range.start].chars().all(is_space));
                end = range.end;
            }
            prop_assert_eq!(end, text.len());
        }
    }
}
