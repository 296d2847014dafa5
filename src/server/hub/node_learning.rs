//! A server of several learns from the turns of the log, and tells each server that begins to lead about itself.

use super::input::RulesInput;
use super::node_seat::NodeSeat;
use crate::chat::Entry;
use crate::limits::OPERATOR_CODE_TIME;
use std::time::Duration;

impl NodeSeat {
    /// Learns from the entries of a turn. `is_own`: it concerns this process's sessions.
    pub(super) fn learn(&mut self, entries: &[Entry], is_own: bool, uptime: Duration) {
        for entry in entries {
            match entry {
                Entry::Session(id, Some(record)) if is_own => {
                    let Some(session) = self.sessions.get_mut(*id) else { continue };
                    if session.learn(record) {
                        self.named += 1;
                        self.paces.begin(session, uptime);
                    }
                }
                Entry::Record(record) => {
                    self.keys.learn(record);
                    self.door.learn(record);
                }
                Entry::Closed(server, is_closed) => self.learn_closed(*server, *is_closed, uptime),
                _ => {}
            }
        }
    }

    /// Tells the server that leads the secrets that make a client of this server an operator, and whether this server was
    /// started as a closed one.
    pub(super) fn offer_operator(&mut self, uptime: Duration) {
        let ledger = self.node.ledger();
        let (term, has_leader) = (ledger.term, ledger.leader.is_some());
        let Some((code, token)) =
            self.operator_secrets.clone().filter(|_| has_leader && term != self.offered)
        else {
            return;
        };
        self.offered = term;
        let (server, left) = (self.number(), OPERATOR_CODE_TIME.saturating_sub(uptime));
        let closed = Some(self.door.asks());
        self.push(RulesInput::OfferOperator { server, code, token, left, closed });
    }

    /// Sets the code and the token that make a client an operator.
    pub(in crate::server) fn set_operator_secrets(&mut self, code: &str, token: &str) {
        self.operator_secrets = Some((code.to_owned(), token.to_owned()));
    }
}
