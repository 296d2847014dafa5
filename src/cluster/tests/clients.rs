//! The people: they come, talk, and go to another server if nobody answers.

use super::super::record::NodeId;
use super::chat::{Client, Packet, to_bytes};
use super::world::{Event, Live, NODES, World};
use std::time::Duration;

/// How long a client waits for a receipt before it says a message again.
const PATIENCE: Duration = Duration::from_secs(6);

impl World {
    /// Where a client is connected.
    fn home(&self, client: usize) -> Option<usize> {
        let is_there = |live: &Live| live.sessions.get(&client) == Some(&self.clients[client].session);
        (0..NODES).find(|place| self.nodes[*place].live.as_ref().is_some_and(is_there))
    }

    /// A client says the next thing, and what has no receipt yet.
    pub(super) fn say(&mut self, number: usize) {
        let wait = 100 + self.dice.roll(3000);
        self.after(wait, Event::Say { client: number });
        let now = self.now;
        let is_moving = self.clients[number].pending.iter().any(|(_, said)| now > *said + PATIENCE);
        let home = self.home(number);
        let mut packets = Vec::new();
        let place = match home.filter(|_| !is_moving) {
            Some(place) => place,
            None => {
                home.into_iter().for_each(|home| self.leave(home, number));
                let place = self.place();
                if self.nodes[place].live.is_none() {
                    return;
                }
                packets = self.come(place, number);
                place
            }
        };
        let client = &mut self.clients[number];
        if !self.is_healed && client.pending.len() < 5 {
            client.said += 1;
            client.pending.push((client.said, now));
            packets.push(Packet::Says { client: number, session: client.session, id: client.said });
        }
        if !packets.is_empty() {
            self.submit(place, &packets);
        }
    }

    fn come(&mut self, place: usize, client: usize) -> Vec<Packet> {
        let Client { session, pending, .. } = &mut self.clients[client];
        *session += 1;
        let session = *session;
        self.nodes[place].live.as_mut().unwrap().sessions.insert(client, session);
        let now = self.now;
        let again = pending.iter_mut().map(|(id, said)| {
            *said = now;
            Packet::Says { client, session, id: *id }
        });
        std::iter::once(Packet::Comes { client, session }).chain(again).collect()
    }

    fn leave(&mut self, place: usize, client: usize) {
        let live = self.nodes[place].live.as_mut().unwrap();
        if let Some(session) = live.sessions.remove(&client) {
            self.judge.left.insert((live.node.run(), client, session));
            self.submit(place, &[Packet::Goes { client, session }]);
        }
    }

    fn submit(&mut self, place: usize, packets: &[Packet]) {
        let (now, node) = (self.now, NodeId(u8::try_from(place).unwrap()));
        self.at(node, |live, out| {
            live.submitted += 1;
            live.node.submit(to_bytes(&packets), now, out);
        });
    }
}
