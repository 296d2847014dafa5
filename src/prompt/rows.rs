//! Counts the screen rows of a label and a line, as the editor counts them.

use unicode_width::UnicodeWidthChar as _;

/// Columns between tab stops.
const TAB_STOP: usize = 8;

/// Counts the rows of `text` below its first, on a screen of `columns`.
pub(super) fn rows_below_first(text: &str, columns: usize) -> usize {
    let columns = columns.max(1);
    let (mut row, mut column) = (0, 0);
    for char in text.chars() {
        if char == '\n' {
            row += 1;
            column = 0;
            continue;
        }
        let width = match char {
            '\t' => TAB_STOP - column % TAB_STOP,
            _ => char.width().unwrap_or(0),
        };
        column += width;
        if column > columns {
            row += 1;
            column = width;
        }
    }
    // A full last row leaves the cursor on the next row.
    if column == columns { row + 1 } else { row }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_with_wrapping_wide_characters_and_line_ends() {
        assert_eq!(rows_below_first("", 10), 0);
        assert_eq!(rows_below_first("123456789", 10), 0);
        assert_eq!(rows_below_first("1234567890", 10), 1);
        assert_eq!(rows_below_first("12345678901", 10), 1);
        assert_eq!(rows_below_first("字字字字字", 10), 1);
        assert_eq!(rows_below_first("1字字字字字", 10), 1);
        assert_eq!(rows_below_first("a\nb\nc", 10), 2);
        assert_eq!(rows_below_first("abc", 0), 3);
    }
}
