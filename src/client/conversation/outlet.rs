//! Where a conversation's lines go.

/// Where lines go, which decides how much they may say to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlet {
    /// To a program or a file.
    Pipe,
    /// To a terminal without a prompt, such as one that only prints.
    Lines,
    /// Above a prompt, on a screen of this size.
    Prompt(ScreenSize),
}

/// The size of a terminal's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScreenSize {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Outlet {
    /// The screen under the lines, if they stay above a prompt.
    pub(crate) fn screen(self) -> Option<ScreenSize> {
        match self {
            Self::Prompt(size) => Some(size),
            Self::Pipe | Self::Lines => None,
        }
    }
}
