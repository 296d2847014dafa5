//! What the editing thread, the bell and the printers share: the label that is wanted and the one
//! that is shown, the lines that wait for the screen, and whether it is time to end. It does no
//! input or output.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Label;

/// Lines that wait for the screen. It takes none while somebody searches the history; past this
/// many, further ones are counted instead of kept, and the count is shown.
const QUEUED_LINES: usize = 4096;

/// Shared between the editor, its assistant, the bell and the printers.
#[derive(Debug)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    label: Label,
    question: Option<Label>,
    /// Counts changes of what should be shown before the input.
    wanted: u64,
    /// The count at which the editor last started to show it.
    shown: u64,
    /// Texts for the screen, each with its line end.
    queue: VecDeque<String>,
    /// Texts that had no place in the queue.
    dropped: usize,
    /// The editor is to end at its next interruption.
    stop: bool,
    /// Whether the editor is reading a line, so that a bell can reach it.
    phase: Phase,
    /// The half-typed line as of the last edit.
    line: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Between,
    Reading,
    Ended,
}

/// What the editor shows next.
#[derive(Debug)]
pub(super) enum Turn {
    /// Read a line behind this label.
    Line(Label),
    /// Read an answer behind this question.
    Question(Label),
}

impl Inner {
    fn is_stale(&self) -> bool {
        self.wanted != self.shown
    }

    fn has_work(&self) -> bool {
        self.is_stale() || !self.queue.is_empty() || self.dropped > 0
    }
}

impl Shared {
    pub(super) fn new(label: Label) -> Self {
        let inner = Inner {
            label,
            question: None,
            wanted: 1,
            shown: 0,
            queue: VecDeque::new(),
            dropped: 0,
            stop: false,
            phase: Phase::Between,
            line: String::new(),
        };
        Self { inner: Mutex::new(inner), changed: Condvar::new() }
    }

    /// Replaces the label.
    pub(super) fn set_label(&self, label: Label) {
        let mut inner = self.lock();
        if inner.label != label {
            inner.label = label;
            if inner.question.is_none() {
                inner.wanted += 1;
                self.changed.notify_all();
            }
        }
    }

    /// Puts a question in the label's place, until it is answered or taken back.
    pub(super) fn set_question(&self, question: Option<Label>) {
        let mut inner = self.lock();
        inner.question = question;
        inner.wanted += 1;
        self.changed.notify_all();
    }

    /// Queues a text for the screen; gives it back if the editor, who would show it, has ended.
    pub(super) fn queue(&self, text: String) -> Option<String> {
        let mut inner = self.lock();
        if inner.phase == Phase::Ended {
            return Some(text);
        }
        if inner.queue.len() < QUEUED_LINES {
            inner.queue.push_back(text);
        } else {
            inner.dropped += 1;
        }
        self.changed.notify_all();
        None
    }

    /// Takes out all that waits for the screen.
    pub(super) fn take_queue(&self) -> String {
        let mut inner = self.lock();
        let mut text: String = inner.queue.drain(..).collect();
        if inner.dropped > 0 {
            text +=
                &format!("({} lines are missing here: the screen took none for too long)\n", inner.dropped);
            inner.dropped = 0;
        }
        self.changed.notify_all();
        text
    }

    /// Has the editor end at its next interruption.
    pub(super) fn stop(&self) {
        let mut inner = self.lock();
        inner.stop = true;
        inner.wanted += 1;
        self.changed.notify_all();
    }

    /// Whether the editor is to end.
    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stop
    }

    /// Whether the editor shows something else before the input than it should.
    pub(super) fn is_stale(&self) -> bool {
        self.lock().is_stale()
    }

    /// The editor's start of a turn: from here on what is wanted is shown, unless that is the end,
    /// and a bell reaches it.
    pub(super) fn begin_turn(&self) -> Turn {
        let mut inner = self.lock();
        inner.line.clear();
        inner.phase = Phase::Reading;
        if !inner.stop {
            inner.shown = inner.wanted;
        }
        self.changed.notify_all();
        match &inner.question {
            Some(question) => Turn::Question(question.clone()),
            None => Turn::Line(inner.label.clone()),
        }
    }

    /// The editor's end of a turn.
    pub(super) fn end_turn(&self) {
        self.lock().phase = Phase::Between;
    }

    /// The editor has ended.
    pub(super) fn end(&self) {
        self.lock().phase = Phase::Ended;
        self.changed.notify_all();
    }

    /// Waits until there is something to show and the editor can be reached; false if it has ended.
    pub(super) fn wait_for_work(&self) -> bool {
        let idle = |inner: &mut Inner| match inner.phase {
            Phase::Between => true,
            Phase::Reading => !inner.has_work(),
            Phase::Ended => false,
        };
        let inner = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        inner.phase != Phase::Ended
    }

    /// Waits until there is nothing more to show, or for so long.
    pub(super) fn wait_until_settled(&self, limit: Duration) {
        let busy = |inner: &mut Inner| inner.phase != Phase::Ended && inner.has_work();
        drop(self.changed.wait_timeout_while(self.lock(), limit, busy));
    }

    /// Notes what is typed so far.
    pub(super) fn note_line(&self, line: &str) {
        let mut inner = self.lock();
        inner.line.clear();
        inner.line.push_str(line);
    }

    /// Whether nothing is typed.
    pub(super) fn line_is_empty(&self) -> bool {
        self.lock().line.is_empty()
    }

    /// The data stay consistent even if a holder panicked, so a poisoned lock is used as it is.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(turn: Turn) -> String {
        match turn {
            Turn::Line(label) => label.text().to_owned(),
            Turn::Question(label) => format!("question {}", label.text()),
        }
    }

    #[test]
    fn a_new_label_makes_the_shown_one_stale_until_the_next_turn() {
        let shared = Shared::new(Label::plain("a "));
        assert_eq!(text(shared.begin_turn()), "a ");
        shared.set_label(Label::plain("a "));
        assert!(!shared.is_stale());
        shared.set_label(Label::plain("b "));
        assert!(shared.is_stale());
        assert_eq!(text(shared.begin_turn()), "b ");
        assert!(!shared.is_stale());
    }

    #[test]
    fn a_question_stands_before_the_label_until_it_is_taken_back() {
        let shared = Shared::new(Label::plain("a "));
        shared.set_question(Some(Label::plain("sure? ")));
        assert_eq!(text(shared.begin_turn()), "question sure? ");
        shared.set_label(Label::plain("b "));
        assert!(!shared.is_stale());
        shared.set_question(None);
        assert_eq!(text(shared.begin_turn()), "b ");
    }

    #[test]
    fn an_editor_that_is_to_stop_stays_stale() {
        let shared = Shared::new(Label::plain("a "));
        shared.begin_turn();
        shared.stop();
        shared.begin_turn();
        assert!(shared.is_stale() && shared.is_stopping() && shared.wait_for_work());
        shared.end();
        assert!(!shared.wait_for_work());
        assert_eq!(shared.queue("late\n".into()).as_deref(), Some("late\n"));
    }

    #[test]
    fn lines_keep_their_order_and_those_past_the_bound_are_counted() {
        let shared = Shared::new(Label::plain("a "));
        for n in 0..QUEUED_LINES + 3 {
            assert_eq!(shared.queue(format!("{n}\n")), None);
        }
        let text = shared.take_queue();
        assert!(text.starts_with("0\n1\n2\n"), "{}", &text[..20]);
        assert!(text.ends_with("4095\n(3 lines are missing here: the screen took none for too long)\n"));
        assert_eq!(shared.take_queue(), "");
    }
}
