//! Frames against those of another program, the library `tungstenite`, and against RFC 6455.

use super::*;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// A frame as a client sends it.
fn frame(code: OpCode, content: &[u8], is_last: bool) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let header = FrameHeader { is_final: is_last, opcode: code, mask: Some(mask), ..FrameHeader::default() };
    let mut bytes = Vec::new();
    header.format(content.len() as u64, &mut bytes).expect("a header");
    bytes.extend(content.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn text(content: &str) -> Vec<u8> {
    frame(OpCode::Data(Data::Text), content.as_bytes(), true)
}

fn binary(content: &[u8]) -> Vec<u8> {
    frame(OpCode::Data(Data::Binary), content, true)
}

fn more(content: &[u8], is_last: bool) -> Vec<u8> {
    frame(OpCode::Data(Data::Continue), content, is_last)
}

fn control(code: Control, content: &[u8]) -> Vec<u8> {
    frame(OpCode::Control(code), content, true)
}

/// Everything that a reader finds in bytes that come in pieces of that length.
fn read(
    purpose: WebPurpose,
    bytes: &[u8],
    piece: usize,
) -> Result<(String, Option<Vec<u8>>, bool), CloseCode> {
    let mut reader = FrameReader::new(purpose);
    let (mut out, mut pong, mut is_closed) = (Vec::new(), None, false);
    for piece in bytes.chunks(piece) {
        if !is_closed {
            let found = reader.read(piece, &mut out)?;
            (pong, is_closed) = (found.pong.or(pong), found.is_closed);
        }
    }
    Ok((String::from_utf8_lossy(&out).into_owned(), pong, is_closed))
}

fn chat(bytes: &[u8]) -> Result<String, CloseCode> {
    let whole = read(WebPurpose::Chat, bytes, 1 << 20).map(|(text, ..)| text);
    for piece in [1, 2, 3, 7, 1000] {
        assert_eq!(read(WebPurpose::Chat, bytes, piece).map(|(text, ..)| text), whole, "{piece}");
    }
    whole
}

#[test]
fn each_message_ends_with_a_line_feed() {
    assert_eq!(chat(&text("one")).unwrap(), "one\n");
    assert_eq!(chat(&text("one\n")).unwrap(), "one\n");
    assert_eq!(chat(&text("one\ntwo")).unwrap(), "one\ntwo\n");
    assert_eq!(chat(&text("")).unwrap(), "");
    assert_eq!(chat(&[text("one"), text("two\n"), text("three")].concat()).unwrap(), "one\ntwo\nthree\n");
}

#[test]
fn all_lengths_are_read_and_written() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 65_537] {
        let content = "x".repeat(length);
        let expected = if length == 0 { String::new() } else { format!("{content}\n") };
        assert_eq!(read(WebPurpose::Chat, &text(&content), 4096).unwrap().0, expected, "{length}");
        let sent = message(WebContent::Lines, content.as_bytes());
        let mut bytes = std::io::Cursor::new(&sent);
        let (header, said) = FrameHeader::parse(&mut bytes).unwrap().unwrap();
        assert_eq!((said, header.is_final, header.mask), (length as u64, true, None));
        assert_eq!(header.opcode, OpCode::Data(Data::Text));
        let header_bytes = usize::try_from(bytes.position()).unwrap();
        assert_eq!(sent.len() - header_bytes, length);
        assert!(header_bytes <= HEADROOM);
        let mut headroom = [0; HEADROOM];
        let used = put_header(WebContent::Bytes, length, &mut headroom);
        assert_eq!(used, header_bytes, "{length}");
    }
}

#[test]
fn a_message_in_fragments_is_one_and_control_frames_may_be_between() {
    let parts = [
        frame(OpCode::Data(Data::Text), b"{\"msg\":\"h", false),
        control(Control::Ping, b"are you there"),
        more(b"el", false),
        control(Control::Pong, b""),
        more(b"", false),
        more(b"lo\"}", true),
        text("next"),
    ]
    .concat();
    assert_eq!(chat(&parts).unwrap(), "{\"msg\":\"hello\"}\nnext\n");
    let (_, pong, _) = read(WebPurpose::Chat, &parts, 3).unwrap();
    let expected = [&[0x8a, 13], b"are you there".as_slice()].concat();
    assert_eq!(pong, Some(expected), "not masked");
}

#[test]
fn characters_may_be_cut_anywhere_but_must_be_characters() {
    let smile = "a😀é\u{10ffff}z";
    for cut in 0..=smile.len() {
        let (one, other) = smile.as_bytes().split_at(cut);
        let parts = [frame(OpCode::Data(Data::Text), one, false), more(other, true)].concat();
        assert_eq!(chat(&parts).unwrap(), format!("{smile}\n"), "{cut}");
    }
    for bad in
        [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\xf0\x9f\x98", b"\xe2\x82"]
    {
        let bytes = [text("good"), frame(OpCode::Data(Data::Text), bad, true)].concat();
        assert_eq!(chat(&bytes), Err(CloseCode::NOT_TEXT), "{bad:?}");
        let (one, other) = bad.split_at(1);
        let parts = [frame(OpCode::Data(Data::Text), one, false), more(other, true)].concat();
        assert_eq!(chat(&parts), Err(CloseCode::NOT_TEXT), "{bad:?}");
    }
}

#[test]
fn what_breaks_the_protocol_ends_the_connection() {
    let masked = text("x");
    let changed = |at: usize, to: u8| {
        let mut bytes = masked.clone();
        bytes[at] = to;
        bytes
    };
    let unmasked = message(WebContent::Lines, b"x");
    let mut huge = vec![0x81, 0xff];
    huge.extend([0xff; 8]);
    huge.extend([0; 4]);
    for (what, bytes) in [
        ("no mask", unmasked),
        ("a reserved bit", changed(0, 0xc1)),
        ("another reserved bit", changed(0, 0x91)),
        ("a reserved kind", changed(0, 0x83)),
        ("a reserved control frame", changed(0, 0x8b)),
        ("a control frame in parts", changed(0, 0x09)),
        ("a long control frame", frame(OpCode::Control(Control::Ping), &[b'x'; 126], true)),
        ("a part of nothing", more(b"x", true)),
        ("a message in a message", [frame(OpCode::Data(Data::Text), b"x", false), text("y")].concat()),
        ("more than 63 bits", huge),
        ("half a code", control(Control::Close, b"\x03")),
        ("a code that nobody sends", control(Control::Close, &1005_u16.to_be_bytes())),
        ("a code of nobody", control(Control::Close, &2999_u16.to_be_bytes())),
    ] {
        assert_eq!(chat(&bytes), Err(CloseCode::PROTOCOL), "{what}");
    }
    assert_eq!(chat(&control(Control::Close, b"\x03\xe8\xff")), Err(CloseCode::NOT_TEXT));
    assert_eq!(chat(&binary(b"x")), Err(CloseCode::WRONG_KIND));
}

#[test]
fn nothing_counts_after_a_close() {
    for content in [&b""[..], &1000_u16.to_be_bytes(), b"\x03\xe9bye", &4999_u16.to_be_bytes()] {
        let bytes = [text("last"), control(Control::Close, content), text("late")].concat();
        let (text, _, is_closed) = read(WebPurpose::Chat, &bytes, 5).unwrap();
        assert_eq!((text.as_str(), is_closed), ("last\n", true));
    }
}

#[test]
fn a_file_is_lines_and_then_bytes() {
    let bytes =
        [text("{}"), text("{\"token\":\"x\"}"), binary(b"\x00\xff"), binary(b""), binary(b"end")].concat();
    let mut reader = FrameReader::new(WebPurpose::File);
    let mut out = Vec::new();
    reader.read(&bytes, &mut out).unwrap();
    assert_eq!(out, b"{}\n{\"token\":\"x\"}\n\x00\xffend");
    assert_eq!(reader.read(&text("late"), &mut out), Err(CloseCode::WRONG_KIND));
    // Only who it is, or nothing at all, was said before.
    for early in [vec![], text("{}"), text("{}\n")] {
        let bytes = [early, binary(b"x")].concat();
        assert_eq!(FrameReader::new(WebPurpose::File).read(&bytes, &mut out), Err(CloseCode::WRONG_KIND));
    }
    let at_once = [text("{}\n{}"), binary(b"x")].concat();
    assert!(FrameReader::new(WebPurpose::File).read(&at_once, &mut out).is_ok());
}

#[test]
fn a_reader_knows_whether_something_is_unfinished() {
    let bytes = [frame(OpCode::Data(Data::Text), b"ab", false), more(b"c", true)].concat();
    let mut reader = FrameReader::new(WebPurpose::Chat);
    assert!(!reader.is_unfinished());
    for (n, byte) in (1..).zip(&bytes) {
        reader.read(&[*byte], &mut Vec::new()).unwrap();
        assert_eq!(reader.is_unfinished(), n < bytes.len(), "{n}");
    }
}

#[test]
fn the_code_fits_the_last_packet() {
    for (lines, code) in [
        ("{\"type\":\"bye\",\"code\":\"quit\"}\n", CloseCode::NORMAL),
        ("{\"type\":\"bye\",\"code\":\"shutting_down\"}\n", CloseCode::GOING_AWAY),
        ("{\"type\":\"error\",\"code\":\"bad_proof\"}\n", CloseCode::REFUSED),
        ("{\"type\":\"error\",\"code\":\"too_long\"}\n", CloseCode::TOO_LONG),
        ("{\"type\":\"error\",\"code\":\"x\"}\n{\"type\":\"chat\"}\n", CloseCode::NORMAL),
        ("{\"type\":\"chat\",\"msg\":\"\\\"type\\\":\\\"error\\\"\"}\n", CloseCode::NORMAL),
        ("", CloseCode::NORMAL),
    ] {
        assert_eq!(CloseCode::after(lines.as_bytes()), code, "{lines}");
    }
}
