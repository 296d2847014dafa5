//! QR codes for a terminal.

use anstyle::{AnsiColor, Style};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

/// A code in half blocks, black on white in any terminal, with the margin that scanners need; `None`: the text is too
/// long.
pub(super) fn qr_code(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?.render::<Dense1x2>().build();
    let style =
        Style::new().fg_color(Some(AnsiColor::Black.into())).bg_color(Some(AnsiColor::BrightWhite.into()));
    Some(code.lines().map(|line| format!("{style}{line}{style:#}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_with_a_ticket_fits_a_terminal() {
        let ticket = "0123456789abcdef0123456789abcdef";
        let code = qr_code(&format!("https://office-of-the-team-3f9a1c77.local:7667/#t={ticket}")).unwrap();
        let plain = anstream::adapter::strip_str(&code).to_string();
        assert!(plain.lines().count() < 24, "{plain}");
        assert!(plain.lines().all(|line| line.chars().count() <= 60), "{plain}");
        assert_eq!(qr_code(&"x".repeat(5000)), None);
    }
}
