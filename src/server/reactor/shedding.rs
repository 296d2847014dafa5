//! Closes the clients that hold most, when the memory budget is exceeded.

use super::super::memory::{Weight, to_shed};
use super::super::packet_reader::PacketReader;
use super::{ConnectionRow, Reactor};
use crate::limits::BACKLOG_STUCK;
use crate::protocol::Code;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Estimated memory of an idle connection, in bytes: between plaintext and TLS.
const IDLE_BYTES: usize = 4 * 1024;

/// Minimum time between two searches for the connections that hold most.
const SHED_PAUSE: Duration = Duration::from_millis(20);

/// How often the log reports clients that were closed for memory.
const WARNING_PAUSE: Duration = Duration::from_secs(5);

/// Why [`Reactor::shed`] closes a client, unless more was waiting to be sent to it.
const SHORT_OF_MEMORY: &str = "the server ran short of memory, and you had sent most; connect again";

impl Reactor {
    /// Reports the clients that were closed for memory, at most once per [`WARNING_PAUSE`].
    fn warn_of_memory(&mut self, clients: usize) {
        self.shed += clients;
        if self.shed > 0 && self.next_warning.is_none_or(|next| next <= Instant::now()) {
            let clients = std::mem::take(&mut self.shed);
            tracing::warn!(
                event = "memory_short",
                clients,
                "out of memory for waiting data (--memory); closed the clients that held most"
            );
            self.next_warning = Some(Instant::now() + WARNING_PAUSE);
        }
    }

    /// Closes the clients that hold most, if the budget is exceeded.
    pub(super) fn shed(&mut self) {
        let budget = Arc::clone(&self.inbox.budget);
        self.trimmer.note(budget.reserved() + self.rows.len() * IDLE_BYTES);
        // Clients that were closed a moment ago are still leaving.
        if !budget.is_over() || self.next_shed > Instant::now() {
            return;
        }
        self.next_shed = Instant::now() + SHED_PAUSE;
        let weights = self.rows.iter().map(|(session, ConnectionRow { connection, reader: own, .. })| {
            let (backlog, is_stuck) = connection.weight();
            let input = own.as_ref().map_or(0, PacketReader::weight);
            let unfinished = own.as_ref().and_then(PacketReader::unfinished_for);
            let is_stuck = is_stuck || unfinished.is_some_and(|time| time > BACKLOG_STUCK);
            let key = connection.peer_key();
            Weight { session, host: connection.ip(), key, bytes: backlog + input, is_stuck }
        });
        let gone = to_shed(&weights.collect::<Vec<_>>(), budget.excess());
        self.warn_of_memory(gone.len());
        budget.count_closed(gone.len());
        for id in gone {
            let Some(row) = self.rows.get_mut(id) else { continue };
            let is_told = row.connection.shed();
            if let Some(reader) = row.reader.as_mut().filter(|_| is_told) {
                reader.forget();
            }
            if !is_told {
                self.expel(id, Code::ServerFull, SHORT_OF_MEMORY);
            }
        }
    }
}
