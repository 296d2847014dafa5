//! Progress in the prompt's label: for one transfer its name, percentage, rate and time left; several are
//! counted.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::wording::{clock, scaled, shortened};
use super::{Stage, Transfers};
use crate::client::conversation::{CallTime, Conversation, Effect};
use crate::text::width;

/// How often the label shows new progress.
const EVERY: Duration = Duration::from_millis(500);

/// The time over which the rate is measured: long enough to be steady, short enough to follow a change.
const RATE_TIME: Duration = Duration::from_secs(5);

/// The columns for a file's name.
const NAME_COLUMNS: usize = 20;

/// The progress in the label.
#[derive(Debug, Default)]
pub(super) struct ProgressLabel {
    /// In the label now: its parts from the most important on, or nothing.
    parts: Vec<String>,
    at: Option<Instant>,
    /// How many bytes there were at earlier times, the oldest first.
    samples: VecDeque<(Instant, u64)>,
}

impl ProgressLabel {
    pub(super) fn is_shown(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Bytes in a second, lately.
    fn rate(&mut self, now: Instant, done: u64) -> Option<f64> {
        // A new or a lost transfer changes the sum, which is no speed.
        if self.samples.back().is_some_and(|(_, before)| *before > done) {
            self.samples.clear();
        }
        self.samples.push_back((now, done));
        while self.samples.len() > 2 && now.duration_since(self.samples[1].0) >= RATE_TIME {
            self.samples.pop_front();
        }
        let (since, before) = self.samples.front()?;
        let time = now.duration_since(*since).as_secs_f64();
        (time > 0.2).then(|| (done - before) as f64 / time)
    }
}

impl Transfers {
    /// The parts of the label, from the most important on. Numbers keep their width, so that the label takes the
    /// same room most of the time.
    fn progress_parts(&mut self, now: Instant) -> Vec<String> {
        let running: Vec<_> =
            self.running().map(|(file, progress)| (file.clone(), progress.clone())).collect();
        let Some((file, _)) = running.first() else {
            self.label.samples.clear();
            return Vec::new();
        };
        let done: u64 = running.iter().map(|(_, progress)| progress.done()).sum();
        let total: Option<u64> = running.iter().map(|(_, progress)| progress.total()).sum();
        let what = match running.len() {
            1 => shortened(&crate::name::safe_file_name(&file.name), NAME_COLUMNS),
            many => format!("{many} files"),
        };
        let rate = self.label.rate(now, done);
        let mut parts = vec![match total {
            Some(total) => {
                let percent = u128::from(done.min(total)) * 100 / u128::from(total.max(1));
                format!("{what} {percent:>2}%")
            }
            None => format!("{what} {} {}", scaled(done).0, scaled(done).1),
        }];
        if let (Some(rate), 1) = (rate, running.len()) {
            let (number, unit) = scaled(rate as u64);
            parts.push(format!("{number} {unit}/s"));
            let left = total.map(|total| total.saturating_sub(done) as f64 / rate);
            parts.extend(
                left.filter(|left| left.is_finite() && *left < 1e6)
                    .map(|left| clock(Duration::from_secs_f64(left.ceil()))),
            );
        }
        parts
    }

    /// The offers that wait for this user's answer, among those to this user alone.
    fn open_offers(&self) -> usize {
        let is_open = |stage: &Stage| matches!(stage, Stage::Open);
        let is_direct = |to: &str| !to.starts_with('#') && to != "all";
        self.received.iter().filter(|o| o.is_current && is_open(&o.stage) && is_direct(&o.to)).count()
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
