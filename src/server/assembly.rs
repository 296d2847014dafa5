//! Builds the parts of a server from its options.

use super::chat_settings::ChatSettings;
use super::connection_ids::ConnectionIds;
use super::data_dir::{DataDir, HISTORY_FILE};
use super::descriptors;
use super::flusher::Flusher;
use super::gate::{Gate, GateLimits};
use super::handshaker::Handshaker;
use super::history::History;
use super::hub::{Hub, NodeSeat};
use super::journal::ServerJournal;
use super::listener::Admission;
use super::memory::Budget;
use super::multicast::MulticastTests;
use super::options::ServerOptions;
use super::output_stage::OutputStage;
use super::persister::Persister;
use super::reactor_inbox::ReactorInbox;
use super::secrets::{self, ClosedServer, IssuedSecrets};
use super::start_error::StartError;
use super::transfer::{FileDoor, Links, TransferCounts, Transfers};
use super::vitals::{Vitals, VitalsSources};
use super::watch::Watch;
use super::web;
use crate::chat::{Archive, Chat, Profile, Rules, TicketSource, TokenSource};
use crate::clock::Clock;
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_BATCH_BYTES, OPERATOR_CODE_TIME};
use crate::protocol::Nodes;
use crate::protocol::packet::ServerInfo;
use crate::security::{Keypair, ServerTls, ticket_hash};
use crate::store::{ReplicaState, Store};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// The server's own numbers. `history`: the store and its file, if the server has one.
pub(super) fn vitals(
    hub: &Arc<Hub>,
    (handshaker, admission, transfers): (&Arc<Handshaker>, &Admission, Arc<TransferCounts>),
    history: Option<(Store, PathBuf)>,
    watch: &Watch,
) -> Vitals {
    Vitals::new(VitalsSources {
        hub: Arc::clone(hub),
        handshaker: Arc::clone(handshaker),
        admission: admission.clone(),
        transfers,
        journal: Arc::clone(&watch.journal),
        history: history.filter(|_| hub.read(Chat::keeps_messages)),
        counted: Arc::clone(&watch.counted),
    })
}

/// Its number among the servers of the chat.
pub(super) fn node_number(options: &ServerOptions) -> u8 {
    options.node.as_ref().map_or(0, |node| node.number)
}

pub(super) fn server_info(options: &ServerOptions, key: &Fingerprint) -> ServerInfo {
    ServerInfo { id: key.id(), name: options.name.clone(), version: env!("CARGO_PKG_VERSION").into() }
}

pub(super) fn admission(
    options: &ServerOptions,
    memory: Arc<Budget>,
    journal: Arc<ServerJournal>,
) -> Result<Admission, StartError> {
    let limits = GateLimits { max_per_address: options.max_per_address, max_clients: most_clients(options) };
    let ids = match &options.node {
        Some(node) => ConnectionIds::of_run(node.number)?,
        None => ConnectionIds::of(0),
    };
    Ok(Admission { gate: Gate::new(limits, journal), ids: Arc::new(ids), memory })
}

pub(super) type Identity = (ServerTls, Fingerprint, Option<Arc<ClosedServer>>);

/// The server's key, and its passphrase if it is closed.
pub(super) fn identity(
    keys: &Keypair,
    data_dir: &DataDir,
    options: &ServerOptions,
) -> Result<Identity, StartError> {
    let key = keys.fingerprint();
    let passphrase = options.access.passphrase(data_dir)?;
    let closed_server = passphrase.map(|words| Arc::new(ClosedServer::new(words, keys)));
    Ok((web::server_tls(options, keys, data_dir)?, key, closed_server))
}

/// The hub, and what passes its transfers on.
pub(super) fn open_hub(
    options: &ServerOptions,
    (chat, journal, closed_server): (Chat, Arc<ServerJournal>, Option<Arc<ClosedServer>>),
    inbox: Arc<ReactorInbox>,
    clock: Arc<Clock>,
    (seat, links): (Option<NodeSeat>, Option<Links>),
) -> (Arc<Hub>, (Transfers, FileDoor)) {
    let max_batch = max_batch(options);
    let (ends, ended) = mpsc::unbounded_channel();
    let rules = (chat, ends, journal);
    let hub = Hub::new(rules, closed_server, options.registration, max_batch, inbox, clock, seat);
    hub.act(|chat, now, out| chat.date_sanctions(now, out));
    hub.set_settings(ChatSettings::of(options, hub.passphrase_mark()));
    let transfers = Transfers::new(Arc::clone(&hub), ended, options.file_rate(), links);
    (hub, transfers)
}

/// Bytes of a batch above which connections wait, so that one batch never closes a client that reads.
pub(super) fn max_batch(options: &ServerOptions) -> usize {
    MAX_BATCH_BYTES.min(options.backlog / 4)
}

pub(super) fn output_stage(
    hub: &Arc<Hub>,
    store: Option<&Store>,
    multicast: bool,
    vitals: &Vitals,
) -> Arc<OutputStage> {
    let kept = store.filter(|_| hub.read(Chat::keeps_messages));
    let history = kept.map(|store| History::new(Arc::clone(hub), store.clone()));
    let flusher = Flusher::new(hub.node_number(), history, MulticastTests::new(multicast), vitals.clone());
    let persister = Persister::new(Arc::clone(hub), store.cloned());
    Arc::new(OutputStage::new(Arc::clone(hub), persister, flusher))
}

/// Opens the store, and returns what it holds already.
pub(super) fn open_store(
    data_dir: &DataDir,
    options: &ServerOptions,
    clock: &Arc<Clock>,
) -> Result<(Option<Store>, ReplicaState), StartError> {
    let clock = Arc::clone(clock);
    let (store, archive) = match (data_dir.file(HISTORY_FILE), options.history, &options.node) {
        (Some(path), Some(keep), Some(node)) => {
            if node.names.len() > 1 {
                // Before the store removes anything.
                clock.needs_witnesses();
            }
            let (store, state) = Store::open_shared(&path, keep, clock, &node.log)?;
            return Ok((Some(store), state));
        }
        (_, _, Some(_)) => return Err(StartError::NodeWithoutHistory),
        (Some(path), Some(keep), None) => Store::open_by(&path, keep, clock)?,
        (Some(path), None, None) => Store::open_records(&path, clock)?,
        (None, _, None) => return Ok((None, ReplicaState::default())),
    };
    Ok((Some(store), ReplicaState { archive, ..ReplicaState::default() }))
}

/// Builds the rules from what is stored; also returns the secrets.
pub(super) fn chat(
    options: &ServerOptions,
    server: ServerInfo,
    closed: bool,
    (data_dir, address): (&DataDir, SocketAddr),
    archive: Archive,
) -> Result<(Chat, IssuedSecrets), StartError> {
    let secrets = IssuedSecrets::make()?;
    data_dir.leave_secret(&server.id, &secrets.token, (address, options.access.file()))?;
    let profile = Profile { server, run: Some(secrets.run.clone()), motd: options.motd.clone() };
    let rules = Rules { closed, ..options.rules.clone() };
    let mut chat = Chat::new(profile, rules, archive);
    chat.offer_operator(node_number(options), &secrets.code, &secrets.token, OPERATOR_CODE_TIME);
    if let Some(files) = options.files {
        let rules = files.bounded_rules();
        if rules.max_transfers < files.rules.max_transfers {
            tracing::warn!(
                event = "file_rate_low",
                "--file-rate is enough for {} transfers at a time, so --max-transfers {} is too high; raise the rate for \
                 more",
                rules.max_transfers,
                files.rules.max_transfers
            );
        }
        chat.pass_files(rules, TokenSource::new(secrets::random));
    }
    if let Some(nodes) = &options.nodes {
        chat.name_servers(nodes.clone(), &node_names(options, nodes));
    }
    if let Some(web) = &options.web {
        chat.serve_browsers(web.mode, TicketSource { random: secrets::random, hash: ticket_hash });
    }
    Ok((chat, secrets))
}

/// The names of the chat's servers, by number.
fn node_names(options: &ServerOptions, nodes: &Nodes) -> Vec<String> {
    let known = options.node.as_ref().map(|node| node.names.clone()).filter(|names| !names.is_empty());
    known.unwrap_or_else(|| nodes.places().iter().map(|place| place.node.clone()).collect())
}

/// The most clients at a time: as the file descriptors allow beside the transfers.
pub(super) fn most_clients(options: &ServerOptions) -> usize {
    let transfers = options.files.map_or(0, |files| files.rules.max_transfers);
    let fit = descriptors::clients_that_fit().map(|fit| descriptors::less_those_of_files(fit, transfers));
    descriptors::max_clients(options.max_clients, fit)
}
