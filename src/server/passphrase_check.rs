//! Keeps a connection to a closed server out of the chat until it may join.
//!
//! The server knows members by their key. Anyone else proves once that they know the passphrase (SPAKE2, in
//! `security`), which makes their key a member's. Until then, only pings and multicast tests get through. The
//! client confirms first, so the server sees every wrong guess; an attempt counts when it begins, so breaking
//! it off gains nothing.

use super::connection::Connection;
use super::gate::Offence;
use super::hub::{ASKS_ELSEWHERE, Hub, Incoming, needs_no_passphrase};
use super::secrets::ClosedServer;
use crate::fingerprint::Fingerprint;
use crate::protocol::request::{ClientPacket, Connect, Refusal};
use crate::protocol::{Code, Event, Request, binary};
use crate::security::{Binding, Challenge};
use std::collections::VecDeque;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct PassphraseCheck {
    /// `None`: another server of the chat is closed, and this one knows no passphrase.
    server: Option<Arc<ClosedServer>>,
    /// The challenge, and the client's first packet, which waits for the answer.
    asked: Option<(Challenge, Box<ClientPacket>)>,
}

/// The decision about a packet.
enum Decision {
    /// Lets this packet and all later ones through.
    In(Box<ClientPacket>),
    /// Has dealt with the packet.
    Wait,
    /// Ends the connection.
    Out(Refusal),
}

impl PassphraseCheck {
    /// `None`: everyone may join.
    pub(super) fn of(hub: &Hub) -> Option<Self> {
        hub.is_closed_to_strangers().then(|| Self { server: hub.closed_server.clone(), asked: None })
    }

    /// Lets through what may pass. `true`: the client is in, and the check is over.
    pub(super) fn filter(
        &mut self,
        hub: &Hub,
        connection: &Connection,
        incoming: VecDeque<Incoming>,
    ) -> (VecDeque<Incoming>, bool) {
        let mut passed = VecDeque::new();
        let mut is_in = false;
        for incoming in incoming {
            match incoming {
                Incoming::Packet(packet) if !is_in && !needs_no_passphrase(&packet) => {
                    let echo = packet.echo().or_else(|| self.echo());
                    match self.decide(hub, connection, packet) {
                        Decision::In(packet) => {
                            is_in = true;
                            passed.push_back(Incoming::Packet(packet));
                        }
                        Decision::Wait => {}
                        Decision::Out(refusal) => {
                            passed.push_back(Incoming::Fatal(refusal, echo));
                            break;
                        }
                    }
                }
                other => passed.push_back(other),
            }
        }
        (passed, is_in)
    }

    /// The `id` of the first packet, which the result of the challenge answers.
    fn echo(&self) -> Option<String> {
        self.asked.as_ref().and_then(|(_, first)| first.echo())
    }

    fn decide(&mut self, hub: &Hub, connection: &Connection, packet: Box<ClientPacket>) -> Decision {
        match self.asked.take() {
            Some((challenge, first)) => answered(hub, connection, challenge, &packet, first),
            None => self.first(hub, connection, packet),
        }
    }

    fn first(&mut self, hub: &Hub, connection: &Connection, packet: Box<ClientPacket>) -> Decision {
        let key = connection.peer_key();
        if !connection.is_encrypted() {
            let why = "this server is closed and takes no plaintext; join with the lanchat client";
            return Decision::Out(Refusal::new(Code::KeyRequired, why));
        }
        let is_file = packet.file_token().is_some();
        let is_in = |key: Fingerprint| if is_file { hub.may_send_files(&key) } else { hub.is_member(&key) };
        if key.is_some_and(is_in) {
            return Decision::In(packet);
        }
        if is_file {
            let why =
                "this server is closed: only a member's key may send or receive files; join the chat first";
            return Decision::Out(Refusal::new(Code::BadToken, why));
        }
        let Some(server) = &self.server else {
            return Decision::Out(Refusal::new(Code::ServerFull, ASKS_ELSEWHERE));
        };
        if let Err(wait) = connection.pass().take_try(hub.uptime()) {
            let why = format!("too many passphrase attempts; try again in {} s", wait.as_secs() + 1);
            return Decision::Out(Refusal::new(Code::RateLimited, why));
        }
        let binding = Binding::new(&server.key, key.as_ref());
        let challenge = Challenge::new(&server.passphrase(), binding);
        let question = Event::Pake {
            pake: binary::to_text(challenge.element()),
            msg: "this server is closed: prove that you know its passphrase".into(),
        };
        hub.tell(connection.id(), question.into_packet("", packet.echo()));
        self.asked = Some((challenge, packet));
        Decision::Wait
    }
}

/// Judges the answer to the challenge.
fn answered(
    hub: &Hub,
    connection: &Connection,
    challenge: Challenge,
    answer: &ClientPacket,
    first: Box<ClientPacket>,
) -> Decision {
    let Some(mac) = proven(challenge, answer) else {
        connection.pass().punish(Offence::FailedAuth, hub.uptime());
        let why = "wrong passphrase; ask the person who runs this server for it";
        return Decision::Out(Refusal::new(Code::BadPassphrase, why));
    };
    if let Some(key) = connection.peer_key() {
        let name = first.from.as_ref().and_then(|from| from.name.as_deref());
        hub.add_member(key, connection.ip(), name.unwrap_or_default());
    }
    connection.pass().give_back_try();
    hub.tell(connection.id(), Event::PakeOk { mac }.into_packet("", None));
    Decision::In(first)
}

/// Returns the server's confirmation if the client's is right.
fn proven(challenge: Challenge, answer: &ClientPacket) -> Option<String> {
    let Ok(Request::Connect(Connect::Pake { pake, mac })) = Request::from_packet(answer) else { return None };
    let mac = challenge.verify(&binary::from_text(&pake)?, &binary::from_text(&mac)?).ok()?;
    Some(binary::to_text(&mac))
}
