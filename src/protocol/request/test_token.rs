//! Marks the packets of a multicast test.

use serde::{Deserialize, Serialize};

/// 16 lower-case hexadecimal digits, chosen by the client for one test: long enough that two tests do not
/// confuse their packets, and meaningless to anyone else who hears it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TestToken(String);

impl TestToken {
    const DIGITS: usize = 16;

    pub fn new(number: u64) -> Self {
        Self(format!("{number:016x}"))
    }

    /// `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == Self::DIGITS && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_its_digits_is_a_token() {
        assert_eq!(TestToken::parse(TestToken::new(0x3f9a).as_str()), Some(TestToken::new(0x3f9a)));
        for text in [
            "",
            "0123",
            "0123456789ABCDEF",
            "0123456789abcdefa",
            "../../etc/passwd",
            "0123456789abcde.",
            "é23456789abcdef",
        ] {
            assert_eq!(TestToken::parse(text), None, "{text}");
        }
    }
}
