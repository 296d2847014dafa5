//! `--metrics`: the server's numbers in OpenMetrics, over HTTP at its own address.
//!
//! Knows one request, `GET /metrics`. Each answer ends its connection, so that a reader who is slow or says
//! nothing holds one of [`METRICS_READERS`] places for a short time.

use super::vitals::Vitals;
use crate::limits::{
    METRICS_DRAIN_BYTES, METRICS_HEADERS, METRICS_READERS, METRICS_REQUEST_BYTES, METRICS_TIMEOUT,
};
use crate::protocol::{NUMBERS, NumberKind, REFUSED, ServerNumbers};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The media type of OpenMetrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const PLAIN: &str = "text/plain; charset=utf-8";

/// How long to wait after an error of accept(2), such as too many open files.
const PAUSE: Duration = Duration::from_millis(200);

/// Answers readers until dropped.
pub(super) async fn serve(listener: TcpListener, vitals: Vitals) {
    let places = Arc::new(Semaphore::new(METRICS_READERS));
    loop {
        // Never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let vitals = vitals.clone();
                tokio::spawn(async move {
                    // A reader that fails asks again.
                    let _ = answer(stream, &vitals).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(
                    event = "metrics_not_accepted",
                    %error,
                    "cannot accept a reader of the metrics"
                );
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The request of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MetricsRequest {
    Metrics,
    /// The same without the body.
    Head,
    OtherMethod,
    OtherPath,
    Nonsense,
}

async fn answer(mut stream: TcpStream, vitals: &Vitals) -> io::Result<()> {
    let asked = timeout(METRICS_TIMEOUT, read(&mut stream)).await??;
    let text = match asked {
        MetricsRequest::Metrics | MetricsRequest::Head => text(vitals.numbers().await),
        _ => String::new(),
    };
    let written = async {
        stream.write_all(&response(asked, &text)).await?;
        stream.shutdown().await?;
        match asked {
            MetricsRequest::Metrics | MetricsRequest::Head => Ok(()),
            // More may come. To close while bytes are unread resets the connection, and a reset can take the
            // answer with it.
            _ => drain(&mut stream).await,
        }
    };
    timeout(METRICS_TIMEOUT, written).await?
}

/// Reads the rest of a request, within a bound, until the reader closes its side.
async fn drain(stream: &mut TcpStream) -> io::Result<()> {
    let mut rest = stream.take(METRICS_DRAIN_BYTES);
    tokio::io::copy(&mut rest, &mut tokio::io::sink()).await.map(drop)
}

/// Reads a request's head.
async fn read(stream: &mut TcpStream) -> io::Result<MetricsRequest> {
    let mut bytes = Vec::new();
    loop {
        match stream.read_buf(&mut bytes).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ if bytes.len() > METRICS_REQUEST_BYTES => return Ok(MetricsRequest::Nonsense),
            _ => {}
        }
        if let Some(asked) = parse(&bytes) {
            return Ok(asked);
        }
    }
}

/// `None`: the head is not complete yet.
fn parse(bytes: &[u8]) -> Option<MetricsRequest> {
    let mut headers = [httparse::EMPTY_HEADER; METRICS_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) => return None,
        Ok(httparse::Status::Complete(_)) => {}
        Err(_) => return Some(MetricsRequest::Nonsense),
    }
    let path = request.path.unwrap_or_default();
    Some(match (path.split('?').next(), request.method) {
        (Some("/metrics"), Some("GET")) => MetricsRequest::Metrics,
        (Some("/metrics"), Some("HEAD")) => MetricsRequest::Head,
        (Some("/metrics"), _) => MetricsRequest::OtherMethod,
        _ => MetricsRequest::OtherPath,
    })
}

fn response(asked: MetricsRequest, metrics: &str) -> Vec<u8> {
    let (status, kind, body) = match asked {
        MetricsRequest::Metrics | MetricsRequest::Head => ("200 OK", OPEN_METRICS, metrics),
        MetricsRequest::OtherMethod => ("405 Method Not Allowed\r\nAllow: GET, HEAD", PLAIN, "use GET\n"),
        MetricsRequest::OtherPath => ("404 Not Found", PLAIN, "the metrics are at /metrics\n"),
        MetricsRequest::Nonsense => ("400 Bad Request", PLAIN, "not an HTTP/1.1 request\n"),
    };
    let length = body.len();
    let body = if asked == MetricsRequest::Head { "" } else { body };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nCache-Control: no-store\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The numbers in the text format of OpenMetrics.
fn text(numbers: ServerNumbers) -> String {
    let mut registry = Registry::with_prefix("lanchat");
    registry.register_collector(Box::new(CollectedNumbers(numbers)));
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = encode(&mut text, &registry);
    text
}

#[derive(Debug)]
struct CollectedNumbers(ServerNumbers);

impl Collector for CollectedNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self(numbers) = self;
        let labels = [("version", numbers.server.version.as_str()), ("name", numbers.server.name.as_str())];
        let help = "The server's version and name.";
        encoder.encode_descriptor("server", help, None, MetricType::Info)?.encode_info(&labels)?;
        for number in NUMBERS {
            let Some(value) = (number.read)(numbers) else { continue };
            match number.kind {
                NumberKind::Counter => {
                    let counter = ConstCounter::new(value);
                    let kind = counter.metric_type();
                    counter.encode(encoder.encode_descriptor(number.member, number.help, None, kind)?)?;
                }
                NumberKind::Gauge => {
                    let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
                    let kind = gauge.metric_type();
                    gauge.encode(encoder.encode_descriptor(number.member, number.help, None, kind)?)?;
                }
            }
        }
        let (_, help) = REFUSED;
        let mut refused =
            encoder.encode_descriptor("connections_refused", help, None, MetricType::Counter)?;
        for (reason, count) in &numbers.refused {
            let labels = [("reason", reason.as_str())];
            refused.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(count, None)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::packet::ServerInfo;

    fn numbers() -> ServerNumbers {
        ServerNumbers {
            server: ServerInfo { name: "5\"b\\".into(), version: "0.1.0".into(), ..ServerInfo::default() },
            users: 3,
            messages: 12,
            storing: true,
            refused: [("full".to_owned(), 2), ("rate".to_owned(), 0)].into(),
            ..ServerNumbers::default()
        }
    }

    #[test]
    fn the_text_has_each_known_number_with_help_and_type() {
        let text = text(numbers());
        for lines in [
            "# HELP lanchat_users Users who are present.\n# TYPE lanchat_users gauge\nlanchat_users 3\n",
            "# TYPE lanchat_messages counter\nlanchat_messages_total 12\n",
            "lanchat_storing 1\n",
            "lanchat_connections_refused_total{reason=\"full\"} 2\n",
            "lanchat_connections_refused_total{reason=\"rate\"} 0\n",
            "lanchat_server_info{version=\"0.1.0\",name=\"5\\\"b\\\\\"} 1\n",
        ] {
            assert!(text.contains(lines), "{lines} is not in\n{text}");
        }
        assert!(!text.contains("stored_messages"), "unknown");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn only_one_request_is_known() {
        let head = |line: &str| parse(format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!(head("GET /metrics"), Some(MetricsRequest::Metrics));
        assert_eq!(head("GET /metrics?x=1"), Some(MetricsRequest::Metrics));
        assert_eq!(head("HEAD /metrics"), Some(MetricsRequest::Head));
        assert_eq!(head("POST /metrics"), Some(MetricsRequest::OtherMethod));
        assert_eq!(head("GET /"), Some(MetricsRequest::OtherPath));
        assert_eq!(head("GET /metrics/../etc/passwd"), Some(MetricsRequest::OtherPath));
        assert_eq!(parse(b"GET /metrics HTTP/1.1\r\nHost: x\r\n"), None);
        assert_eq!(parse(b"\x16\x03\x01\x02\x00"), Some(MetricsRequest::Nonsense));
        let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(METRICS_HEADERS + 1));
        assert_eq!(parse(many.as_bytes()), Some(MetricsRequest::Nonsense));
    }
}
