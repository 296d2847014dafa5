//! Makes a line safe. Each invisible character is judged by its neighbours: a joiner belongs into a family
//! emoji or a Persian word, and tags belong into a flag (UTS 51), but nowhere else.

use super::bidi::{BidiFate, OpenDirections};
use super::lines::width;
use unicode_script::{Script, UnicodeScript as _};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthChar as _;

/// Most combining marks to keep after a character; more would paint over neighbouring lines.
const MAX_MARKS: usize = 4;

/// Most emoji to join to one picture: a family with skin tones takes four, the longest known five.
const MAX_JOINS: usize = 8;

/// Consecutive invisible characters that vanish without a trace. A longer row hides something.
const MAX_UNSEEN: usize = 4;

/// Columns between tab stops, from the text's own first column.
const TAB_STOP: usize = 4;

/// Stands for a character that must not reach the terminal.
const REPLACEMENT: char = '\u{FFFD}';

const ZWNJ: char = '\u{200C}';
const ZWJ: char = '\u{200D}';
const BLACK_FLAG: char = '\u{1F3F4}';
const CANCEL_TAG: char = '\u{E007F}';

/// See [`super::safe_line`].
pub(super) fn clean(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut line = CleanLine::default();
    for cluster in text.graphemes(true) {
        match subdivision_flag(cluster) {
            Some(end) => {
                line.safe.push_str(&cluster[..end]);
                line.end_row();
                line.in_tags = false;
                line.add_cluster(cluster, end);
            }
            None => line.add_cluster(cluster, 0),
        }
    }
    let CleanLine { mut safe, directions, .. } = line;
    safe.extend(directions.close());
    safe
}

/// Whether a character can control a terminal, or reorder or hide text, in some context: the list of Unicode
/// TR36 2.3 and UTS 39, without the zero-width joiner and variation selectors, which emoji need.
pub fn is_suspicious(c: char) -> bool {
    is_unsafe(c)
        || is_unseen(c)
        || is_tag(c)
        || matches!(c, '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}')
}

/// Characters that never reach the terminal, whatever their neighbours.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}' | '\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{3164}' | '\u{FFA0}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E001F}'
            | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
}

/// Characters without a meaning on a terminal: soft hyphens, zero-width spaces, byte order marks, and signs
/// between terms of a formula.
pub(super) fn is_unseen(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{180E}' | '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}'
        | '\u{1D173}'..='\u{1D17A}')
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
}

/// The length of a region's flag, such as Scotland's, at the start of a cluster: a black flag, the region's
/// letters as tags, and their end.
fn subdivision_flag(cluster: &str) -> Option<usize> {
    let tags = cluster.strip_prefix(BLACK_FLAG)?;
    let end = tags.find(CANCEL_TAG)?;
    let region = &tags[..end];
    let is_region = |c: char| matches!(c, '\u{E0030}'..='\u{E0039}' | '\u{E0061}'..='\u{E007A}');
    ((3..=6).contains(&region.chars().count()) && region.chars().all(is_region))
        .then(|| BLACK_FLAG.len_utf8() + end + CANCEL_TAG.len_utf8())
}

/// Whether words of this script change with a joiner between their letters. Elsewhere it has no effect.
fn joins(c: char) -> bool {
    use Script::{
        Armenian, Bopomofo, Common, Cyrillic, Georgian, Greek, Han, Hangul, Hebrew, Hiragana, Inherited,
        Katakana, Lao, Latin, Thai, Unknown,
    };
    !matches!(
        c.script(),
        Armenian
            | Bopomofo
            | Common
            | Cyrillic
            | Georgian
            | Greek
            | Han
            | Hangul
            | Hebrew
            | Hiragana
            | Inherited
            | Katakana
            | Lao
            | Latin
            | Thai
            | Unknown
    )
}

/// The safe line so far.
#[derive(Debug, Default)]
struct CleanLine {
    safe: String,
    directions: OpenDirections,
    /// Marks since the last character with a width.
    marks: usize,
    /// Joiners in the present picture.
    joints: usize,
    /// Invisible characters in a row.
    unseen: usize,
    /// Whether the last character was a tag that had to be replaced.
    in_tags: bool,
    /// The last letter, not counting marks.
    letter: Option<char>,
    /// The end of the last tab, in bytes, and its column.
    tab: (usize, usize),
}

impl CleanLine {
    /// Adds a cluster from this byte on.
    fn add_cluster(&mut self, cluster: &str, from: usize) {
        let mut rest = cluster[from..].chars();
        let mut before = cluster[..from].chars().next_back();
        self.joints = 0;
        while let Some(c) = rest.next() {
            let length = self.safe.len();
            self.add(c, before, rest.clone().next());
            // A joiner joins nothing to a character that did not stay, or stayed as another.
            if self.safe.len() > length {
                before = self.safe.chars().next_back().filter(|kept| *kept == c);
            }
        }
    }

    fn add(&mut self, c: char, before: Option<char>, next: Option<char>) {
        let was_in_tags = std::mem::replace(&mut self.in_tags, is_tag(c));
        if is_unseen(c) {
            self.unseen += 1;
            if self.unseen == MAX_UNSEEN + 1 {
                self.safe.push(REPLACEMENT);
            }
            return;
        }
        self.unseen = 0;
        match c {
            '\t' => self.tab(),
            '\n' => self.push(' '),
            c if is_unsafe(c) => self.push(REPLACEMENT),
            c if is_tag(c) && was_in_tags => {}
            c if is_tag(c) => self.push(REPLACEMENT),
            ZWNJ | ZWJ => self.join(c, before, next),
            '\u{115F}' if next.is_some_and(|next| matches!(next, '\u{1161}'..='\u{11A7}')) => self.push(c),
            '\u{1160}' if before.is_some_and(|c| matches!(c, '\u{1100}'..='\u{115E}')) => self.push(c),
            '\u{115F}' | '\u{1160}' => self.push(REPLACEMENT),
            c => match self.directions.judge(c, self.safe.chars().next_back()) {
                Some(BidiFate::Keep) => self.safe.push(c),
                Some(BidiFate::Drop) => {}
                Some(BidiFate::Hostile) => self.push(REPLACEMENT),
                None => self.visible(c),
            },
        }
    }

    /// Adds a character with a shape of its own, or a mark on one.
    fn visible(&mut self, c: char) {
        if c.width() == Some(0) {
            self.marks += 1;
            if self.marks <= MAX_MARKS {
                self.safe.push(c);
            }
            return;
        }
        self.push(c);
    }

    fn push(&mut self, c: char) {
        self.end_row();
        if c.script() != Script::Inherited {
            self.letter = Some(c);
        }
        self.safe.push(c);
    }

    fn end_row(&mut self) {
        self.marks = 0;
        self.letter = None;
    }

    /// Adds a joiner where it changes what people see: between the parts of a picture, and in scripts whose
    /// letters connect.
    fn join(&mut self, c: char, before: Option<char>, next: Option<char>) {
        let has_width = |c: &char| c.width().is_some_and(|width| width > 0);
        let is_between = c == ZWJ && before.is_some() && next.as_ref().is_some_and(has_width);
        let is_picture = is_between && !next.is_some_and(char::is_alphabetic);
        let connects = self.letter.is_some_and(joins);
        if is_picture {
            self.joints += 1;
        }
        let stays = match c {
            _ if is_picture => self.joints <= MAX_JOINS,
            ZWJ => connects,
            _ => connects && next.filter(has_width).is_none_or(joins),
        };
        if stays {
            self.visible(c);
        }
    }

    /// Adds spaces up to the next tab stop.
    fn tab(&mut self) {
        self.end_row();
        let (from, column) = self.tab;
        let column = column + width(&self.safe[from..]);
        let stop = (column / TAB_STOP + 1) * TAB_STOP;
        self.safe.extend(std::iter::repeat_n(' ', stop - column));
        self.tab = (self.safe.len(), stop);
    }
}

#[cfg(test)]
pub(super) use tests::pieces;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::safe_line;
    use proptest::prelude::*;

    const SCOTLAND: &str = "\u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}";

    #[test]
    fn shows_escape_sequences_instead_of_running_them() {
        assert_eq!(safe_line("\x1b[2Jgone"), "\u{FFFD}[2Jgone");
        assert_eq!(safe_line("\x1b]52;c;cGF5bG9hZA==\x07"), "\u{FFFD}]52;c;cGF5bG9hZA==\u{FFFD}");
        assert_eq!(safe_line("\u{9b}31mred"), "\u{FFFD}31mred");
    }

    #[test]
    fn carriage_return_and_backspace_cannot_overwrite_the_line() {
        assert_eq!(safe_line("bob: hi\rali: ok\x08\x7f"), "bob: hi\u{FFFD}ali: ok\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn ordinary_text_of_all_scripts_stays() {
        for text in [
            "plain",
            "José",
            "Jose\u{301}",
            "山田太郎",
            "أحمد",
            "ไทย",
            "👩‍👩‍👧 ❤️",
            "👩🏽‍❤️‍💋‍👨🏻",
            "🏴‍☠️ 🏳️‍🌈 🇩🇪 1️⃣",
            SCOTLAND,
            "می\u{200C}خواهم",
            "क्\u{200D}ष क्\u{200C}ष",
            "ه\u{200D}",
            "שלום\u{200F}!",
            "\u{202A}+972 50-123\u{202C}",
            "\u{2068}שלום\u{2069}: ok",
        ] {
            assert_eq!(safe_line(text), text, "{text:?}");
        }
    }

    #[test]
    fn what_ordinary_text_has_and_nobody_sees_vanishes() {
        for (text, shown) in [
            ("Aus\u{AD}flug", "Ausflug"),
            ("long\u{200B}word", "longword"),
            ("\u{FEFF}pasted", "pasted"),
            ("no\u{2060}break", "nobreak"),
            ("Auf\u{200C}lage", "Auflage"),
            ("a\u{200D}b", "ab"),
            ("\u{200C}\u{200D}🏽", "🏽"),
        ] {
            assert_eq!(safe_line(text), shown, "{text:?}");
        }
    }

    #[test]
    fn hidden_and_reordering_characters_are_shown_where_they_have_no_business() {
        for (text, shown) in [
            ("a\u{202E}b\u{202C}c", "a\u{FFFD}bc"),
            ("d\u{E0041}\u{E0042}\u{E007F}e", "d\u{FFFD}e"),
            ("\u{1F3F4}\u{E0041}\u{E007F}", "\u{1F3F4}\u{FFFD}"),
            ("\u{E0001}", "\u{FFFD}"),
            ("\u{3164}\u{115F}\u{1160}\u{FFA0}", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("x\u{E000}\u{FFF9}", "x\u{FFFD}\u{FFFD}"),
        ] {
            assert_eq!(safe_line(text), shown, "{text:?}");
        }
        let secret = "\u{200B}\u{2060}".repeat(40);
        assert_eq!(safe_line(&format!("a{secret}b")), "a\u{FFFD}b");
    }

    #[test]
    fn a_joiner_joins_nothing_to_what_was_replaced() {
        let once = clean("\u{1F469}\u{E0067}\u{200D}\u{1F469}");
        assert!(!once.contains(ZWJ), "{}", once.escape_unicode());
        assert_eq!(clean(&once), once);
    }

    #[test]
    fn whatever_changes_the_direction_ends_with_the_line() {
        for (text, shown) in [
            ("\u{2067}abc", "\u{2067}abc\u{2069}"),
            ("\u{202B}a\u{2066}b", "\u{202B}a\u{2066}b\u{2069}\u{202C}"),
            ("a\u{2069}\u{202C}b", "ab"),
            ("\u{2066}a\u{202C}\u{2069}", "\u{2066}a\u{2069}"),
            ("a\u{200F}\u{200F}\u{200E}b", "a\u{200F}b"),
        ] {
            assert_eq!(safe_line(text), shown, "{text:?}");
        }
        let deep = safe_line(&"\u{202B}".repeat(1000));
        assert_eq!(deep.chars().count(), 16, "{deep:?}");
    }

    #[test]
    fn a_stack_of_combining_marks_and_a_chain_of_pictures_are_cut() {
        let tower = |mark: &str| safe_line(&format!("a{}b", mark.repeat(50)));
        assert_eq!(tower("\u{301}"), format!("a{}b", "\u{301}".repeat(4)));
        assert_eq!(tower("\u{301}\u{200B}"), format!("a{}b", "\u{301}".repeat(4)));
        let chain = safe_line(&"👩\u{200D}".repeat(50));
        assert_eq!(chain.matches('\u{200D}').count(), MAX_JOINS);
    }

    #[test]
    fn tabs_lead_to_stops_that_count_from_the_start_of_the_text() {
        assert_eq!(safe_line("\tif x:"), "    if x:");
        assert_eq!(safe_line("\t\ty"), "        y");
        assert_eq!(safe_line("ab\tc\td"), "ab  c   d");
        assert_eq!(safe_line("abcd\te"), "abcd    e");
        assert_eq!(safe_line("字\tx"), "字  x");
    }

    /// Texts of characters that change each other's meaning.
    pub(in crate::text) fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a",
            "é",
            "\u{301}",
            "\u{200B}",
            "\u{200C}",
            "\u{200D}",
            "\u{200E}",
            "\u{200F}",
            "\u{202A}",
            "\u{202C}",
            "\u{202D}",
            "\u{202E}",
            "\u{2066}",
            "\u{2068}",
            "\u{2069}",
            "\u{AD}",
            "\u{FE0F}",
            "👩",
            "🏽",
            "🏴",
            "\u{E0067}",
            "\u{E0062}",
            "\u{E007F}",
            "🇩",
            "\u{20E3}",
            "1",
            "क",
            "\u{94D}",
            "م",
            "\u{1160}",
            "\u{115F}",
            "\u{1100}",
            "\u{1161}",
            "\t",
            "\u{1b}",
            "\u{3164}",
            " ",
            SCOTLAND,
        ]);
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    fn assert_safe(text: &str) -> Result<(), TestCaseError> {
        let safe = safe_line(text);
        prop_assert!(!safe.chars().any(|c| is_unsafe(c) || is_unseen(c)), "{:?} {:?}", text, safe);
        prop_assert!(!safe.contains(['\u{202D}', '\u{202E}', '\u{E0041}']), "{:?} {:?}", text, safe);
        let mut directions = OpenDirections::default();
        for c in safe.chars() {
            directions.judge(c, None);
        }
        prop_assert_eq!(directions.close().count(), 0, "{:?} {:?}", text, safe);
        prop_assert_eq!(safe_line(&safe), safe, "{:?}", text);
        Ok(())
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left_and_a_second_pass_changes_nothing(text in any::<String>()) {
            assert_safe(&text)?;
        }

        #[test]
        fn no_mixture_of_invisible_characters_outwits_it(text in pieces()) {
            assert_safe(&text)?;
        }
    }
}
