//! The direction of text: which of the invisible characters that change it a line may contain (UAX 9).
//!
//! Marks, embeddings and isolates are part of ordinary Hebrew and Arabic, and of every telephone number that
//! a phone copies. They act up to their counterpart, so a line in which each has one changes nothing outside
//! itself. Overrides reorder any text, so they never stay.

/// Nested embeddings and isolates to keep. People nest two or three.
const MAX_DEPTH: usize = 8;

const MARKS: [char; 3] = ['\u{200E}', '\u{200F}', '\u{061C}'];
const POP_EMBEDDING: char = '\u{202C}';
const POP_ISOLATE: char = '\u{2069}';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    Embedding,
    Isolate,
    /// It did not stay, so its end does not either.
    Override,
}

/// The fate of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BidiFate {
    Keep,
    Drop,
    /// It would reorder the text that people read.
    Hostile,
}

/// The embeddings and isolates that are open at some place of a line.
#[derive(Debug, Default)]
pub(super) struct OpenDirections {
    open: Vec<Opened>,
    /// Those beyond the depth, which did not stay.
    beyond: usize,
}

impl OpenDirections {
    /// Judges the next character of the line, after `before`. `None`: it does not change the direction.
    pub(super) fn judge(&mut self, c: char, before: Option<char>) -> Option<BidiFate> {
        let opened = match c {
            // One of them does what many do.
            c if MARKS.contains(&c) => {
                let is_second = before.is_some_and(|before| MARKS.contains(&before));
                return Some(if is_second { BidiFate::Drop } else { BidiFate::Keep });
            }
            '\u{202A}' | '\u{202B}' => Opened::Embedding,
            '\u{202D}' | '\u{202E}' => Opened::Override,
            '\u{2066}'..='\u{2068}' => Opened::Isolate,
            POP_EMBEDDING => return Some(self.pop_embedding()),
            POP_ISOLATE => return Some(self.pop_isolate()),
            _ => return None,
        };
        if self.open.len() >= MAX_DEPTH {
            self.beyond += 1;
            return Some(if opened == Opened::Override { BidiFate::Hostile } else { BidiFate::Drop });
        }
        self.open.push(opened);
        Some(if opened == Opened::Override { BidiFate::Hostile } else { BidiFate::Keep })
    }

    /// Ends the last embedding, unless an isolate was opened within it.
    fn pop_embedding(&mut self) -> BidiFate {
        if self.beyond > 0 {
            self.beyond -= 1;
            return BidiFate::Drop;
        }
        match self.open.last() {
            Some(Opened::Embedding) => {
                self.open.pop();
                BidiFate::Keep
            }
            Some(Opened::Override) => {
                self.open.pop();
                BidiFate::Drop
            }
            Some(Opened::Isolate) | None => BidiFate::Drop,
        }
    }

    /// Ends the last isolate, and with it all embeddings within.
    fn pop_isolate(&mut self) -> BidiFate {
        if self.beyond > 0 {
            self.beyond -= 1;
            return BidiFate::Drop;
        }
        match self.open.iter().rposition(|opened| *opened == Opened::Isolate) {
            Some(at) => {
                self.open.truncate(at);
                BidiFate::Keep
            }
            None => BidiFate::Drop,
        }
    }

    /// The characters that end what is still open at the end of the line.
    pub(super) fn close(self) -> impl Iterator<Item = char> {
        self.open.into_iter().rev().filter_map(|opened| match opened {
            Opened::Embedding => Some(POP_EMBEDDING),
            Opened::Isolate => Some(POP_ISOLATE),
            Opened::Override => None,
        })
    }
}
