//! Reads how one of the engine's servers describes itself to anyone who connects: in its greeting, and on its
//! monitoring port.

use serde::Deserialize;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest greeting, in bytes. It lists the addresses of all servers.
const MAX_GREETING_BYTES: usize = 32 * 1024;

/// Longest page of a monitoring port, in bytes.
const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// The first line that a server sends, before TLS and any password.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Greeting {
    #[serde(default)]
    pub(super) server_name: String,
    pub(super) version: String,
}

/// A monitoring port's general page.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct MonitorPage {
    #[serde(default)]
    pub(super) server_name: String,
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

impl Greeting {
    pub(super) async fn of(host: &str, port: u16) -> Result<Self, String> {
        within(async {
            let mut stream = TcpStream::connect((host, port)).await.map_err(|error| error.to_string())?;
            let text = read(&mut stream, MAX_GREETING_BYTES, |bytes| bytes.contains(&b'\n')).await?;
            let line = text.lines().next().and_then(|line| line.strip_prefix("INFO "));
            let line = line.ok_or("this is not a NATS server")?;
            serde_json::from_str(line.trim_end()).map_err(|error| error.to_string())
        })
        .await
    }
}

impl MonitorPage {
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

async fn within<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err("no answer".to_owned()))
}

/// Reads until it is enough, or to the end.
async fn read(stream: &mut TcpStream, most: usize, enough: fn(&[u8]) -> bool) -> Result<String, String> {
    let mut bytes = Vec::new();
    while !enough(&bytes) {
        if bytes.len() > most {
            return Err("an answer too long".to_owned());
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    String::from_utf8(bytes).map_err(|error| error.to_string())
}
