//! Announces a running server, and tells its administrator how people join.

use super::args::{ServeArgs, WebChoice};
use crate::discovery::{Announcement, Announcer, Visibility, container_address, local_name, own_addresses};
use crate::limits::DEFAULT_PORT;
use crate::prompt::qr_code_here;
use crate::protocol::packet::ServerInfo;
use crate::protocol::{WebAccess, page_link, plain_page_link};
use crate::server::{PageGuide, PageNotice, Server};
use anstream::{AutoStream, ColorChoice};
use jiff::Timestamp;
use std::net::{IpAddr, SocketAddr};

/// Announces a server that listens, unless the options forbid it. A failure is only logged: the
/// server works without announcements.
pub(super) fn announce(serve: &ServeArgs, server: &Server) -> Option<Announcer> {
    let address = server.address();
    // Other machines would look for a loopback address on themselves.
    if serve.no_discovery || (address.ip().is_loopback() && serve.advertise.is_empty()) {
        return None;
    }
    match Announcer::start(&announcement(serve, server.info(), server.node(), address)) {
        Ok(announcer) => Some(announcer),
        Err(error) => {
            tracing::warn!(event = "mdns_failed", "{error}");
            None
        }
    }
}

/// Logs how people join, now and whenever the server becomes visible or invisible. Its task ends with the
/// announcer.
pub(super) fn tell_how_to_join(announcer: Option<&Announcer>, serve: &ServeArgs, server: &Server) {
    let address = server.address();
    tell_browsers(serve, server);
    let way = Reachability::of(serve, address);
    let Some(announcer) = announcer else {
        return tell(&way, address.port(), false);
    };
    let mut visibility = announcer.visibility();
    let mut visible = *visibility.borrow_and_update() == Visibility::Announced;
    tell(&way, address.port(), visible);
    let serve = serve.clone();
    tokio::spawn(async move {
        while visibility.changed().await.is_ok() {
            let now = *visibility.borrow_and_update() == Visibility::Announced;
            if now != visible {
                tell(&Reachability::of(&serve, address), address.port(), now);
                visible = now;
            }
        }
    });
}

fn tell(way: &Reachability, port: u16, visible: bool) {
    if let Some(line) = how_to_join(way, port, visible) {
        tracing::info!(event = "how_to_join", "{line}");
    }
}

/// How other machines can reach a server by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reachability {
    /// Only from this machine, at its loopback address.
    Loopback(IpAddr),
    Address(IpAddr),
    /// Only through the container's host: the address belongs to the container's own network.
    Container(IpAddr),
    /// Not at all: this machine has no address.
    None,
}

impl Reachability {
    fn of(serve: &ServeArgs, address: SocketAddr) -> Reachability {
        match (serve.advertise.as_slice(), address.ip()) {
            ([chosen, ..], _) => Reachability::Address(*chosen),
            ([], ip) if ip.is_loopback() => Reachability::Loopback(ip),
            ([], ip) if !ip.is_unspecified() => Reachability::Address(ip),
            _ => match container_address() {
                Some(ip) => Reachability::Container(ip.into()),
                None => own_addresses()
                    .unwrap_or_default()
                    .first()
                    .map_or(Reachability::None, |ip| Reachability::Address(*ip)),
            },
        }
    }
}

/// Describes the page for browsers, for the console; `None`: the server has no page.
pub(super) fn page_guide(serve: &ServeArgs, server: &Server, is_announced: bool) -> Option<PageGuide> {
    let access = server.handle().web_access()?;
    let (serve, address, info) = (serve.clone(), server.address(), server.info().clone());
    let node = server.node().map(str::to_owned);
    let names = server.web_certificate().map(|own| own.chain().trusted_names(Timestamp::now()));
    let color = AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
    Some(Box::new(move |ticket| {
        let name = is_announced.then(|| local_name(&info.name, &info.id, node.as_deref()));
        let hosts = match &names {
            Some(names) if !names.is_empty() => names.clone(),
            _ => page_hosts(&serve, address, name),
        };
        let port = address.port();
        let links: Vec<String> = hosts.iter().map(|host| page_link(host, port, ticket)).collect();
        let first = links.first().filter(|_| !address.ip().is_loopback());
        let code = first.and_then(|link| qr_code_here(link, color)).unwrap_or_default();
        let page = match ticket {
            Some(_) => "the page, for one newcomer",
            None => "the page",
        };
        let mut lines = vec![format!("{page}: {}", links.join(" or "))];
        if access.admits_over_http(serve.closed) {
            let plain: Vec<String> = hosts.iter().map(|host| plain_page_link(host, port)).collect();
            lines.push(format!("the page, not encrypted: {}", plain.join(" or ")));
        }
        lines.push(access.explain().to_owned());
        PageNotice { lines, code }
    }))
}

/// The hosts in links to the page, addresses first: not every phone knows names in `.local`.
fn page_hosts(serve: &ServeArgs, address: SocketAddr, name: Option<String>) -> Vec<String> {
    let mut ips = advertised(serve, address);
    if ips.is_empty() {
        ips = own_addresses().unwrap_or_default();
    }
    ips.iter().map(ToString::to_string).chain(name).collect()
}

/// Logs where browsers find the server, and what they can read of its certificate.
fn tell_browsers(serve: &ServeArgs, server: &Server) {
    let (Some(certificate), Some(access)) = (server.web_certificate(), server.handle().web_access()) else {
        return;
    };
    let ip = match Reachability::of(serve, server.address()) {
        Reachability::Loopback(ip) | Reachability::Address(ip) | Reachability::Container(ip) => {
            ip.to_string()
        }
        Reachability::None => "ADDRESS".to_owned(),
    };
    let port = server.address().port();
    let names = certificate.chain().trusted_names(Timestamp::now());
    let link = page_link(names.first().unwrap_or(&ip), port, None);
    let sha256 = certificate.sha256().colons();
    let encrypted = match access {
        WebAccess::Https => "encrypted, https only",
        WebAccess::Plaintext => "encrypted over https",
    };
    tracing::info!(event = "web_served", %sha256, "browsers join at {link} ({encrypted})");
    if access.admits_over_http(serve.closed) {
        let link = plain_page_link(&ip, port);
        tracing::warn!(
            event = "web_plaintext",
            "browsers may also join over http, which others on the network can read and alter: {link}"
        );
    }
}

fn how_to_join(way: &Reachability, port: u16, visible: bool) -> Option<String> {
    let host = |ip: IpAddr| match port {
        DEFAULT_PORT => ip.to_string(),
        port => SocketAddr::new(ip, port).to_string(),
    };
    Some(match (*way, visible) {
        (Reachability::Loopback(ip), _) => {
            format!("only this machine can join, with: lanchat --host {}", host(ip))
        }
        (Reachability::Address(ip), true) => {
            format!("people on this network join with: lanchat; from elsewhere: lanchat --host {}", host(ip))
        }
        (Reachability::Address(ip), false) => format!("people join with: lanchat --host {}", host(ip)),
        (Reachability::Container(ip), _) => format!(
            "this looks like a container: other machines cannot reach {ip}, an address of its own network. Run it \
             on the host's network, so that people join with: lanchat; or publish its TCP port {port}, so that \
             they join with: lanchat --host ADDRESS-OF-THE-HOST"
        ),
        (Reachability::None, true) => "people on this network join with: lanchat".to_owned(),
        (Reachability::None, false) => return None,
    })
}

/// The addresses to announce; none: all of this machine's. A server that listens on one address announces only that one.
fn advertised(serve: &ServeArgs, address: SocketAddr) -> Vec<IpAddr> {
    match (serve.advertise.as_slice(), address.ip()) {
        ([], ip) if !ip.is_unspecified() => vec![ip],
        (chosen, _) => chosen.to_vec(),
    }
}

fn announcement(
    serve: &ServeArgs,
    info: &ServerInfo,
    node: Option<&str>,
    address: SocketAddr,
) -> Announcement {
    Announcement {
        id: info.id.clone(),
        name: info.name.clone(),
        node: node.map(str::to_owned),
        closed: serve.closed,
        web: serve.web.web != WebChoice::Off,
        port: address.port(),
        advertise: advertised(serve, address),
        interfaces: serve.interface.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::config::Config;

    fn serve(advertise: &[&str]) -> ServeArgs {
        ServeArgs {
            closed: true,
            interface: vec!["eth0".into()],
            advertise: advertise.iter().map(|text| text.parse().unwrap()).collect(),
            ..Config::default().serve().unwrap()
        }
    }

    #[test]
    fn people_learn_the_way_that_works() {
        let line = |way, visible| how_to_join(&way, 7667, visible).unwrap_or_default();
        let address = Reachability::Address("10.78.0.55".parse().unwrap());
        assert_eq!(
            line(address, true),
            "people on this network join with: lanchat; from elsewhere: lanchat --host 10.78.0.55"
        );
        assert_eq!(line(address, false), "people join with: lanchat --host 10.78.0.55");
        assert_eq!(
            how_to_join(&address, 7000, false).unwrap(),
            "people join with: lanchat --host 10.78.0.55:7000"
        );
        let container = line(Reachability::Container("172.17.0.2".parse().unwrap()), true);
        assert!(
            container.contains("publish its TCP port 7667") && !container.contains("--host 172"),
            "{container}"
        );
        assert_eq!(line(Reachability::None, false), "");
    }

    #[test]
    fn the_way_to_a_server_is_what_it_is_told_to_advertise() {
        let way = |advertise: &[&str], listening: &str| {
            Reachability::of(&serve(advertise), listening.parse().unwrap())
        };
        let address = |ip: &str| Reachability::Address(ip.parse().unwrap());
        assert_eq!(way(&["10.78.0.55"], "[::]:7667"), address("10.78.0.55"));
        assert_eq!(way(&["10.78.0.55"], "127.0.0.1:7667"), address("10.78.0.55"));
        assert_eq!(way(&[], "10.0.0.1:7667"), address("10.0.0.1"));
        assert_eq!(way(&[], "127.0.0.1:7667"), Reachability::Loopback("127.0.0.1".parse().unwrap()));
    }

    fn advertised(advertise: &[&str], listening: &str) -> Vec<String> {
        let info = ServerInfo { id: "3f9a1c7700112233".into(), ..ServerInfo::default() };
        let announced = announcement(&serve(advertise), &info, Some("b"), listening.parse().unwrap());
        assert_eq!(announced.node.as_deref(), Some("b"));
        assert_eq!((announced.port, announced.interfaces), (7667, vec!["eth0".to_owned()]));
        assert!(announced.closed);
        announced.advertise.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_announced_is_where_the_server_listens() {
        assert!(advertised(&[], "[::]:7667").is_empty(), "the interfaces' addresses, as they change");
        assert_eq!(advertised(&[], "10.0.0.1:7667"), ["10.0.0.1"]);
        assert_eq!(advertised(&["192.168.1.5"], "[::]:7667"), ["192.168.1.5"]);
    }
}
