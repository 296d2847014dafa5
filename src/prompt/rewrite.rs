//! Starts of lines that the prompt replaces by their meaning.

/// The meaning of a line's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The start in full, with a space; safe for the terminal.
    pub line: String,
    /// Whether it takes its place at the space behind it; otherwise, at the first character except digits.
    pub at_space: bool,
    /// Whether the user may mean another one: a line entered before the user can have read this one goes on
    /// as it was typed.
    pub is_doubtful: bool,
}
