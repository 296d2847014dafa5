//! The first packets over WebSocket: the server's challenge, and a browser's identity.

use serde::{Deserialize, Serialize};

/// The first line of what a browser signs: a signature for this is none for anything else.
const SIGNED_FOR: &str = "lanchat/web/1";

/// How browsers join a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WebAccess {
    /// Over https; http leads there.
    Https,
    /// Over http as well.
    Plaintext,
}

impl WebAccess {
    /// `None`: a way that this version does not know.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "https" => Some(Self::Https),
            "plaintext" => Some(Self::Plaintext),
            _ => None,
        }
    }

    /// Whether browsers get in over plain HTTP. They have no key there, and a closed server is for keys.
    pub fn admits_over_http(self, is_closed: bool) -> bool {
        self == Self::Plaintext && !is_closed
    }

    /// Says who can read what browsers send.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Https => "browsers join over https only, which is encrypted",
            Self::Plaintext => {
                "browsers join over https, which is encrypted, and also over http, which others on the network can read \
                 and alter"
            }
        }
    }
}

/// The link to the page of a server, over https. `ticket` lets one browser into a closed server: it is in the fragment,
/// which browsers send to nobody.
pub fn page_link(host: &str, port: u16, ticket: Option<&str>) -> String {
    let fragment = ticket.map_or(String::new(), |ticket| format!("#t={ticket}"));
    page_address("https", host, port) + &fragment
}

/// The address of the page over HTTP, for a server that serves it so.
pub fn plain_page_link(host: &str, port: u16) -> String {
    page_address("http", host, port)
}

fn page_address(scheme: &str, host: &str, port: u16) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    format!("{scheme}://{host}:{port}/")
}

/// The server's first packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebChallenge {
    from: WebServer,
    to: &'static str,
    msg: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    /// 32 hexadecimal digits.
    nonce: String,
    /// The server's.
    id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct WebServer {
    name: &'static str,
    ip: &'static str,
}

/// A browser's answer to the challenge.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum WebIdentity {
    /// By a key.
    Proof {
        /// Its SubjectPublicKeyInfo, in base64.
        key: String,
        /// In base64.
        sig: String,
        /// Lets the key into a closed server.
        ticket: Option<String>,
    },
    /// Without a key.
    Guest,
}

impl WebChallenge {
    pub fn new(nonce: &str, id: &str) -> Self {
        let (nonce, id) = (nonce.to_owned(), id.to_owned());
        let msg = "prove your key with proof, or enter as guest: see PROTOCOL.md, Over WebSocket";
        Self { from: WebServer { name: "server", ip: "" }, to: "", msg, kind: "challenge", nonce, id }
    }

    /// As a line.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut frame = serde_json::to_vec(self).unwrap_or_default();
        frame.push(b'\n');
        frame
    }

    /// The text that a browser on a page of this origin signs.
    pub fn signed_text(&self, origin: &str) -> String {
        format!("{SIGNED_FOR}\n{}\n{}\n{origin}", self.id, self.nonce)
    }
}

impl WebIdentity {
    /// `None`: it is another packet.
    pub fn parse(frame: &[u8]) -> Option<Self> {
        serde_json::from_slice(frame).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_a_packet_and_says_what_to_sign() {
        let challenge = WebChallenge::new("00ff", "3f9a");
        let line = String::from_utf8(challenge.to_frame()).expect("text");
        assert_eq!(
            line,
            "{\"from\":{\"name\":\"server\",\"ip\":\"\"},\"to\":\"\",\"msg\":\"prove your key with proof, or enter as \
             guest: see PROTOCOL.md, Over WebSocket\",\"type\":\"challenge\",\"nonce\":\"00ff\",\"id\":\"3f9a\"}\n"
        );
        assert_eq!(challenge.signed_text("https://x"), "lanchat/web/1\n3f9a\n00ff\nhttps://x");
    }

    #[test]
    fn an_identity_is_a_proof_or_a_guest() {
        let proof = br#"{"type":"proof","key":"a","sig":"b","from":{"name":"x"}}"#;
        let read = WebIdentity::Proof { key: "a".into(), sig: "b".into(), ticket: None };
        assert_eq!(WebIdentity::parse(proof), Some(read));
        assert_eq!(WebIdentity::parse(br#"{"type":"guest"}"#), Some(WebIdentity::Guest));
        for other in [r#"{"type":"proof","key":"a"}"#, r#"{"type":"hello"}"#, "{}", "", "[]"] {
            assert_eq!(WebIdentity::parse(other.as_bytes()), None, "{other}");
        }
    }
}
