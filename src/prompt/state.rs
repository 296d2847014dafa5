//! The state that the editing thread, the waker and the printers share: the wanted and the visible label, the
//! lines queued for the screen, and whether to stop. It does no input or output.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Label;
use super::question::{IDLE, PromptQuestion, Reply};

/// Lines that may wait for the screen, which accepts none during a history search. A count replaces further
/// lines.
const QUEUED_LINES: usize = 4096;

/// The state shared between the editor, its helper, the waker and the printers.
#[derive(Debug)]
pub(super) struct PromptState {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    label: Label,
    question: Option<PromptQuestion>,
    /// A question that appears as soon as it does not disturb the user.
    waiting: Option<PromptQuestion>,
    /// Counts changes of the label or question.
    wanted: u64,
    /// The count at which the editor last started a line.
    shown: u64,
    /// The label at that time, if there was no question.
    started: Option<Label>,
    /// Whether a label that takes the same room has replaced that one and is not on the screen yet.
    wants_paint: bool,
    /// Lines for the screen, with their line ends.
    queue: VecDeque<String>,
    dropped: usize,
    stop: bool,
    /// Whether the editor is reading a line, so that it can be woken.
    phase: Phase,
    /// The half-typed line as of the last edit.
    line: String,
    /// The cursor in it, in bytes.
    cursor: usize,
    /// The half-typed line that a question has replaced.
    parked: Option<String>,
    edited: Instant,
    asked: Instant,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Between,
    Reading,
    Ended,
}

/// The next input to read.
#[derive(Debug)]
pub(super) enum NextRead {
    Line(Label),
    Question(PromptQuestion),
}

impl Inner {
    fn is_stale(&self) -> bool {
        self.wanted != self.shown
    }

    fn has_work(&self) -> bool {
        self.is_stale() || self.wants_paint || !self.queue.is_empty() || self.dropped > 0
    }

    /// How long until the waiting question may appear; `None` without one, or while the user types.
    fn wait(&self) -> Option<Duration> {
        let can_come = self.waiting.is_some() && self.question.is_none() && self.line.is_empty();
        can_come.then(|| IDLE.saturating_sub(self.edited.elapsed()))
    }

    /// Shows the waiting question once it has waited long enough.
    fn show_waiting(&mut self) {
        if self.wait().is_some_and(|wait| wait.is_zero()) {
            self.question = self.waiting.take();
            self.wanted += 1;
        }
    }

    /// Makes an unexpected question wait again.
    fn postpone(&mut self) {
        if self.question.as_ref().is_some_and(PromptQuestion::is_unexpected) {
            self.waiting = self.question.take();
        }
    }
}

impl PromptState {
    pub(super) fn new(label: Label) -> Self {
        let inner = Inner {
            label,
            question: None,
            waiting: None,
            wanted: 1,
            shown: 0,
            started: None,
            wants_paint: false,
            queue: VecDeque::new(),
            dropped: 0,
            stop: false,
            phase: Phase::Between,
            line: String::new(),
            cursor: 0,
            parked: None,
            edited: Instant::now(),
            asked: Instant::now(),
        };
        Self { inner: Mutex::new(inner), changed: Condvar::new() }
    }

    pub(super) fn set_label(&self, label: Label) {
        let mut inner = self.lock();
        if inner.label != label {
            // Painted over the other one, it costs the user neither the undo history nor the place among earlier
            // lines.
            let fits = inner.started.as_ref().is_some_and(|started| started.takes_the_room_of(&label));
            inner.label = label;
            if inner.question.is_none() {
                inner.wants_paint |= fits;
                inner.wanted += u64::from(!fits);
                self.changed.notify_all();
            }
        }
    }

    /// The label to paint where the editor paints `styled`; `None`: that one.
    pub(super) fn painted(&self, styled: &str) -> Option<String> {
        let mut inner = self.lock();
        let started = inner.started.as_ref().filter(|started| started.styled_text() == styled)?;
        let is_ready = inner.question.is_none() && started.takes_the_room_of(&inner.label);
        is_ready.then(|| {
            inner.wants_paint = false;
            inner.label.styled_text().to_owned()
        })
    }

    /// Puts a question in the label's place, until the user answers it or `withdraw` removes it.
    pub(super) fn ask(&self, question: PromptQuestion) {
        let mut inner = self.lock();
        let was_up = inner.question.is_some();
        (inner.question, inner.waiting) = match question.is_unexpected() {
            true => (None, Some(question)),
            false => (Some(question), None),
        };
        if was_up || inner.question.is_some() {
            inner.wanted += 1;
        }
        self.changed.notify_all();
    }

    pub(super) fn withdraw(&self) {
        let mut inner = self.lock();
        inner.waiting = None;
        if inner.question.take().is_some() {
            inner.wanted += 1;
        }
        self.changed.notify_all();
    }

    /// Interprets a line entered behind this question; then the question is done, waits again, or stays.
    pub(super) fn reply(&self, question: &PromptQuestion, line: &str) -> Reply {
        let mut inner = self.lock();
        let reply = question.reply(line, inner.asked);
        match reply {
            Reply::Answer | Reply::Draft => inner.question = None,
            Reply::Line => inner.postpone(),
            Reply::Nothing => {}
        }
        inner.wanted += 1;
        reply
    }

    /// Queues a text for the screen; returns it if the editor, which would print it, has ended.
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

    pub(super) fn take_queue(&self) -> String {
        let mut inner = self.lock();
        let mut text: String = inner.queue.drain(..).collect();
        if inner.dropped > 0 {
            text += &format!(
                "({} lines are missing here, because the screen was busy for too long)\n",
                inner.dropped
            );
            inner.dropped = 0;
        }
        self.changed.notify_all();
        text
    }

    /// Makes the editor begin the line again, to show what has come up.
    pub(super) fn refresh(&self) {
        self.lock().wanted += 1;
        self.changed.notify_all();
    }

    pub(super) fn has_question(&self) -> bool {
        self.lock().question.is_some()
    }

    /// Makes the editor end at its next interruption.
    pub(super) fn stop(&self) {
        let mut inner = self.lock();
        inner.stop = true;
        inner.wanted += 1;
        self.changed.notify_all();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stop
    }

    /// Whether the label or question on the screen is outdated.
    pub(super) fn is_stale(&self) -> bool {
        self.lock().is_stale()
    }

    /// Starts a read with a half-typed ordinary line. From here on, the screen is up to date, unless the editor
    /// should stop, and the waker can reach the editor.
    pub(super) fn begin_read(&self, typed: &str) -> NextRead {
        let mut inner = self.lock();
        if !typed.is_empty() {
            inner.postpone();
        }
        inner.line.clear();
        inner.line.push_str(typed);
        inner.cursor = typed.len();
        inner.phase = Phase::Reading;
        if !inner.stop {
            inner.shown = inner.wanted;
        }
        inner.wants_paint = false;
        self.changed.notify_all();
        match inner.question.clone() {
            Some(question) => {
                inner.started = None;
                inner.asked = Instant::now();
                NextRead::Question(question)
            }
            None => {
                inner.started = Some(inner.label.clone());
                NextRead::Line(inner.label.clone())
            }
        }
    }

    pub(super) fn end_read(&self) {
        self.lock().phase = Phase::Between;
    }

    pub(super) fn end(&self) {
        self.lock().phase = Phase::Ended;
        self.changed.notify_all();
    }

    /// Waits until there is something to show and the editor can be woken; returns false once it has ended.
    pub(super) fn wait_for_work(&self) -> bool {
        let mut inner = self.lock();
        loop {
            inner.show_waiting();
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

    /// Waits until everything is shown, for at most `limit`.
    pub(super) fn wait_until_settled(&self, limit: Duration) {
        let busy = |inner: &mut Inner| inner.phase != Phase::Ended && inner.has_work();
        drop(self.changed.wait_timeout_while(self.lock(), limit, busy));
    }

    pub(super) fn note_line(&self, line: &str, cursor: usize) {
        let mut inner = self.lock();
        inner.cursor = cursor;
        if inner.line != line {
            inner.line.clear();
            inner.line.push_str(line);
            inner.edited = Instant::now();
            self.changed.notify_all();
        }
    }

    /// Notes that a key ended the line.
    pub(super) fn note_end(&self) {
        self.lock().edited = Instant::now();
    }

    pub(super) fn label(&self) -> Label {
        self.lock().label.clone()
    }

    /// The line as of the last key, split at the cursor.
    pub(super) fn split_line(&self) -> (String, String) {
        let inner = self.lock();
        let (left, right) = inner.line.split_at_checked(inner.cursor).unwrap_or((&inner.line, ""));
        (left.to_owned(), right.to_owned())
    }

    /// Notes the half-typed line that a question replaces, or `None` once it is back.
    pub(super) fn park(&self, line: Option<String>) {
        self.lock().parked = line;
    }

    /// The half-typed line, also if a question has replaced it.
    pub(super) fn draft(&self) -> String {
        let inner = self.lock();
        inner.parked.clone().unwrap_or_else(|| inner.line.clone())
    }

    pub(super) fn line_is_empty(&self) -> bool {
        self.lock().line.is_empty()
    }

    /// The data stay consistent even if a thread panicked, so a poisoned lock does not matter.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(next: NextRead) -> String {
        match next {
            NextRead::Line(label) => label.text().to_owned(),
            NextRead::Question(question) => format!("question {}", question.label.text()),
        }
    }

    #[test]
    fn a_new_label_makes_the_shown_one_stale_until_the_next_turn() {
        let shared = PromptState::new(Label::plain("a "));
        assert_eq!(text(shared.begin_read("")), "a ");
        shared.set_label(Label::plain("a "));
        assert!(!shared.is_stale());
        shared.set_label(Label::plain("bb "));
        assert!(shared.is_stale());
        assert_eq!(text(shared.begin_read("")), "bb ");
        assert!(!shared.is_stale());
    }

    #[test]
    fn a_label_that_takes_the_same_room_is_painted_over_the_other_one() {
        let shared = PromptState::new(Label::plain("41% "));
        assert_eq!(text(shared.begin_read("")), "41% ");
        assert_eq!(shared.painted("search: "), None, "that is not the label");
        shared.set_label(Label::plain("42% "));
        assert!(!shared.is_stale() && shared.wait_for_work());
        assert_eq!(shared.painted("41% "), Some("42% ".into()));
        assert!(!shared.lock().has_work());
        shared.set_label(Label::plain("100% "));
        assert!(shared.is_stale(), "it takes more room");
        assert_eq!(shared.painted("41% "), None);
        assert_eq!(text(shared.begin_read("")), "100% ");
    }

    #[test]
    fn a_question_replaces_the_label_until_it_is_withdrawn() {
        let shared = PromptState::new(Label::plain("a "));
        shared.ask(PromptQuestion::expected(Label::plain("sure? ")));
        assert_eq!(text(shared.begin_read("")), "question sure? ");
        shared.set_label(Label::plain("b "));
        assert!(!shared.is_stale());
        shared.withdraw();
        assert_eq!(text(shared.begin_read("")), "b ");
    }

    #[test]
    fn an_unexpected_question_appears_on_an_empty_line_while_nobody_types() {
        let shared = PromptState::new(Label::plain("a "));
        shared.begin_read("");
        shared.note_line("hel", 3);
        let unexpected = || PromptQuestion::unexpected(Label::plain("host? "), |line| line == "y");
        shared.ask(unexpected());
        assert_eq!(text(shared.begin_read("hel")), "a ", "the user is typing");
        shared.note_line("", 0);
        let typed = Instant::now();
        assert!(shared.wait_for_work());
        assert!(typed.elapsed() >= IDLE - Duration::from_millis(50), "{:?}", typed.elapsed());
        assert_eq!(text(shared.begin_read("x")), "a ", "a key came in between");
        shared.note_line("", 0);
        assert!(shared.wait_for_work());
        assert_eq!(text(shared.begin_read("")), "question host? ");
        assert_eq!(shared.reply(&unexpected(), "hello"), Reply::Line);
        assert_eq!(text(shared.begin_read("")), "a ");
        assert!(shared.wait_for_work());
        assert_eq!(text(shared.begin_read("")), "question host? ", "it comes again");
        assert_eq!(shared.reply(&unexpected(), "y"), Reply::Answer);
        assert_eq!(text(shared.begin_read("")), "a ");
    }

    #[test]
    fn an_editor_that_should_stop_stays_stale() {
        let shared = PromptState::new(Label::plain("a "));
        shared.begin_read("");
        shared.stop();
        shared.begin_read("");
        assert!(shared.is_stale() && shared.is_stopping() && shared.wait_for_work());
        shared.end();
        assert!(!shared.wait_for_work());
        assert_eq!(shared.queue("late\n".into()).as_deref(), Some("late\n"));
    }

    #[test]
    fn lines_keep_their_order_and_a_count_replaces_those_past_the_bound() {
        let shared = PromptState::new(Label::plain("a "));
        for n in 0..QUEUED_LINES + 3 {
            assert_eq!(shared.queue(format!("{n}\n")), None);
        }
        let text = shared.take_queue();
        assert!(text.starts_with("0\n1\n2\n"), "{}", &text[..20]);
        assert!(
            text.ends_with("4095\n(3 lines are missing here, because the screen was busy for too long)\n")
        );
        assert_eq!(shared.take_queue(), "");
    }
}
