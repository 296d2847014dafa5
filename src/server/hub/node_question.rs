//! Questions of a server to the rules, which run at the server that leads.

use crate::chat::FileTicket;
use crate::protocol::request::Refusal;
use crate::server::cutover::{CatchUpSummary, Remainder};
use crate::server::output_batch::Seam;
use bytes::Bytes;
use std::collections::HashMap;
use tokio::sync::oneshot;

/// Questions without an answer yet.
#[derive(Debug)]
pub(super) struct NodeQuestions {
    pub(super) next: u64,
    pub(super) waiting: HashMap<u64, NodeQuestion>,
}

/// A question to the rules, and the task that waits for the answer.
#[derive(Debug)]
pub(super) enum NodeQuestion {
    Seam(oneshot::Sender<Seam>),
    /// For a seam, which becomes a cutover.
    Cutover {
        after: u64,
        known: u64,
        summary: Option<CatchUpSummary>,
        written: oneshot::Sender<Option<Remainder>>,
    },
    /// For the transfer of a token.
    Claim(oneshot::Sender<Result<FileTicket, Refusal>>),
    /// For the validity of a ticket.
    Ticket(oneshot::Sender<bool>),
    /// From this server's console; the answer is a frame.
    Console(oneshot::Sender<Result<Bytes, Refusal>>),
}
