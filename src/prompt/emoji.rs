//! How wide the terminal shows emoji that are joined of several.
//!
//! Some terminals show a family in two columns, others show its members side by side. An editor that counts too
//! many rows erases messages above its line; one that counts too few leaves parts of the line behind. Terminals
//! do not tell, so their names have to.

use rustyline::GraphemeClusterMode;

/// Which sequences the terminal shows as one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joins {
    All,
    /// All but those with a zero-width joiner.
    Marks,
    None,
}

/// Terminals that join everything, as they call themselves in `TERM_PROGRAM`.
const JOINING_PROGRAMS: [&str; 5] = ["Apple_Terminal", "iTerm.app", "WezTerm", "ghostty", "tmux"];

/// The same in `TERM`.
const JOINING_TERMS: [&str; 4] = ["foot", "tmux", "wezterm", "xterm-ghostty"];

impl Joins {
    /// Guesses from the environment.
    pub(super) fn of_terminal() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        Self::guess(variable)
    }

    fn guess(variable: impl Fn(&str) -> Option<String>) -> Self {
        let term = variable("TERM").unwrap_or_default();
        let program = variable("TERM_PROGRAM").unwrap_or_default();
        // tmux, whose TERM is often that of screen, and the terminal of Windows.
        let has_own_variable = ["TMUX", "WT_SESSION"].iter().any(|name| variable(name).is_some());
        if has_own_variable
            || JOINING_PROGRAMS.contains(&program.as_str())
            || JOINING_TERMS.iter().any(|start| term.starts_with(start))
        {
            Self::All
        } else if term == "xterm-kitty" {
            Self::Marks
        } else {
            Self::None
        }
    }

    pub(super) fn mode(self) -> GraphemeClusterMode {
        match self {
            Self::All => GraphemeClusterMode::Unicode,
            Self::Marks => GraphemeClusterMode::NoZwj,
            Self::None => GraphemeClusterMode::WcWidth,
        }
    }
}

/// The columns of a cluster.
pub(super) fn columns_of(cluster: &str, joins: Joins) -> usize {
    usize::from(joins.mode().width(cluster))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(set: &[(&str, &str)]) -> Joins {
        Joins::guess(|name| {
            set.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn terminals_that_join_emoji_are_known_by_name() {
        assert_eq!(guess(&[("TERM", "screen-256color"), ("TMUX", "/tmp/tmux-0/default,1,0")]), Joins::All);
        assert_eq!(guess(&[("TERM", "tmux-256color")]), Joins::All);
        assert_eq!(guess(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")]), Joins::All);
        assert_eq!(guess(&[("TERM", "xterm-kitty")]), Joins::Marks);
        assert_eq!(guess(&[("TERM", "xterm-256color")]), Joins::None);
        assert_eq!(guess(&[]), Joins::None);
    }

    #[test]
    fn a_family_takes_two_columns_or_those_of_its_members() {
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}";
        assert_eq!([Joins::All, Joins::Marks, Joins::None].map(|joins| columns_of(family, joins)), [2, 6, 6]);
        assert_eq!([Joins::All, Joins::None].map(|joins| columns_of("❤\u{fe0f}", joins)), [2, 1]);
    }
}
