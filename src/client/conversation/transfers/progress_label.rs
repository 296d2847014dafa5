//! Progress in the prompt's label: for one transfer its name, percentage, rate and time left; several are
//! counted.

use std::time::{Duration, Instant};

use super::wording::{clock_time, file_size, scaled, shortened};
use super::{TransferTable, percent};
use crate::client::conversation::{CallTime, Conversation, Effect};
use crate::client::transfer::{FilePhase, ProgressNow, TransferRate};
use crate::name::FileName;
use crate::text::width;

/// How often the label shows new progress.
const EVERY: Duration = Duration::from_millis(500);

/// A longer time says only that something is wrong.
const LONGEST_LEFT: Duration = Duration::from_secs(100 * 3600);

/// The columns for a file's name.
const NAME_COLUMNS: usize = 20;

/// The progress in the label.
#[derive(Debug, Default)]
pub(super) struct ProgressLabel {
    /// In the label now: its parts from the most important on, or nothing.
    parts: Vec<String>,
    at: Option<Instant>,
    rate: TransferRate,
}

impl ProgressLabel {
    pub(super) fn is_shown(&self) -> bool {
        !self.parts.is_empty()
    }
}

impl TransferTable {
    /// The parts of the label, from the most important on. Numbers keep their width, so that the label takes the
    /// same room most of the time.
    fn progress_parts(&mut self, now: Instant) -> Vec<String> {
        let running: Vec<_> = self.running().map(|(file, progress)| (file.clone(), progress.now())).collect();
        let Some((file, first)) = running.first() else {
            self.label.rate = TransferRate::default();
            return Vec::new();
        };
        let what = match running.len() {
            1 => shortened(FileName::from_sender(&file.name).as_str(), NAME_COLUMNS),
            many => format!("{many} files"),
        };
        let all = ProgressNow {
            done: running.iter().map(|(_, now)| now.done).sum(),
            moved: running.iter().map(|(_, now)| now.moved).sum(),
            total: running.iter().map(|(_, now)| now.total).sum(),
            ..first.clone()
        };
        let rate = &mut self.label.rate;
        rate.follow(now, &all);
        let mut parts = vec![match percent(&all) {
            Some(percent) => format!("{what} {percent:>2}%"),
            None => format!("{what} {}", file_size(all.done)),
        }];
        if running.len() > 1 {
            return parts;
        }
        match all.phase {
            FilePhase::Waiting => parts.push("waiting".to_owned()),
            FilePhase::Hashing => parts.push("checking".to_owned()),
            FilePhase::Finishing => parts.push("saving".to_owned()),
            FilePhase::Moving => {
                parts.extend(rate.per_second().map(|rate| {
                    let (number, unit) = scaled(rate);
                    format!("{number} {unit}/s")
                }));
                parts.extend(rate.left(&all).filter(|left| *left < LONGEST_LEFT).map(clock_time));
            }
        }
        parts
    }

    /// The offers that wait for this user's answer, without those of content that the user has.
    fn open_offers(&self) -> usize {
        self.received.iter().filter(|offer| offer.is_open() && !offer.is_here).count()
    }
}

impl Conversation {
    /// Takes new progress into the label, if it is time.
    pub(super) fn progress(&mut self, now: CallTime) -> Vec<Effect> {
        if self.view.screen().is_none() {
            return Vec::new();
        }
        let is_due =
            self.transfers.label.at.is_none_or(|at| now.instant.saturating_duration_since(at) >= EVERY);
        let is_over = self.transfers.label.is_shown() && self.transfers.running().next().is_none();
        if !is_due && !is_over {
            return Vec::new();
        }
        let parts = self.transfers.progress_parts(now.instant);
        if parts == self.transfers.label.parts {
            return Vec::new();
        }
        (self.transfers.label.parts, self.transfers.label.at) = (parts, Some(now.instant));
        vec![Effect::Relabel]
    }

    /// Progress and open offers for the label, in at most so many columns.
    pub(in crate::client::conversation) fn files_label(&self, columns: usize) -> String {
        let mut text = String::new();
        for (place, part) in self.transfers.label.parts.iter().enumerate() {
            let part = if place == 0 { format!(" · {part}") } else { format!(" {part}") };
            if width(&text) + width(&part) > columns {
                return text;
            }
            text += &part;
        }
        let offers = match self.transfers.open_offers() {
            0 => return text,
            1 => " · 1 offer".to_owned(),
            many => format!(" · {many} offers"),
        };
        if width(&text) + width(&offers) <= columns {
            text += &offers;
        }
        text
    }
}
