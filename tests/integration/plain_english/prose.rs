//! Prose as words: the text of Markdown without its code, and the comments and texts of Rust without theirs.

/// Stands for code between texts: what follows begins a sentence.
const CODE: char = '\u{1}';

/// Stands for code inside a sentence.
const QUOTED: char = '\u{2}';

pub struct Word {
    /// In lower case.
    pub text: String,
    pub line: usize,
    pub starts_sentence: bool,
    /// Whether punctuation stands before it.
    pub starts_clause: bool,
    /// Whether a question mark stands after it.
    pub asks: bool,
}

pub fn of_markdown(text: &str) -> Vec<Word> {
    words(&without_quotes(&without_blocks(text)))
}

pub fn of_rust(text: &str) -> Vec<Word> {
    words(&without_quotes(&without_code(text)))
}

fn words(text: &str) -> Vec<Word> {
    let chars: Vec<char> = text.chars().collect();
    let (mut line, mut starts_sentence, mut starts_clause) = (1, true, true);
    let mut words: Vec<Word> = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c.is_alphanumeric() {
            let length = word_length(&chars[at..]);
            let text = chars[at..at + length].iter().collect::<String>().to_lowercase();
            words.push(Word { text, line, starts_sentence, starts_clause, asks: false });
            (starts_sentence, starts_clause) = (false, false);
            at += length;
            continue;
        }
        at += 1;
        match c {
            '\n' => {
                line += 1;
                starts_sentence |= begins_a_block(&chars[at..]);
            }
            '*' | '_' => {}
            '|' => (starts_sentence, starts_clause) = (false, true),
            c if c.is_whitespace() => {}
            c => {
                starts_clause = true;
                let ends_word = chars.get(at).is_none_or(|next| !next.is_alphanumeric());
                starts_sentence |= c == CODE || matches!(c, '.' | '?' | '!') && ends_word;
                if let ('?', Some(last)) = (c, words.last_mut()) {
                    last.asks = true;
                }
            }
        }
    }
    words
}

/// Letters and digits, with single marks between them: `don't`, `2,000`, `half-typed`.
fn word_length(chars: &[char]) -> usize {
    let is_part = |at: usize| chars.get(at).is_some_and(|c| c.is_alphanumeric());
    let is_mark = |at: usize| chars.get(at).is_some_and(|c| matches!(c, '\'' | '’' | ',' | '.' | '-'));
    let goes_on = |at: &usize| is_part(*at) || (is_mark(*at) && is_part(at + 1));
    (0..).find(|at| !goes_on(at)).unwrap_or(chars.len())
}

/// Whether this line is empty, a heading or an item of a list.
fn begins_a_block(chars: &[char]) -> bool {
    let line: String = chars.iter().take_while(|c| **c != '\n').collect();
    let line = line.trim();
    line.is_empty() || ["#", "- ", "* "].iter().any(|mark| line.starts_with(mark))
}

/// Without fenced and indented code. Lines stay where they are.
fn without_blocks(text: &str) -> String {
    let (mut is_fenced, mut is_indented, mut after_blank) = (false, false, true);
    let mut prose = String::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        is_indented = line.starts_with("    ") && (is_indented || after_blank);
        after_blank = line.trim().is_empty();
        if is_fence || is_fenced || is_indented {
            prose.push(CODE);
        } else {
            prose.push_str(line);
        }
        prose.push('\n');
        is_fenced ^= is_fence;
    }
    prose
}

/// Without what stands between backquotes in one paragraph.
fn without_quotes(text: &str) -> String {
    let mut prose = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        prose.push_str(before);
        let paragraph = after.split([CODE]).next().unwrap_or(after);
        let paragraph = paragraph.split("\n\n").next().unwrap_or(paragraph);
        let length = paragraph.find('`').map_or(0, |end| end + 1);
        prose.push(QUOTED);
        prose.extend(after[..length].chars().filter(|c| *c == '\n'));
        rest = &after[length..];
    }
    prose + rest
}

/// Comments and the contents of strings, with [`CODE`] between them. Lines stay where they are.
fn without_code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut prose = String::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        at += match rest {
            ['/', '/', ..] => line_comment(rest, &mut prose),
            ['/', '*', ..] => until(rest, 2, &['*', '/'], &mut prose),
            ['"', ..] => string(rest, &mut prose),
            ['r', '"' | '#', ..] if !is_inside_name(&chars[..at]) => raw_string(rest, &mut prose),
            ['\'', '\\', ..] => 2 + until(&rest[2..], 1, &['\''], &mut String::new()),
            ['\'', _, '\'', ..] => 3,
            [c, ..] => {
                prose.push(if c.is_whitespace() { *c } else { CODE });
                1
            }
            [] => 1,
        };
    }
    prose
}

/// Whether the next character goes on with a name. A `b` alone is the mark of bytes.
fn is_inside_name(before: &[char]) -> bool {
    before.last().is_some_and(|c| *c != 'b' && (c.is_alphanumeric() || *c == '_'))
}

fn line_comment(chars: &[char], prose: &mut String) -> usize {
    let length = chars.iter().position(|c| *c == '\n').unwrap_or(chars.len());
    prose.extend(chars[..length].iter().skip_while(|c| matches!(c, '/' | '!')));
    length
}

/// Copies what stands between `start` and `end`, and says how long it is with both.
fn until(chars: &[char], start: usize, end: &[char], prose: &mut String) -> usize {
    let body = &chars[start.min(chars.len())..];
    let length = body.windows(end.len()).position(|window| window == end).unwrap_or(body.len());
    prose.extend(&body[..length]);
    prose.push(CODE);
    start + length + end.len()
}

fn raw_string(chars: &[char], prose: &mut String) -> usize {
    let hashes = chars[1..].iter().take_while(|c| **c == '#').count();
    if chars.get(1 + hashes) != Some(&'"') {
        prose.push(CODE);
        return 1;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    until(chars, hashes + 2, &end, prose)
}

/// A string without its escapes and what it has in braces.
fn string(chars: &[char], prose: &mut String) -> usize {
    let (mut at, mut depth) = (1, 0_usize);
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '"' => break,
            '\\' => {
                prose.push(if chars.get(at) == Some(&'\n') { '\n' } else { CODE });
                at += 1;
            }
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                prose.push(QUOTED);
            }
            c if depth == 0 || c == '\n' => prose.push(c),
            _ => {}
        }
    }
    prose.push(CODE);
    at
}
