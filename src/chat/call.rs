//! What a session sends: who deals with it, and how it is answered.

use super::answer::{Answer, Told};
use super::delivery::Delivery;
use super::intake::{self, Garbage, Parsed, words};
use super::who::SessionId;
use super::{Chat, Deliveries, Now, operators, rates};
use crate::limits::MAX_QUOTE_CHARS;
use crate::protocol::request::{Act, Connect, Operate, Refusal};
use crate::protocol::{Code, Event, Request, Target};

impl Chat {
    /// Ends a new connection at once if nobody may come in, or its peer may not.
    pub fn screen(&mut self, id: SessionId, now: &Now, out: &mut Deliveries) {
        let Some(peer) = self.sessions.get(&id).map(|session| session.peer()) else { return };
        if self.is_over {
            out.push(Delivery::one(id, self.going_away().to_packet("all", None)));
            self.close(id, now, out);
        } else if let Some(why) = self.ban_text(&peer, now) {
            self.turn_away(id, None, Refusal::new(Code::Banned, why), now, out);
        }
    }

    /// A packet came in.
    pub fn receive(&mut self, id: SessionId, parsed: Parsed, now: &Now, out: &mut Deliveries) {
        if !self.sessions.contains_key(&id) || self.leaves(id, now, out) {
            // Closed from here already; what it still sends counts no more.
            return;
        }
        let Parsed { packet, request, terms, cost } = parsed;
        self.terms = terms;
        self.charge(id, cost, now, out);
        let echo = packet.echo();
        let registered = self.is_registered(id);
        let result = match request {
            Err(refusal) if !registered => return self.turn_away(id, echo, refusal, now, out),
            Err(refusal) => Err(refusal),
            // Answered without a name: whoever looks for a server asks this first, or looks into why none
            // is found.
            Ok(Request::Connect(request)) if !matches!(request, Connect::Hello(_)) => {
                self.greet(id, request, echo.clone(), out)
            }
            Ok(request) if !registered => return self.register(id, &packet, request, echo, now, out),
            Ok(request) => self.request(id, request, echo.clone(), now, out),
        };
        if let Err(refusal) = result {
            self.refuse(id, echo, refusal, out);
        }
    }

    /// Something came in that is no packet.
    pub fn receive_garbage(&mut self, id: SessionId, garbage: Garbage, now: &Now, out: &mut Deliveries) {
        let Garbage { why, echo, bytes } = garbage;
        self.charge(id, rates::garbage_cost(bytes), now, out);
        let refusal = Refusal::new(
            Code::BadPacket,
            format!(
                "that is no packet ({why}); send one JSON object a line, such as \
                 {{\"from\":{{\"name\":\"alice\"}},\"to\":\"all\",\"msg\":\"hello\"}}"
            ),
        );
        self.refuse(id, echo, refusal, out);
    }

    /// Ends a connection after telling it why.
    pub fn expel(
        &mut self,
        id: SessionId,
        echo: Option<String>,
        refusal: Refusal,
        now: &Now,
        out: &mut Deliveries,
    ) {
        if self.sessions.contains_key(&id) {
            self.turn_away(id, echo, refusal, now, out);
        }
    }

    /// One request of a registered session.
    pub(super) fn request(
        &mut self,
        id: SessionId,
        request: Request,
        echo: Option<String>,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<(), Refusal> {
        match request {
            Request::Connect(request) => self.greet(id, request, echo, out),
            Request::Act(act) => self.act(id, act, echo, now, out),
            Request::Ask(question) => self.ask_for(id, &question, echo, now, out),
            Request::Operate(Operate::Op { name }) if operators::is_code(&name) => {
                self.op_by_code(id, &name, echo, now, out)
            }
            Request::Operate(command) => self.command_of(id, &command, echo, now, out),
        }
    }

    /// What is answered whether the connection has a name or not, but for its first hello.
    fn greet(
        &self,
        id: SessionId,
        request: Connect,
        echo: Option<String>,
        out: &mut Deliveries,
    ) -> Result<(), Refusal> {
        match request {
            Connect::Hello(_) => Err(Refusal::new(
                Code::BadPacket,
                "this connection is registered already; use nick for another name",
            )),
            // The server takes these itself, when it has asked for one.
            Connect::Pake { .. } => Err(Refusal::new(Code::BadPacket, "nobody has asked for the passphrase")),
            Connect::Ping => self.pong(id, echo, out),
            Connect::Multicast { token } => {
                out.push(Delivery::Multicast { session: id, echo, token });
                Ok(())
            }
        }
    }

    fn act(
        &mut self,
        id: SessionId,
        act: Act,
        echo: Option<String>,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<(), Refusal> {
        match act {
            Act::Chat { to: Target::Server, msg, .. } => {
                let request = self.terms.words.take().map_or_else(|| words(&msg), |words| *words)?;
                self.request(id, request, echo, now, out)
            }
            Act::Chat { to, msg, action } => self.say(id, to, msg, action, echo, now, out),
            Act::Nick { name } => self.rename(id, &name, echo, now, out),
            Act::Join { room } => self.join(id, &room, echo, now, out),
            Act::Part { room } => self.part(id, &room, echo, now, out),
            Act::Topic { room, topic } => self.topic(id, &room, topic, echo, now, out),
            Act::History { room, name, span } => {
                let question = self.wanted(id, (room, name), &span, now)?;
                out.push(Delivery::Ask { session: id, echo, question });
                Ok(())
            }
            Act::Search(search) => {
                let question = self.sought(id, search, now)?;
                out.push(Delivery::Ask { session: id, echo, question });
                Ok(())
            }
            Act::Received { seq } => {
                self.received(id, seq, now, out);
                Ok(())
            }
            Act::OpByToken { token } => self.op_by_token(id, &token, echo, now, out),
            Act::Help { command } => {
                let text = match command {
                    None => intake::commands(self.is_operator(id)).to_owned(),
                    Some(command) => {
                        self.terms.help.take().map_or_else(|| intake::help(&command), |help| *help)?
                    }
                };
                self.answer(id, echo, Event::Notice(text), out);
                Ok(())
            }
            Act::Quit => {
                let bye = Event::Bye { code: Some(Code::Quit), msg: "goodbye".into(), server: None };
                self.answer(id, echo, bye, out);
                self.close(id, now, out);
                Ok(())
            }
        }
    }

    fn pong(&self, id: SessionId, echo: Option<String>, out: &mut Deliveries) -> Result<(), Refusal> {
        let pong = Event::Pong {
            server: self.profile.server.clone(),
            total: self.present,
            closed: self.rules.closed,
            interim: self.rules.interim,
        };
        self.answer(id, echo, pong, out);
        Ok(())
    }

    /// An event for one session.
    pub(super) fn answer(&self, id: SessionId, echo: Option<String>, event: Event, out: &mut Deliveries) {
        self.tell(id, echo, Told::Event(event), out);
    }

    pub(super) fn tell(&self, session: SessionId, echo: Option<String>, told: Told, out: &mut Deliveries) {
        let to = self.user_of(session).map(|user| user.name.clone());
        out.push(Delivery::Answer(Box::new(Answer { session, to, echo, told })));
    }

    pub(super) fn refuse(&self, id: SessionId, echo: Option<String>, refusal: Refusal, out: &mut Deliveries) {
        // It may quote what the client sent; the frame's bound holds for the answer too.
        let mut msg = refusal.msg;
        if let Some((end, _)) = msg.char_indices().nth(MAX_QUOTE_CHARS) {
            msg.truncate(end);
        }
        self.answer(id, echo, Event::error(refusal.code, msg), out);
    }

    pub(super) fn turn_away(
        &mut self,
        id: SessionId,
        echo: Option<String>,
        refusal: Refusal,
        now: &Now,
        out: &mut Deliveries,
    ) {
        self.refuse(id, echo, refusal, out);
        self.close(id, now, out);
    }
}
