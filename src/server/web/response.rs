//! Answers to browsers, with the headers that keep other pages out.

use super::files::{PageFile, PageForm};
use super::head::{HeadFault, Upgrade};
use crate::security::websocket_accept;

/// In each answer. The page may load only its own files and talk only to its own server and the others of its chat; no
/// other page may show it, read it, or keep a hold on its window; and its scripts cannot turn text into HTML. Here,
/// sources of its chat may follow.
const POLICY: &str = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' \
    data:; connect-src 'self'";

const GUARDS: &str = "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for \
    'script'\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n\
    Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\nPermissions-Policy: \
    camera=(), geolocation=(), microphone=()\r\n";

/// An answer other than a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    /// The server does not serve browsers.
    Off,
    NotFound,
    /// The same over HTTPS.
    Redirect(String),
    ForeignHost,
    ForeignOrigin,
    UpgradeNeeded,
    NoSuchProtocol,
    Fault(HeadFault),
}

impl Notice {
    /// The status line's end, headers of its own, and what a person reads.
    fn parts(&self) -> (&'static str, String, &'static str) {
        let (status, headers, text) = match self {
            Self::Off => (
                "404 Not Found",
                "",
                "This is a lanchat server, which does not serve browsers. To chat, run the program lanchat on this \
                 network. The administrator can let browsers in with: lanchat serve --web",
            ),
            Self::NotFound => ("404 Not Found", "", "There is no such file here. The chat is at /"),
            Self::Redirect(location) => {
                let headers = format!("Location: {location}\r\n");
                return (
                    "307 Temporary Redirect",
                    headers,
                    "This chat is encrypted: use https instead of http.",
                );
            }
            Self::ForeignHost => (
                "421 Misdirected Request",
                "",
                "This server does not know itself by that name. Use its address, or ask the administrator to start it \
                 with: --web-host NAME",
            ),
            Self::ForeignOrigin => (
                "403 Forbidden",
                "",
                "Only this server's own page may use its chat. Programs connect without HTTP: see PROTOCOL.md",
            ),
            Self::UpgradeNeeded => (
                "426 Upgrade Required",
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
                "This is for WebSockets of version 13. The chat is at /",
            ),
            Self::NoSuchProtocol => (
                "400 Bad Request",
                "",
                "This WebSocket has another subprotocol: see PROTOCOL.md, Over WebSocket",
            ),
            Self::Fault(HeadFault::Bad) => ("400 Bad Request", "", "Browsers do not send such a request."),
            Self::Fault(HeadFault::TooLong) => {
                ("431 Request Header Fields Too Large", "", "This request is too long.")
            }
            Self::Fault(HeadFault::Method) => ("405 Method Not Allowed", "Allow: GET, HEAD\r\n", "Use GET."),
            Self::Fault(HeadFault::Version) => return Self::UpgradeNeeded.parts(),
        };
        (status, headers.to_owned(), text)
    }

    /// `keeps`: the connection goes on.
    pub(super) fn to_bytes(&self, is_head: bool, keeps: bool) -> Vec<u8> {
        let (status, headers, text) = self.parts();
        let body = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>lanchat</title>\n<p>{text}</p></html>\n"
        );
        let headers = format!("{headers}Cache-Control: no-store\r\n");
        let mut answer = head(status, &headers, "text/html; charset=utf-8", (body.len(), ""), keeps);
        answer.extend_from_slice(if is_head { &[] } else { body.as_bytes() });
        answer
    }
}

/// The head for a file in one of its forms. The browser asks again each time: another version of the server has another
/// page. `others`: sources of the chat's other servers.
pub(super) fn page_head(file: &PageFile, form: &PageForm, others: &str, keeps: bool) -> Vec<u8> {
    let encoding = if form.is_packed { "Content-Encoding: gzip\r\n" } else { "" };
    let headers = format!("Cache-Control: no-cache\r\nVary: Accept-Encoding\r\n{encoding}");
    head("200 OK", &headers, file.media_type, (form.bytes.len(), others), keeps)
}

fn head(status: &str, headers: &str, kind: &str, (length, others): (usize, &str), keeps: bool) -> Vec<u8> {
    let connection = if keeps { "" } else { "Connection: close\r\n" };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{headers}{POLICY}{others}{GUARDS}{connection}\r\n"
    )
    .into_bytes()
}

/// Agrees to go on as a WebSocket.
pub(super) fn switch(upgrade: &Upgrade, protocol: &str) -> Vec<u8> {
    let accept = websocket_accept(&upgrade.key);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \
         {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_the_guards_and_its_length() {
        let notices = [Notice::Off, Notice::Redirect("https://x/".into()), Notice::Fault(HeadFault::Method)];
        for notice in notices {
            let whole = String::from_utf8(notice.to_bytes(false, false)).unwrap();
            let (head, body) = whole.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
            assert!(head.contains("frame-ancestors 'none'") && head.contains("nosniff"), "{head}");
            assert!(head.ends_with("Connection: close"), "{head}");
            assert!(!head.contains("Access-Control") && !head.contains("Set-Cookie"), "{head}");
            let only_head = String::from_utf8(notice.to_bytes(true, false)).unwrap();
            assert_eq!(only_head, format!("{head}\r\n\r\n"));
        }
    }
}
