//! The console of one of several servers: the server that leads answers it.

use super::input::{RulesInput, packet};
use super::node_question::NodeQuestion;
use super::{Hub, HubState};
use crate::chat::{Asked, Now, SessionId};
use crate::limits::CONSOLE_WAIT;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event, Request, ServerPacket};
use crate::server::output_batch::{RulesAnswer, StepKind};
use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::timeout;

const OTHER_VERSION: &str =
    "the server that leads the chat has another version of lanchat; update lanchat on all servers";

const RUN_OVER: &str = "the others did not hear of this server for too long, and may not have got the command; see \
                        whether it has had an effect, and give it again if not";

const FAILS: &str = "nobody got the command, as this server's database does not work; see its log, then give the \
                     command again";

impl Hub {
    /// Has the rules answer the console of one of several servers.
    ///
    /// # Errors
    /// A [`Refusal`] to show there.
    pub(super) async fn consult(&self, request: Request) -> Result<Event, Refusal> {
        self.check_can_ask()?;
        let (sender, answer) = oneshot::channel();
        let (node, request) = (self.node_number(), Bytes::from(request.to_frame(None)));
        let asks = |number| RulesInput::Console { node, number, request };
        self.ask_up(NodeQuestion::Console(sender), asks);
        match timeout(CONSOLE_WAIT, answer).await {
            Ok(Ok(done)) => read(&done?),
            Ok(Err(_)) => Err(unanswered(RUN_OVER)),
            Err(_) => Err(self.no_answer()),
        }
    }

    fn check_can_ask(&self) -> Result<(), Refusal> {
        let state = self.lock();
        let why = state.node.as_ref().and_then(|seat| match &seat.news.trouble {
            _ if seat.failing.is_failing() => Some(FAILS.to_owned()),
            Some(why) => Some(format!(
                "nobody got the command, as this server cannot use the engine ({why}); `lanchat cluster status` says \
                 what to do; then give the command again"
            )),
            None => seat.refusal(),
        });
        why.map_or(Ok(()), |why| Err(unanswered(why)))
    }

    fn no_answer(&self) -> Refusal {
        let last = self.lock().node.as_ref().and_then(|seat| seat.leader_name());
        let last = last.map_or_else(String::new, |name| format!(" (the last one was {name})"));
        unanswered(format!(
            "no answer for {} s: no server leads the chat at present{last}, or this one is still catching up; the \
             command waits. `lanchat cluster status` says which, and what to do",
            CONSOLE_WAIT.as_secs()
        ))
    }
}

impl HubState {
    /// Answers the console of that server. A result that is an event comes as a frame.
    pub(super) fn answer_console(&mut self, (node, number): (u8, u64), frame: &[u8], now: &Now) {
        let done = self.carry_out_at_console(node, frame, now);
        let frame = done.map(|event| Bytes::from(event.into_packet("", None).to_frame()));
        let told = StepKind::Told(number, Some(RulesAnswer::Console(frame)));
        self.batch.step(SessionId::new(node, 0), told);
    }

    fn carry_out_at_console(&mut self, node: u8, frame: &[u8], now: &Now) -> Result<Event, Refusal> {
        let packet = packet(frame, frame.len()).ok_or_else(other_version)?;
        match Request::from_packet(&packet)? {
            Request::Ask(question) => match self.chat.ask(&question, now)? {
                Asked::Answer(event) => Ok(event),
                Asked::List(mut listing) => {
                    while self.chat.gather(&mut listing) {}
                    Ok(listing.into_event())
                }
            },
            Request::Operate(command) => {
                let server = self.node.as_ref().map(|seat| seat.news.name(node));
                self.act(|chat, out| chat.operate(&command, server, now, out))
            }
            Request::Connect(_) | Request::Act(_) => Err(other_version()),
        }
    }
}

fn read(frame: &[u8]) -> Result<Event, Refusal> {
    ServerPacket::parse(frame).map(Event::from_packet).map_err(|_| other_version())
}

fn other_version() -> Refusal {
    Refusal::new(Code::UnknownType, OTHER_VERSION)
}

fn unanswered(why: impl Into<String>) -> Refusal {
    Refusal::new(Code::NotStored, why)
}
