//! What the writer removes between batches, and how much room is left for mail, which it never removes for size.

use super::super::api::WriteBatch;
use super::super::error::StoreError;
use super::super::{prune, weight, writer_clock};
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
                tracing::debug!("old messages can't be removed: {error}");
                PRUNE_EVERY
            }
        };
        self.next_prune = Instant::now() + pause;
    }

    /// Dates what was dated by a wrong clock, then removes what is too old or too much: a step of either.
    /// Returns whether there is more to do.
    fn prune_some(&mut self) -> Result<bool, StoreError> {
        let (keep, seq) = (self.keep, self.seq);
        let is_dated = self.attempt(|connection, time| {
            time.look(connection, seq)?;
            writer_clock::date(connection)
        })?;
        if is_dated {
            return Ok(true);
        }
        let pruned = self.attempt(|connection, time| {
            let now = time.for_removal(connection)?;
            prune::step(connection, keep, now)
        })?;
        self.notices.expired(pruned.expired);
        if !pruned.more {
            self.look_at_mail()?;
        }
        Ok(pruned.more)
    }

    /// Tells whether mail that waits takes all the room that it may.
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
                "mail that waits takes half of --retain-size, so no more is taken for people who are away; it is \
                 not removed for size: keep more (--retain-size), or less long (--retain)"
            ),
            false => tracing::info!("there is room again for mail to people who are away"),
        }
        Ok(())
    }

    /// Mail that was taken has used up some of its room. If it was all, it is looked at once, as the next that
    /// comes may have to be refused.
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
            tracing::debug!("mail that waits can't be counted: {error}");
        }
    }
}
