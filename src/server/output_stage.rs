//! The way out of the hub: persister and flusher behind one lock, which keeps the batches in order.
//!
//! A task takes each batch, has the store commit it, and writes it. While it does, the next batch fills. So a busy
//! room is written in batches and an idle one message by message, without a timer.
//!
//! The reactor writes a small batch that needs no store itself, at the end of its round: an answer, or messages
//! from person to person on a server without a history. To wake the task costs more than to write those.
//!
//! Invariant: a batch is taken under the lock, which is kept until the batch is written.

use super::flusher::Flusher;
use super::hub::{Hub, NodeOutput, NodeWork};
use super::output_batch::OutputBatch;
use super::persister::Persister;
use crate::cluster::Ledger;
use crate::limits::CATCH_UP_TURNS;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::Mutex;

#[derive(Debug)]
pub(super) struct OutputStage {
    hub: Arc<Hub>,
    writer: Mutex<BatchWriter>,
}

#[derive(Debug)]
struct BatchWriter {
    persister: Persister,
    flusher: Flusher,
    /// The server has ended before it could store a turn, so it carries out none of the later ones. Its next start reads
    /// them all.
    has_given_up: bool,
}

impl OutputStage {
    pub(super) fn new(hub: Arc<Hub>, persister: Persister, flusher: Flusher) -> Self {
        Self { hub, writer: Mutex::new(BatchWriter { persister, flusher, has_given_up: false }) }
    }

    /// Writes what a round of the reactor has produced, or lets the task do it.
    pub(super) fn flush(&self) {
        self.hub.send_up();
        let is_written = self.writer.try_lock().is_ok_and(|mut writer| writer.write_small(&self.hub));
        if !is_written {
            self.hub.wake_output();
        }
    }

    /// Runs until the hub is closed and its last batch is stored and written.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            let retry = self.writer.lock().await.persister.next_retry();
            tokio::select! {
                () = self.hub.batch_ready() => {
                    let is_closed = self.hub.is_closed();
                    // A server of several takes one turn at a time, and more may have come since.
                    let goes_on = is_closed || self.hub.is_node();
                    while self.writer.lock().await.write(&self.hub).await && goes_on {}
                    if is_closed {
                        return;
                    }
                }
                found = retry => self.writer.lock().await.persister.retry(found).await,
            }
        }
    }

    /// Writes what the store deferred, and closes it. Nobody else may use the output any more.
    pub(super) async fn close(self: Arc<Self>) {
        let Some(output) = Arc::into_inner(self) else { return };
        let BatchWriter { persister, flusher, .. } = output.writer.into_inner();
        // Its tasks read the store.
        drop(flusher);
        persister.close().await;
    }
}

impl BatchWriter {
    /// Stores and writes the batch; `false`: nothing was waiting.
    async fn write(&mut self, hub: &Hub) -> bool {
        if let Some(next) = hub.next_output() {
            self.write_at_node(hub, next).await;
            return true;
        }
        let batch = hub.take_batch(&mut self.flusher.spare, |batch| !batch.is_empty());
        let Some(mut batch) = batch else { return false };
        self.persister.persist(&mut batch).await;
        self.flusher.flush(batch).await;
        true
    }

    /// Does the next thing of a server that shares its chat with others.
    async fn write_at_node(&mut self, hub: &Hub, next: NodeOutput) {
        match next {
            NodeOutput::Local(batch) => self.flusher.flush(batch).await,
            NodeOutput::Work(NodeWork::Open { term }) => {
                if let Some(state) = self.persister.shared_state().await {
                    hub.open_rules(state, term);
                }
            }
            NodeOutput::Work(NodeWork::CarryOut { .. }) if self.has_given_up => {}
            NodeOutput::Work(NodeWork::CarryOut { body, ledger, is_own }) => {
                match self.read_turns(hub, body, ledger, is_own) {
                    Ok((batch, ledger)) => self.carry_out(batch, &ledger, is_own).await,
                    Err(why) => hub.stop_following(&why),
                }
            }
        }
    }

    /// Reads this turn and those that wait behind it, as one batch. So a server that is behind writes as much at once as
    /// an only server would.
    ///
    /// # Errors
    /// Why the server cannot follow the log any further.
    fn read_turns(
        &self,
        hub: &Hub,
        body: Bytes,
        mut ledger: Ledger,
        is_own: bool,
    ) -> Result<(OutputBatch, Ledger), String> {
        let read = |body: &[u8], before: u64| {
            let turn = OutputBatch::from_turn(body, self.flusher.node()).map_err(|error| error.to_string());
            let (mut batch, news) = turn?;
            news.check(before)?;
            if !is_own {
                batch = batch.without_sessions();
            }
            hub.begin_turn(&mut batch, news.present, is_own);
            Ok::<_, String>(batch)
        };
        let (mut batch, mut bytes) = (read(&body, self.persister.latest())?, body.len());
        for _ in 1..CATCH_UP_TURNS {
            let Some((body, later)) = hub.next_turn_beside(bytes, is_own) else { break };
            batch.append(read(&body, batch.seq)?);
            bytes += body.len();
            ledger = later;
        }
        Ok((batch, ledger))
    }

    /// Stores turns, and writes them if they concern this process's sessions.
    async fn carry_out(&mut self, mut batch: OutputBatch, ledger: &Ledger, is_own: bool) {
        if !self.persister.persist_turn(&mut batch, ledger, &mut self.flusher).await {
            self.has_given_up = true;
        } else if is_own {
            self.flusher.flush(batch).await;
        }
    }

    /// Writes the batch if it is small and needs no store.
    fn write_small(&mut self, hub: &Hub) -> bool {
        let Self { persister, flusher, .. } = self;
        let is_wanted = |batch: &OutputBatch| batch.is_small() && persister.needs_no_store(batch);
        let Some(mut batch) = hub.take_batch(&mut flusher.spare, is_wanted) else { return false };
        persister.pass(&mut batch);
        flusher.flush_small(batch);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EngineSource, NodeOptions, Server, ServerOptions};
    use crate::chat::{Account, Audience, Delivery, Entry, SessionId};
    use crate::engine::memory::MemoryLog;
    use crate::engine::{EngineEvent, EngineEvents};
    use crate::limits::SMALL_BATCH_STEPS;
    use crate::name::RoomName;
    use crate::protocol::{Event, Packet};

    /// A server that nothing runs but the test.
    fn server() -> Server {
        let address = Some(std::net::Ipv4Addr::LOCALHOST.into());
        Server::bind(ServerOptions { port: 0, address, ..ServerOptions::default() }).unwrap()
    }

    fn notice() -> Packet {
        Event::Notice("x".into()).to_packet("", None)
    }

    fn tell(server: &Server, sessions: usize) {
        (0..sessions).for_each(|n| server.hub.tell(SessionId(n as u64), notice()));
    }

    /// Whether a round of the reactor leaves nothing for the task.
    fn flushes(server: &Server) -> bool {
        server.output.flush();
        let mut is_empty = false;
        server.hub.take_batch(&mut Vec::new(), |batch| {
            is_empty = batch.is_empty();
            false
        });
        is_empty
    }

    #[tokio::test]
    async fn the_reactor_never_overtakes_a_batch_that_the_task_has() {
        let server = server();
        tell(&server, 1);
        let storing = server.output.writer.try_lock().unwrap();
        assert!(!flushes(&server), "the batch before is not written yet");
        drop(storing);
        assert!(flushes(&server));
    }

    #[tokio::test]
    async fn the_reactor_leaves_what_takes_long_to_the_task() {
        let small = server();
        tell(&small, SMALL_BATCH_STEPS);
        assert!(flushes(&small));
        let many = server();
        tell(&many, SMALL_BATCH_STEPS + 1);
        assert!(!flushes(&many));
        let lobby = server();
        let audience = Audience::Lobby { except: None };
        lobby.hub.act(|_, _, out| out.push(Delivery::Packet { audience, packet: Box::new(notice()) }));
        assert!(!flushes(&lobby));
        let job = server();
        let status = Delivery::Status { session: SessionId(1), echo: None };
        job.hub.act(|_, _, out| out.push(status));
        assert!(!flushes(&job));
    }

    #[tokio::test]
    async fn the_reactor_leaves_what_must_be_stored_to_the_task() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = Some(dir.path().to_owned());
        let address = Some(std::net::Ipv4Addr::LOCALHOST.into());
        for history in [None, ServerOptions::default().history] {
            let data_dir = data_dir.clone();
            let options = ServerOptions { port: 0, address, data_dir, history, ..ServerOptions::default() };
            let server = Server::bind(options).unwrap();
            tell(&server, 1);
            assert!(flushes(&server));
            let parted =
                Entry::Parted { room: RoomName::new("#games").unwrap(), account: Account::Token("x".into()) };
            tell(&server, 1);
            server.hub.act(|_, _, out| out.push(Delivery::Keep(parted)));
            assert!(!flushes(&server));
        }
    }

    /// A server with a log of its own, which nothing runs but the test, as it begins to lead; with the record of that.
    async fn leader(dir: &std::path::Path) -> (Server, EngineEvents, EngineEvent) {
        let engine = EngineSource::Memory(0, MemoryLog::new(1));
        let node =
            NodeOptions { names: Vec::new(), number: 0, log: "x".into(), engine, addresses: Vec::new() };
        let address = Some(std::net::Ipv4Addr::LOCALHOST.into());
        let (data_dir, node) = (Some(dir.to_owned()), Some(node));
        let options = ServerOptions { port: 0, address, data_dir, node, ..ServerOptions::default() };
        let mut server = Server::bind(options).unwrap();
        let mut events = server.engine.take().unwrap();
        let lead = next_record(&server, &mut events).await;
        (server, events, lead)
    }

    /// The log's next record. Others' events are of no interest here.
    async fn next_record(server: &Server, events: &mut EngineEvents) -> EngineEvent {
        loop {
            server.hub.node_tick();
            let wait = std::time::Duration::from_millis(20);
            if let Ok(Some(event @ EngineEvent::Record { .. })) =
                tokio::time::timeout(wait, events.recv()).await
            {
                return event;
            }
        }
    }

    #[tokio::test]
    async fn a_server_that_cannot_follow_the_log_carries_nothing_of_it_out_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let (server, _events, lead) = leader(dir.path()).await;
        server.hub.stop_following("the disk has another history");
        server.hub.engine_event(lead.clone()).unwrap();
        assert!(server.hub.next_output().is_none() && !server.hub.decides());
    }

    #[tokio::test]
    async fn while_a_turn_waits_for_the_output_the_next_one_grows_and_all_that_wait_are_written_as_one() {
        let dir = tempfile::tempdir().unwrap();
        let (server, mut events, lead) = leader(dir.path()).await;
        server.hub.engine_event(lead).unwrap();
        let write = async || server.output.writer.lock().await.write(&server.hub).await;
        while write().await {}
        assert!(server.hub.decides());
        let decide = || {
            server.hub.act(|_, _, out| out.push(Delivery::one(SessionId(1), notice())));
            server.hub.next_turn()
        };
        let propose = || server.hub.propose(decide().expect("a turn").write());
        let mut read = async || {
            let record = next_record(&server, &mut events).await;
            server.hub.engine_event(record).unwrap();
        };
        // From its first turn on, the log knows of this server's run.
        propose();
        read().await;
        while write().await {}
        for _ in 0..3 {
            propose();
        }
        for _ in 0..3 {
            read().await;
        }
        assert!(decide().is_none() && decide().is_none(), "turns wait for the output");
        assert!(write().await && !write().await, "one write is enough for all of them");
        assert!(server.hub.next_turn().is_some());
        assert!(server.hub.next_turn().is_none(), "that turn has all that was decided since");
    }
}
