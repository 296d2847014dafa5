//! Tokens, and the servers that present them.

use super::super::who::SessionId;
use super::{Offers, TokenHolder, TransferId, TransferSide};

/// How a token came to the rules: several servers may carry the chat on.
#[derive(Debug, Clone, Copy)]
pub struct TokenWay {
    /// Whether another server passes its holder's connection on.
    pub is_passed_on: bool,
    /// The number of the server that has the connection.
    pub at: u8,
    /// The number of a session's server.
    pub server_of: fn(SessionId) -> u8,
}

impl TokenWay {
    /// Of the only server.
    pub(in crate::chat) const ONLY: Self = Self { is_passed_on: false, at: 0, server_of: |_| 0 };
}

impl Offers {
    /// Uses up a token, if it admits one of these holders. At another server than that where the sides meet, the token
    /// remains for that server alone, which passes the connection on.
    pub(in crate::chat) fn claim(
        &mut self,
        token: u128,
        by: &[TokenHolder],
        TokenWay { is_passed_on, at, server_of }: TokenWay,
    ) -> Option<(TransferId, TransferSide)> {
        let (id, side) = *self.tokens.get(&token)?;
        let transfer = self.transfers.get_mut(&id)?;
        let (meeting, place) = (transfer.meeting.as_mut()?, side.index());
        let (is_here, was_passed) = (server_of(transfer.session) == at, meeting.passed[place]);
        let is_admitted = match is_passed_on {
            true => was_passed && is_here,
            false => !was_passed && by.contains(&meeting.holders[place]),
        };
        if !is_admitted {
            return None;
        }
        if !is_here {
            meeting.passed[place] = true;
            return Some((id, side));
        }
        self.tokens.remove(&token);
        meeting.claimed[place] = true;
        if meeting.claimed == [true; 2] {
            self.due.remove(&(meeting.until, id));
            let offer = transfer.offer;
            transfer.meeting = None;
            self.note(offer);
        }
        Some((id, side))
    }
}
