//! A connection to a closed server that has not shown yet that it may come in.
//!
//! Members are known by their key. Anybody else proves once to know the passphrase (SPAKE2, in
//! `security`), and their key becomes a member's. Until then nothing of theirs reaches the chat but
//! a ping, or a test of multicast. The client confirms first, so every wrong guess is seen here; a try counts when it is
//! begun, so that breaking it off gains nothing.

use super::connection::Connection;
use super::gate::Offence;
use super::hub::{Hub, Incoming};
use super::secrets::Lock;
use crate::protocol::request::{ClientPacket, Connect, Refusal};
use crate::protocol::{Code, Event, Request, binary};
use crate::security::{Binding, Challenge};
use std::collections::VecDeque;
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub(super) struct Guest {
    lock: Arc<Lock>,
    /// The question that was put, and the first packet, which waits for its answer.
    asked: Option<(Challenge, Box<ClientPacket>)>,
}

/// What becomes of a packet.
enum Step {
    /// It, and all that comes after it, counts.
    In(Box<ClientPacket>),
    /// It is dealt with.
    Wait,
    /// It ends the connection.
    Out(Refusal),
}

impl Guest {
    pub(super) fn new(lock: Arc<Lock>) -> Self {
        Self { lock, asked: None }
    }

    /// Lets through what may pass. `true`: the guest is in, and need not be asked any more.
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
                Incoming::Packet(packet) if !is_in && !is_free(&packet) => {
                    let echo = packet.echo().or_else(|| self.echo());
                    match self.step(hub, connection, packet) {
                        Step::In(packet) => {
                            is_in = true;
                            passed.push_back(Incoming::Packet(packet));
                        }
                        Step::Wait => {}
                        Step::Out(refusal) => {
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

    /// The `id` of the first packet, which an answer to the question answers for.
    fn echo(&self) -> Option<String> {
        self.asked.as_ref().and_then(|(_, first)| first.echo())
    }

    fn step(&mut self, hub: &Hub, connection: &Connection, packet: Box<ClientPacket>) -> Step {
        match self.asked.take() {
            Some((challenge, first)) => answered(hub, connection, challenge, &packet, first),
            None => self.first(hub, connection, packet),
        }
    }

    fn first(&mut self, hub: &Hub, connection: &Connection, packet: Box<ClientPacket>) -> Step {
        let key = connection.peer_key();
        if !connection.is_sealed() {
            let why = "this server is closed and takes no plaintext; join with the lanchat client";
            return Step::Out(Refusal::new(Code::KeyRequired, why));
        }
        if key.is_some_and(|key| hub.is_member(&key)) {
            return Step::In(packet);
        }
        if let Err(wait) = connection.pass().take_try(hub.uptime()) {
            let why = format!("too many tries at the passphrase; try again in {} s", wait.as_secs() + 1);
            return Step::Out(Refusal::new(Code::RateLimited, why));
        }
        let binding = Binding::new(&self.lock.key, key.as_ref());
        let challenge = Challenge::new(&self.lock.passphrase, binding);
        let question = Event::Pake {
            pake: binary::to_text(challenge.element()),
            msg: "this server is closed: prove that you know its passphrase".into(),
        };
        hub.tell(connection.id(), question.into_packet("", packet.echo()));
        self.asked = Some((challenge, packet));
        Step::Wait
    }
}

/// Whether everybody gets an answer to this packet: a ping or a multicast test, with which a client finds out why
/// it does not find a server.
fn is_free(packet: &ClientPacket) -> bool {
    matches!(packet.kind.as_deref(), Some("ping" | "multicast"))
}

/// What an answer to the question is worth.
fn answered(
    hub: &Hub,
    connection: &Connection,
    challenge: Challenge,
    answer: &ClientPacket,
    first: Box<ClientPacket>,
) -> Step {
    let Some(mac) = proven(challenge, answer) else {
        connection.pass().punish(Offence::FailedAuth, hub.uptime());
        tracing::info!(peer = %connection.ip(), "a wrong passphrase");
        let why = "the passphrase was not accepted; ask whoever runs this server for it";
        return Step::Out(Refusal::new(Code::BadPassphrase, why));
    };
    if let Some(key) = connection.peer_key() {
        let name = first.from.as_ref().and_then(|from| from.name.as_deref());
        hub.add_member(key, connection.ip(), name.unwrap_or_default());
    }
    connection.pass().give_back_try();
    hub.tell(connection.id(), Event::PakeOk { mac }.into_packet("", None));
    Step::In(first)
}

/// The server's own confirmation, if the client's is good.
fn proven(challenge: Challenge, answer: &ClientPacket) -> Option<String> {
    let Ok(Request::Connect(Connect::Pake { pake, mac })) = Request::from_packet(answer) else { return None };
    let mac = challenge.verify(&binary::from_text(&pake)?, &binary::from_text(&mac)?).ok()?;
    Some(binary::to_text(&mac))
}
