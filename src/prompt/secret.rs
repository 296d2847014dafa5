//! Asks for a passphrase without showing it.

use std::io;

use zeroize::Zeroizing;

/// Longest answer, in bytes; further keys are ignored.
const MAX_BYTES: usize = 1024;

/// Asks on standard error and reads one line from the terminal without showing it; `None` if the user pressed
/// Ctrl-C, or Ctrl-D on an empty line. Blocks. Call it only while no prompt is open.
///
/// # Errors
/// If standard input is not a terminal, or cannot be read.
pub fn ask_secret(question: &str) -> io::Result<Option<Zeroizing<String>>> {
    use io::Write as _;
    // Before the question, as the user may type as soon as it appears.
    let _mode = super::terminal_mode::TerminalMode::set();
    super::forget_typed();
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let typed = read_hidden();
    writeln!(stderr)?;
    Ok(typed?.map(|bytes| Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())))
}

/// Reads keys one by one, including Ctrl-C, so that the terminal's mode is always restored.
fn read_hidden() -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    use io::Read as _;
    let mut stdin = io::stdin().lock();
    let mut line = HiddenLine::default();
    let mut key = [0];
    let end = loop {
        match stdin.read(&mut key) {
            Ok(0) => break Ok(false),
            Ok(_) => {
                if let Some(is_entered) = line.press(key[0]) {
                    break Ok(is_entered);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    end.map(|is_entered| is_entered.then_some(line.0))
}

/// The hidden line so far. It never grows beyond its first allocation, so wiping that wipes everything.
struct HiddenLine(Zeroizing<Vec<u8>>);

impl Default for HiddenLine {
    fn default() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(MAX_BYTES)))
    }
}

impl HiddenLine {
    /// Handles a key; returns whether the line was entered or cancelled, once it is complete.
    fn press(&mut self, key: u8) -> Option<bool> {
        match key {
            b'\r' | b'\n' => return Some(true),
            // Ctrl-C, and Ctrl-D on an empty line.
            0x03 => return Some(false),
            0x04 if self.0.is_empty() => return Some(false),
            // Backspace, as terminals send it: removes the last character with all its bytes.
            0x08 | 0x7f => while self.0.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // Ctrl-U.
            0x15 => self.0.clear(),
            key if key < 0x20 => {}
            key if self.0.len() < MAX_BYTES => self.0.push(key),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Option<String> {
        let mut line = HiddenLine::default();
        let end = keys.iter().find_map(|key| line.press(*key)).expect("an end");
        end.then(|| String::from_utf8(line.0.to_vec()).unwrap())
    }

    #[test]
    fn keys_that_edit_the_line_are_not_part_of_it() {
        assert_eq!(typed(b"abc\x7f\x7fx\r").as_deref(), Some("ax"));
        assert_eq!(typed("aü\x08b\n".as_bytes()).as_deref(), Some("ab"));
        assert_eq!(typed(b"wrong\x15\x7fright\x1b\r").as_deref(), Some("right"));
        assert_eq!(typed(b"\r").as_deref(), Some(""));
    }

    #[test]
    fn a_line_can_be_cancelled_and_is_bounded() {
        assert_eq!(typed(b"abc\x03"), None);
        assert_eq!(typed(b"\x04"), None);
        assert_eq!(typed(b"a\x04\r").as_deref(), Some("a"));
        let long = [vec![b'x'; 5000], vec![b'\r']].concat();
        assert_eq!(typed(&long).map(|line| line.len()), Some(MAX_BYTES));
    }
}
