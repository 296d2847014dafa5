//! Names of received files: from whatever a sender calls a file, one name that Linux, macOS and Windows can
//! create in a folder and that leads nowhere else.

use crate::limits::MAX_FILE_NAME_BYTES;
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;

/// The name of a file of which nothing usable is left.
const NAMELESS: &str = "file";

/// Replaces a character that a name cannot have.
const FILLER: char = '_';

/// The end of an unfinished file's name.
const PART: &str = ".part";

/// The longest ending that is kept when a name is too long, in bytes with its dot.
const MAX_EXTENSION_BYTES: usize = 24;

/// Marks on one character. Some scripts use three or four; more only cover other lines.
const MAX_MARKS: usize = 4;

/// Names of devices on Windows, in any folder and before any extension.
const DEVICES: [&str; 7] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"];

/// A name that a file can have in a folder: one part of a path, at most [`MAX_FILE_NAME_BYTES`] long.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(String);

impl FileName {
    /// The safe form of a sender's name for a file. A safe name stays as it is.
    pub fn from_sender(name: &str) -> Self {
        // The last part of a path, as people mean it; parts of a path come one by one.
        let last = name.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or_default();
        Self(finished(&replaced(last)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name for a file where this one is taken: `plan (2).pdf`. The first is the name itself.
    pub fn numbered(&self, number: u32) -> Self {
        match number {
            0 | 1 => self.clone(),
            number => {
                let (stem, extension) = self.parts();
                Self(joined(stem, &format!(" ({number}){extension}")))
            }
        }
    }

    /// The name while the file is unfinished, with a number of its own: `plan.pdf.3f9a1c77.part`.
    pub fn unfinished(&self, number: u32) -> Self {
        Self(joined(&self.0, &format!(".{number:08x}{PART}")))
    }

    /// The name up to its extension, and that with its dot.
    fn parts(&self) -> (&str, &str) {
        match self.0.rfind('.') {
            Some(dot) if dot > 0 && self.0.len() - dot <= MAX_EXTENSION_BYTES => self.0.split_at(dot),
            _ => (&self.0, ""),
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The start that fits before the ending.
fn joined(start: &str, ending: &str) -> String {
    let mut end = start.len().min(MAX_FILE_NAME_BYTES - ending.len());
    if end == start.len() {
        return format!("{start}{ending}");
    }
    while !start.is_char_boundary(end) {
        end -= 1;
    }
    // A blank before the ending would do no harm, but nobody expects it.
    format!("{}{ending}", start[..end].trim_end())
}

/// The name without characters that a file system, a shell window or a reader would take for something else.
fn replaced(name: &str) -> String {
    let mut marks = 0;
    let mut text = String::with_capacity(name.len());
    for c in name.chars().filter(|c| !is_hidden(*c)).nfc() {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        match c {
            _ if marks > MAX_MARKS => {}
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => text.push(FILLER),
            c if c.is_control() => text.push(FILLER),
            c if c.is_whitespace() => text.push(' '),
            c => text.push(c),
        }
    }
    text
}

/// Whether a character changes how others look and has no look of its own: it would hide an extension.
fn is_hidden(c: char) -> bool {
    matches!(u32::from(c),
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B | 0x200E..=0x200F
        | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
        | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
        || is_private_or_none(c)
}

/// Whether nobody knows how the character looks.
fn is_private_or_none(c: char) -> bool {
    let code = u32::from(c);
    matches!(code, 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xF0000..) || code & 0xFFFE == 0xFFFE
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// A name that is neither empty, hidden, a device, too long, nor different from what it looks like at its ends.
fn finished(text: &str) -> String {
    // A mark without a character before it would join what stands before the name.
    let is_no_start = |c: char| is_mark(c) || matches!(c, ' ' | '.');
    let trimmed = text.trim_start_matches(is_no_start).trim_end_matches([' ', '.']);
    if trimmed.is_empty() || trimmed.chars().all(|c| is_mark(c) || matches!(c, FILLER | ' ' | '.')) {
        return NAMELESS.to_owned();
    }
    let start = match trimmed.starts_with(['-', '~']) || is_device(trimmed) {
        // Programs read a name that starts so as an option, or as somebody's home.
        true => format!("{FILLER}{trimmed}"),
        false => trimmed.to_owned(),
    };
    let name = FileName(start);
    let (stem, extension) = name.parts();
    let fitted = joined(stem, extension);
    // The cut part may have hidden a blank or a dot.
    fitted.trim_end_matches([' ', '.']).to_owned()
}

/// Whether Windows takes the name for a device.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let is_number = |rest: &str| {
        let mut rest = rest.chars();
        matches!((rest.next(), rest.next()), (Some('0'..='9' | '\u{B9}' | '\u{B2}' | '\u{B3}'), None))
    };
    DEVICES.contains(&stem.as_str()) || numbered.is_some_and(is_number)
}

#[cfg(test)]
mod tests;
