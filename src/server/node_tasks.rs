//! The tasks of a server that shares its chat with others: what the log says goes to the hub, what the hub's rules
//! decide goes into the log.

use super::assembly;
use super::hub::{Hub, NodeDoor, NodeSeat};
use super::options::{EngineSource, JoinPolicy, ServerOptions};
use super::secrets::IssuedSecrets;
use super::start_error::StartError;
use super::transfer::Links;
use crate::cluster::{Ledger, Node, NodeId};
#[cfg(feature = "nats")]
use crate::engine::nats::{self, Create};
use crate::engine::{EngineEvent, EngineEvents, EngineHandle};
use crate::fingerprint::Fingerprint;
use crate::limits::NODE_TICK;
use crate::security::{Keypair, Seal};
use crate::store::ReplicaState;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;

/// Joins the servers' log where the database ends; `None`: there are no other servers.
pub(super) fn join(
    options: &ServerOptions,
    keys: &Keypair,
    state: &ReplicaState,
    started: Instant,
) -> Result<Option<(NodeSeat, EngineEvents)>, StartError> {
    let Some(settings) = &options.node else { return Ok(None) };
    let ledger = match &state.ledger {
        Some(bytes) => rmp_serde::from_slice(bytes).map_err(|_| StartError::LedgerUnreadable)?,
        None => Ledger::default(),
    };
    let ledger = with_key(ledger, &keys.fingerprint())?;
    let (engine, events) = open(&settings.engine, ledger.position)?;
    engine.follow(ledger.position);
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(StartError::Random)?;
    let [delay, question] = [&random[..8], &random[8..]]
        .map(|bytes| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)));
    let start = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
    let delay = Duration::from_millis(delay % 1000);
    let node = Node::new(NodeId(settings.number), start, ledger, delay, started.elapsed());
    let seat = NodeSeat::new(
        node,
        (engine, Seal::new(keys)?, keys.fingerprint()),
        assembly::max_batch(options),
        question,
    );
    let mut seat = seat.with_names(settings.names.clone());
    let records = &state.archive.records;
    seat.keys.know(records);
    let asks = !matches!(options.access, JoinPolicy::Open);
    seat.door = NodeDoor::new(asks, (state.closed, settings.names.len()), records.bans.clone());
    Ok(Some((seat, events)))
}

/// Marks the ledger with the chat's key, which this server has to open the log.
///
/// # Errors
/// If the ledger is of servers with another one.
fn with_key(ledger: Ledger, key: &Fingerprint) -> Result<Ledger, StartError> {
    let mark = key.as_bytes()[..8].iter().fold(0, |mark, byte| mark << 8 | u64::from(*byte));
    ledger.with_key_mark(mark).ok_or(StartError::OtherKey)
}

/// For the files between people at different servers.
pub(super) fn links(options: &ServerOptions, keys: &Keypair) -> Result<Option<Links>, StartError> {
    let Some(node) = &options.node else { return Ok(None) };
    Ok(Some(Links::new(keys, &node.addresses)?))
}

/// Tells a node the secrets that make a client an operator.
pub(super) fn with_secrets(
    node: Option<(NodeSeat, EngineEvents)>,
    secrets: &IssuedSecrets,
) -> Option<(NodeSeat, EngineEvents)> {
    node.map(|(mut seat, events)| {
        seat.set_operator_secrets(&secrets.code, &secrets.token);
        (seat, events)
    })
}

/// Opens the engine for a server that has followed the log up to this position.
fn open(engine: &EngineSource, position: u64) -> Result<(EngineHandle, EngineEvents), StartError> {
    match engine {
        EngineSource::Memory(number, log) => Ok(log.join(*number)),
        #[cfg(feature = "nats")]
        EngineSource::Nats(config) => {
            let create = if position == 0 { Create::IfAbsent } else { Create::Never };
            let start = nats::start((**config).clone(), create);
            let started = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(start))?;
            for warning in started.warnings {
                tracing::warn!(event = "engine_warning", "{warning}");
            }
            Ok((started.handle, started.events))
        }
    }
}

/// Runs until aborted. A server that cannot follow the log any further still answers programs that ask how it is doing.
pub(super) async fn run(hub: Arc<Hub>, mut events: EngineEvents) {
    let mut tick = tokio::time::interval(NODE_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = hub.turn_ready() => {
                propose(&hub);
                continue;
            }
            _ = tick.tick() => {
                hub.node_tick();
                continue;
            }
        };
        let Some(event) = event else { return };
        if let EngineEvent::Lost { first, last } = event {
            hub.stop_following(&lost(first, last));
        } else if let Err(fault) = hub.engine_event(event) {
            hub.stop_for(&fault);
        }
        propose(&hub);
    }
}

/// Sends the log what the rules have decided.
fn propose(hub: &Hub) {
    while let Some(turn) = hub.next_turn() {
        hub.propose(turn.write());
    }
}

fn lost(first: u64, last: u64) -> String {
    match last {
        0 => "the servers' log is empty, although this server has followed it; see lanchat cluster restore"
            .into(),
        _ => format!(
            "the servers' log has only records {first} to {last} any more, and this server needs others; see lanchat \
             cluster restore"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::hub::{NodeMessage, SEALED_MESSAGE};
    use super::super::node_report::NodeReport;
    use super::super::{KEY_FILE, NodeOptions, Server};
    use super::*;
    use crate::engine::ASKER;
    use crate::engine::memory::MemoryLog;

    #[tokio::test]
    async fn a_server_that_takes_no_part_any_more_answers_who_asks_and_says_why() {
        let (dir, log) = (tempfile::tempdir().unwrap(), MemoryLog::new(1));
        // Nobody has the key of the first record.
        log.append_strange("not of a server".into());
        let engine = EngineSource::Memory(0, log.clone());
        let node =
            NodeOptions { names: Vec::new(), number: 0, log: "x".into(), engine, addresses: Vec::new() };
        let address = Some(std::net::Ipv4Addr::LOCALHOST.into());
        let (data_dir, node) = (Some(dir.path().to_owned()), Some(node));
        let options = ServerOptions { port: 0, address, data_dir, node, ..ServerOptions::default() };
        let mut server = Server::bind(options).unwrap();
        let events = server.engine.take().unwrap();
        let running = tokio::spawn(run(Arc::clone(&server.hub), events));
        let keys = Keypair::load(&dir.path().join(KEY_FILE)).unwrap();
        let (mut seal, (asker, mut answers)) = (Seal::new(&keys).unwrap(), log.join(ASKER));
        let stopped = loop {
            let question = seal.seal(SEALED_MESSAGE, &NodeMessage::Ask { number: 7 }.to_bytes());
            asker.send(0, question.into());
            let EngineEvent::Message { bytes } = answers.recv().await.unwrap() else { panic!("no message") };
            let answer = NodeMessage::read(&seal.open(SEALED_MESSAGE, &bytes).unwrap());
            let Some(NodeMessage::Answer { number: 7, report }) = answer else { panic!("{answer:?}") };
            let report: NodeReport = serde_json::from_slice(&report).unwrap();
            if let Some(why) = report.stopped {
                assert_eq!((report.leads, report.leader), (false, None));
                break why;
            }
        };
        assert!(stopped.contains("not of a server with this chat's key"), "{stopped}");
        running.abort();
    }
}
