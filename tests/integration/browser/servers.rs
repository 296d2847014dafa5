//! A page goes on at another server of the chat when its own one is gone.

use crate::support::chromium::{Browser, Window};
use crate::support::cluster::Cluster;
use crate::support::lan::{Host, Lan};
use crate::support::peer::Peer;
use lanchat::protocol::WebAccess;
use serde_json::json;
use tempfile::TempDir;

/// Servers and a browser on one machine. The servers have one address and different ports and certificates.
struct Machine {
    host: Host,
    files: TempDir,
    _lan: Lan,
}

impl Machine {
    fn new() -> Option<Self> {
        let lan = super::lan()?;
        Some(Self { host: lan.host(), files: TempDir::new().expect("a directory"), _lan: lan })
    }

    fn browser(&self) -> Browser<'_> {
        Browser::start(&self.host, self.files.path(), Window::Desk)
    }
}

fn url(cluster: &Cluster, scheme: &str, number: u8) -> String {
    format!("{scheme}://{}/", cluster.address(number))
}

#[test]
fn a_page_goes_on_where_the_browser_knows_the_certificate_and_says_how_to_go_elsewhere() {
    let Some(machine) = Machine::new() else { return };
    machine.host.run(|| {
        let mut cluster = Cluster::with(3, |options| options.web = crate::web::options(WebAccess::Https));
        let mut bob = Peer::join(cluster.address(2), "bob");
        let alice = machine.browser();
        alice.open(&format!("{}#back", url(&cluster, "https", 1)));
        alice.wait_for("This browser accepts this server now.");
        alice.enter(&url(&cluster, "https", 0), "alice");
        alice.say("from a");
        assert_eq!(bob.text(), "from a");
        let who = |bob: &mut Peer| {
            bob.send(json!({"type": "whois", "to": "server", "name": "alice"}));
            bob.wait_for("whois")["user"].clone()
        };
        let before = who(&mut bob);
        assert_eq!(before["nodes"], json!(["a"]), "{before}");

        cluster.stop_server(0);
        alice.wait_for("going on at server b");
        alice.say("from b");
        assert_eq!(bob.text(), "from b");
        let now = who(&mut bob);
        assert_eq!((&now["key"], &now["nodes"]), (&before["key"], &json!(["b"])), "{now}");

        cluster.stop_server(1);
        alice.wait_for("accept its certificate: ");
        // It has met the others.
        let links =
            alice.value("[...document.querySelectorAll('#status a[target=_blank]')].map(({ href }) => href)");
        assert_eq!(links, json!([format!("{}#back", url(&cluster, "https", 2))]));
        alice.say("typed while no server was there");
        alice.wait("document.querySelectorAll('.waiting').length === 1");
        cluster.start_server(1);
        alice.wait_for_entry();
        assert_eq!(bob.text(), "typed while no server was there");
        alice.wait("document.querySelectorAll('.waiting').length === 0");
        assert_eq!(alice.messages(), ["from a", "from b", "typed while no server was there"]);
    });
}

#[test]
fn a_page_without_encryption_goes_on_at_any_server() {
    let Some(machine) = Machine::new() else { return };
    machine.host.run(|| {
        let mut cluster = Cluster::with(3, |options| options.web = crate::web::options(WebAccess::Plaintext));
        let alice = machine.browser();
        alice.enter(&url(&cluster, "http", 0), "alice");
        let mut bob = Peer::join(cluster.address(1), "bob");
        cluster.stop_server(0);
        alice.say("typed at once");
        assert_eq!(bob.text(), "typed at once");
        alice.wait_for("going on at server ");
        alice.wait("document.querySelectorAll('.waiting').length === 0");
    });
}
