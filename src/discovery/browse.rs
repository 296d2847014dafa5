//! Browses by the mDNS library.

use super::SERVICE;
use super::interfaces::interfaces;
use super::order::{is_usable, scoped};
use super::sighting::{HeardBy, Observation, Sighting, instance_label};
use crate::limits::{INTERFACE_CHECK, LINKS_OF_A_SOCKET};
use mdns_sd::{IfKind, IfPredicate, Receiver, ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent};
use std::net::SocketAddr;
use tokio::sync::mpsc;

/// A running browse, with a thread of the library. Ends when dropped.
pub(super) struct Browser {
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
}

impl Browser {
    /// Starts to browse on all interfaces, including those that come up later.
    pub(super) fn start() -> Result<Browser, mdns_sd::Error> {
        let daemon = ServiceDaemon::new()?;
        daemon.set_ip_check_interval(u32::try_from(INTERFACE_CHECK.as_secs()).unwrap_or(1))?;
        leave_some_out(&daemon)?;
        let events = daemon.browse(&format!("{SERVICE}."))?;
        Ok(Browser { daemon, events })
    }

    /// Forwards observations until the receiver is gone or the library ends.
    pub(super) async fn forward(self, found: mpsc::Sender<Observation>) {
        loop {
            let event = tokio::select! {
                event = self.events.recv_async() => event,
                () = found.closed() => return,
            };
            let event = match event {
                Ok(ServiceEvent::ServiceResolved(service)) => sighting(&service).map(Observation::Seen),
                Ok(ServiceEvent::ServiceRemoved(_, full_name)) => {
                    instance_label(&full_name).map(Observation::Gone)
                }
                Ok(_) => None,
                Err(_) => return,
            };
            if let Some(event) = event
                && found.send(event).await.is_err()
            {
                return;
            }
        }
    }
}

/// A socket cannot listen on all interfaces of a machine with dozens of bridges; prefers those that lead to
/// other machines. One-shot queries use all of them.
fn leave_some_out(daemon: &ServiceDaemon) -> Result<(), mdns_sd::Error> {
    let links = interfaces().unwrap_or_default();
    let Some(rest) = links.get(LINKS_OF_A_SOCKET..).filter(|rest| !rest.is_empty()) else { return Ok(()) };
    let rest: Vec<u32> = rest.iter().filter(|link| !link.loopback).map(|link| link.index).collect();
    let is_left_out =
        move |interface: &if_addrs::Interface| rest.contains(&interface.index.unwrap_or_default());
    daemon.disable_interface(IfKind::Predicate(IfPredicate::new(is_left_out)))
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Fails only if the thread has ended.
        let _ = self.daemon.shutdown();
    }
}

fn sighting(service: &ResolvedService) -> Option<Sighting> {
    let label = instance_label(service.get_fullname())?;
    let port = service.get_port();
    let addrs: Vec<SocketAddr> =
        service.get_addresses().iter().filter_map(|ip| reachable(ip, port)).collect();
    if addrs.is_empty() || port == 0 {
        return None;
    }
    let txt = service.get_properties().iter().map(|property| {
        let value = property.val().map(String::from_utf8_lossy).unwrap_or_default();
        (property.key().to_owned(), value.into_owned())
    });
    Some(Sighting::new(&label, txt, addrs, HeardBy { browse: true, one_shot: false }))
}

/// The address to connect to, if usable. A loopback address counts only if it came from loopback.
fn reachable(ip: &ScopedIp, port: u16) -> Option<SocketAddr> {
    let is_loopback = |name: &str| name.starts_with("lo") || name.contains("Loopback");
    let (on_loopback, interface) = match ip {
        ScopedIp::V4(v4) => (v4.interface_ids().iter().any(|id| is_loopback(&id.name)), 0),
        ScopedIp::V6(v6) => (is_loopback(&v6.scope_id().name), v6.scope_id().index),
        _ => return None,
    };
    let ip = ip.to_ip_addr();
    is_usable(ip, on_loopback).then(|| scoped(ip, port, interface))
}
