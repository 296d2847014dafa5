//! One request of a session: who deals with it, and how it is answered.

use super::answer::{Answer, Told};
use super::archive::Question;
use super::delivery::Delivery;
use super::intake::{self, words};
use super::who::SessionId;
use super::{Chat, Deliveries, Now};
use crate::limits::MAX_QUOTE_CHARS;
use crate::protocol::request::{Act, Connect, Refusal};
use crate::protocol::{Code, Event, Request, Target};

/// See the module. Handlers are its methods, each beside the rules that it goes by.
pub(super) struct Call<'a> {
    pub(super) chat: &'a mut Chat,
    pub(super) session: SessionId,
    /// The request's `id`: the answer takes it.
    pub(super) echo: Option<String>,
    pub(super) now: &'a Now,
    pub(super) out: &'a mut Deliveries,
}

impl Call<'_> {
    /// A request of a session that has a name.
    pub(super) fn request(&mut self, request: Request) -> Result<(), Refusal> {
        match request {
            Request::Connect(request) => self.greet(request),
            Request::Act(act) => self.act(act),
            Request::Ask(question) => self.ask(&question),
            Request::Operate(command) => self.operate(&command),
        }
    }

    /// What is answered whether the connection has a name or not, but for its first hello.
    pub(super) fn greet(&mut self, request: Connect) -> Result<(), Refusal> {
        match request {
            Connect::Hello(_) => Err(Refusal::new(
                Code::BadPacket,
                "this connection is registered already; use nick for another name",
            )),
            // The server takes these itself, when it has asked for one.
            Connect::Pake { .. } => Err(Refusal::new(Code::BadPacket, "nobody has asked for the passphrase")),
            Connect::Ping => {
                self.answer(Event::Pong {
                    server: self.chat.profile.server.clone(),
                    total: self.chat.present,
                    closed: self.chat.rules.closed,
                    interim: self.chat.rules.interim,
                });
                Ok(())
            }
            Connect::Multicast { token } => {
                self.out.push(Delivery::Multicast { session: self.session, echo: self.echo.take(), token });
                Ok(())
            }
        }
    }

    fn act(&mut self, act: Act) -> Result<(), Refusal> {
        match act {
            Act::Chat { to: Target::Server, msg, .. } => {
                let request = self.chat.terms.words.take().map_or_else(|| words(&msg), |words| *words)?;
                self.request(request)
            }
            Act::Chat { to, msg, action } => self.say(to, msg, action),
            Act::Nick { name } => self.rename(&name),
            Act::Join { room } => self.join(&room),
            Act::Part { room } => self.part(&room),
            Act::Topic { room, topic } => self.topic(&room, topic),
            Act::History { room, name, span } => {
                self.wanted((room, name), &span).map(|question| self.ask_store(question))
            }
            Act::Search(search) => self.sought(search).map(|question| self.ask_store(question)),
            Act::Received { seq } => {
                self.chat.received(self.session, seq, self.now, self.out);
                Ok(())
            }
            Act::OpByToken { token } => self.op_by_token(&token),
            Act::Help { command } => self.help(command),
            Act::Quit => {
                self.answer(Event::Bye { code: Some(Code::Quit), msg: "goodbye".into(), server: None });
                self.close();
                Ok(())
            }
        }
    }

    fn ask_store(&mut self, question: Question) {
        self.out.push(Delivery::Ask { session: self.session, echo: self.echo.take(), question });
    }

    fn help(&mut self, command: Option<String>) -> Result<(), Refusal> {
        let text = match command {
            None => intake::commands(self.chat.is_operator(self.session)).to_owned(),
            Some(command) => {
                self.chat.terms.help.take().map_or_else(|| intake::help(&command), |help| *help)?
            }
        };
        self.answer(Event::Notice(text));
        Ok(())
    }

    /// The answer.
    pub(super) fn answer(&mut self, event: Event) {
        self.tell(Told::Event(event));
    }

    /// The same, of something that is written out later.
    pub(super) fn tell(&mut self, told: Told) {
        self.chat.reply(self.session, self.echo.take(), told, self.out);
    }

    /// Something that the session is told besides the answer.
    pub(super) fn inform(&mut self, event: Event) {
        self.chat.inform(self.session, event, self.out);
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        // It may quote what the client sent; the frame's bound holds for the answer too.
        let mut msg = refusal.msg;
        if let Some((end, _)) = msg.char_indices().nth(MAX_QUOTE_CHARS) {
            msg.truncate(end);
        }
        self.answer(Event::error(refusal.code, msg));
    }

    /// Ends the session.
    pub(super) fn close(&mut self) {
        self.chat.close(self.session, self.now, self.out);
    }

    pub(super) fn turn_away(&mut self, refusal: Refusal) {
        self.refuse(refusal);
        self.close();
    }
}

impl Chat {
    /// An event for one session that answers no request.
    pub(super) fn inform(&self, session: SessionId, event: Event, out: &mut Deliveries) {
        self.reply(session, None, Told::Event(event), out);
    }

    pub(super) fn reply(&self, session: SessionId, echo: Option<String>, told: Told, out: &mut Deliveries) {
        let to = self.user_of(session).map(|user| user.name.clone());
        out.push(Delivery::Answer(Box::new(Answer { session, to, echo, told })));
    }
}
