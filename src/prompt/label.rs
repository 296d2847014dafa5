//! What stands before the input, plain and styled.

use anstyle::Style;

/// The text before the input, such as `[#lobby] `, with its look.
///
/// The text must already be safe for the terminal: it is shown as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    plain: String,
    styled: String,
}

impl Label {
    /// A label without colour.
    pub fn plain(text: impl Into<String>) -> Self {
        let plain = text.into();
        Self { styled: plain.clone(), plain }
    }

    /// A label in one style; only the style's escapes differ from the plain text, so both are
    /// equally wide.
    pub fn styled(text: impl Into<String>, style: Style) -> Self {
        let plain = text.into();
        let styled = format!("{style}{plain}{style:#}");
        Self { plain, styled }
    }

    /// The text alone.
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
