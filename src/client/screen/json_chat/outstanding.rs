//! A program's requests that have no answer yet, in the order of its lines: those that the connection has taken,
//! then those that wait. None is dropped without the program learning of it.

use std::collections::VecDeque;

use crate::client::conversation::PacketIds;
use crate::protocol::request::Act;
use crate::protocol::{Request, Target};

/// The line behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineOrigin {
    /// Its number, from 1; `None`: lanchat asks by itself.
    pub(super) line: Option<u64>,
    pub(super) id: Option<String>,
}

/// A request without an answer.
#[derive(Debug)]
pub(super) struct OpenRequest {
    /// The `id` on the wire. The program's own may repeat, or be one of an earlier run.
    wire_id: String,
    pub(super) asker: LineOrigin,
    pub(super) request: Request,
}

impl OpenRequest {
    /// Whether it is a message or a change of one, which the server answers with a receipt.
    pub(super) fn is_message(&self) -> bool {
        match &self.request {
            Request::Act(Act::Chat { to, .. }) => *to != Target::Server,
            Request::Act(Act::Edit { .. } | Act::Delete { .. }) => true,
            _ => false,
        }
    }

    /// Whether it may go to the server again, if nobody knows whether the server has had it. `keeps`: whether the
    /// server recognises a message that it has.
    fn may_repeat(&self, keeps: bool) -> bool {
        match &self.request {
            // A command in words may be any.
            Request::Act(Act::Chat { to: Target::Server, .. }) | Request::Operate(_) => false,
            Request::Act(Act::Chat { .. }) => keeps,
            Request::Act(_) | Request::Ask(_) | Request::Connect(_) => true,
        }
    }

    /// Whether the server says nothing about it if all is well.
    fn is_silent(&self) -> bool {
        matches!(self.request, Request::Act(Act::Read { .. }))
    }
}

/// All requests without an answer.
#[derive(Debug)]
pub(super) struct Outstanding {
    requests: VecDeque<OpenRequest>,
    /// How many the present connection has taken.
    sent: usize,
    ids: PacketIds,
}

impl Outstanding {
    pub(super) fn new() -> Self {
        Self { requests: VecDeque::new(), sent: 0, ids: PacketIds::new() }
    }

    pub(super) fn add(&mut self, request: Request, asker: LineOrigin) {
        self.requests.push_back(OpenRequest { wire_id: self.ids.next(), asker, request });
    }

    /// Adds a request that goes out before all that wait.
    pub(super) fn add_first(&mut self, request: Request, asker: LineOrigin) {
        self.requests.insert(self.sent, OpenRequest { wire_id: self.ids.next(), asker, request });
    }

    /// The frame of the first waiting request.
    pub(super) fn first_waiting(&self) -> Option<Vec<u8>> {
        let OpenRequest { wire_id, request, .. } = self.requests.get(self.sent)?;
        Some(request.to_frame(Some(wire_id)))
    }

    /// Records that the connection has taken it.
    pub(super) fn note_sent(&mut self) {
        match self.requests.get(self.sent) {
            Some(request) if request.is_silent() => drop(self.requests.remove(self.sent)),
            Some(_) => self.sent += 1,
            None => {}
        }
    }

    pub(super) fn find(&self, wire_id: &str) -> Option<&OpenRequest> {
        self.requests.iter().find(|request| request.wire_id == wire_id)
    }

    /// Removes a request, which has its answer.
    pub(super) fn take(&mut self, wire_id: &str) -> Option<OpenRequest> {
        let at = self.requests.iter().position(|request| request.wire_id == wire_id)?;
        self.sent -= usize::from(at < self.sent);
        self.requests.remove(at)
    }

    /// Marks the requests that the lost connection had taken for sending again, and removes those that may not go
    /// twice.
    pub(super) fn rewind(&mut self, keeps: bool) -> Vec<OpenRequest> {
        let sent: Vec<_> = self.requests.drain(..std::mem::take(&mut self.sent)).collect();
        let (again, lost): (Vec<_>, Vec<_>) = sent.into_iter().partition(|request| request.may_repeat(keeps));
        again.into_iter().rev().for_each(|request| self.requests.push_front(request));
        lost
    }

    pub(super) fn take_all(&mut self) -> Vec<OpenRequest> {
        self.sent = 0;
        self.requests.drain(..).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::request::{Ask, Operate};

    fn outstanding(requests: Vec<Request>) -> Outstanding {
        let mut outstanding = Outstanding::new();
        for (line, request) in (1..).zip(requests) {
            outstanding.add(request, LineOrigin { line: Some(line), id: None });
        }
        outstanding
    }

    fn chat(to: &str) -> Request {
        Request::Act(Act::Chat { to: Target::parse(to), msg: "hi".into(), action: false, reply: None })
    }

    fn lines(requests: &[OpenRequest]) -> Vec<u64> {
        requests.iter().filter_map(|request| request.asker.line).collect()
    }

    /// Hands over all that wait; the frames.
    fn hand_all(outstanding: &mut Outstanding) -> Vec<Vec<u8>> {
        let next = || outstanding.first_waiting().inspect(|_| outstanding.note_sent());
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn after_a_loss_all_that_may_repeat_goes_again_in_order_under_the_same_ids() {
        let kick = Request::Operate(Operate::Alert { msg: "fire".into() });
        let all = vec![chat("all"), chat("server"), Request::Ask(Ask::Time), kick, chat("bob")];
        let mut outstanding = outstanding(all);
        let frames = hand_all(&mut outstanding);
        outstanding.add(chat("eve"), LineOrigin { line: Some(6), id: None });
        assert_eq!(lines(&outstanding.rewind(true)), [2, 4]);
        let again = hand_all(&mut outstanding);
        assert_eq!(again[..3], [frames[0].clone(), frames[2].clone(), frames[4].clone()]);
        assert_eq!(again.len(), 4);
        assert_eq!(lines(&outstanding.rewind(false)), [1, 5, 6]);
        assert_eq!(lines(&outstanding.take_all()), [3]);
    }

    #[test]
    fn a_request_without_an_answer_is_over_when_it_is_sent() {
        let read = Request::Act(Act::Read { name: None, room: None, seq: 7 });
        let mut outstanding = outstanding(vec![read, chat("all")]);
        outstanding.add_first(chat("bob"), LineOrigin { line: None, id: None });
        assert_eq!(hand_all(&mut outstanding).len(), 3);
        assert_eq!(outstanding.len(), 2);
    }
}
