//! The requests of JetStream that the adapter needs, as JSON over the connection.
//!
//! The library has its own module for them. It would bring four more crates, and it reads a log by consumers, which
//! [`follower`](super::follower) does without.

use super::config::EngineConfig;
use super::link::Link;
use async_nats::header::NATS_SEQUENCE;
use async_nats::{Message, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// How long to wait for an answer. While the engine elects, no answer comes, and the question should be asked again soon
/// after that.
const PATIENCE: Duration = Duration::from_secs(1);

/// The codes of JetStream's errors that mean something to the adapter.
pub(super) mod code {
    pub(in super::super) const NO_PEERS: u32 = 10005;
    pub(in super::super) const NO_RECORD: u32 = 10037;
    pub(in super::super) const NOT_ENABLED: [u32; 2] = [10039, 10076];
    pub(in super::super) const STREAM_EXISTS: u32 = 10058;
    pub(in super::super) const STREAM_NOT_FOUND: u32 = 10059;
    pub(in super::super) const WRONG_LAST_SEQUENCE: [u32; 2] = [10071, 10164];
}

/// Why a request has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiFault {
    /// JetStream has refused it.
    Refused { code: u32, text: String },
    /// No answer, or none that makes sense.
    Unanswered(String),
}

/// The error in an answer, if it has one.
#[derive(Debug, Deserialize)]
struct ErrorMember {
    error: Option<ApiError>,
}

#[derive(Debug, Deserialize)]
struct ApiError {
    #[serde(default)]
    err_code: u32,
    #[serde(default)]
    description: String,
}

/// The log, as the engine describes it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StreamInfo {
    pub(super) config: StreamConfig,
    /// When it was created: another one is another log.
    pub(super) created: String,
    pub(super) state: StreamState,
    pub(super) cluster: Option<StreamCluster>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct StreamConfig {
    #[serde(default)]
    pub(super) subjects: Vec<String>,
    pub(super) retention: String,
    pub(super) storage: String,
    pub(super) discard: String,
    pub(super) num_replicas: u8,
    #[serde(default)]
    pub(super) no_ack: bool,
    #[serde(default)]
    pub(super) sealed: bool,
    #[serde(default)]
    pub(super) persist_mode: Option<String>,
    #[serde(default)]
    pub(super) max_msgs: i64,
    #[serde(default)]
    pub(super) max_msgs_per_subject: i64,
    #[serde(default)]
    pub(super) max_msg_size: i64,
    #[serde(default)]
    pub(super) allow_direct: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct StreamState {
    pub(super) bytes: u64,
    pub(super) first_seq: u64,
    pub(super) last_seq: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct StreamCluster {
    #[serde(default)]
    pub(super) leader: String,
    #[serde(default)]
    pub(super) replicas: Vec<StreamPeer>,
}

/// A replica other than the leader.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StreamPeer {
    pub(super) name: String,
    #[serde(default)]
    pub(super) current: bool,
    #[serde(default)]
    pub(super) offline: bool,
    /// Nanoseconds since the leader heard of it.
    #[serde(default)]
    pub(super) active: u64,
    #[serde(default)]
    pub(super) lag: u64,
}

/// The answer to an append that the log has taken.
#[derive(Debug, Deserialize)]
struct AppendTaken {
    seq: u64,
}

/// Anything, when only an error matters.
#[derive(Debug, Deserialize)]
struct Anything {}

impl StreamInfo {
    pub(super) async fn get(link: &Link, config: &EngineConfig) -> Result<Self, ApiFault> {
        request(link, format!("$JS.API.STREAM.INFO.{}", config.stream()), &json!({})).await
    }

    pub(super) async fn create(link: &Link, config: &EngineConfig) -> Result<Self, ApiFault> {
        let wanted = json!({
            "name": config.stream(),
            "description": "the log of a lanchat chat; lanchat reads and writes it",
            "subjects": [config.log_subject()],
            "retention": "limits",
            "storage": "file",
            "num_replicas": config.replicas,
            "discard": "old",
            "max_age": u64::try_from(config.max_age.as_nanos()).unwrap_or(0),
            "max_bytes": config.max_bytes,
            "max_msgs": -1,
            "max_msgs_per_subject": -1,
            "max_msg_size": -1,
            "max_consumers": -1,
            // All servers answer requests for records.
            "allow_direct": true,
            // A record that is missing between others stops all nodes.
            "deny_delete": true,
            "deny_purge": true,
        });
        request(link, format!("$JS.API.STREAM.CREATE.{}", config.stream()), &wanted).await
    }
}

/// A record as the log's leader returns it.
#[derive(Debug, Deserialize)]
struct StoredAnswer {
    message: StoredRecord,
}

#[derive(Debug, Deserialize)]
struct StoredRecord {
    /// In base64.
    #[serde(default)]
    data: String,
}

/// Reads a record: from whichever server has it, or else from the log's leader, whose word counts. `None`: the log does
/// not have it.
pub(super) async fn get_record(
    link: &Link,
    config: &EngineConfig,
    position: u64,
) -> Result<Option<Bytes>, ApiFault> {
    let (stream, wanted) = (config.stream(), json!({ "seq": position }));
    // A server that lags behind does not have it yet, or does not answer.
    if let Ok(message) = ask(link, format!("$JS.API.DIRECT.GET.{stream}"), &wanted).await
        && sequence(&message) == Some(position)
    {
        return Ok(Some(message.payload));
    }
    match request::<StoredAnswer>(link, format!("$JS.API.STREAM.MSG.GET.{stream}"), &wanted).await {
        Ok(answer) => {
            let bytes = BASE64.decode(answer.message.data);
            bytes.map(|bytes| Some(bytes.into())).map_err(|error| ApiFault::Unanswered(error.to_string()))
        }
        Err(fault) if fault.is_code(&[code::NO_RECORD]) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The position of the record in an answer.
fn sequence(message: &Message) -> Option<u64> {
    message.headers.as_ref()?.get(NATS_SEQUENCE)?.as_str().parse().ok()
}

/// Whether JetStream answers for this account.
pub(super) async fn ask_account(link: &Link) -> Result<(), ApiFault> {
    let account: Result<Anything, ApiFault> = request(link, "$JS.API.INFO".to_owned(), &json!({})).await;
    account.map(|_| ())
}

async fn request<T: DeserializeOwned>(
    link: &Link,
    subject: String,
    body: &impl Serialize,
) -> Result<T, ApiFault> {
    read(&ask(link, subject, body).await?.payload)
}

async fn ask(link: &Link, subject: String, body: &impl Serialize) -> Result<Message, ApiFault> {
    if !link.is_connected() {
        return Err(ApiFault::Unanswered("not connected".to_owned()));
    }
    let unanswered = |error: &dyn std::fmt::Display| ApiFault::Unanswered(error.to_string());
    let body = serde_json::to_vec(body).map_err(|error| unanswered(&error))?;
    // A request in an inbox of its own leaves nothing behind in the client when the answer does not come.
    let request = Request::new().payload(Bytes::from(body)).inbox(link.client.new_inbox());
    let request = link.client.send_request(subject, request.timeout(Some(PATIENCE)));
    // The client waits without end for room in its queue if it is not connected.
    let answer = tokio::time::timeout(PATIENCE * 2, request).await.map_err(|error| unanswered(&error))?;
    answer.map_err(|error| unanswered(&error))
}

fn read<T: DeserializeOwned>(answer: &[u8]) -> Result<T, ApiFault> {
    let strange = |error: serde_json::Error| ApiFault::Unanswered(format!("unknown answer: {error}"));
    let error: ErrorMember = serde_json::from_slice(answer).map_err(strange)?;
    match error.error {
        Some(error) => Err(ApiFault::Refused { code: error.err_code, text: error.description }),
        None => serde_json::from_slice(answer).map_err(strange),
    }
}

/// Where the log has put an append, if this answer says so.
pub(super) fn append_position(answer: &[u8]) -> Option<u64> {
    let taken: AppendTaken = read(answer).ok()?;
    Some(taken.seq)
}

/// The answer to an append. `None`: the log has taken it.
pub(super) fn append_fault(answer: &[u8]) -> Option<ApiFault> {
    read::<Anything>(answer).err()
}

impl ApiFault {
    pub(super) fn is_code(&self, codes: &[u32]) -> bool {
        matches!(self, Self::Refused { code, .. } if codes.contains(code))
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Refused { code, text } => format!("{text} ({code})"),
            Self::Unanswered(text) => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_append_is_taken_refused_or_unclear() {
        let taken = br#"{"stream":"lanchat-x","seq":7}"#;
        assert_eq!((append_fault(taken), append_position(taken)), (None, Some(7)));
        let wrong = br#"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 7"}}"#;
        assert_eq!((append_position(wrong), append_position(b"")), (None, None));
        let fault = append_fault(wrong).unwrap();
        assert!(fault.is_code(&code::WRONG_LAST_SEQUENCE), "{fault:?}");
        assert_eq!(fault.text(), "wrong last sequence: 7 (10071)");
        assert!(matches!(append_fault(b""), Some(ApiFault::Unanswered(_))));
    }

    #[test]
    fn unknown_members_of_an_answer_do_no_harm() {
        let answer =
            br#"{"type":"x","new":{"a":[1]},"config":{"name":"l","subjects":["s"],"retention":"limits",
            "storage":"file","discard":"old","num_replicas":3,"more":1},"created":"2026-01-01T00:00:00Z",
            "state":{"messages":1,"bytes":99,"first_seq":1,"last_seq":1},
            "cluster":{"leader":"n1","replicas":[{"name":"n2","current":true,"active":5}]}}"#;
        let info: StreamInfo = read(answer).unwrap();
        assert_eq!((info.config.num_replicas, info.state.last_seq), (3, 1));
        assert_eq!(info.cluster.unwrap().replicas[0].name, "n2");
    }
}
