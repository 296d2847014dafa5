//! Listens for goodbyes (RFC 6762 10.1). The mDNS library treats a time to live of 0 as one second, so
//! without this, a list could show a server that is gone.

use super::answer::{InstancePointer, pointers};
use super::datagrams;
use super::interfaces::interfaces;
use super::neighbours::open;
use crate::limits::MAX_MDNS_PACKET_BYTES;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// Listens until dropped.
#[derive(Debug)]
pub struct Goodbyes {
    gone: Arc<Mutex<HashSet<String>>>,
    _listening: JoinSet<()>,
}

impl Goodbyes {
    /// Starts to listen, on a tokio runtime. Hears nothing if the mDNS port cannot be shared.
    pub fn listen() -> Goodbyes {
        let gone = Arc::<Mutex<HashSet<String>>>::default();
        let mut listening = JoinSet::new();
        for socket in open(&interfaces().unwrap_or_default()) {
            listening.spawn(note(socket, gone.clone()));
        }
        Goodbyes { gone, _listening: listening }
    }

    /// Whether the last packet about this instance was a goodbye.
    pub fn has(&self, instance: &str) -> bool {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        gone.contains(&instance.to_ascii_lowercase())
    }
}

async fn note(socket: UdpSocket, gone: Arc<Mutex<HashSet<String>>>) {
    let mut buffer = vec![0; MAX_MDNS_PACKET_BYTES];
    while let Ok((length, _)) = datagrams::receive(&socket, &mut buffer).await {
        for InstancePointer { label, is_there } in pointers(&buffer[..length]) {
            let (mut gone, label) =
                (gone.lock().unwrap_or_else(PoisonError::into_inner), label.to_ascii_lowercase());
            if is_there {
                gone.remove(&label);
            } else if gone.len() < crate::limits::MAX_SERVERS {
                gone.insert(label);
            }
        }
    }
}
