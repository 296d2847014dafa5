//! A question in the label's place, and which lines answer it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Label;

/// How long nobody may have typed before a question comes up that nobody waits for.
pub(super) const IDLE: Duration = Duration::from_secs(1);

/// How long such a question must have stood for Enter alone to answer it: who presses Enter sooner meant
/// something else by it.
const STOOD: Duration = Duration::from_secs(1);

/// A question, to be asked with [`super::Printer::ask`].
#[derive(Clone)]
pub struct Question {
    pub(super) label: Label,
    answers: Option<Answers>,
}

/// Says which lines are answers.
type Answers = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What a line entered behind a question is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// An answer.
    Answer,
    /// A line like any other: whoever typed it had not seen the question.
    Line,
    /// Nothing: the question stays.
    Nothing,
}

impl Question {
    /// One that the person has just caused. It comes up at once, whatever is typed, and any line answers it.
    pub fn expected(label: Label) -> Self {
        Self { label, answers: None }
    }

    /// One that comes by itself. It waits until nothing is typed and nobody has typed for a second; only a
    /// line that `is_answer` answers it, and any other is an ordinary line. An empty one counts if the
    /// question stood for a second.
    pub fn unbidden(label: Label, is_answer: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { label, answers: Some(Arc::new(is_answer)) }
    }

    pub(super) fn is_unbidden(&self) -> bool {
        self.answers.is_some()
    }

    /// What a line is that was entered behind this question, which came up at that time.
    pub(super) fn reply(&self, line: &str, up: Instant) -> Reply {
        let Some(is_answer) = &self.answers else { return Reply::Answer };
        let is_empty = line.trim().is_empty();
        match is_answer(line) {
            true if is_empty && up.elapsed() < STOOD => Reply::Nothing,
            true => Reply::Answer,
            false if is_empty => Reply::Nothing,
            false => Reply::Line,
        }
    }

    /// Whether what is half typed behind this question is the beginning of an ordinary line.
    pub(super) fn is_line(&self, typed: &str) -> bool {
        self.answers.as_ref().is_some_and(|is_answer| !is_answer(typed))
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (unbidden: {})", self.label, self.is_unbidden())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_answers_a_question_that_nobody_waited_for() {
        let yes = |line: &str| ["", "y"].contains(&line.trim());
        let question = Question::unbidden(Label::plain("Well? "), yes);
        let (now, before) = (Instant::now(), Instant::now().checked_sub(STOOD).unwrap());
        assert_eq!(question.reply("y", now), Reply::Answer);
        assert_eq!(question.reply("", now), Reply::Nothing, "Enter under somebody's fingers");
        assert_eq!(question.reply("", before), Reply::Answer);
        assert_eq!(question.reply("hello everybody", before), Reply::Line);
        assert!(question.is_line("hel") && !question.is_line("y") && !question.is_line(""));
        let expected = Question::expected(Label::plain("Leave? "));
        assert_eq!(expected.reply("hello", now), Reply::Answer);
        assert!(!expected.is_line("hel"));
    }
}
