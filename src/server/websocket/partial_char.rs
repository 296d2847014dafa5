//! Checks UTF-8 that comes in pieces, and keeps only the beginning of a character.

/// The bytes are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotText;

#[derive(Debug, Default)]
pub(super) struct PartialChar {
    bytes: [u8; 4],
    length: u8,
}

impl PartialChar {
    /// Whether a character has begun and not ended.
    pub(super) fn has_begun(&self) -> bool {
        self.length > 0
    }

    /// Checks that `text` continues UTF-8, and keeps the beginning of its last character.
    pub(super) fn check(&mut self, mut text: &[u8]) -> Result<(), NotText> {
        while self.length > 0 {
            let Some((next, rest)) = text.split_first() else { return Ok(()) };
            let have = usize::from(self.length);
            self.bytes[have] = *next;
            text = rest;
            match std::str::from_utf8(&self.bytes[..=have]) {
                Ok(_) => self.length = 0,
                // The longest character has 4 bytes, so a beginning has 3.
                Err(error) if error.error_len().is_none() => self.length += 1,
                Err(_) => return Err(NotText),
            }
        }
        let Err(error) = std::str::from_utf8(text) else { return Ok(()) };
        if error.error_len().is_some() {
            return Err(NotText);
        }
        let begun = &text[error.valid_up_to()..];
        self.bytes[..begun.len()].copy_from_slice(begun);
        self.length = u8::try_from(begun.len()).unwrap_or(0);
        Ok(())
    }
}
