//! Reads how one of the engine's servers describes itself to anyone who connects.

use crate::text::without_number;
use serde::Deserialize;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest greeting, in bytes. It lists the addresses of all servers.
const MAX_GREETING_BYTES: usize = 32 * 1024;

/// The first line that a server sends, before TLS and any password.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Greeting {
    #[serde(default)]
    pub(super) server_name: String,
    pub(super) version: String,
}

impl Greeting {
    pub(super) async fn of(host: &str, port: u16) -> Result<Self, String> {
        within(async {
            let mut stream =
                TcpStream::connect((host, port)).await.map_err(|error| without_number(&error))?;
            let text = read(&mut stream, MAX_GREETING_BYTES, |bytes| bytes.contains(&b'\n')).await?;
            let line = text.lines().next().and_then(|line| line.strip_prefix("INFO "));
            let line = line.ok_or("this is not a NATS server")?;
            serde_json::from_str(line.trim_end()).map_err(|error| error.to_string())
        })
        .await
    }
}

pub(super) async fn within<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err("no answer".to_owned()))
}

/// Reads until it is enough, or to the end.
pub(super) async fn read(
    stream: &mut TcpStream,
    most: usize,
    enough: fn(&[u8]) -> bool,
) -> Result<String, String> {
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
