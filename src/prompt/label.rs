//! The text before the input, plain and styled.

use anstyle::Style;

use crate::text::width;

/// The text before the input, such as `[#lobby] `, with its style. It must be safe for the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    plain: String,
    styled: String,
}

impl Label {
    /// Creates a label without colour.
    pub fn plain(text: impl Into<String>) -> Self {
        let plain = text.into();
        Self { styled: plain.clone(), plain }
    }

    /// Creates a label in one style. Plain and styled text have the same width.
    pub fn styled(text: impl Into<String>, style: Style) -> Self {
        let plain = text.into();
        let styled = format!("{style}{plain}{style:#}");
        Self { plain, styled }
    }

    /// Puts rows in one style above the label.
    pub fn below(self, rows: &[String], style: Style) -> Self {
        let plain: String = rows.iter().map(|row| format!("{row}\n")).collect();
        let styled: String = rows.iter().map(|row| format!("{style}{row}{style:#}\n")).collect();
        Self { plain: plain + &self.plain, styled: styled + &self.styled }
    }

    /// Whether this label can be painted over the other one: each row ends in the same column.
    pub(super) fn takes_the_room_of(&self, other: &Self) -> bool {
        self.plain.lines().map(width).eq(other.plain.lines().map(width))
    }

    pub(super) fn styled_text(&self) -> &str {
        &self.styled
    }

    /// Returns the plain text.
    pub fn text(&self) -> &str {
        &self.plain
    }
}

impl rustyline::Prompt for Label {
    fn raw(&self) -> &str {
        &self.plain
    }

    fn styled(&self) -> &str {
        &self.styled
    }
}
