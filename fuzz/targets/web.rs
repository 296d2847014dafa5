//! Bytes from browsers: heads of requests, and frames of WebSocket.

use super::input::Input;
use crate::limits::{MAX_CONTROL_BYTES, WEB_HEAD_BYTES};
use crate::server::fuzzing;

/// A head is read at its last byte and not before, and nothing in it can end a line of an answer.
pub(super) fn http_head(bytes: &[u8]) {
    let Ok(Some((parts, length))) = fuzzing::http_head(bytes) else { return };
    assert!(length <= bytes.len() && length <= WEB_HEAD_BYTES);
    assert!(parts[0].starts_with('/'));
    assert!(parts.iter().all(|part| !part.contains(['\r', '\n', '\0'])), "{parts:?}");
    assert_eq!(fuzzing::http_head(&bytes[..length]), Ok(Some((parts, length))));
    assert_eq!(fuzzing::http_head(&bytes[..length - 1]), Ok(None));
}

/// Bytes cut anywhere: the same is found as in one piece, and no more than came.
pub(super) fn ws_frames(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let is_file = input.byte() % 2 == 1;
    let sizes = [input.byte(), input.byte(), input.byte()].map(|size| usize::from(size) + 1);
    let stream = input.rest();
    let mut pieces = Vec::new();
    let mut rest = Input::new(stream);
    for size in sizes.into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        pieces.push(rest.bytes(size));
    }
    let whole = fuzzing::frames(is_file, &[stream]);
    assert_eq!(fuzzing::frames(is_file, &pieces), whole, "the splits {sizes:?} change what is found");
    let Ok((content, pong, _)) = whole else { return };
    assert!(content.len() <= stream.len());
    assert!(pong.is_none_or(|pong| pong.len() <= 2 + MAX_CONTROL_BYTES));
}
