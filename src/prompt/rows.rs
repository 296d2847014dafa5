//! Counts the screen rows of a label and a line, as the editor counts them.

use unicode_segmentation::UnicodeSegmentation as _;

use super::emoji::{Joins, columns_of};

/// Columns between tab stops.
const TAB_STOP: usize = 8;

/// Counts the rows of `text` below its first, on a screen of `columns` that joins emoji or not.
pub(super) fn rows_below_first(text: &str, columns: usize, joins: Joins) -> usize {
    let columns = columns.max(1);
    let (mut row, mut column) = (0, 0);
    for cluster in text.graphemes(true) {
        let width = match cluster {
            "\n" | "\r\n" => {
                row += 1;
                column = 0;
                continue;
            }
            "\t" => TAB_STOP - column % TAB_STOP,
            cluster => columns_of(cluster, joins),
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

    fn rows_below_first(text: &str, columns: usize) -> usize {
        super::rows_below_first(text, columns, Joins::None)
    }

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
        let families = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F466}".repeat(12);
        assert_eq!(super::rows_below_first(&families, 40, Joins::All), 0);
        assert_eq!(rows_below_first(&families, 40), 2);
    }
}
