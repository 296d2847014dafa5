//! Asks the servers of a chat over their engine how they are doing.

use super::hub::{NodeMessage, SEALED_MESSAGE};
use super::node_report::NodeReport;
use crate::engine::nats::EngineInquiry;
use crate::security::{Keypair, Seal};
use jiff::Timestamp;

/// The answer of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAnswer {
    pub report: NodeReport,
    /// Milliseconds by which its clock is ahead of this machine's, and by which that may be wrong.
    pub clock_ahead: (i64, i64),
}

/// Asks all servers that share this key, and waits for so many answers, or a few seconds.
///
/// # Errors
/// If the system provides no random numbers.
pub async fn ask_nodes(
    inquiry: &EngineInquiry,
    keys: &Keypair,
    count: usize,
) -> Result<Vec<NodeAnswer>, getrandom::Error> {
    let (mut seal, number) = (Seal::new(keys)?, getrandom::u64()?);
    let question = seal.seal(SEALED_MESSAGE, &NodeMessage::Ask { number }.to_bytes());
    let asked = now();
    let fits = |sealed: bytes::Bytes| {
        let opened = seal.open(SEALED_MESSAGE, &sealed).ok()?;
        let Some(NodeMessage::Answer { number: of, report }) = NodeMessage::read(&opened) else {
            return None;
        };
        let report: NodeReport = serde_json::from_slice(&report).ok().filter(|_| of == number)?;
        let half = (now() - asked) / 2;
        let clock_ahead = (report.clock - asked - half, half);
        Some(NodeAnswer { report, clock_ahead })
    };
    Ok(inquiry.ask_nodes(question.into(), count, fits).await)
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
