//! A question in the label's place, and the lines that answer it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Label;

/// How long the user must not have typed before an unexpected question appears.
pub(super) const IDLE: Duration = Duration::from_secs(1);

/// How long an unexpected question must be visible before Enter alone answers it: an earlier Enter was meant
/// for something else.
const VISIBLE: Duration = Duration::from_secs(1);

/// A question, to be asked with [`super::Printer::ask`].
#[derive(Clone)]
pub struct PromptQuestion {
    pub(super) label: Label,
    answers: Answers,
    /// Whether the user has not caused it.
    is_unexpected: bool,
}

type Answers = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The meaning of a line entered behind a question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// An answer.
    Answer,
    /// An ordinary line: the user had not seen the question.
    Line,
    /// A line that goes back to the prompt, as the user has seen the question. It counts as a no.
    Draft,
    /// Neither; the question stays.
    Nothing,
}

impl PromptQuestion {
    /// Creates a question that the user has just caused. It appears at once. Yes, no and Enter answer it; any
    /// other line comes back to the prompt, and counts as a no.
    pub fn expected(label: Label) -> Self {
        let is_answer =
            |line: &str| ["", "y", "yes", "n", "no"].contains(&line.trim().to_lowercase().as_str());
        Self { label, answers: Arc::new(is_answer), is_unexpected: false }
    }

    /// Creates a question that the user does not expect. It waits for an empty line and a second without
    /// keys. Only a line that `is_answer` accepts answers it; an empty one, only once the question has been
    /// visible for a second.
    pub fn unexpected(label: Label, is_answer: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { label, answers: Arc::new(is_answer), is_unexpected: true }
    }

    pub(super) fn is_unexpected(&self) -> bool {
        self.is_unexpected
    }

    /// Interprets a line entered behind this question, which appeared at `shown`.
    pub(super) fn reply(&self, line: &str, shown: Instant) -> Reply {
        let is_empty = line.trim().is_empty();
        match (self.answers)(line) {
            true if !self.is_unexpected => Reply::Answer,
            false if !self.is_unexpected => Reply::Draft,
            true if is_empty && shown.elapsed() < VISIBLE => Reply::Nothing,
            true => Reply::Answer,
            false if is_empty => Reply::Nothing,
            false => Reply::Line,
        }
    }

    /// Whether half-typed text behind this question is the start of an ordinary line.
    pub(super) fn is_line(&self, typed: &str) -> bool {
        !(self.answers)(typed)
    }
}

impl fmt::Debug for PromptQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (unexpected: {})", self.label, self.is_unexpected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_answers_an_unexpected_question() {
        let yes = |line: &str| ["", "y"].contains(&line.trim());
        let question = PromptQuestion::unexpected(Label::plain("Well? "), yes);
        let (now, before) = (Instant::now(), Instant::now().checked_sub(VISIBLE).unwrap());
        assert_eq!(question.reply("y", now), Reply::Answer);
        assert_eq!(question.reply("", now), Reply::Nothing, "Enter was meant for something else");
        assert_eq!(question.reply("", before), Reply::Answer);
        assert_eq!(question.reply("hello everyone", before), Reply::Line);
        assert!(question.is_line("hel") && !question.is_line("y") && !question.is_line(""));
        let expected = PromptQuestion::expected(Label::plain("Leave? "));
        assert_eq!(expected.reply("hello", now), Reply::Draft);
        assert_eq!(["", "Yes", "n "].map(|line| expected.reply(line, now)), [(); 3].map(|()| Reply::Answer));
        assert!(expected.is_line("hel") && !expected.is_line("y"));
    }
}
