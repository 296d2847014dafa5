//! Looks at a server's page as a browser would, without a WebSocket.

use crate::client::error::Error;
use crate::client::link::LinkError;
use crate::discovery;
use crate::limits::MAX_FOREIGN_LINE_BYTES;
use crate::security::{CertificateChain, connect_as_browser};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The page at a server's address, as a browser finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageReport {
    /// The name or address for which it was asked.
    pub host: String,
    /// The certificate, and the answer's status, or why no answer came.
    pub https: Result<(CertificateChain, u16), String>,
    /// The answer's status over plain HTTP.
    pub http: Result<u16, String>,
}

/// Looks at the page at an address, as of a host, over both protocols. Ends within `wait`.
pub(super) async fn page_at(addr: SocketAddr, host: &str, wait: Duration) -> PageReport {
    let encrypted = async {
        let (mut stream, chain) = connect_as_browser(host, TcpStream::connect(addr).await?).await?;
        Ok((chain, status(&mut stream, host, addr.port()).await?))
    };
    let plain = async { status(&mut TcpStream::connect(addr).await?, host, addr.port()).await };
    let (https, http) = tokio::join!(timeout(wait, encrypted), timeout(wait, plain));
    PageReport { host: host.to_owned(), https: told(https), http: told(http) }
}

/// The certificate that a server shows browsers at a host.
///
/// # Errors
/// If it shows none.
pub async fn page_certificate_at(host: &str, port: u16, wait: Duration) -> Result<CertificateChain, Error> {
    let ask = async {
        let addrs = discovery::lookup(host, port, true).await.map_err(|error| error.to_string())?;
        let mut last = format!("{host} has no address");
        for addr in addrs {
            let shown = async { connect_as_browser(host, TcpStream::connect(addr).await?).await };
            match shown.await {
                Ok((_, chain)) => return Ok(chain),
                Err(error) => last = why(&error),
            }
        }
        Err(last)
    };
    let silent = || Err(LinkError::Silent.to_string());
    timeout(wait, ask).await.unwrap_or_else(|_| silent()).map_err(|why| {
        Error::NoServer(format!(
            "{host}, port {port}, shows browsers no certificate: {why}; its administrator can serve a page with \
             lanchat serve --web"
        ))
    })
}

/// Asks for the page; returns the status of the answer.
async fn status(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    port: u16,
) -> io::Result<u16> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let request = format!("GET / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut head = Vec::new();
    while !head.contains(&b'\n') && head.len() < MAX_FOREIGN_LINE_BYTES {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    // `HTTP/1.1 200 OK`
    let status = head.strip_prefix(b"HTTP/1.").and_then(|rest| std::str::from_utf8(rest.get(2..5)?).ok());
    let status = status.and_then(|digits| digits.parse().ok());
    status.ok_or_else(|| io::Error::other("the answer is not HTTP"))
}

fn told<T>(result: Result<io::Result<T>, tokio::time::error::Elapsed>) -> Result<T, String> {
    match result {
        Ok(result) => result.map_err(|error| why(&error)),
        Err(_) => Err("no answer in time".into()),
    }
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            "the server has closed the connection".into()
        }
        _ => error.to_string(),
    }
}
