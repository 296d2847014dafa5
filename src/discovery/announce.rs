//! Announces a server by mDNS, and reports whether others can find it.

use super::announcement::{Announcement, Visibility};
use super::interfaces::{InterfaceInfo, infos};
use super::label::{announced_id, node_label, plain_name};
use super::order::is_usable;
use super::responder::Responder;
use super::{PAGE_SERVICE, SERVICE};
use crate::fingerprint::Fingerprint;
use crate::limits::{GOODBYE_WAIT, PROTOCOL_VERSION};
use mdns_sd::ServiceInfo;
use std::net::IpAddr;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Why a server cannot be announced. Clients that know its address can still connect.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// The mDNS library refused.
    #[error("cannot announce this server by mDNS: {0}; clients need --host to find it")]
    Mdns(#[from] mdns_sd::Error),
    /// A chosen interface does not exist.
    #[error("cannot announce on interface {name}: it does not exist; choose one of: {present}")]
    NoInterface {
        /// The chosen name.
        name: String,
        /// The names of interfaces that are up.
        present: String,
    },
    /// No client could connect to a chosen address.
    #[error("cannot announce address {0}: clients cannot connect to it; use an address of this machine")]
    BadAddress(IpAddr),
}

/// Keeps a server announced. Dropping it sends one goodbye; [`Announcer::shutdown`] is more reliable.
pub struct Announcer {
    responder: Responder,
    label: String,
    visibility: watch::Receiver<Visibility>,
    keeper: AbortHandle,
}

impl Announcer {
    /// Starts to announce a server that listens already, on a tokio runtime. Returns at once; the first
    /// packet goes out within milliseconds. From then on, it also serves interfaces that come up later, and
    /// retries failures every few seconds. It logs when the server becomes visible, and warns when it is not.
    ///
    /// # Errors
    /// See [`AnnounceError`]. It is not an error if mDNS fails at the moment.
    pub fn start(announcement: &Announcement) -> Result<Announcer, AnnounceError> {
        let infos = infos().unwrap_or_default();
        check(announcement, &infos)?;
        let label = node_label(&announcement.name, &announcement.id, announcement.node.as_deref());
        let page = announcement.web.then(|| page_service(announcement, &label)).transpose()?;
        let services = [service(announcement, &label)?].into_iter().chain(page).collect();
        let responder = Responder::new(announcement, services);
        let (told, visibility) = watch::channel(responder.look(&infos));
        let keeper = tokio::spawn(responder.clone().keep_up(told)).abort_handle();
        Ok(Announcer { responder, label, visibility, keeper })
    }

    /// The announced label, such as `office-3f9a1c77`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Reports whether others can find the server.
    pub fn visibility(&self) -> watch::Receiver<Visibility> {
        self.visibility.clone()
    }

    /// Sends goodbyes, so that clients drop the server at once. Takes 150 ms, because it sends them twice.
    pub async fn shutdown(self) {
        self.keeper.abort();
        if self.responder.say_goodbye() {
            tokio::time::sleep(GOODBYE_WAIT).await;
        }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.keeper.abort();
        self.responder.end();
    }
}

/// Refuses settings that would fail silently later.
fn check(announcement: &Announcement, infos: &[InterfaceInfo]) -> Result<(), AnnounceError> {
    for name in &announcement.interfaces {
        if !infos.iter().any(|one| one.link.name == *name) {
            let present: Vec<&str> = infos.iter().map(|one| one.link.name.as_str()).collect();
            let present = present.join(", ");
            return Err(AnnounceError::NoInterface { name: name.clone(), present });
        }
    }
    match announcement.advertise.iter().find(|ip| !is_usable(**ip, true)) {
        Some(ip) => Err(AnnounceError::BadAddress(*ip)),
        None => Ok(()),
    }
}

fn service(announcement: &Announcement, label: &str) -> Result<ServiceInfo, mdns_sd::Error> {
    let name = plain_name(&announcement.name);
    let version = PROTOCOL_VERSION.to_string();
    let pw = if announcement.closed { "1" } else { "0" };
    let fp = Fingerprint::from_id(&announcement.id).map(|fp| fp.base64());
    let id = announced_id(&announcement.id);
    let mut txt = vec![("v", version.as_str()), ("id", id), ("n", name.as_str()), ("pw", pw)];
    txt.extend(fp.as_ref().map(|fp| ("fp", fp.as_str())));
    txt.extend(announcement.web.then_some(("web", "1")));
    txt.extend(announcement.node.as_deref().map(|node| ("node", node)));
    service_of(SERVICE, announcement, label, &txt)
}

/// The page for browsers.
fn page_service(announcement: &Announcement, label: &str) -> Result<ServiceInfo, mdns_sd::Error> {
    service_of(PAGE_SERVICE, announcement, label, &[("path", "/")])
}

fn service_of(
    kind: &str,
    announcement: &Announcement,
    label: &str,
    txt: &[(&str, &str)],
) -> Result<ServiceInfo, mdns_sd::Error> {
    let (kind, host) = (format!("{kind}."), format!("{label}.local."));
    let addrs = announcement.advertise.as_slice();
    let mut service = ServiceInfo::new(&kind, label, &host, addrs, announcement.port, txt)?;
    // The label contains the id, so it is unique; a probe would cost 0.8 s, and another machine could deny
    // it.
    service.set_requires_probe(false);
    if announcement.advertise.is_empty() {
        service = service.enable_addr_auto();
    }
    Ok(service)
}

#[cfg(test)]
mod tests {
    use super::super::announcement::is_meant;
    use super::super::interface_kind::InterfaceKind;
    use super::super::interfaces::Interface;
    use super::*;

    fn announcement() -> Announcement {
        Announcement {
            id: "3f9a1c7700112233".repeat(4),
            name: "The Office".into(),
            node: None,
            closed: true,
            web: false,
            port: 7667,
            advertise: Vec::new(),
            interfaces: Vec::new(),
        }
    }

    fn attached(name: &str, kind: InterfaceKind) -> InterfaceInfo {
        let link = Interface { name: name.into(), index: 2, loopback: false, addrs: Vec::new() };
        InterfaceInfo { link, nets: Vec::new(), kind }
    }

    #[test]
    fn an_interface_that_is_not_there_is_refused_with_those_that_are() {
        let asked = Announcement { interfaces: vec!["wlan9".into()], ..announcement() };
        let error = check(&asked, &[attached("eth0", InterfaceKind::Lan)]).unwrap_err().to_string();
        assert!(error.contains("wlan9") && error.contains("choose one of: eth0"), "{error}");
    }

    #[test]
    fn an_address_that_leads_nowhere_is_refused() {
        let asked = Announcement { advertise: vec!["0.0.0.0".parse().unwrap()], ..announcement() };
        assert!(matches!(check(&asked, &[]), Err(AnnounceError::BadAddress(_))));
    }

    #[test]
    fn a_chosen_interface_is_announced_on_whatever_it_is_and_no_other_one() {
        let (docker, eth) = (attached("docker0", InterfaceKind::Inner), attached("eth0", InterfaceKind::Lan));
        assert!(!is_meant(&announcement(), &docker) && is_meant(&announcement(), &eth));
        let asked = Announcement { interfaces: vec!["docker0".into()], ..announcement() };
        assert!(is_meant(&asked, &docker) && !is_meant(&asked, &eth));
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
        assert_eq!(service.get_property_val_str("web"), None);
        assert_eq!(service.get_property_val_str("node"), None);
        let node = Announcement { node: Some("b".into()), ..asked };
        let service = super::service(&node, "the-office-3f9a1c77-b").unwrap();
        assert_eq!(service.get_property_val_str("node"), Some("b"));
    }

    #[test]
    fn a_server_with_a_page_is_also_a_web_page() {
        let asked = Announcement { web: true, ..announcement() };
        let chat = service(&asked, "the-office-3f9a1c77").unwrap();
        assert_eq!(chat.get_property_val_str("web"), Some("1"));
        let page = page_service(&asked, "the-office-3f9a1c77").unwrap();
        assert_eq!(page.get_fullname(), "the-office-3f9a1c77._http._tcp.local.");
        assert_eq!((page.get_hostname(), page.get_port()), (chat.get_hostname(), 7667));
        assert_eq!(page.get_property_val_str("path"), Some("/"));
    }
}
