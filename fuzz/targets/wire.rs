//! Bytes from the network: frames, packets, and what discovery hears.

use super::input::Input;
use crate::limits::{MAX_ANNOUNCED_NAME_BYTES, MAX_FRAME_BYTES, MAX_SERVER_ADDRS, MAX_SERVERS};
use crate::protocol::codec::{Decoded, Decoder};
use crate::protocol::command::{self, Place};
use crate::protocol::record::{FileRecord, RecordPart, RecordReader};
use crate::protocol::request::ClientPacket;
use crate::protocol::{Event, Request, ServerPacket, Target};
use std::ops::ControlFlow;

/// A line as a server's and as a client's packet.
pub(super) fn packet(bytes: &[u8]) {
    if let Ok(packet) = ClientPacket::parse(bytes) {
        check_request(&packet);
    }
    if let Ok(packet) = ServerPacket::parse(bytes) {
        let event = Event::from_packet(packet);
        let written = event.to_packet("somebody", None).to_frame();
        let read = ServerPacket::parse(&written).expect("what was written can be read");
        if !matches!(event, Event::Unknown { .. }) {
            assert_eq!(Event::from_packet(read), event, "an event changes on the wire");
        }
    }
    let text = String::from_utf8_lossy(bytes);
    for place in [Place::Wire, Place::Prompt, Place::Console] {
        let _ = command::read_line(&text, place);
    }
    assert_eq!(Target::parse(&Target::parse(&text).to_string()), Target::parse(&text));
}

/// A request is what it was after it was sent on.
fn check_request(packet: &ClientPacket) {
    match Request::from_packet(packet) {
        Ok(request) => {
            let frame = request.to_frame(packet.id.as_deref());
            let again = ClientPacket::parse(&frame).expect("what was written can be read");
            assert_eq!(Request::from_packet(&again), Ok(request), "a request changes on the wire");
        }
        Err(refusal) => assert!(!refusal.msg.is_empty()),
    }
}

/// Bytes cut anywhere: the same is found as in one piece, and little is held.
pub(super) fn framing(bytes: &[u8]) {
    let mut input = Input::new(bytes);
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
    let whole = decode(&[stream]);
    assert_eq!(decode(&pieces), whole, "the splits {sizes:?} change what is found");
    // Longer than a frame may be, made of what is there.
    if !stream.is_empty() && stream.len() > MAX_FRAME_BYTES / 64 {
        let long: Vec<&[u8]> = std::iter::repeat_n(stream, 70).collect();
        decode(&long);
    }
}

/// Decodes these chunks.
fn decode(chunks: &[&[u8]]) -> Vec<(u8, Vec<u8>)> {
    let mut decoder = Decoder::default();
    let mut found = Vec::new();
    for chunk in chunks {
        let flow = decoder.decode(chunk, |decoded| {
            found.push(match decoded {
                Decoded::Frame(frame) => {
                    assert!(frame.len() <= MAX_FRAME_BYTES && !frame.contains(&b'\n'));
                    assert!(frame.starts_with(b"{"), "a frame that is no object");
                    (b'f', frame.to_vec())
                }
                Decoded::Garbage => (b'g', Vec::new()),
                Decoded::TooLong => (b'l', Vec::new()),
            });
            ControlFlow::Continue(())
        });
        if flow.is_break() {
            break;
        }
        assert!(decoder.held() <= 2 * MAX_FRAME_BYTES, "{} bytes are held", decoder.held());
    }
    found
}

/// A packet of mDNS.
pub(super) fn mdns(bytes: &[u8]) {
    let found = crate::discovery::fuzzing::answer(bytes);
    assert!(found.len() <= MAX_SERVERS);
    for server in found {
        assert!(server.name.len() <= MAX_ANNOUNCED_NAME_BYTES && server.addrs.len() <= MAX_SERVER_ADDRS);
        assert!(!server.addrs.is_empty() && server.addrs.iter().all(|addr| addr.port() != 0));
        let told = server.txt.iter().flat_map(|(key, value)| [key, value]);
        for text in told.chain([&server.name, &server.instance]) {
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
    assert!(!crate::discovery::fuzzing::is_of_a_test(bytes), "no test has that name");
    let name = String::from_utf8_lossy(bytes);
    crate::discovery::fuzzing::instance(&name);
    crate::discovery::fuzzing::instance(&format!("{name}.{}", crate::discovery::SERVICE));
}

/// A transfer's stream in pieces, and whole: the same records, and each is what it was when written again.
pub(super) fn file_records(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let size = 1 + usize::from(input.byte());
    let stream = input.bytes(usize::MAX);
    let (whole, in_pieces) = (records(stream, stream.len().max(1)), records(stream, size));
    assert_eq!(whole, in_pieces, "the pieces make a difference");
}

/// The records, written again, and the data; up to the first fault.
fn records(stream: &[u8], size: usize) -> (Vec<Vec<u8>>, Vec<u8>, bool) {
    let (mut reader, mut records, mut data) = (RecordReader::default(), Vec::new(), Vec::new());
    for mut piece in stream.chunks(size) {
        while !piece.is_empty() {
            let Ok((taken, part)) = reader.read(piece) else { return (records, data, true) };
            match part {
                Some(RecordPart::Data(bytes)) => data.extend_from_slice(&piece[taken - bytes..taken]),
                Some(RecordPart::Whole(kind)) => {
                    let Ok(record) = FileRecord::read(kind, reader.content()) else {
                        return (records, data, true);
                    };
                    let written = record.to_bytes();
                    assert_eq!(
                        FileRecord::read(kind, &written[5..]),
                        Ok(record),
                        "a record changes when written"
                    );
                    records.push(written);
                }
                None => assert_eq!(taken, piece.len(), "bytes are left over"),
            }
            piece = &piece[taken..];
        }
    }
    (records, data, false)
}
