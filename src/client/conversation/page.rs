//! The page that the server serves for browsers.

use super::{Conversation, Effect, LinkState};
use crate::discovery::local_name;
use crate::protocol::{WebAccess, page_link, plain_page_link};
use std::net::{IpAddr, SocketAddr};

impl Conversation {
    /// The lines of `/web`.
    pub(super) fn page(&mut self) -> Vec<Effect> {
        let LinkState::Up { peer, .. } = self.state else {
            return self.failure("you are not connected at the moment; try again later");
        };
        let Some(access) = self.session.web else {
            return self.failure(
                "this server serves no page for browsers; its administrator can start it with lanchat serve --web",
            );
        };
        let links = self.page_links(peer, |host, port| page_link(host, port, None));
        let mut effects = self.note(&format!("the page: {}", links.join(" or ")));
        if access.admits_over_http(self.session.closed) {
            let plain = self.page_links(peer, plain_page_link).join(" or ");
            effects.extend(self.note(&format!("the page, not encrypted: {plain}")));
        }
        effects.extend(self.note(access.explain()));
        if access == WebAccess::Https {
            effects.extend(self.note("browsers warn of a certificate that the server has made itself"));
        }
        if self.session.closed {
            effects.extend(self.note(
                "the server is closed, so newcomers need a link with a ticket, which `lanchat invite --web` prints on \
                 the server",
            ));
        }
        if peer.ip().is_loopback() {
            effects.extend(self.note("from other machines: see `lanchat invite --web`"));
        }
        let first = links.into_iter().next().filter(|_| !peer.ip().is_loopback());
        effects.extend(first.map(|link| Effect::QrCode(link, self.view.color)));
        effects
    }

    /// The address first: not every phone knows names in `.local`. Browsers know no interface behind an address.
    fn page_links(&self, peer: SocketAddr, link: impl Fn(&str, u16) -> String) -> Vec<String> {
        let is_local = matches!(peer.ip(), IpAddr::V6(v6) if v6.is_unicast_link_local());
        let address = (!is_local).then(|| link(&peer.ip().to_string(), peer.port()));
        let name =
            local_name(&self.session.server.name, &self.session.server.id, self.session.node.as_deref());
        let name = (!peer.ip().is_loopback()).then(|| link(&name, peer.port()));
        address.into_iter().chain(name).collect()
    }
}
