//! Messages to one client: each must reach that one, and once.

use super::tally::Tally;
use memchr::memmem;
use std::collections::HashMap;

/// How the text of one begins, in a packet.
const MARK: &[u8] = b"\"msg\":\"=";

/// Those that are on their way.
#[derive(Debug, Default)]
pub struct Directs {
    next: u32,
    /// To whom, by number.
    waiting: HashMap<u32, usize>,
}

impl Directs {
    /// The text of the next one.
    pub fn write(&mut self, to: usize) -> String {
        let number = self.next;
        self.next += 1;
        self.waiting.insert(number, to);
        format!("={number:08x}=")
    }

    /// Whether a line is one; it is held against what was sent.
    pub fn take(&mut self, n: usize, line: &[u8], tally: &mut Tally) -> bool {
        let Some(place) = memmem::find(line, MARK) else {
            return false;
        };
        let text = &line[place + MARK.len()..];
        let number = text.get(..9).filter(|text| text.ends_with(b"="));
        let number =
            number.and_then(|text| u32::from_str_radix(std::str::from_utf8(&text[..8]).ok()?, 16).ok());
        match number {
            None => tally.corrupt += 1,
            Some(number) if self.waiting.get(&number) == Some(&n) => {
                self.waiting.remove(&number);
                tally.directs += 1;
            }
            // A repetition, or for another user.
            Some(_) => tally.doubled += 1,
        }
        true
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}
