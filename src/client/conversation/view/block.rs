//! The form of what is printed: a head, and a text that may take several lines. Further lines are indented, so
//! none can pass for another message.

use std::ops::Range;

use anstyle::{Effects, Style};

use super::{BOLD, DIM, FAILURE, MENTION, ViewState};
use crate::client::conversation::outlet::ScreenSize;
use crate::text::{break_lines, safe_lines, width};

/// The bar in front of each further line of a message, as its author has broken it.
const BAR: &str = "| ";

/// The indent of a line that was broken, where the text would start too far to the right.
const SHORT_INDENT: usize = 8;

/// Starts of at most so many columns are worth an indent as wide: a name of 14 characters with its time.
const WIDE_START: usize = 24;

/// The least columns that an indent leaves for text.
const LEAST_TEXT: usize = 16;

/// The indent of a line that is too long for any other, so that it cannot pass for a message.
const LEAST_INDENT: usize = 2;

/// Words that a search has found.
const FOUND: Style = Style::new().effects(Effects::BOLD.insert(Effects::UNDERLINE));

/// The start of a line, before its text, with its width.
struct Start {
    text: String,
    columns: usize,
    /// Columns before further lines of the same text.
    indent: usize,
}

/// Parts of a line in a style of their own.
struct Marks {
    places: Vec<Range<usize>>,
    style: Style,
}

/// A safe text without the styles that [`ViewState`] has painted. Takes a tenth of the time that a parser of all
/// escapes takes, for every line of a chat.
fn without_style(painted: &str) -> String {
    let mut parts = painted.split('\x1b');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    plain.extend(parts.filter_map(|part| part.split_once('m')).map(|(_, text)| text));
    plain
}

fn no_places(_: &str) -> Vec<Range<usize>> {
    Vec::new()
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
        safe_lines(text).iter().flat_map(|line| self.broken(&start, line, DIM, &no_places)).collect()
    }

    /// A text after a time and a head; further lines that its author has made start with a bar.
    pub(super) fn block(&self, ts: &str, head: &str, text: &str, style: Style) -> Vec<String> {
        self.marked_block(ts, head, text, style, &no_places)
    }

    /// The same for a text that mentions the user at those places of its lines.
    pub(super) fn marked_block(
        &self,
        ts: &str,
        head: &str,
        text: &str,
        style: Style,
        mentions: &dyn Fn(&str) -> Vec<Range<usize>>,
    ) -> Vec<String> {
        let mut lines: Vec<String> = self.new_day(ts).into_iter().collect();
        let clock = self.clock(ts);
        let text_start = match clock.is_empty() {
            true => format!("{head} "),
            false => format!("{} {head} ", self.paint(DIM, &clock)),
        };
        let plain = without_style(&text_start);
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
            lines.extend(self.broken(&start, line, style, mentions));
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
    fn broken(
        &self,
        start: &Start,
        line: &str,
        style: Style,
        mentions: &dyn Fn(&str) -> Vec<Range<usize>>,
    ) -> Vec<String> {
        let marks = match &self.sought {
            Some(sought) => Marks { places: sought.places(line), style: FOUND },
            None => Marks { places: mentions(line), style: MENTION },
        };
        let Some(columns) = self.wrap_columns() else {
            return vec![format!("{}{}", start.text, self.text(line, 0..line.len(), style, &marks))];
        };
        let indent = if columns < start.indent + LEAST_TEXT { LEAST_INDENT } else { start.indent };
        let (first, rest) = (columns.saturating_sub(start.columns), columns.saturating_sub(indent));
        let columns_of = |part: &Range<usize>| width(line.get(part.clone()).unwrap_or_default().trim_end());
        let mut parts = break_lines(line, first, rest);
        // A first word that fits on a line of its own gets one.
        let is_moved =
            parts.first().map(columns_of).is_some_and(|part| part > first && part + LEAST_INDENT <= columns);
        if is_moved {
            parts = break_lines(line, rest, rest);
            parts.insert(0, 0..0);
        }
        let shown = |(place, part): (usize, Range<usize>)| {
            // A long address moves to the left until it fits.
            let indent = indent.min(columns.saturating_sub(columns_of(&part))).max(LEAST_INDENT);
            let text = self.text(line, part, style, &marks);
            if place == 0 { format!("{}{text}", start.text) } else { format!("{:indent$}{text}", "") }
        };
        parts.into_iter().enumerate().map(shown).collect()
    }

    /// A part of a line in its style, with those places marked.
    fn text(&self, line: &str, part: Range<usize>, style: Style, marks: &Marks) -> String {
        let plain = |range: Range<usize>| match line.get(range).unwrap_or_default() {
            "" => String::new(),
            text => self.paint(style, text),
        };
        let mut text = String::new();
        let mut from = part.start;
        let mark = marks.style;
        for place in &marks.places {
            let (start, end) = (place.start.max(from), place.end.min(part.end));
            if start < end && self.color {
                text += &plain(from..start);
                text += &format!("{mark}{}{mark:#}", line.get(start..end).unwrap_or_default());
                from = end;
            }
        }
        text + &plain(from..part.end)
    }

    /// The columns to which lines are broken; `None`: they stay whole.
    pub(super) fn wrap_columns(&self) -> Option<usize> {
        self.screen().filter(|_| self.preferences.wrap).map(|screen| screen.columns)
    }

    /// The size of the screen at the moment; `None`: lines are not above a prompt.
    pub(crate) fn screen(&self) -> Option<ScreenSize> {
        self.outlet.screen()
    }

    pub(super) fn is_screen(&self) -> bool {
        self.screen().is_some()
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.paint(BOLD, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_its_style_is_as_wide_as_the_user_sees_it() {
        let colored = Style::new().fg_color(Some(anstyle::Ansi256Color(208).into()));
        let painted = format!("{BOLD}*{BOLD:#} {colored}mia{colored:#} {MENTION}>memo<{MENTION:#} m");
        assert_eq!(without_style(&painted), "* mia >memo< m");
        assert_eq!(without_style(&painted), anstream::adapter::strip_str(&painted).to_string());
        assert_eq!(without_style("plain"), "plain");
    }
}
