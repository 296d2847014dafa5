//! Reads how the engine's servers are set: with one question to all of them over the connection, as `lanchat cluster join`
//! sets them up, or else from a monitoring port.

use super::greeting::{read, within};
use super::link::Link;
use async_nats::StatusCode;
use futures_util::StreamExt;
use serde::Deserialize;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// All servers answer this, if the account may ask it.
const QUESTION: &str = "$SYS.REQ.SERVER.PING.VARZ";

/// How long to wait for a connection.
const CONNECTION_PATIENCE: Duration = Duration::from_secs(3);

/// How long to wait for all answers.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Longest page of a monitoring port, in bytes.
const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// A server's general page.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SettingsPage {
    #[serde(default)]
    pub(super) server_name: String,
    #[serde(default)]
    pub(super) version: String,
    #[serde(default)]
    jetstream: PageJetStream,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct PageJetStream {
    config: Option<PageConfig>,
}

#[derive(Debug, Clone, Deserialize)]
struct PageConfig {
    /// Absent in a page if not set.
    #[serde(default)]
    sync_always: bool,
}

/// An answer to the question.
#[derive(Debug, Deserialize)]
struct PageAnswer {
    data: SettingsPage,
}

/// Asks all servers. Returns the answers so far once there are `count`, or when the patience is over; none if the
/// account may not ask.
pub(super) async fn ask_servers(mut link: Link, count: usize) -> Vec<SettingsPage> {
    let mut pages = Vec::new();
    if timeout_at(Instant::now() + CONNECTION_PATIENCE, link.connected()).await.is_err() {
        return pages;
    }
    let (inbox, end) = (link.client.new_inbox(), Instant::now() + PATIENCE);
    let Ok(mut answers) = link.client.subscribe(inbox.clone()).await else { return pages };
    let asked = timeout_at(end, link.client.publish_with_reply(QUESTION, inbox, "".into())).await;
    if !matches!(asked, Ok(Ok(()))) {
        return pages;
    }
    while pages.len() < count {
        let Ok(Some(answer)) = timeout_at(end, answers.next()).await else { break };
        if answer.status == Some(StatusCode::NO_RESPONDERS) {
            break;
        }
        pages.extend(serde_json::from_slice::<PageAnswer>(&answer.payload).ok().map(|answer| answer.data));
    }
    pages
}

impl SettingsPage {
    /// From a monitoring port.
    pub(super) async fn of(address: &str) -> Result<Self, String> {
        within(async {
            let mut stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            let request = format!("GET /varz HTTP/1.0\r\nHost: {address}\r\n\r\n");
            stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
            let text = read(&mut stream, MAX_PAGE_BYTES, |_| false).await?;
            let (_, body) = text.split_once("\r\n\r\n").ok_or("this is not a monitoring port")?;
            serde_json::from_str(body).map_err(|error| error.to_string())
        })
        .await
    }

    /// Whether the server syncs each record; `None`: it has no JetStream.
    pub(super) fn syncs_always(&self) -> Option<bool> {
        self.jetstream.config.as_ref().map(|config| config.sync_always)
    }
}
