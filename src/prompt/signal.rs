//! Signals to a person who is not looking: the bell, the window's title, and notifications of the desktop. They
//! are escapes that only a terminal may get, so only the printer of an open prompt sends them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;

/// The longest title or notification, in characters: terminals cut longer ones, some badly.
const MAX_CHARS: usize = 240;

pub(super) const BELL: &str = "\x07";

/// Keeps the present title (xterm's window operations 22), for [`RESTORE_TITLE`].
pub(super) const KEEP_TITLE: &str = "\x1b[22;2t";

/// Brings the kept title back. A terminal that does not keep titles gets an empty one, for which most show
/// their own.
pub(super) const RESTORE_TITLE: &str = "\x1b]2;\x07\x1b[23;2t";

/// Terminals without a window, which may show a title's text.
const WITHOUT_TITLE: [&str; 6] = ["linux", "vt", "ansi", "cons", "cygwin", "sun"];

/// Sets the window's title (OSC 2).
pub(super) fn title(text: &str) -> String {
    format!("\x1b]2;{}\x07", plain(text))
}

/// Copies a text to the clipboard (OSC 52). In base64 it cannot end the escape early.
pub(super) fn copy(text: &str) -> String {
    format!("\x1b]52;c;{}\x07", STANDARD.encode(text))
}

/// Whether the terminal has a title to set.
pub(super) fn has_title(term: &str) -> bool {
    !WITHOUT_TITLE.iter().any(|name| term.starts_with(name))
}

/// How the terminal takes notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotificationForms {
    /// iTerm2's, which most others have.
    osc_9: bool,
    /// rxvt's, also of VTE and foot.
    osc_777: bool,
    /// Whether tmux is in between, which passes on only what is wrapped.
    tmux: bool,
}

impl NotificationForms {
    /// The forms for this process's terminal; both if it is unknown.
    pub(super) fn of_terminal() -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        Self::of(
            &variable("TERM"),
            &variable("TERM_PROGRAM"),
            !variable("VTE_VERSION").is_empty(),
            !variable("TMUX").is_empty(),
        )
    }

    fn of(term: &str, program: &str, is_vte: bool, tmux: bool) -> Self {
        let osc_777 = is_vte || term.starts_with("rxvt") || term.starts_with("foot");
        let osc_9 = term.starts_with("xterm-kitty")
            || term.starts_with("xterm-ghostty")
            || ["iTerm.app", "WezTerm", "ghostty"].contains(&program);
        Self { osc_9: osc_9 || !osc_777, osc_777: osc_777 || !osc_9, tmux }
    }

    pub(super) fn notification(self, title: &str, text: &str) -> String {
        let (title, text) = (field(title), field(text));
        let mut escapes = String::new();
        if self.osc_9 {
            // A number at the start would be another command: 9;4 shows progress, ConEmu's 9;6 runs a macro.
            escapes += &self.wrapped(&format!("\x1b]9;lanchat: {title}: {text}\x07"));
        }
        if self.osc_777 {
            escapes += &self.wrapped(&format!("\x1b]777;notify;{title};{text}\x07"));
        }
        escapes
    }

    fn wrapped(self, escape: &str) -> String {
        match self.tmux {
            true => format!("\x1bPtmux;{}\x1b\\", escape.replace('\x1b', "\x1b\x1b")),
            false => escape.to_owned(),
        }
    }
}

/// The text without control characters, which could end the escape early, and not too long.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect()
}

/// The text as one field of an escape: without the semicolons that separate fields.
fn field(text: &str) -> String {
    let replaced = |c: char| match c {
        ';' => ',',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().map(replaced).take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_text_is_encoded() {
        assert_eq!(copy("a\x07\u{1F600}"), "\x1b]52;c;YQfwn5iA\x07");
    }

    #[test]
    fn no_text_ends_an_escape_early() {
        assert_eq!(title("(2) a\x07b\x1b]2;x\u{9c}"), "\x1b]2;(2) ab]2;x\x07");
        assert_eq!(title(&"x".repeat(999)).len(), MAX_CHARS + 5);
        let both = NotificationForms::of("xterm-256color", "", false, false);
        assert_eq!(
            both.notification("bob", "a;b\x07c"),
            "\x1b]9;lanchat: bob: a,b c\x07\x1b]777;notify;bob;a,b c\x07"
        );
    }

    #[test]
    fn no_name_gives_the_terminal_another_command() {
        let both = NotificationForms::of("xterm-256color", "", false, false);
        for name in ["4;1;50", "6;Shell(\"x\")", "777", "\x1b\\;4"] {
            let escapes = both.notification(name, "4;1");
            let parts: Vec<_> = escapes.split('\x07').collect();
            assert!(parts[0].starts_with("\x1b]9;lanchat: "), "{escapes:?}");
            assert_eq!(parts.iter().map(|part| part.matches(';').count()).collect::<Vec<_>>(), [1, 3, 0]);
            assert_eq!(escapes.matches('\x1b').count(), 2, "{escapes:?}");
        }
    }

    #[test]
    fn a_known_terminal_gets_the_one_form_that_it_has() {
        let form = |term, program, vte| {
            let forms = NotificationForms::of(term, program, vte, false);
            (forms.osc_9, forms.osc_777)
        };
        assert_eq!(form("xterm-kitty", "", false), (true, false));
        assert_eq!(form("xterm-256color", "WezTerm", false), (true, false));
        assert_eq!(form("xterm-256color", "", true), (false, true));
        assert_eq!(form("foot", "", false), (false, true));
        let wrapped = NotificationForms::of("tmux-256color", "iTerm.app", false, true).notification("b", "x");
        assert_eq!(wrapped, "\x1bPtmux;\x1b\x1b]9;lanchat: b: x\x07\x1b\\");
        assert!(has_title("xterm-256color") && !has_title("linux") && !has_title("vt100"));
    }
}
