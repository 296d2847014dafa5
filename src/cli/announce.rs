//! What a running server is announced as: its settings joined with where it really listens.

use super::settings::Serve;
use crate::discovery::{Announcement, Announcer, links};
use crate::limits::DEFAULT_PORT;
use crate::protocol::packet::ServerInfo;
use std::net::{IpAddr, SocketAddr};

/// Announces a server that listens at `address`, unless the settings say not to. Failing is no
/// reason to stop a server, so it is logged as a warning.
pub(super) fn announce(serve: &Serve, info: &ServerInfo, address: SocketAddr) -> Option<Announcer> {
    // Whoever found a loopback address would look for the server on their own machine.
    if !serve.discovery || (address.ip().is_loopback() && serve.advertise.is_empty()) {
        return None;
    }
    let announcement = announcement(serve, info, address);
    match Announcer::start(&announcement) {
        Ok(announcer) => {
            tracing::info!("announced by mDNS as {}", announcer.label());
            Some(announcer)
        }
        Err(error) => {
            tracing::warn!("{error}");
            None
        }
    }
}

/// How people join, for whoever started the server at a terminal.
pub(super) fn tell_how_to_join(announced: bool, address: SocketAddr) {
    let own = |ip: &IpAddr| ip.is_ipv4() && !ip.is_loopback();
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => Some(ip),
        _ => links().unwrap_or_default().into_iter().flat_map(|link| link.addrs).find(own),
    };
    let Some(ip) = ip else { return };
    let host = if address.port() == DEFAULT_PORT {
        ip.to_string()
    } else {
        SocketAddr::new(ip, address.port()).to_string()
    };
    if address.ip().is_loopback() && !announced {
        tracing::info!("for this machine alone; join with: lanchat --host {host}");
    } else if announced {
        tracing::info!("people on this network join with: lanchat; from elsewhere: lanchat --host {host}");
    } else {
        tracing::info!("people join with: lanchat --host {host}");
    }
}

/// A server that listens on one address is announced with that one, whatever others there are.
fn announcement(serve: &Serve, info: &ServerInfo, address: SocketAddr) -> Announcement {
    let advertise: Vec<IpAddr> = match (serve.advertise.as_slice(), address.ip()) {
        ([], ip) if !ip.is_unspecified() => vec![ip],
        (chosen, _) => chosen.to_vec(),
    };
    Announcement {
        id: info.id.clone(),
        name: info.name.clone(),
        closed: serve.closed,
        port: address.port(),
        advertise,
        interfaces: serve.interfaces.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(advertise: &[&str]) -> Serve {
        Serve {
            host: None,
            port: 0,
            name: "office".into(),
            max_clients: None,
            max_per_ip: None,
            rate: crate::cli::bounds::Pace::Off,
            closed: true,
            passphrase_file: None,
            plaintext: false,
            ascii_names: false,
            backlog: 0,
            memory: None,
            data_dir: "unused".into(),
            history: None,
            motd: None,
            interfaces: vec!["eth0".into()],
            advertise: advertise.iter().map(|text| text.parse().unwrap()).collect(),
            discovery: true,
        }
    }

    fn advertised(advertise: &[&str], listening: &str) -> Vec<String> {
        let info = ServerInfo { id: "3f9a1c7700112233".into(), ..ServerInfo::default() };
        let announced = announcement(&serve(advertise), &info, listening.parse().unwrap());
        assert_eq!((announced.port, announced.interfaces), (7667, vec!["eth0".to_owned()]));
        assert!(announced.closed);
        announced.advertise.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_announced_is_where_the_server_listens() {
        assert!(advertised(&[], "[::]:7667").is_empty(), "those of the interfaces, as they change");
        assert_eq!(advertised(&[], "10.0.0.1:7667"), ["10.0.0.1"]);
        assert_eq!(advertised(&["192.168.1.5"], "[::]:7667"), ["192.168.1.5"]);
    }
}
