//! Looks for copies of the server that runs here, as machines made from one image are: servers with its key.

use crate::client;
use crate::discovery::{Announcer, own_addresses};
use crate::limits::{COPY_ADDRESSES, COPY_CHECK, COPY_FIRST_CHECK, COPY_LISTEN};
use crate::server::Server;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use tokio::time::{Instant, interval_at};

/// Starts a task that logs each copy once. It ends with the runtime; a server that nobody can find has no copy to look for.
pub(super) fn watch(announcer: Option<&Announcer>, server: &Server) {
    if announcer.is_none() {
        return;
    }
    let (key, run, port) = (server.key(), server.run_id().to_owned(), server.address().port());
    tokio::spawn(async move {
        let mut told = BTreeSet::new();
        let mut ticks = interval_at(Instant::now() + COPY_FIRST_CHECK, COPY_CHECK);
        loop {
            ticks.tick().await;
            let own = own_addresses().unwrap_or_default();
            let is_own = |addr: SocketAddr| addr.port() == port && own.contains(&addr.ip());
            for addr in client::copies_of(key, &run, COPY_LISTEN, is_own).await {
                if told.len() < COPY_ADDRESSES && told.insert(addr) {
                    tell(addr);
                }
            }
        }
    });
}

fn tell(addr: SocketAddr) {
    tracing::warn!(
        event = "key_copied",
        %addr,
        "another server has this server's key, at {addr}, as after copying a data directory or a machine: clients \
         take one for the other; stop one of the two, delete its server.pem, and start it again"
    );
}
