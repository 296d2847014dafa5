//! The head of a browser's request (RFC 9112), in memory only.
//!
//! Knows GET and HEAD, which have no content: a body would never reach the chat, as a request that announces one ends
//! the connection.

use crate::limits::{WEB_HEAD_BYTES, WEB_HEADERS};
use crate::security::is_websocket_key;

/// The parts of a request that the server looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct RequestHead {
    /// Its length in bytes.
    pub(in crate::server) length: usize,
    /// Whether the client reads gzip format.
    pub(super) reads_gzip: bool,
    /// Whether only the head of the answer is wanted.
    pub(super) is_head: bool,
    /// Without its query.
    pub(in crate::server) path: String,
    /// Empty if absent.
    pub(in crate::server) host: String,
    pub(in crate::server) origin: Option<String>,
    /// Whether the client keeps the connection for other requests.
    pub(super) keeps: bool,
    pub(super) upgrade: Option<Upgrade>,
}

/// A wish to go on as a WebSocket (RFC 6455 4.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Upgrade {
    pub(super) key: String,
    pub(super) protocols: Vec<String>,
}

/// Why a request is refused before anything else is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum HeadFault {
    /// No request, or one that browsers do not send.
    Bad,
    TooLong,
    Method,
    /// A WebSocket of another version.
    Version,
}

/// Reads a head; `None`: it is not complete.
///
/// # Errors
/// The connection must end after the answer: where the next request begins is not known.
pub(in crate::server) fn parse_head(bytes: &[u8]) -> Result<Option<RequestHead>, HeadFault> {
    let mut headers = [httparse::EMPTY_HEADER; WEB_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= WEB_HEAD_BYTES => length,
        Ok(httparse::Status::Partial) if bytes.len() < WEB_HEAD_BYTES => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(HeadFault::TooLong),
        Err(_) => return Err(HeadFault::Bad),
    };
    let is_head = match request.method {
        Some("GET") => false,
        Some("HEAD") => true,
        _ => return Err(HeadFault::Method),
    };
    let path = request.path.filter(|path| path.starts_with('/')).ok_or(HeadFault::Bad)?;
    let headers = Headers(request.headers);
    if headers.has_content() {
        return Err(HeadFault::Bad);
    }
    let has = |name, token| headers.has_token(name, token);
    let upgrade = match has("connection", "upgrade") && has("upgrade", "websocket") {
        true => Some(upgrade(&headers)?),
        false => None,
    };
    Ok(Some(RequestHead {
        length,
        reads_gzip: headers.has_token("accept-encoding", "gzip"),
        is_head,
        path: path.split(['?', '#']).next().unwrap_or_default().to_owned(),
        host: headers.only("host")?.unwrap_or_default().to_owned(),
        origin: headers.only("origin")?.map(str::to_owned),
        keeps: request.version == Some(1) && !has("connection", "close"),
        upgrade,
    }))
}

fn upgrade(headers: &Headers<'_>) -> Result<Upgrade, HeadFault> {
    if headers.only("sec-websocket-version")? != Some("13") {
        return Err(HeadFault::Version);
    }
    let key = headers.only("sec-websocket-key")?.filter(|key| is_websocket_key(key)).ok_or(HeadFault::Bad)?;
    let protocols = headers.tokens("sec-websocket-protocol").map(str::to_owned).collect();
    Ok(Upgrade { key: key.to_owned(), protocols })
}

struct Headers<'a>(&'a [httparse::Header<'a>]);

impl<'a> Headers<'a> {
    fn values(&self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
    }

    /// The value of a header that may be there once.
    fn only(&self, name: &'a str) -> Result<Option<&'a str>, HeadFault> {
        let mut values = self.values(name);
        let value = values.next().map(std::str::from_utf8).transpose().map_err(|_| HeadFault::Bad)?;
        if values.next().is_some() { Err(HeadFault::Bad) } else { Ok(value.map(str::trim)) }
    }

    /// The parts of a list.
    fn tokens(&self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.values(name).filter_map(|value| std::str::from_utf8(value).ok());
        values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
    }

    fn has_token(&self, name: &'a str, token: &str) -> bool {
        self.tokens(name).any(|found| found.eq_ignore_ascii_case(token))
    }

    fn has_content(&self) -> bool {
        let is_some = |value: &[u8]| value != b"0";
        self.values("transfer-encoding").next().is_some() || self.values("content-length").any(is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &str) -> Result<Option<RequestHead>, HeadFault> {
        parse_head(lines.replace('\n', "\r\n").as_bytes())
    }

    const UPGRADE: &str = "GET /chat HTTP/1.1\nHost: 192.168.1.20:7667\nConnection: keep-alive, Upgrade\n\
        Upgrade: websocket\nOrigin: https://192.168.1.20:7667\nSec-WebSocket-Version: 13\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Protocol: lanchat\n\n";

    #[test]
    fn a_browser_s_upgrade_is_read() {
        let head = head(UPGRADE).unwrap().unwrap();
        assert_eq!((head.path.as_str(), head.host.as_str()), ("/chat", "192.168.1.20:7667"));
        assert_eq!(head.origin.as_deref(), Some("https://192.168.1.20:7667"));
        let upgrade = head.upgrade.unwrap();
        assert_eq!(upgrade.protocols, ["lanchat"]);
        assert_eq!(upgrade.key, "dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn a_head_is_read_once_it_is_complete() {
        let whole = UPGRADE.replace('\n', "\r\n");
        for end in 0..whole.len() {
            assert_eq!(parse_head(&whole.as_bytes()[..end]), Ok(None), "{end}");
        }
        let read = parse_head(format!("{whole}{{\"to\":\"all\"}}").as_bytes()).unwrap().unwrap();
        assert_eq!(read.length, whole.len());
    }

    #[test]
    fn paths_have_no_query_and_old_clients_keep_no_connection() {
        let get = |line: &str| head(&format!("{line}\nHost: x\n\n")).unwrap().unwrap();
        assert_eq!(get("GET /?v=1 HTTP/1.1").path, "/");
        assert!(get("GET / HTTP/1.1").keeps && !get("GET / HTTP/1.0").keeps);
        assert!(get("HEAD / HTTP/1.1").is_head);
        assert!(!head("GET / HTTP/1.1\nHost: x\nConnection: close\n\n").unwrap().unwrap().keeps);
    }

    #[test]
    fn what_browsers_do_not_send_is_refused() {
        for (lines, fault) in [
            ("POST / HTTP/1.1\nHost: x\n\n", HeadFault::Method),
            ("OPTIONS * HTTP/1.1\nHost: x\n\n", HeadFault::Method),
            ("GET http://x/ HTTP/1.1\nHost: x\n\n", HeadFault::Bad),
            ("GET / HTTP/1.1\nHost: x\nContent-Length: 5\n\n", HeadFault::Bad),
            ("GET / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n", HeadFault::Bad),
            ("GET / HTTP/1.1\nHost: x\nHost: y\n\n", HeadFault::Bad),
            ("GET / HTTP/1.1\nHost: x\nOrigin: a\nOrigin: b\n\n", HeadFault::Bad),
            ("GET / HTTP/2.0\nHost: x\n\n", HeadFault::Bad),
            ("GARBAGE\n\n", HeadFault::Bad),
            (&UPGRADE.replace("13", "8"), HeadFault::Version),
            (&UPGRADE.replace("dGhl", ""), HeadFault::Bad),
        ] {
            assert_eq!(head(lines), Err(fault), "{lines}");
        }
        let many = "X: y\n".repeat(WEB_HEADERS + 1);
        assert_eq!(head(&format!("GET / HTTP/1.1\n{many}\n")), Err(HeadFault::TooLong));
        let long = format!("GET /{} HTTP/1.1\nHost: x\n\n", "x".repeat(WEB_HEAD_BYTES));
        assert_eq!(head(&long), Err(HeadFault::TooLong));
        assert_eq!(parse_head(&[b'x'; WEB_HEAD_BYTES]), Err(HeadFault::TooLong));
    }
}
