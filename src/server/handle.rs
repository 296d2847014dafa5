//! A way to a running server from the same process.

use super::hub::Hub;
use super::listener::Admission;
use crate::protocol::Event;
use crate::protocol::event::users_are;
use crate::protocol::packet::ServerInfo;
use crate::protocol::request::{Ask, Operate, Refusal};
use crate::protocol::term::about;
use std::sync::Arc;

/// What the server's console has of it, and the client that hosts it.
#[derive(Debug, Clone)]
pub struct Handle {
    hub: Arc<Hub>,
    code: String,
    admission: Admission,
}

impl Handle {
    /// Names the server to which everybody is told to go when this one ends.
    pub fn hand_over(&self, to: ServerInfo) {
        self.hub.hand_over(to);
    }

    pub(super) fn new(hub: Arc<Hub>, code: String, admission: Admission) -> Self {
        Self { hub, code, admission }
    }

    /// Users who are present.
    pub fn users(&self) -> usize {
        self.hub.census().0
    }

    /// Connections there are.
    pub fn connections(&self) -> usize {
        self.hub.census().1
    }

    /// The code that makes whoever types `/op CODE` an operator, once, within ten minutes of the
    /// server's start.
    pub fn operator_code(&self) -> &str {
        &self.code
    }

    /// A question from the server's console.
    ///
    /// # Errors
    /// A [`Refusal`] to show there.
    pub fn ask(&self, question: &Ask) -> Result<Event, Refusal> {
        self.hub.ask(question)
    }

    /// A command of the operator at the server's console.
    ///
    /// # Errors
    /// A [`Refusal`] to show there.
    pub fn operate(&self, command: &Operate) -> Result<Event, Refusal> {
        self.hub.operate(command)
    }

    /// How the server fares, in lines: who is here, who was turned away, what waits in memory, and whether
    /// something is not stored.
    pub fn status(&self) -> Vec<String> {
        let (users, connections) = self.hub.census();
        let plural = if connections == 1 { "" } else { "s" };
        let Admission { gate, memory, .. } = &self.admission;
        let mut lines = vec![
            format!(
                "up {}; {} here over {connections} connection{plural}",
                about(self.hub.uptime()),
                users_are(users)
            ),
            gate.status(),
            memory.status(),
        ];
        lines.extend(self.hub.failure().map(|failure| format!("nothing is stored at the moment: {failure}")));
        lines
    }
}
