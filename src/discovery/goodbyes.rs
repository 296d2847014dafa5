//! Who says goodbye meanwhile (RFC 6762 10.1). The mDNS library counts a time to live of 0 as one second,
//! in which a list would still have a server that is gone.

use super::answer::{InstancePointer, pointers};
use super::interfaces::interfaces;
use super::neighbours::open;
use crate::limits::MAX_MDNS_PACKET_BYTES;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// Listens until it is dropped.
#[derive(Debug)]
pub struct Goodbyes {
    gone: Arc<Mutex<HashSet<String>>>,
    _listening: JoinSet<()>,
}

impl Goodbyes {
    /// Starts listening, on a tokio runtime. Where the port of mDNS can't be shared, nothing is heard.
    pub fn listen() -> Goodbyes {
        let gone = Arc::<Mutex<HashSet<String>>>::default();
        let mut listening = JoinSet::new();
        for socket in open(&interfaces().unwrap_or_default()) {
            listening.spawn(note(socket, gone.clone()));
        }
        Goodbyes { gone, _listening: listening }
    }

    /// Whether the server with this instance label said goodbye, and was not heard of since.
    pub fn has(&self, instance: &str) -> bool {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        gone.contains(&instance.to_ascii_lowercase())
    }
}

/// Ends with the [`Goodbyes`].
async fn note(socket: UdpSocket, gone: Arc<Mutex<HashSet<String>>>) {
    let mut buffer = vec![0; MAX_MDNS_PACKET_BYTES];
    while let Ok((length, _)) = socket.recv_from(&mut buffer).await {
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
