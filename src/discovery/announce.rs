//! Being found: the server's announcement, kept up while interfaces come and go.

use super::SERVICE;
use super::interfaces::{Link, is_virtual, links, multicast_port, needs_link_local};
use super::label::{announced_id, plain_name, server_label};
use super::order::is_usable;
use crate::fingerprint::Fingerprint;
use crate::limits::{GOODBYE_WAIT, INTERFACE_CHECK, PROTOCOL_VERSION};
use crate::text::safe_line;
use mdns_sd::{DaemonEvent, IfKind, IfPredicate, Receiver, ServiceDaemon, ServiceInfo};
use std::net::IpAddr;

/// What is announced of a server.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// The server's id, the 64 hexadecimal digits of its key's fingerprint: TXT `fp`, in part TXT
    /// `id`, and 8 of them in the label.
    pub id: String,
    /// The name that people see: TXT `n`, of which 63 bytes are sent.
    pub name: String,
    /// Whether newcomers need a passphrase: TXT `pw`.
    pub closed: bool,
    /// The TCP port on which the server listens already.
    pub port: u16,
    /// Announce these addresses and no others; empty for those of the interfaces, as they change.
    pub advertise: Vec<IpAddr>,
    /// Announce on these interfaces; empty for all but those of container engines and hypervisors.
    pub interfaces: Vec<String>,
}

/// Why a server can't be announced. It works without, for those who know its address.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// The mDNS library refused.
    #[error("cannot announce this server by mDNS: {0}; clients must use --host")]
    Mdns(#[from] mdns_sd::Error),
    /// A named interface is not there.
    #[error("cannot announce on interface {name}: there is none of that name (there are: {present})")]
    NoInterface {
        /// The name that was asked for.
        name: String,
        /// The names of those that are up.
        present: String,
    },
    /// An address to be announced could lead nobody here.
    #[error("cannot announce address {0}: nobody can connect to it")]
    BadAddress(IpAddr),
}

/// A server made visible. Dropping it says goodbye once, in haste; [`Announcer::shutdown`] is better.
pub struct Announcer {
    daemon: ServiceDaemon,
    full_name: String,
    label: String,
}

impl Announcer {
    /// Announces, on a tokio runtime; the server must be listening. Returns at once: the first packet
    /// goes out within milliseconds, and interfaces that come up later are served too.
    ///
    /// # Errors
    /// See [`AnnounceError`]. If mDNS is blocked on this machine, that is logged as a warning.
    pub fn start(announcement: &Announcement) -> Result<Announcer, AnnounceError> {
        let links = links().unwrap_or_default();
        check(announcement, &links)?;
        if let Err(error) = multicast_port() {
            tracing::warn!(
                "UDP port 5353 cannot be shared ({error}): clients will not find this server by \
                 themselves; end the program that keeps the port, or connect with --host"
            );
        }
        let daemon = ServiceDaemon::new()?;
        tokio::spawn(log_events(daemon.monitor()?));
        daemon.set_ip_check_interval(u32::try_from(INTERFACE_CHECK.as_secs()).unwrap_or(1))?;
        select_interfaces(&daemon, &announcement.interfaces, &links)?;
        let label = server_label(&announcement.name, &announcement.id);
        let service = service(announcement, &label)?;
        let full_name = service.get_fullname().to_owned();
        daemon.register(service)?;
        Ok(Announcer { daemon, full_name, label })
    }

    /// The label under which the server is announced, such as `office-3f9a1c77`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Says goodbye, so that clients drop the server at once, and ends. Takes 150 ms, because the
    /// goodbye is sent a second time.
    pub async fn shutdown(self) {
        if let Err(error) = self.daemon.unregister(&self.full_name) {
            tracing::debug!(%error, "goodbye not sent");
        }
        tokio::time::sleep(GOODBYE_WAIT).await;
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        // Sends the goodbye of what is still registered. Fails only if the thread is gone already.
        let _ = self.daemon.shutdown();
    }
}

/// Refuses what could only fail in silence later.
fn check(announcement: &Announcement, links: &[Link]) -> Result<(), AnnounceError> {
    for name in &announcement.interfaces {
        if !links.iter().any(|link| link.name == *name) {
            let present: Vec<&str> = links.iter().map(|link| link.name.as_str()).collect();
            let present = present.join(", ");
            return Err(AnnounceError::NoInterface { name: name.clone(), present });
        }
    }
    match announcement.advertise.iter().find(|ip| !is_usable(**ip, true)) {
        Some(ip) => Err(AnnounceError::BadAddress(*ip)),
        None => Ok(()),
    }
}

/// Chooses where to speak. Loopback stays, for clients on a machine that has no network.
fn select_interfaces(daemon: &ServiceDaemon, names: &[String], links: &[Link]) -> Result<(), mdns_sd::Error> {
    if !names.is_empty() {
        daemon.disable_interface(IfKind::All)?;
        daemon.enable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
        return daemon.enable_interface(names.iter().map(IfKind::from).collect::<Vec<_>>());
    }
    // Where every interface looks virtual, as inside some containers, they are all there is.
    let real = links.iter().any(|link| !link.loopback && !is_virtual(&link.name));
    if !real && links.iter().any(|link| !link.loopback) {
        tracing::debug!("all interfaces look virtual; announcing on all of them");
        return Ok(());
    }
    daemon.disable_interface(IfKind::Predicate(IfPredicate::new(|i| is_virtual(&i.name))))
}

fn service(announcement: &Announcement, label: &str) -> Result<ServiceInfo, mdns_sd::Error> {
    let name = plain_name(&announcement.name);
    let version = PROTOCOL_VERSION.to_string();
    let pw = if announcement.closed { "1" } else { "0" };
    let fp = Fingerprint::from_id(&announcement.id).map(|fp| fp.base64());
    let id = announced_id(&announcement.id);
    let mut txt = vec![("v", version.as_str()), ("id", id), ("n", name.as_str()), ("pw", pw)];
    txt.extend(fp.as_ref().map(|fp| ("fp", fp.as_str())));
    let (kind, host) = (format!("{SERVICE}."), format!("{label}.local."));
    let addrs = announcement.advertise.as_slice();
    let mut service = ServiceInfo::new(&kind, label, &host, addrs, announcement.port, &txt[..])?;
    // The label holds the id, so nobody else has it; a probe would cost 0.8 s, and could be denied.
    service.set_requires_probe(false);
    if announcement.advertise.is_empty() {
        service = service.enable_addr_auto();
        service.set_interfaces(vec![IfKind::Predicate(IfPredicate::new(is_worth_announcing))]);
    }
    Ok(service)
}

fn is_worth_announcing(interface: &if_addrs::Interface) -> bool {
    match interface.ip() {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => {
            needs_link_local(&interface.name, &links().unwrap_or_default())
        }
        _ => true,
    }
}

/// Logs what the library reports. Ends with its thread.
async fn log_events(events: Receiver<DaemonEvent>) {
    while let Ok(event) = events.recv_async().await {
        match event {
            DaemonEvent::IpAdd(ip) => tracing::debug!(%ip, "announcing on a new address"),
            DaemonEvent::IpDel(ip) => tracing::debug!(%ip, "an announced address is gone"),
            DaemonEvent::NameChange(change) => tracing::warn!(
                "another server has the name {} on {}; announcing as {}",
                safe_line(&change.original),
                change.intf_name,
                safe_line(&change.new_name)
            ),
            DaemonEvent::Error(error) => tracing::warn!("mDNS: {}", safe_line(&error.to_string())),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement() -> Announcement {
        Announcement {
            id: "3f9a1c7700112233".repeat(4),
            name: "The Office".into(),
            closed: true,
            port: 7667,
            advertise: Vec::new(),
            interfaces: Vec::new(),
        }
    }

    #[test]
    fn an_interface_that_is_not_there_is_refused_with_those_that_are() {
        let eth0 = Link { name: "eth0".into(), index: 2, loopback: false, addrs: Vec::new() };
        let asked = Announcement { interfaces: vec!["wlan9".into()], ..announcement() };
        let error = check(&asked, &[eth0]).unwrap_err().to_string();
        assert!(error.contains("wlan9") && error.contains("there are: eth0"), "{error}");
    }

    #[test]
    fn an_address_that_leads_nowhere_is_refused() {
        let asked = Announcement { advertise: vec!["0.0.0.0".parse().unwrap()], ..announcement() };
        assert!(matches!(check(&asked, &[]), Err(AnnounceError::BadAddress(_))));
    }

    #[test]
    fn the_service_has_the_label_as_instance_and_host() {
        let asked = announcement();
        let service = service(&asked, "the-office-3f9a1c77").unwrap();
        assert_eq!(service.get_fullname(), "the-office-3f9a1c77._lanchat._tcp.local.");
        assert_eq!(service.get_hostname(), "the-office-3f9a1c77.local.");
        assert_eq!(service.get_property_val_str("id"), Some("3f9a1c7700112233"));
        assert_eq!(service.get_property_val_str("n"), Some("The Office"));
        assert_eq!(service.get_property_val_str("pw"), Some("1"));
        let fp = service.get_property_val_str("fp").unwrap();
        assert_eq!(fp.len(), 43);
        assert_eq!(fp.parse::<Fingerprint>().unwrap().id(), asked.id);
        assert!(!service.requires_probe() && service.is_addr_auto());
    }
}
