//! Cells of a table that a spreadsheet does not take for formulas.
//!
//! A spreadsheet runs a cell that starts with `=`, `+`, `-` or `@`, also in their full width. One that splits
//! at another separator than the comma, as in many countries, finds further starts of cells: after `;`, `|`
//! and a line break, with quotes around the cell. In all these places, a text that starts so gets an
//! apostrophe in front, which makes it text. So does a text that has apostrophes there already, so each
//! place can be undone.

/// The text with an apostrophe wherever a cell could start with a formula.
pub(super) fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        // Blanks and quotes before a formula do not make it text everywhere.
        let start = rest.find(|c: char| !matches!(c, ' ' | '"' | '\u{A0}')).unwrap_or(rest.len());
        let (before, cell) = rest.split_at(start);
        safe.push_str(before);
        if cell.trim_start_matches('\'').starts_with(starts_formula) {
            safe.push('\'');
        }
        let Some(end) = cell.find(separates).and_then(|at| Some(at + cell[at..].chars().next()?.len_utf8()))
        else {
            safe.push_str(cell);
            return safe;
        };
        safe.push_str(&cell[..end]);
        rest = &cell[end..];
    }
}

fn starts_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\u{FF1D}' | '\u{FF0B}' | '\u{FF0D}' | '\u{FF20}')
}

fn separates(c: char) -> bool {
    matches!(c, ';' | '|' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Undoes it, as the manual tells programs to.
    fn original(safe: &str) -> String {
        let mut text = String::new();
        let mut rest = safe;
        loop {
            let start = rest.find(|c: char| !matches!(c, ' ' | '"' | '\u{A0}')).unwrap_or(rest.len());
            text.push_str(&rest[..start]);
            rest = &rest[start..];
            if rest.starts_with('\'') && rest.trim_start_matches('\'').starts_with(starts_formula) {
                rest = &rest[1..];
            }
            let end = rest.char_indices().find(|(_, c)| separates(*c)).map(|(at, c)| at + c.len_utf8());
            let Some(end) = end else { return text + rest };
            text.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }

    #[test]
    fn formulas_become_text_and_other_text_stays() {
        for (text, safe) in [
            ("=HYPERLINK(\"http://x\",\"y\")", "'=HYPERLINK(\"http://x\",\"y\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\u{FF1D}1+1", "'\u{FF1D}1+1"),
            ("\u{FF20}SUM(1)", "'\u{FF20}SUM(1)"),
            ("\t=1", "'\t'=1"),
            ("  =1", "  '=1"),
            ("\"=1\"", "\"'=1\""),
            ("'=1", "''=1"),
            ("hi;=1", "hi;'=1"),
            ("hi; \"=1\"", "hi; \"'=1\""),
            ("hi\n=1\n- item", "hi\n'=1\n'- item"),
            ("a|@b", "a|'@b"),
        ] {
            assert_eq!(harmless(text), safe);
            assert_eq!(original(safe), text);
        }
        for text in
            ["", "hello", "1+1=2", "it's so", "'quoted'", "well, @bob - yes", "a;b|c\nd", "10.0.0.1", ";"]
        {
            assert_eq!(harmless(text), text);
        }
    }

    proptest! {
        #[test]
        fn each_text_comes_back(text in "[=+@'\"; |\n\ta\u{FF1D}-]{0,12}") {
            let safe = harmless(&text);
            prop_assert_eq!(original(&safe), text);
            for cell in safe.split(separates) {
                prop_assert!(!cell.trim_start_matches([' ', '"', '\u{A0}']).starts_with(starts_formula), "{safe:?}");
            }
        }
    }
}
