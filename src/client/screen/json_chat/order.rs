//! A program's line: one packet, as PROTOCOL.md describes those of clients. It knows no connection.

use crate::protocol::request::{Act, ClientPacket, Connect, Refusal};
use crate::protocol::{Code, Request};

/// The request in a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) request: Request,
    /// The program's own token.
    pub(super) id: Option<String>,
}

/// The reason for which a line has no request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadLine {
    pub(super) refusal: Refusal,
    /// The line's `id`, if it can be read.
    pub(super) id: Option<String>,
}

/// For packets that only lanchat itself may send, as part of a connection that it makes.
const NOT_YOURS: &str = "lanchat sends that type by itself; use another one";

/// For packets that need a connection for the file as well.
const FILES: &str = "lanchat --json passes no files on; use `lanchat send --file` and `lanchat receive`";

/// Reads a line that is not blank.
pub(super) fn read(line: &str) -> Result<Order, BadLine> {
    let frame = line.as_bytes();
    let bad = |refusal, id| BadLine { refusal, id };
    let packet = ClientPacket::parse(frame)
        .map_err(|error| bad(Refusal::new(Code::BadPacket, no_packet(&error)), ClientPacket::id_in(frame)))?;
    let id = packet.echo();
    let request = Request::from_packet(&packet).map_err(|refusal| bad(refusal, id.clone()))?;
    match forbidden(&request) {
        Some(why) => Err(bad(Refusal::new(Code::NotAllowed, why), id)),
        None => Ok(Order { request, id }),
    }
}

fn no_packet(error: &serde_json::Error) -> String {
    // A program's line is the first one of its JSON.
    let why = error.to_string().replace(" at line 1 column ", " at byte ");
    format!(
        "the line is not a packet ({why}); write one JSON object a line, such as \
         {{\"to\":\"all\",\"msg\":\"hello\"}}"
    )
}

fn forbidden(request: &Request) -> Option<&'static str> {
    match request {
        Request::Connect(Connect::Ping) => None,
        Request::Connect(_) | Request::Act(Act::Received { .. }) => Some(NOT_YOURS),
        Request::Act(Act::Offer { .. } | Act::Accept { .. } | Act::Decline { .. } | Act::Cancel { .. }) => {
            Some(FILES)
        }
        Request::Act(_) | Request::Ask(_) | Request::Operate(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Target;

    #[test]
    fn a_line_is_a_packet_of_the_protocol() {
        let order = read(r#"{"to":"bob","msg":"hi","id":"7"}"#).unwrap();
        let chat = Act::Chat { to: Target::User("bob".into()), msg: "hi".into(), action: false, reply: None };
        assert_eq!(order, Order { request: Request::Act(chat), id: Some("7".into()) });
    }

    #[test]
    fn a_bad_line_says_what_is_wrong_and_keeps_its_id() {
        let bad = |line: &str| {
            let BadLine { refusal, id } = read(line).unwrap_err();
            (refusal.code, refusal.msg, id)
        };
        let (code, msg, id) = bad("hello");
        assert_eq!((code, id), (Code::BadPacket, None));
        assert!(msg.contains("at byte 1") && msg.contains("one JSON object a line"), "{msg}");
        let (code, _, id) = bad(r#"{"id":"7","to":9}"#);
        assert_eq!((code, id.as_deref()), (Code::BadPacket, Some("7")));
        let (code, msg, id) = bad(r#"{"id":"8","msg":"hi"}"#);
        assert_eq!((code, id.as_deref()), (Code::BadPacket, Some("8")));
        assert!(msg.contains("\"to\" is missing"), "{msg}");
        for (line, remedy) in [
            (r#"{"type":"hello","from":{"name":"a"},"id":"9"}"#, "by itself"),
            (r#"{"type":"accept","offer":1,"id":"9"}"#, "lanchat receive"),
        ] {
            let (code, msg, id) = bad(line);
            assert_eq!((code, id.as_deref()), (Code::NotAllowed, Some("9")));
            assert!(msg.contains(remedy), "{msg}");
        }
    }
}
