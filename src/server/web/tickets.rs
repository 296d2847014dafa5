//! Tickets to a closed server, for people without a terminal: 128 bits in a link, for one use and some minutes.

use crate::limits::{MAX_TICKETS, TICKET_TIME};
use crate::security::ticket_hash;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Those that are valid, the oldest first. It keeps hashes, from which nobody makes a ticket.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    valid: Mutex<VecDeque<ValidTicket>>,
}

#[derive(Debug)]
struct ValidTicket {
    hash: [u8; 32],
    /// In uptime.
    until: Duration,
}

impl Tickets {
    /// A new ticket, in 32 hexadecimal digits.
    ///
    /// # Errors
    /// The system has no random numbers at the moment.
    pub(super) fn issue(&self, now: Duration) -> Result<String, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        let ticket: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut valid = self.valid.lock().unwrap_or_else(PoisonError::into_inner);
        valid.retain(|ticket| ticket.until > now);
        if valid.len() >= MAX_TICKETS {
            valid.pop_front();
        }
        valid.push_back(ValidTicket { hash: ticket_hash(&ticket), until: now + TICKET_TIME });
        Ok(ticket)
    }

    /// Uses a ticket; `false`: it is not valid.
    pub(super) fn redeem(&self, ticket: &str, now: Duration) -> bool {
        let hash = ticket_hash(ticket);
        let mut valid = self.valid.lock().unwrap_or_else(PoisonError::into_inner);
        let found = valid.iter().position(|ticket| ticket.hash == hash && ticket.until > now);
        found.and_then(|at| valid.remove(at)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    #[test]
    fn a_ticket_works_once_and_for_ten_minutes() {
        let tickets = Tickets::default();
        let ticket = tickets.issue(NOW).unwrap();
        assert_eq!(ticket.len(), 32);
        assert!(!tickets.redeem("", NOW) && !tickets.redeem(&ticket[1..], NOW));
        assert!(tickets.redeem(&ticket, NOW + TICKET_TIME - Duration::from_secs(1)));
        assert!(!tickets.redeem(&ticket, NOW));
        let late = tickets.issue(NOW).unwrap();
        assert!(!tickets.redeem(&late, NOW + TICKET_TIME));
    }

    #[test]
    fn one_too_many_makes_the_oldest_invalid() {
        let tickets = Tickets::default();
        let all: Vec<String> = (0..=MAX_TICKETS).map(|_| tickets.issue(NOW).unwrap()).collect();
        assert!(!tickets.redeem(&all[0], NOW));
        assert!(all[1..].iter().all(|ticket| tickets.redeem(ticket, NOW)));
    }
}
