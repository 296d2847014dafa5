//! Browsers at the servers of one chat.

use crate::support::browser::{Browser, WebKey};
use crate::support::cluster::Cluster;
use lanchat::protocol::request::Operate;
use lanchat::protocol::{Event, WebAccess};
use lanchat::security::Passphrase;
use lanchat::server::JoinPolicy;

#[test]
fn a_ticket_lets_one_key_into_a_closed_chat_at_any_server_and_then_at_all() {
    let cluster = Cluster::with(3, |options| {
        options.web = crate::web::options(WebAccess::Plaintext);
        options.access = JoinPolicy::Closed(Passphrase::new("correct horse battery").expect("good"));
        options.rules.closed = true;
        options.plaintext = false;
    });
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    let enter = |number: u8, key: &WebKey, ticket: &str| {
        let (mut browser, challenge) = Browser::open(cluster.address(number), true, "/chat");
        let mut proof = key.proof(&challenge, &browser.origin.clone());
        proof["ticket"] = ticket.into();
        browser.send(proof);
        browser
    };
    for (number, name) in [(leader, "alice"), (one, "bob")] {
        let answer = cluster.server(leader).operate(&Operate::Ticket).expect("the console may");
        let Event::Ticket { ticket: Some(ticket) } = answer else { panic!("{answer:?}") };
        let key = WebKey::new();
        enter(number, &key, &ticket).join(name);
        for number in [leader, one, other] {
            assert_eq!(enter(number, &WebKey::new(), &ticket).end().0["code"], "bad_ticket");
            Browser::with_key(cluster.address(number), "/chat", &key).join(name);
        }
    }
}

#[test]
fn a_browser_and_a_terminal_at_different_servers_send_each_other_files() {
    for at in [[0, 1], [1, 0]] {
        let cluster = Cluster::with(2, |options| options.web = crate::web::options(WebAccess::Plaintext));
        crate::web::files::there_and_back(at.map(|number| cluster.address(number)));
    }
}
