//! News in packets other than messages: that a client is in or out, and why.

use memchr::memmem;

/// The news in the packets of one read.
#[derive(Debug, Default)]
pub struct News {
    pub welcome: bool,
    pub slow: bool,
    pub bye: bool,
    pub errors: u64,
    pub complaint: Option<String>,
}

impl News {
    /// Whether it is a welcome.
    pub fn take(&mut self, line: &[u8]) -> bool {
        let is = |word: &[u8]| memmem::find(line, word).is_some();
        let is_welcome = is(b"\"type\":\"welcome\"");
        self.welcome |= is_welcome;
        self.bye |= is(b"\"type\":\"bye\"");
        if is(b"\"type\":\"error\"") {
            self.errors += 1;
            self.slow |= is(b"\"slow_consumer\"");
            self.complaint.get_or_insert_with(|| String::from_utf8_lossy(line).into_owned());
        }
        is_welcome
    }
}
