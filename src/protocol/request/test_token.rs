//! What marks the packets of a test of multicast.

use serde::Serialize;

/// 16 hexadecimal digits in lower case, chosen by the client for one test: long enough that two tests do
/// not take each other's packets for their own, and of a form that says nothing to anybody who hears it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct TestToken(String);

impl TestToken {
    /// Digits of a token.
    const DIGITS: usize = 16;

    /// The token of that number.
    pub fn new(number: u64) -> Self {
        Self(format!("{number:016x}"))
    }

    /// Reads one; `None`: the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == Self::DIGITS && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// The digits.
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
