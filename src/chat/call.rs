//! One request of a session: its handler and its answer.

use super::answer::{Answer, Content};
use super::archive::Question;
use super::delivery::{Delivery, TurnedAway};
use super::intake::{self, typed_command};
use super::who::SessionId;
use super::{Chat, Deliveries, Now};
use crate::limits::{MAX_NAME_CHARS, MAX_QUOTE_CHARS};
use crate::protocol::request::{Act, Connect, Refusal};
use crate::protocol::{Code, Event, Request, Target};

/// The context of a request. Handlers are its methods, each next to the rules that it applies.
pub(super) struct Call<'a> {
    pub(super) chat: &'a mut Chat,
    pub(super) session: SessionId,
    /// The request's `id`, which the answer echoes.
    pub(super) echo: Option<String>,
    pub(super) now: &'a Now,
    pub(super) out: &'a mut Deliveries,
}

impl Call<'_> {
    /// Handles a request of a session that has a name.
    pub(super) fn request(&mut self, request: Request) -> Result<(), Refusal> {
        match request {
            Request::Connect(request) => self.greet(request),
            Request::Act(act) => self.act(act),
            Request::Ask(question) => self.ask(&question),
            Request::Operate(command) => self.operate(&command),
        }
    }

    /// Handles requests that are allowed with and without a name, except the first hello.
    pub(super) fn greet(&mut self, request: Connect) -> Result<(), Refusal> {
        match request {
            // The server takes these out before the chat sees them.
            Connect::File { .. } => Err(Refusal::new(
                Code::BadPacket,
                "mode \"file\" must be in the first packet of a connection",
            )),
            Connect::Hello(_) => Err(Refusal::new(
                Code::BadPacket,
                "this connection is already registered; to change your name, use nick",
            )),
            // The server handles this before the chat sees it, if it asked for the passphrase.
            Connect::Pake { .. } => {
                Err(Refusal::new(Code::BadPacket, "the server did not ask for a passphrase"))
            }
            Connect::Ping => {
                self.answer(self.chat.pong(self.session, self.chat.present));
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
                let request = self
                    .chat
                    .prepared
                    .command
                    .take()
                    .map_or_else(|| typed_command(&msg), |command| *command)?;
                self.request(request)
            }
            Act::Chat { to, msg, action, reply } => self.say(to, msg, action, reply),
            Act::Edit { seq, msg } => self.begin_change(seq, Some(msg)),
            Act::Delete { seq } => self.begin_change(seq, None),
            Act::Read { name, room, seq } => self.has_read(name, room, seq),
            Act::Away { msg } => self.set_away(Some(&msg)),
            Act::Back => self.set_away(None),
            Act::Offer { to, file } => self.offer(&to, file),
            Act::Accept { offer } => self.accept(offer),
            Act::Decline { offer, reason } => self.decline(offer, reason),
            Act::Cancel { offer, name } => self.cancel(offer, name.as_deref()),
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

    pub(super) fn ask_store(&mut self, question: Question) {
        self.out.push(Delivery::Ask { session: self.session, echo: self.echo.take(), question });
    }

    fn help(&mut self, command: Option<String>) -> Result<(), Refusal> {
        let text = match command {
            None => intake::commands(self.chat.is_operator(self.session)).to_owned(),
            Some(command) => {
                self.chat.prepared.help.take().map_or_else(|| intake::help(&command), |help| *help)?
            }
        };
        self.answer(Event::Notice(text));
        Ok(())
    }

    pub(super) fn answer(&mut self, event: Event) {
        self.tell(Content::Event(event));
    }

    /// Answers with content that is formatted later.
    pub(super) fn tell(&mut self, content: Content) {
        self.chat.reply(self.session, self.echo.take(), content, self.out);
    }

    /// Sends an event besides the answer.
    pub(super) fn inform(&mut self, event: Event) {
        self.chat.inform(self.session, event, self.out);
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        // The text may quote what the client sent, and must fit a frame.
        let mut msg = refusal.msg;
        if let Some((end, _)) = msg.char_indices().nth(MAX_QUOTE_CHARS) {
            msg.truncate(end);
        }
        self.answer(Event::error(refusal.code, msg));
    }

    /// Has the log tell that a connection without a name does not get one.
    pub(super) fn note_refusal(&mut self, name: Option<&str>, code: Code) {
        let Some(session) = self.chat.sessions.get(&self.session).filter(|session| session.user.is_none())
        else {
            return;
        };
        let name = name.map(|name| name.chars().take(MAX_NAME_CHARS).collect());
        self.out.push(Delivery::Refused(Box::new(TurnedAway { ip: session.ip, name, code })));
    }

    pub(super) fn close(&mut self) {
        self.chat.close(self.session, self.now, self.out);
    }

    pub(super) fn turn_away(&mut self, refusal: Refusal) {
        self.note_refusal(None, refusal.code);
        self.refuse(refusal);
        self.close();
    }
}

impl Chat {
    /// Sends an event that does not answer a request.
    pub(super) fn inform(&self, session: SessionId, event: Event, out: &mut Deliveries) {
        self.reply(session, None, Content::Event(event), out);
    }

    /// The answer to a ping. `total`: users who are present.
    pub fn pong(&self, session: SessionId, total: usize) -> Event {
        Event::Pong {
            server: self.profile.server.clone(),
            total,
            closed: self.rules.closed,
            interim: self.rules.interim,
            node: self.nodes_for(session).map(|nodes| nodes.node().to_owned()),
            // Clients would take the other servers for copies of this one.
            run: self.profile.run.clone().filter(|_| self.nodes.is_none()),
            web: self.web,
        }
    }

    pub(super) fn reply(
        &self,
        session: SessionId,
        echo: Option<String>,
        content: Content,
        out: &mut Deliveries,
    ) {
        let to = self.user_of(session).map(|user| user.name.clone());
        out.push(Delivery::Answer(Box::new(Answer { session, to, echo, content })));
    }
}
