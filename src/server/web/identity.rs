//! From an upgrade to a connection: the server asks the browser who it is, and checks the answer.
//!
//! A browser owns a key that it does not give away, and signs the server's challenge with it. The signature counts for
//! this connection (the nonce), this server (its id) and this page (its origin) only. No browser can bind it to its TLS
//! connection, so an attacker between them could use one connection, and never gets the key.

use super::head::Upgrade;
use super::response;
use super::stream::WebStream;
use super::{WebCaller, WebDoor, WebEnd};
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_PROOF_BYTES, WEB_TIMEOUT};
use crate::protocol::{Code, WebChallenge, WebIdentity};
use crate::security::{Status, proven_key};
use crate::server::hub::Hub;
use crate::server::transport::Transport;
use crate::server::websocket::{CloseCode, WebContent, WebPurpose, message};
use std::net::IpAddr;
use tokio::time::timeout;

pub(super) const CHAT_PROTOCOL: &str = "lanchat";
pub(super) const FILE_PROTOCOL: &str = "lanchat-file";

/// A browser and its purpose.
pub(super) struct Caller<'a> {
    pub(super) door: &'a WebDoor,
    pub(super) hub: &'a Hub,
    pub(super) ip: IpAddr,
    pub(super) purpose: WebPurpose,
    /// Of the page.
    pub(super) origin: String,
}

/// Agrees to an upgrade, and waits for the browser's identity.
pub(super) async fn learn(
    caller: Caller<'_>,
    mut stream: WebStream<'_>,
    upgrade: &Upgrade,
    early: Vec<u8>,
) -> Result<WebCaller, WebEnd> {
    let Ok(nonce) = nonce() else { return Err(WebEnd::Done) };
    let challenge = WebChallenge::new(&nonce, &caller.door.id);
    let protocol = match caller.purpose {
        WebPurpose::Chat => CHAT_PROTOCOL,
        WebPurpose::File => FILE_PROTOCOL,
    };
    let mut hello = response::switch(upgrade, protocol);
    hello.extend_from_slice(&message(WebContent::Lines, &challenge.to_frame()));
    if stream.write(&[&hello]).await.is_err() {
        return Err(WebEnd::Done);
    }
    let mut frames = FirstLine { bytes: early, plain: Vec::new(), is_closed: false };
    let mut transport = Transport::web(caller.purpose);
    let read = timeout(WEB_TIMEOUT, frames.read(&mut stream, &mut transport)).await;
    let judged = match read {
        Ok(Ok(end)) => {
            let line = frames.plain.drain(..end).collect::<Vec<u8>>();
            caller.judge(&line, &challenge.signed_text(&caller.origin), stream.is_encrypted()).await
        }
        Ok(Err(Some(why))) => Err(why),
        Ok(Err(None)) => {
            if frames.is_closed {
                // It may be gone.
                let _ = stream.write(&[&CloseCode::NORMAL.frame()]).await;
            }
            stream.end().await;
            return Err(WebEnd::Done);
        }
        Err(_) => Err((Code::HandshakeTimeout, "the page did not say in time who you are; reload it")),
    };
    let key = judged.as_ref().ok().copied().flatten();
    if let Some(channel) = stream.channel.take() {
        transport = transport.put_over_tls(channel, key);
    }
    match judged {
        Ok(_) => {
            // An idle connection holds no buffer.
            frames.plain.shrink_to_fit();
            Ok(WebCaller { transport, rest: frames.plain, is_all: frames.is_closed })
        }
        Err((code, why)) => Err(WebEnd::Refused(transport, code, why.into())),
    }
}

fn nonce() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

type Why = (Code, &'static str);

impl Caller<'_> {
    /// The key that the browser has proved to own, if it wants one.
    async fn judge(&self, line: &[u8], signed: &str, is_encrypted: bool) -> Result<Option<Fingerprint>, Why> {
        let is_closed = self.hub.is_closed_to_strangers();
        match WebIdentity::parse(line) {
            None => Err((Code::BadPacket, "say who you are first: proof, or guest")),
            Some(WebIdentity::Guest) if is_closed => Err((
                Code::KeyRequired,
                "this server is closed: only members have access, and a browser has a key only over https",
            )),
            Some(WebIdentity::Guest) => Ok(None),
            Some(WebIdentity::Proof { .. }) if !is_encrypted => {
                Err((Code::NotAllowed, "over http, there are no keys; enter as guest, or use https"))
            }
            Some(WebIdentity::Proof { key, sig, ticket }) => {
                let key = proven_key(&key, &sig, signed).ok_or((
                    Code::BadProof,
                    "the signature is not over this connection's challenge; reload the page",
                ))?;
                if is_closed { self.admit(key, ticket.as_deref()).await } else { Ok(Some(key)) }
            }
        }
    }

    /// On a closed server.
    async fn admit(&self, key: Fingerprint, ticket: Option<&str>) -> Result<Option<Fingerprint>, Why> {
        if self.hub.is_member(&key) {
            return Ok(Some(key));
        }
        let ticket = ticket.ok_or((
            Code::KeyRequired,
            "this server is closed; ask a person who runs it for a link that lets you in",
        ))?;
        match self.hub.admit_by_ticket((key, self.ip), ticket).await {
            true => Ok(Some(key)),
            false => Err((Code::BadTicket, "this link was used or has expired; ask for another one")),
        }
    }
}

/// The browser's first line, and what follows it.
struct FirstLine {
    /// Not opened yet.
    bytes: Vec<u8>,
    plain: Vec<u8>,
    /// Whether the peer has closed its side.
    is_closed: bool,
}

impl FirstLine {
    /// Returns where the line ends.
    ///
    /// # Errors
    /// The code and the reason for the peer; `None`: it is gone.
    async fn read(
        &mut self,
        stream: &mut WebStream<'_>,
        transport: &mut Transport,
    ) -> Result<usize, Option<Why>> {
        loop {
            let opened = transport.open_frames(&std::mem::take(&mut self.bytes), &mut self.plain);
            self.is_closed |= matches!(opened, Ok(Status::Closed));
            if let Some(pong) = transport.take_pong()
                && stream.write(&[&pong]).await.is_err()
            {
                return Err(None);
            }
            // Also if a line came before: nothing would tell of the error any more.
            if opened.is_err() {
                return Err(Some((Code::BadPacket, "the bytes are not frames of WebSocket with text")));
            }
            if let Some(at) = memchr::memchr(b'\n', &self.plain) {
                return Ok(at + 1);
            }
            if self.plain.len() > MAX_PROOF_BYTES {
                return Err(Some((Code::TooLong, "the first packet is too long; say who you are first")));
            }
            if self.is_closed || !stream.read(&mut self.bytes).await.unwrap_or(false) {
                return Err(None);
            }
        }
    }
}
