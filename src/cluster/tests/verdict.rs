//! Whether all is as it should be, once the faults are over.

use super::chat::Client;
use super::world::{Live, World};
use std::collections::BTreeSet;

impl World {
    /// Whether all is as it should be after the faults.
    pub(super) fn judge_end(&self) -> Result<(), String> {
        let live: Option<Vec<&Live>> = self.nodes.iter().map(|host| host.live.as_ref()).collect();
        let live = live.ok_or("a node does not run")?;
        for live in &live {
            let (node, run) = (&live.node, live.node.run());
            let (position, taken) = (node.ledger().position, node.ledger().taken(run));
            if position != self.log.len() as u64 || node.proposed() > 0 || !live.encoded.is_empty() {
                return Err(format!("{run:?} has read {position} of {}", self.log.len()));
            }
            if taken != Some(live.submitted) || node.uplink_bytes() > 0 {
                return Err(format!("{taken:?} of {run:?} were taken, of {}", live.submitted));
            }
        }
        self.judge_people(&live)?;
        self.clients.iter().enumerate().try_for_each(|(number, client)| judge_client(number, client, &live))
    }

    /// Exactly one leads, and everybody knows exactly who is here.
    fn judge_people(&self, live: &[&Live]) -> Result<(), String> {
        let here = live.iter().flat_map(|live| {
            live.sessions.iter().map(|(client, session)| (live.node.run(), *client, *session))
        });
        let here: BTreeSet<_> = here.collect();
        let leaders: Vec<_> = live.iter().filter(|live| live.rules.is_some()).collect();
        let [leader] = leaders[..] else { return Err(format!("{} nodes lead", leaders.len())) };
        let rules = leader.rules.as_ref().filter(|rules| !rules.is_due()).ok_or("the rules are not done")?;
        let last = self.judge.ledger.leader.map(|leader| leader.node);
        if last != Some(leader.node.run().node) {
            return Err(format!("{:?} leads, {last:?} should", leader.node.run()));
        }
        let known = live.iter().map(|live| &live.state.people).chain([&rules.people]);
        match known.into_iter().find(|known| **known != here) {
            Some(known) => Err(format!("{known:?} are known, {here:?} are here")),
            None => Ok(()),
        }
    }
}

/// Each node has what a client said, once and in order, and with the numbers of its receipts.
fn judge_client(number: usize, client: &Client, live: &[&Live]) -> Result<(), String> {
    if !client.pending.is_empty() {
        return Err(format!("client {number} has no receipt for {:?}", client.pending));
    }
    for state in live.iter().map(|live| &live.state) {
        let said = state.messages.iter().filter(|(author, ..)| *author == number).map(|(_, id, _)| *id);
        let said: Vec<u64> = said.collect();
        if said != (1..=client.said).collect::<Vec<_>>() {
            return Err(format!("client {number} said {} things, a node has {said:?}", client.said));
        }
        let is_wrong = |(id, seq): &&(u64, u64)| state.known.get(&(number, *id)) != Some(seq);
        if let Some(receipt) = client.receipts.iter().find(is_wrong) {
            return Err(format!("client {number} has a receipt {receipt:?} that a node does not know"));
        }
    }
    Ok(())
}
