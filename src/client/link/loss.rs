//! Why a connection broke, in words for people. Libraries and systems put addresses of web pages, numbers and names
//! of their own into their errors.

use crate::text::without_number;
use std::io;

/// The reason, for the middle of a line.
pub(crate) fn reason(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let words = match error.kind() {
        Kind::UnexpectedEof | Kind::BrokenPipe | Kind::WriteZero | Kind::NotConnected => {
            "closed by the other side"
        }
        Kind::ConnectionReset | Kind::ConnectionAborted => "reset by the other side",
        Kind::TimedOut => "no answer in time",
        Kind::NetworkDown | Kind::NetworkUnreachable | Kind::HostUnreachable => "the network is down",
        // Bytes that do not decrypt, or a refusal in the middle of the encrypted stream.
        Kind::InvalidData => "its encryption failed",
        _ => return without_number(error),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_library_and_no_number_shows_through() {
        let eof = io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "peer closed connection without sending TLS close_notify: https://example.com",
        );
        assert_eq!(reason(&eof), "closed by the other side");
        let alert = io::Error::new(io::ErrorKind::InvalidData, "received fatal alert: CertificateUnknown");
        assert_eq!(reason(&alert), "its encryption failed");
        assert_eq!(reason(&io::ErrorKind::ConnectionReset.into()), "reset by the other side");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_systems_other_words_come_without_their_number() {
        for number in [1, 13, 104, 110, 101, 24] {
            let text = reason(&io::Error::from_raw_os_error(number));
            assert!(!text.contains("os error") && !text.is_empty(), "{text}");
        }
    }
}
