//! Big pasted texts, which the line shows as a short mark until it is sent: a line taller than the window could
//! not be repainted.

use std::collections::VecDeque;
use std::fmt::Write as _;

/// Longest text to show in the line, in lines.
const MAX_SHOWN_LINES: usize = 8;

/// Longest text to show in the line, in characters: 20 rows of 80 columns.
const MAX_SHOWN_CHARS: usize = 1600;

/// Texts to keep for marks in the line, in the line history, and in lines that come back.
const MAX_KEPT: usize = 50;

/// Bytes of these texts to keep; the oldest go first.
const MAX_KEPT_BYTES: usize = 8 * 1024 * 1024;

/// Characters of a single long line to show in its mark.
const MAX_START_CHARS: usize = 24;

/// Starts and ends a mark. No other character of a mark is one of them, so that a key can delete it whole.
pub(super) const OPEN: char = '‹';
pub(super) const CLOSE: char = '›';

/// Starts a mark, before its number.
const START: &str = "‹paste ";

/// The folded texts of this run.
#[derive(Debug, Default)]
pub(super) struct FoldedPastes {
    kept: VecDeque<Fold>,
    bytes: usize,
    /// The latest number.
    last: usize,
}

#[derive(Debug)]
struct Fold {
    number: usize,
    mark: String,
    text: String,
}

/// The number of a mark that was changed, or whose text is no longer kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged(pub(super) usize);

impl FoldedPastes {
    /// Returns the text as the line should show it: itself, or a mark for it.
    pub(super) fn fold(&mut self, text: &str) -> String {
        if !is_tall(text) {
            return text.to_owned();
        }
        if let Some(fold) = self.kept.iter().find(|fold| fold.text == text) {
            return fold.mark.clone();
        }
        self.last += 1;
        let mark = mark(self.last, text);
        self.bytes += text.len();
        self.kept.push_back(Fold { number: self.last, mark: mark.clone(), text: text.to_owned() });
        while self.kept.len() > MAX_KEPT || (self.bytes > MAX_KEPT_BYTES && self.kept.len() > 1) {
            let oldest = self.kept.pop_front().map_or(0, |fold| fold.text.len());
            self.bytes -= oldest;
        }
        mark
    }

    /// Folds a line, but leaves a command and its first argument readable: they may name the recipient.
    pub(super) fn fold_line(&mut self, line: &str) -> String {
        let words = line.match_indices(' ').map(|(at, _)| at + 1);
        let head = match line.starts_with('/') && !line.starts_with("//") {
            true => words.take(2).last().filter(|end| line[..*end].lines().count() == 1).unwrap_or(0),
            false => 0,
        };
        let (head, rest) = line.split_at(head);
        format!("{head}{}", self.fold(rest))
    }

    /// Puts the texts in place of their marks.
    pub(super) fn expand(&self, line: &str) -> Result<String, Damaged> {
        let mut text = String::new();
        let mut rest = line;
        while let Some(at) = rest.find(START) {
            let (before, marked) = rest.split_at(at);
            text += before;
            let digits = &marked[START.len()..];
            let digits = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
            let number = digits.parse().unwrap_or(0);
            let kept = self.kept.iter().find(|fold| fold.number == number);
            rest = match kept.and_then(|fold| Some((fold, marked.strip_prefix(fold.mark.as_str())?))) {
                Some((fold, rest)) => {
                    text += &fold.text;
                    rest
                }
                None if (1..=self.last).contains(&number) => return Err(Damaged(number)),
                None => {
                    text += START;
                    &marked[START.len()..]
                }
            };
        }
        match self.kept.iter().find(|fold| rest.contains(&fold.mark[START.len()..])) {
            Some(fold) => Err(Damaged(fold.number)),
            None => Ok(text + rest),
        }
    }

    /// Whether a mark ends there.
    pub(super) fn ends(&self, before: &str) -> bool {
        before.ends_with(CLOSE) && self.kept.iter().any(|fold| before.ends_with(fold.mark.as_str()))
    }

    /// Whether a mark starts there.
    pub(super) fn starts(&self, after: &str) -> bool {
        after.starts_with(OPEN) && self.kept.iter().any(|fold| after.starts_with(fold.mark.as_str()))
    }
}

fn is_tall(text: &str) -> bool {
    text.lines().count() > MAX_SHOWN_LINES || text.chars().nth(MAX_SHOWN_CHARS).is_some()
}

fn mark(number: usize, text: &str) -> String {
    let mut mark = format!("{START}{number}: ");
    match text.lines().count() {
        1 => {
            let is_shown = |c: &char| !c.is_control() && ![OPEN, CLOSE].contains(c);
            let start: String = text.chars().filter(is_shown).take(MAX_START_CHARS).collect();
            mark += &format!("{}…", start.trim());
        }
        lines => {
            let _ = write!(mark, "{lines} lines");
        }
    }
    let bytes = text.len();
    match bytes {
        0..1000 => {
            let _ = write!(mark, ", {bytes} B{CLOSE}");
        }
        _ => {
            let _ = write!(mark, ", {}.{} kB{CLOSE}", bytes / 1000, bytes % 1000 / 100);
        }
    }
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tall(word: &str) -> String {
        format!("{word}\n").repeat(MAX_SHOWN_LINES + 1)
    }

    #[test]
    fn a_tall_text_becomes_a_mark_and_comes_back_whole() {
        let mut folds = FoldedPastes::default();
        assert_eq!(folds.fold("one\ntwo"), "one\ntwo");
        let lines = "x".repeat(42) + "\n";
        assert_eq!(folds.fold(&lines.repeat(200)), "‹paste 1: 200 lines, 8.6 kB›");
        let long = format!("BEGIN {}", "y".repeat(10_040));
        let mark = folds.fold(&long);
        assert_eq!(mark, "‹paste 2: BEGIN yyyyyyyyyyyyyyyyyy…, 10.0 kB›");
        assert_eq!(folds.fold(&long), mark, "the same text keeps its mark");
        assert_eq!(folds.expand(&format!("see: {mark}!")), Ok(format!("see: {long}!")));
        assert!(
            folds.ends(&format!("see {mark}")) && folds.starts(&format!("{mark} x")) && !folds.ends("see ›")
        );
    }

    #[test]
    fn a_changed_mark_is_noticed_and_one_of_somebody_elses_is_text() {
        let mut folds = FoldedPastes::default();
        let mark = folds.fold(&tall("a"));
        assert_eq!(folds.expand(&mark.replace("lines", "line")), Err(Damaged(1)));
        assert_eq!(folds.expand(&mark[..mark.len() - 4]), Err(Damaged(1)));
        assert_eq!(folds.expand(&format!("see {}", &mark[START.len()..])), Err(Damaged(1)));
        assert_eq!(folds.expand("‹paste 7: 3 lines› ‹paste x›"), Ok("‹paste 7: 3 lines› ‹paste x›".into()));
    }

    #[test]
    fn the_recipient_of_a_folded_line_stays_readable() {
        let mut folds = FoldedPastes::default();
        let line = format!("/msg bob {}", tall("a"));
        let shown = folds.fold_line(&line);
        assert_eq!(shown, "/msg bob ‹paste 1: 9 lines, 18 B›");
        assert_eq!(folds.expand(&shown), Ok(line));
        assert_eq!(folds.fold_line("short"), "short");
    }

    #[test]
    fn old_texts_give_way_and_their_marks_are_not_sent() {
        let mut folds = FoldedPastes::default();
        let first = folds.fold(&tall("first"));
        for n in 0..MAX_KEPT {
            folds.fold(&tall(&n.to_string()));
        }
        assert_eq!(folds.expand(&first), Err(Damaged(1)));
        assert_eq!(folds.kept.len(), MAX_KEPT);
        folds.fold(&"x".repeat(MAX_KEPT_BYTES));
        assert_eq!(folds.kept.len(), 1);
    }
}
