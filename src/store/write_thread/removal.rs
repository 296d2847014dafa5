//! Removes old messages between batches, and watches the room left for mail, which is never removed for size.

use super::super::api::WriteBatch;
use super::super::error::StoreError;
use super::super::{date_correction, prune, weight};
use super::WriteThread;
use crate::chat::Entry;
use crate::limits::{PRUNE_EVERY, PRUNE_PAUSE};
use std::time::Instant;

impl WriteThread {
    pub(super) fn prune(&mut self) {
        let pause = match self.prune_some() {
            Ok(true) => PRUNE_PAUSE,
            Ok(false) => PRUNE_EVERY,
            Err(error) => {
                tracing::debug!(event = "removal_failed", "cannot remove old messages: {error}");
                PRUNE_EVERY
            }
        };
        self.next_prune = Instant::now() + pause;
    }

    /// Corrects dates, or else removes what is too old or too much: one step. Returns whether more remains.
    fn prune_some(&mut self) -> Result<bool, StoreError> {
        let (keep, seq) = (self.keep, self.seq);
        let is_dated = self.attempt(|connection, time| {
            time.look(connection, seq)?;
            date_correction::step(connection)
        })?;
        if is_dated {
            return Ok(true);
        }
        self.ids.clear();
        let pruned = self.attempt(|connection, time| {
            let now = time.for_removal(connection)?;
            prune::step(connection, keep, now)
        })?;
        self.tail.take(pruned.indexed);
        self.notices.expired(pruned.expired);
        if !pruned.more {
            self.look_at_mail()?;
        }
        Ok(pruned.more)
    }

    /// Checks whether waiting mail has used up its share of the room.
    fn look_at_mail(&mut self) -> Result<(), StoreError> {
        let keep = self.keep;
        let room = self.attempt(|connection, _| prune::mail_room(connection, keep))?;
        let is_full = room == Some(0);
        self.mail_room = room;
        if is_full == self.is_full_of_mail {
            return Ok(());
        }
        self.is_full_of_mail = is_full;
        self.notices.full_of_mail(is_full);
        match is_full {
            true => tracing::warn!(
                event = "mail_full",
                "waiting mail fills its half of --retain-size, so the server refuses mail for people who are \
                 away; raise --retain-size, or keep mail for a shorter time (--retain)"
            ),
            false => {
                tracing::info!(event = "mail_accepted", "the server takes mail for people who are away again")
            }
        }
        Ok(())
    }

    /// Subtracts a batch's mail from the room left. When none is left, looks again at once, because the next
    /// mail may have to be refused.
    pub(super) fn count_mail(&mut self, batch: &WriteBatch) {
        let Some(room) = self.mail_room else { return };
        let waiting = batch.entries.iter().filter_map(|entry| match entry {
            Entry::Message(message) if message.mail.iter().any(|mail| mail.waits) => {
                Some(weight::of(&message.text))
            }
            _ => None,
        });
        let came = waiting.sum();
        self.mail_room = Some(room.saturating_sub(came));
        if came >= room
            && came > 0
            && !self.is_full_of_mail
            && let Err(error) = self.look_at_mail()
        {
            tracing::debug!(event = "removal_failed", "cannot count waiting mail: {error}");
        }
    }
}
