//! A man page as plain text, for terminals of machines without `man`. Knows only the requests that our own pages
//! use.

/// Columns before a paragraph, and before the description of a term.
const INDENT: usize = 7;
const DEEPER: usize = 14;

/// Renders a page's source in lines of at most `width` columns.
pub(super) fn plain(source: &str, width: usize) -> String {
    let mut page =
        PlainPage { width: width.max(2 * DEEPER), text: String::new(), words: String::new(), indent: INDENT };
    let mut is_term = false;
    for line in source.lines() {
        let (request, rest) = line.split_once(' ').unwrap_or((line, ""));
        match request {
            ".SH" => {
                page.end_paragraph();
                page.text += &format!("\n{}\n", clean(rest.trim_matches('"')));
                page.indent = INDENT;
            }
            ".TP" => {
                page.end_paragraph();
                page.gap();
                is_term = true;
            }
            ".PP" => {
                page.end_paragraph();
                page.gap();
                page.indent = INDENT;
            }
            ".br" => page.end_paragraph(),
            // The title, and definitions of quotation marks.
            ".TH" | ".ie" | ".el" => {}
            _ if is_term => {
                page.indent = INDENT;
                page.words += &clean(line);
                page.end_paragraph();
                page.indent = DEEPER;
                is_term = false;
            }
            _ => {
                page.words += &clean(line);
                page.words.push(' ');
            }
        }
    }
    page.end_paragraph();
    page.text.trim_start_matches('\n').to_owned()
}

struct PlainPage {
    width: usize,
    text: String,
    /// The paragraph so far.
    words: String,
    indent: usize,
}

impl PlainPage {
    /// Breaks the paragraph into lines.
    fn end_paragraph(&mut self) {
        let (indent, mut column) = (" ".repeat(self.indent), 0);
        let words = std::mem::take(&mut self.words);
        for word in words.split_whitespace() {
            let chars = word.chars().count();
            if column > 0 && column + 1 + chars > self.width {
                self.text.push('\n');
                column = 0;
            }
            self.text += if column == 0 { &indent } else { " " };
            self.text += word;
            column += chars + if column == 0 { self.indent } else { 1 };
        }
        if column > 0 {
            self.text.push('\n');
        }
    }

    /// Leaves a line free, except after a heading.
    fn gap(&mut self) {
        let is_after_heading = self.text.lines().last().is_some_and(|line| !line.starts_with(' '));
        if !is_after_heading {
            self.text.push('\n');
        }
    }
}

/// Removes fonts and resolves escapes.
fn clean(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\\') {
        text += before;
        let known = [("*(Aq", "'"), ("(aq", "'"), ("fB", ""), ("fI", ""), ("fR", ""), ("&", ""), ("e", "\\")];
        rest = match known.into_iter().find(|(escape, _)| after.starts_with(escape)) {
            Some((escape, meaning)) => {
                text += meaning;
                &after[escape.len()..]
            }
            None => {
                let next = after.chars().next();
                text.extend(next);
                &after[next.map_or(0, char::len_utf8)..]
            }
        };
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_text_with_sections_terms_and_filled_lines() {
        let source = ".ie \\n(.g .ds Aq \\(aq\n.TH LANCHAT 1\n.SH NAME\nlanchat \\- chat\n.SH \"EXIT STATUS\"\n.TP\n\
                      \\fB\\-\\-host\\fR \\fI<HOST>\\fR\nthe server\\*(Aqs\naddress, or a link from it\n.TP\n0\nSuccess.\n";
        let expected = "\
NAME
       lanchat - chat

EXIT STATUS
       --host <HOST>
              the server's
              address, or a
              link from it

       0
              Success.
";
        assert_eq!(plain(source, 28), expected);
    }
}
