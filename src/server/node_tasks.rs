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

/// Runs until aborted, or until the server cannot follow the log any further.
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
            return hub.stop_following(&lost(first, last));
        }
        if let Err(fault) = hub.engine_event(event) {
            return hub.stop_for(&fault);
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
