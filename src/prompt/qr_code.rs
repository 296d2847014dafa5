//! Draws a QR code with half blocks: a character is two modules, one above the other.

use super::terminal_mode::screen_size;
use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the code, on each side (ISO/IEC 18004 9.1).
const QUIET_MODULES: usize = 4;

/// Rows to leave for the text around the code.
const OTHER_ROWS: usize = 4;

/// White on black, so that the code looks the same on light terminals: many readers need dark on light.
const WHITE_ON_BLACK: &str = "\x1b[38;5;231;48;5;16m";
const NORMAL: &str = "\x1b[0m";

/// The lines of a QR code that fits this window; `None`: it does not, or there is no window.
pub fn qr_code_here(text: &str, color: bool) -> Option<Vec<String>> {
    let lines = qr_code(text)?;
    let (rows, columns) = screen_size()?;
    let fits = lines.len() + OTHER_ROWS <= rows && lines.first()?.chars().count() < columns;
    fits.then(|| lines.into_iter().map(|line| if color { painted(&line) } else { line }).collect())
}

/// The lines of a QR code: light modules are blocks, dark ones are blank. `None`: the text is too long.
pub fn qr_code(text: &str) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let width = code.width();
    let is_light = |x: usize, y: usize| {
        let inner = |at: usize| at.checked_sub(QUIET_MODULES).filter(|at| *at < width);
        let (Some(x), Some(y)) = (inner(x), inner(y)) else { return true };
        code[(x, y)] == Color::Light
    };
    let whole = width + 2 * QUIET_MODULES;
    let character = |x: usize, y: usize| match (is_light(x, y), is_light(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    Some((0..whole).step_by(2).map(|y| (0..whole).map(|x| character(x, y)).collect()).collect())
}

fn painted(line: &str) -> String {
    format!("{WHITE_ON_BLACK}{line}{NORMAL}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_with_a_ticket_fits_a_usual_window_with_its_quiet_zone() {
        let link = "https://office-3f9a1c77.local:7667/#t=0123456789abcdef0123456789abcdef";
        let lines = qr_code(link).unwrap();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
        assert!(width < 80 && lines.len() + OTHER_ROWS <= 25, "{width} x {}", lines.len());
        assert!(lines[..2].iter().all(|line| line.chars().all(|character| character == '█')));
        assert!(lines.iter().all(|line| line.starts_with("████") && line.ends_with("████")));
        assert_eq!(qr_code(&"x".repeat(4000)), None);
    }
}
