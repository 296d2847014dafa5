//! A check's result as a line.

use crate::text::safe_line;
use serde::Serialize;
use std::fmt;

/// One check, displayed as one line that is safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckLine {
    pub state: CheckResult,
    pub subject: String,
    pub detail: String,
    /// Whether it shows keys, which must not appear in a ticket.
    #[serde(skip)]
    pub is_about_keys: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckResult {
    Ok,
    Failed,
    /// Neither good nor bad, but useful to know.
    Note,
}

impl fmt::Display for CheckLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.state {
            CheckResult::Ok => "ok",
            CheckResult::Failed => "failed",
            CheckResult::Note => "note",
        };
        write!(f, "{word:<8}{}: {}", safe_line(&self.subject), safe_line(&self.detail))
    }
}

pub(super) fn line(state: CheckResult, subject: impl Into<String>, detail: impl Into<String>) -> CheckLine {
    CheckLine { state, subject: subject.into(), detail: detail.into(), is_about_keys: false }
}

pub(super) fn ok(subject: impl Into<String>, detail: impl Into<String>) -> CheckLine {
    line(CheckResult::Ok, subject, detail)
}

pub(super) fn failed(subject: impl Into<String>, detail: impl Into<String>) -> CheckLine {
    line(CheckResult::Failed, subject, detail)
}

pub(super) fn note(subject: impl Into<String>, detail: impl Into<String>) -> CheckLine {
    line(CheckResult::Note, subject, detail)
}
