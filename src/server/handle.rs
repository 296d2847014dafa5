//! A handle to a running server in the same process.

use super::hub::Hub;
use super::listener::Admission;
use crate::protocol::Event;
use crate::protocol::event::users_are;
use crate::protocol::packet::ServerInfo;
use crate::protocol::request::{Ask, Operate, Refusal};
use crate::protocol::term::about;
use std::sync::Arc;

/// For the server's console, and for the client that hosts the server.
#[derive(Debug, Clone)]
pub struct Handle {
    hub: Arc<Hub>,
    code: String,
    admission: Admission,
}

impl Handle {
    /// Names the server to which all clients should move when this one ends.
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

    /// Open connections.
    pub fn connections(&self) -> usize {
        self.hub.census().1
    }

    /// The code that makes the first user who types `/op CODE` an operator, within ten minutes of the server's
    /// start.
    pub fn operator_code(&self) -> &str {
        &self.code
    }

    /// Answers a question from the console.
    ///
    /// # Errors
    /// A [`Refusal`] to show there.
    pub fn ask(&self, question: &Ask) -> Result<Event, Refusal> {
        self.hub.ask(question)
    }

    /// Runs an operator's command from the console.
    ///
    /// # Errors
    /// A [`Refusal`] to show there.
    pub fn operate(&self, command: &Operate) -> Result<Event, Refusal> {
        self.hub.operate(command)
    }

    /// The server's status, as lines: users, refused connections, memory, and whether the store works.
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
        lines.extend(self.hub.failure().map(|failure| format!("messages are not being stored: {failure}")));
        lines
    }
}
