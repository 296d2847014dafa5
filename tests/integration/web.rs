//! Browsers: the page, the way in, WebSocket, and what keeps other pages and strangers out.

#[cfg(unix)]
mod certificates;
mod chat;
mod door;
pub mod files;
mod found;
mod frames;
mod identity;
#[cfg(unix)]
mod invite;
#[cfg(target_os = "linux")]
mod penalties;

use crate::support::server::TestServer;
use lanchat::protocol::WebAccess;
use lanchat::server::{ServerOptions, WebOptions};

pub fn options(mode: WebAccess) -> Option<WebOptions> {
    Some(WebOptions {
        mode,
        hosts: vec!["office".into()],
        addresses: vec![[127, 0, 0, 1].into()],
        certificate: None,
        local_name: |name, _, _| format!("{name}.local"),
    })
}

/// A server that serves browsers over HTTPS and HTTP.
pub fn server() -> TestServer {
    server_with(|_| {})
}

pub fn server_with(change: impl FnOnce(&mut ServerOptions)) -> TestServer {
    TestServer::with(|options| {
        options.web = self::options(WebAccess::Plaintext);
        change(options);
    })
}
