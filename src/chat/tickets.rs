//! Tickets into a closed server, for people without a terminal: 128 bits in a link, for one use and some minutes.
//!
//! A browser cannot prove the passphrase without trusting a page that an attacker may have sent, so it never sees the
//! passphrase.

use super::{Chat, Deliveries, Now};
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_TICKETS, TICKET_TIME};
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event, WebAccess};
use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// Where the rules get new tickets and their hashes: the chat itself has neither randomness nor cryptography.
pub struct TicketSource {
    /// 128 random bits; `None`: the system has none at the moment.
    pub random: fn() -> Option<u128>,
    pub hash: fn(&str) -> [u8; 32],
}

/// Those that are valid, the oldest first. It keeps hashes, from which nobody makes a ticket.
#[derive(Debug)]
pub(super) struct Tickets {
    source: TicketSource,
    valid: VecDeque<ValidTicket>,
}

#[derive(Debug)]
struct ValidTicket {
    hash: [u8; 32],
    /// In uptime.
    until: Duration,
}

impl Tickets {
    /// A new ticket, in 32 hexadecimal digits.
    fn issue(&mut self, now: Duration) -> Option<String> {
        let ticket = format!("{:032x}", (self.source.random)()?);
        self.valid.retain(|ticket| ticket.until > now);
        if self.valid.len() >= MAX_TICKETS {
            self.valid.pop_front();
        }
        self.valid.push_back(ValidTicket { hash: (self.source.hash)(&ticket), until: now + TICKET_TIME });
        Some(ticket)
    }

    /// Uses a ticket; `false`: it is not valid.
    fn redeem(&mut self, ticket: &str, now: Duration) -> bool {
        let hash = (self.source.hash)(ticket);
        let found = self.valid.iter().position(|ticket| ticket.hash == hash && ticket.until > now);
        found.and_then(|at| self.valid.remove(at)).is_some()
    }
}

impl Chat {
    /// Says that the server serves browsers, and lets operators get tickets for them.
    pub fn serve_browsers(&mut self, web: WebAccess, source: TicketSource) {
        self.web = Some(web);
        self.tickets = Some(Tickets { source, valid: VecDeque::new() });
    }

    /// How browsers join; `None`: not at all.
    pub fn web_access(&self) -> Option<WebAccess> {
        self.web
    }

    /// A new ticket.
    pub(super) fn ticket(&mut self, now: &Now) -> Result<Event, Refusal> {
        let is_open = !self.rules.closed;
        let refusal = |msg: &str| Refusal::new(Code::NotAllowed, msg);
        let tickets = self.tickets.as_mut().ok_or_else(|| {
            refusal("this server does not serve browsers; its administrator can start it with --web")
        })?;
        if is_open {
            return Ok(Event::Ticket { ticket: None });
        }
        let ticket = tickets.issue(now.uptime);
        let ticket =
            ticket.ok_or_else(|| refusal("the system has no random numbers at the moment; try again"))?;
        Ok(Event::Ticket { ticket: Some(ticket) })
    }

    /// Makes a key a member if the ticket is valid, and uses the ticket up.
    pub fn admit_by_ticket(
        &mut self,
        (key, ip): (Fingerprint, IpAddr),
        ticket: &str,
        now: &Now,
        out: &mut Deliveries,
    ) -> bool {
        let is_valid = self.tickets.as_mut().is_some_and(|tickets| tickets.redeem(ticket, now.uptime));
        if is_valid {
            self.add_member(key, ip, "", now, out);
        }
        is_valid
    }
}

impl fmt::Debug for TicketSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketSource").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    const NOW: Duration = Duration::from_secs(100);

    fn tickets() -> Tickets {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let source = TicketSource {
            random: || Some(u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 70),
            hash: |ticket| {
                let mut hash = [0; 32];
                hash.iter_mut().zip(ticket.bytes()).for_each(|(byte, digit)| *byte = digit);
                hash
            },
        };
        Tickets { source, valid: VecDeque::new() }
    }

    #[test]
    fn a_ticket_works_once_and_for_ten_minutes() {
        let mut tickets = tickets();
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
        let mut tickets = tickets();
        let all: Vec<String> = (0..=MAX_TICKETS).map(|_| tickets.issue(NOW).unwrap()).collect();
        assert!(!tickets.redeem(&all[0], NOW));
        assert!(all[1..].iter().all(|ticket| tickets.redeem(ticket, NOW)));
    }
}
