//! Colours that can be read on dark and on light backgrounds.
//!
//! Of the sixteen that a terminal names, half are too pale on white or too dark on black, so they are used only
//! where there are no others.

use anstyle::{Ansi256Color, AnsiColor, Color, Style};

/// The colours that a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Palette {
    Eight,
    /// 256.
    Many,
}

/// Names on a terminal with few colours; not red, which is for alerts.
const FEW: [Color; 8] = [
    Color::Ansi(AnsiColor::Green),
    Color::Ansi(AnsiColor::Yellow),
    Color::Ansi(AnsiColor::Blue),
    Color::Ansi(AnsiColor::Magenta),
    Color::Ansi(AnsiColor::Cyan),
    Color::Ansi(AnsiColor::BrightGreen),
    Color::Ansi(AnsiColor::BrightBlue),
    Color::Ansi(AnsiColor::BrightMagenta),
];

/// Names: a contrast of at least 4.1 to black and to white. Neighbours differ, since people who join one after
/// the other often get neighbours.
const NAMES: [Color; 12] = [
    many(28),
    many(62),
    many(130),
    many(162),
    many(31),
    many(97),
    many(64),
    many(129),
    many(131),
    many(30),
    many(99),
    many(133),
];

/// Direct messages, the prompt, and the prompt without a connection.
const DIRECT: Color = many(164);
const ACCENT: Color = many(31);
const WARNING: Color = many(130);

/// Terminals that have 256 colours, though neither variable says so over SSH.
const KNOWN: [&str; 6] = ["alacritty", "foot", "ghostty", "kitty", "wezterm", "direct"];

const fn many(index: u8) -> Color {
    Color::Ansi256(Ansi256Color(index))
}

impl Palette {
    /// The colours of the terminal that `TERM` and `COLORTERM` describe.
    pub(super) fn of_terminal() -> Self {
        let variable = |name| std::env::var(name).unwrap_or_default();
        Self::of(&variable("TERM"), &variable("COLORTERM"))
    }

    fn of(term: &str, colorterm: &str) -> Self {
        let has_many = term.contains("256")
            || KNOWN.iter().any(|known| term.contains(known))
            || matches!(colorterm, "truecolor" | "24bit")
            || colorterm.contains("256");
        if has_many { Self::Many } else { Self::Eight }
    }

    pub(super) fn names(self) -> &'static [Color] {
        match self {
            Self::Eight => &FEW,
            Self::Many => &NAMES,
        }
    }

    pub(super) fn direct(self) -> Style {
        self.style(AnsiColor::Magenta, DIRECT)
    }

    pub(super) fn accent(self) -> Style {
        self.style(AnsiColor::Cyan, ACCENT)
    }

    pub(super) fn warning(self) -> Style {
        self.style(AnsiColor::Yellow, WARNING)
    }

    fn style(self, few: AnsiColor, many: Color) -> Style {
        let color = if self == Self::Many { many } else { few.into() };
        Style::new().fg_color(Some(color))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of a colour of the 6x6x6 cube (WCAG 2).
    fn luminance(color: Color) -> f64 {
        let Color::Ansi256(Ansi256Color(index @ 16..=231)) = color else { panic!("{color:?}") };
        let level = |step: u8| f64::from(if step == 0 { 0 } else { 55 + 40 * step }) / 255.0;
        let linear = |c: f64| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        let part = |divisor: u8| linear(level((index - 16) / divisor % 6));
        0.2126 * part(36) + 0.7152 * part(6) + 0.0722 * part(1)
    }

    #[test]
    fn every_colour_has_contrast_on_black_and_on_white_and_stands_once() {
        for color in NAMES.into_iter().chain([DIRECT, ACCENT, WARNING]) {
            let light = luminance(color);
            let (on_black, on_white) = ((light + 0.05) / 0.05, 1.05 / (light + 0.05));
            assert!(on_black >= 4.1 && on_white >= 4.1, "{color:?}: {on_black:.2} {on_white:.2}");
        }
        for (place, color) in NAMES.iter().enumerate() {
            assert!(!NAMES[place + 1..].contains(color), "{color:?}");
        }
    }

    #[test]
    fn many_colours_are_used_where_the_terminal_says_so() {
        for (term, colorterm) in
            [("xterm-256color", ""), ("xterm", "truecolor"), ("xterm-kitty", ""), ("xterm-direct", "")]
        {
            assert_eq!(Palette::of(term, colorterm), Palette::Many, "{term} {colorterm}");
        }
        for term in ["xterm", "linux", "vt220", "screen", ""] {
            assert_eq!(Palette::of(term, ""), Palette::Eight, "{term}");
        }
    }
}
