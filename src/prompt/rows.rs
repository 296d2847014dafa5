//! Counts the screen rows of a label and a line, as few as any terminal shows.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns between tab stops.
const TAB_STOP: usize = 8;

/// Counts the rows of `text` below its first, on a screen of `columns`.
pub(super) fn rows_below_first(text: &str, columns: usize) -> usize {
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
            cluster => least_width(cluster),
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

/// The columns that a cluster takes at least. Terminals that join emoji show a family in two columns, others show
/// its members side by side. With too many rows, the prompt would erase messages above it; with too few, it
/// leaves a part of the typed line.
fn least_width(cluster: &str) -> usize {
    let apart: usize = cluster.chars().filter_map(|char| char.width()).sum();
    apart.min(cluster.width())
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
        let families = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F466}".repeat(12);
        assert_eq!(rows_below_first(&families, 40), 0, "a terminal may show each in two columns");
        assert_eq!(rows_below_first("❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}", 4), 0, "or in one");
    }
}
