//! Bytes in a packet: base64url without padding (RFC 4648 5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub fn to_text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn from_text(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_back_and_other_alphabets_and_padding_are_refused() {
        assert_eq!((to_text(&[0xfb, 0xff]).as_str(), from_text("-_8")), ("-_8", Some(vec![0xfb, 0xff])));
        assert_eq!([from_text("+/8"), from_text("-_8="), from_text("-_9")], [None, None, None]);
    }
}
