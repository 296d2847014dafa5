//! What the editing thread, the bell and the printers share: the label that is wanted and the one
//! that is shown, the lines that wait for the screen, and whether it is time to end. It does no
//! input or output.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Label;
use super::question::{IDLE, Question, Reply};

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
    question: Option<Question>,
    /// A question that comes up as soon as it is in nobody's way.
    waiting: Option<Question>,
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
    /// When that was.
    touched: Instant,
    /// When the question came up.
    up: Instant,
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
    Question(Question),
}

impl Inner {
    fn is_stale(&self) -> bool {
        self.wanted != self.shown
    }

    fn has_work(&self) -> bool {
        self.is_stale() || !self.queue.is_empty() || self.dropped > 0
    }

    /// How long the question that waits still has to; none if there is none, or somebody is typing.
    fn wait(&self) -> Option<Duration> {
        let can_come = self.waiting.is_some() && self.question.is_none() && self.line.is_empty();
        can_come.then(|| IDLE.saturating_sub(self.touched.elapsed()))
    }

    /// Brings the question up that waits, if it has waited enough.
    fn bring_up(&mut self) {
        if self.wait().is_some_and(|wait| wait.is_zero()) {
            self.question = self.waiting.take();
            self.wanted += 1;
        }
    }

    /// Lets the question wait for another time, if it is one that can.
    fn put_off(&mut self) {
        if self.question.as_ref().is_some_and(Question::is_unbidden) {
            self.waiting = self.question.take();
        }
    }
}

impl Shared {
    pub(super) fn new(label: Label) -> Self {
        let inner = Inner {
            label,
            question: None,
            waiting: None,
            wanted: 1,
            shown: 0,
            queue: VecDeque::new(),
            dropped: 0,
            stop: false,
            phase: Phase::Between,
            line: String::new(),
            touched: Instant::now(),
            up: Instant::now(),
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
    pub(super) fn ask(&self, question: Question) {
        let mut inner = self.lock();
        let was_up = inner.question.is_some();
        (inner.question, inner.waiting) = match question.is_unbidden() {
            true => (None, Some(question)),
            false => (Some(question), None),
        };
        if was_up || inner.question.is_some() {
            inner.wanted += 1;
        }
        self.changed.notify_all();
    }

    /// Takes the question back.
    pub(super) fn withdraw(&self) {
        let mut inner = self.lock();
        inner.waiting = None;
        if inner.question.take().is_some() {
            inner.wanted += 1;
        }
        self.changed.notify_all();
    }

    /// What a line is that was entered behind this question, which is done with then, waits for another
    /// time, or stays.
    pub(super) fn reply(&self, question: &Question, line: &str) -> Reply {
        let mut inner = self.lock();
        let reply = question.reply(line, inner.up);
        match reply {
            Reply::Answer => inner.question = None,
            Reply::Line => inner.put_off(),
            Reply::Nothing => {}
        }
        inner.wanted += 1;
        reply
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

    /// The editor's start of a turn with an ordinary line that is half typed: from here on what is wanted
    /// is shown, unless that is the end, and a bell reaches it.
    pub(super) fn begin_turn(&self, typed: &str) -> Turn {
        let mut inner = self.lock();
        if !typed.is_empty() {
            inner.put_off();
        }
        inner.line.clear();
        inner.line.push_str(typed);
        inner.phase = Phase::Reading;
        if !inner.stop {
            inner.shown = inner.wanted;
        }
        self.changed.notify_all();
        match inner.question.clone() {
            Some(question) => {
                inner.up = Instant::now();
                Turn::Question(question)
            }
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
        let mut inner = self.lock();
        loop {
            inner.bring_up();
            let wait = match inner.phase {
                Phase::Ended => return false,
                Phase::Reading if inner.has_work() => return true,
                Phase::Reading => inner.wait(),
                Phase::Between => None,
            };
            inner = match wait {
                Some(wait) => match self.changed.wait_timeout(inner, wait) {
                    Ok((inner, _)) => inner,
                    Err(poisoned) => poisoned.into_inner().0,
                },
                None => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Waits until there is nothing more to show, or for so long.
    pub(super) fn wait_until_settled(&self, limit: Duration) {
        let busy = |inner: &mut Inner| inner.phase != Phase::Ended && inner.has_work();
        drop(self.changed.wait_timeout_while(self.lock(), limit, busy));
    }

    /// Notes what is typed so far.
    pub(super) fn note_line(&self, line: &str) {
        let mut inner = self.lock();
        if inner.line != line {
            inner.line.clear();
            inner.line.push_str(line);
            inner.touched = Instant::now();
            self.changed.notify_all();
        }
    }

    /// Notes that a key ended the line.
    pub(super) fn note_end(&self) {
        self.lock().touched = Instant::now();
    }

    /// The label that is wanted, and what is typed.
    pub(super) fn look(&self) -> (Label, String) {
        let inner = self.lock();
        (inner.label.clone(), inner.line.clone())
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
            Turn::Question(question) => format!("question {}", question.label.text()),
        }
    }

    #[test]
    fn a_new_label_makes_the_shown_one_stale_until_the_next_turn() {
        let shared = Shared::new(Label::plain("a "));
        assert_eq!(text(shared.begin_turn("")), "a ");
        shared.set_label(Label::plain("a "));
        assert!(!shared.is_stale());
        shared.set_label(Label::plain("b "));
        assert!(shared.is_stale());
        assert_eq!(text(shared.begin_turn("")), "b ");
        assert!(!shared.is_stale());
    }

    #[test]
    fn a_question_stands_before_the_label_until_it_is_taken_back() {
        let shared = Shared::new(Label::plain("a "));
        shared.ask(Question::expected(Label::plain("sure? ")));
        assert_eq!(text(shared.begin_turn("")), "question sure? ");
        shared.set_label(Label::plain("b "));
        assert!(!shared.is_stale());
        shared.withdraw();
        assert_eq!(text(shared.begin_turn("")), "b ");
    }

    #[test]
    fn a_question_that_nobody_waited_for_comes_up_on_an_empty_line_that_nobody_types_in() {
        let shared = Shared::new(Label::plain("a "));
        shared.begin_turn("");
        shared.note_line("hel");
        let unbidden = || Question::unbidden(Label::plain("host? "), |line| line == "y");
        shared.ask(unbidden());
        assert_eq!(text(shared.begin_turn("hel")), "a ", "somebody is typing");
        shared.note_line("");
        let typed = Instant::now();
        assert!(shared.wait_for_work());
        assert!(typed.elapsed() >= IDLE - Duration::from_millis(50), "{:?}", typed.elapsed());
        assert_eq!(text(shared.begin_turn("x")), "a ", "a key came in between");
        shared.note_line("");
        assert!(shared.wait_for_work());
        assert_eq!(text(shared.begin_turn("")), "question host? ");
        assert_eq!(shared.reply(&unbidden(), "hello"), Reply::Line);
        assert_eq!(text(shared.begin_turn("")), "a ");
        assert!(shared.wait_for_work());
        assert_eq!(text(shared.begin_turn("")), "question host? ", "it comes again");
        assert_eq!(shared.reply(&unbidden(), "y"), Reply::Answer);
        assert_eq!(text(shared.begin_turn("")), "a ");
    }

    #[test]
    fn an_editor_that_is_to_stop_stays_stale() {
        let shared = Shared::new(Label::plain("a "));
        shared.begin_turn("");
        shared.stop();
        shared.begin_turn("");
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
