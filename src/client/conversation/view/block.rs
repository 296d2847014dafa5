//! The form of what is printed: a head, and a text that may take several lines. Further lines are indented, so
//! none can pass for another message.

use std::ops::Range;

use anstream::adapter::strip_str;
use anstyle::{Effects, Style};

use super::{BOLD, CALL, DIM, FAILURE, Layout, ViewState};
use crate::client::conversation::calling;
use crate::text::{break_lines, safe_lines, width};

/// The bar in front of each further line of a message, as its author has broken it.
const BAR: &str = "| ";

/// The indent of a line that was broken, where the text would start too far to the right.
const SHORT_INDENT: usize = 8;

/// Starts of at most so many columns are worth an indent as wide: a name of 14 characters with its time.
const WIDE_START: usize = 24;

/// The least columns that an indent leaves for text.
const LEAST_TEXT: usize = 16;

/// The columns and rows of a screen that does not tell its size.
const USUAL_SIZE: super::ScreenSize = (80, 24);

/// Words that a search has found.
const FOUND: Style = Style::new().effects(Effects::BOLD.insert(Effects::UNDERLINE));

/// What precedes a line of text, with its width.
struct Start {
    text: String,
    columns: usize,
    /// Columns before further lines of the same text.
    indent: usize,
}

impl ViewState {
    /// A line of the client's own: `12:03 -- text`.
    pub(crate) fn notes(&self, text: &str) -> Vec<String> {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let mut lines = self.block("", &self.paint(DIM, "--"), &self.localized(first), DIM);
        if !rest.is_empty() {
            lines.extend(self.beneath(&self.localized(rest)));
        }
        lines
    }

    /// An error: `12:03 ! text`.
    pub(crate) fn failures(&self, text: &str) -> Vec<String> {
        self.block("", &self.paint(FAILURE, "!"), &self.localized(text), FAILURE)
    }

    /// The message that the next one answers, above it: `      > bob: text`.
    pub(crate) fn quote(&self, text: &str) -> String {
        let indent = match width(&self.clock("")) {
            0 => 0,
            clock => clock + 1,
        };
        let mut line = format!("{:indent$}> {}", "", safe_lines(text).join(" "));
        let columns = self.wrap_columns().unwrap_or(usize::MAX);
        while width(&line) > columns {
            line.pop();
        }
        self.paint(DIM, &line)
    }

    /// Lines beneath a note.
    pub(super) fn beneath(&self, text: &str) -> Vec<String> {
        let columns = self.note_indent();
        let start = Start { text: " ".repeat(columns), columns, indent: columns };
        safe_lines(text).iter().flat_map(|line| self.broken(&start, line, DIM)).collect()
    }

    /// A text after a time and a head; further lines that its author has made start with a bar.
    pub(super) fn block(&self, ts: &str, head: &str, text: &str, style: Style) -> Vec<String> {
        let mut lines: Vec<String> = self.new_day(ts).into_iter().collect();
        let clock = self.clock(ts);
        let text_start = match clock.is_empty() {
            true => format!("{head} "),
            false => format!("{} {head} ", self.paint(DIM, &clock)),
        };
        let plain = strip_str(&text_start).to_string();
        let columns = width(&plain);
        let indent = if columns <= WIDE_START { columns } else { SHORT_INDENT };
        let text_start = if self.is_past { self.paint(DIM, &plain) } else { text_start };
        let mut start = Start { text: text_start, columns, indent };
        for (place, line) in safe_lines(text).iter().enumerate() {
            if place == 1 {
                let indent = self.note_indent();
                let bar = format!("{:1$}{BAR}", "", indent - BAR.len());
                start = Start { text: self.paint(DIM, &bar), columns: indent, indent };
            }
            lines.extend(self.broken(&start, line, style));
        }
        lines
    }

    /// The columns before the text of a note.
    pub(super) fn note_indent(&self) -> usize {
        match width(&self.clock("")) {
            0 => "-- ".len(),
            clock => clock + " -- ".len(),
        }
    }

    /// A line of safe text, broken to the width of the screen.
    fn broken(&self, start: &Start, line: &str, style: Style) -> Vec<String> {
        let found = match &self.sought {
            Some(sought) => sought.places(line),
            None if self.calls => calling::places(line, &self.me, &self.preferences.highlight),
            None => Vec::new(),
        };
        let Some(columns) = self.wrap_columns() else {
            return vec![format!("{}{}", start.text, self.text(line, 0..line.len(), style, &found))];
        };
        let indent = if columns < start.indent + LEAST_TEXT { 2 } else { start.indent };
        let parts = break_lines(line, columns.saturating_sub(start.columns), columns.saturating_sub(indent));
        let shown = |(place, part): (usize, Range<usize>)| {
            let text = self.text(line, part, style, &found);
            if place == 0 { format!("{}{text}", start.text) } else { format!("{:indent$}{text}", "") }
        };
        parts.into_iter().enumerate().map(shown).collect()
    }

    /// A part of a line in its style, with those places marked.
    fn text(&self, line: &str, part: Range<usize>, style: Style, found: &[Range<usize>]) -> String {
        let plain = |range: Range<usize>| match line.get(range).unwrap_or_default() {
            "" => String::new(),
            text => self.paint(style, text),
        };
        let mut text = String::new();
        let mut from = part.start;
        for place in found {
            let (start, end) = (place.start.max(from), place.end.min(part.end));
            if start < end && self.color {
                text += &plain(from..start);
                let style = if self.sought.is_some() { FOUND } else { CALL };
                text += &format!("{style}{}{style:#}", line.get(start..end).unwrap_or_default());
                from = end;
            }
        }
        text + &plain(from..part.end)
    }

    /// The columns to which lines are broken; `None`: they stay whole.
    pub(super) fn wrap_columns(&self) -> Option<usize> {
        self.screen().filter(|_| self.preferences.wrap).map(|(columns, _)| columns)
    }

    /// The columns and rows of the screen at the moment; `None`: there is none.
    pub(crate) fn screen(&self) -> Option<super::ScreenSize> {
        match self.layout {
            Layout::Lines => None,
            Layout::Screen(size) => size(),
        }
    }

    pub(crate) fn is_screen(&self) -> bool {
        matches!(self.layout, Layout::Screen(_))
    }

    /// The columns of the screen, or the usual ones; none for plain lines.
    pub(crate) fn columns(&self) -> usize {
        if self.is_screen() { self.screen().map_or(USUAL_SIZE.0, |(columns, _)| columns) } else { 0 }
    }

    /// The rows of the screen, or the usual ones.
    pub(crate) fn rows(&self) -> usize {
        self.screen().unwrap_or(USUAL_SIZE).1
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.paint(BOLD, text)
    }
}
