//! Entry points for the fuzzer.

use super::web::parse_head;
use super::websocket::{FrameReader, WebPurpose};

/// The path, host and origin of a request, and its length; `Ok(None)`: it is not complete.
pub(crate) fn http_head(bytes: &[u8]) -> Result<Option<([String; 3], usize)>, ()> {
    let head = parse_head(bytes).map_err(drop)?;
    Ok(head.map(|head| ([head.path, head.host, head.origin.unwrap_or_default()], head.length)))
}

/// The content of a browser's frames, the last pong, and whether the browser closes.
type FoundInFrames = (Vec<u8>, Option<Vec<u8>>, bool);

/// Everything in a browser's frames, which come in these pieces.
///
/// # Errors
/// The close code.
pub(crate) fn frames(is_file: bool, pieces: &[&[u8]]) -> Result<FoundInFrames, String> {
    let purpose = if is_file { WebPurpose::File } else { WebPurpose::Chat };
    let mut reader = FrameReader::new(purpose);
    let (mut out, mut pong, mut is_closed) = (Vec::new(), None, false);
    for piece in pieces {
        if !is_closed {
            let found = reader.read(piece, &mut out).map_err(|code| code.to_string())?;
            (pong, is_closed) = (found.pong.or(pong), found.is_closed);
        }
    }
    Ok((out, pong, is_closed))
}
