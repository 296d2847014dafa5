//! What the floor has read in a turn, and for whom it is.

use foldhash::fast::RandomState;
use memchr::memchr;
use std::borrow::Cow;
use std::collections::HashMap;

/// See the module.
pub enum Turn {
    /// Everything is for all.
    All(Vec<u8>),
    /// Each line is for those who joined its first word. If its second word is not empty, its sender has
    /// an answer with that word. A line of one word joins.
    Routed(Routes),
}

/// Who gets what.
#[derive(Default)]
pub struct Routes {
    groups: HashMap<Vec<u8>, Vec<usize>, RandomState>,
    /// By place, with their capacity.
    out: Vec<Vec<u8>>,
    /// Places that have something.
    dirty: Vec<usize>,
}

impl Turn {
    /// Takes whole lines that came from a place.
    pub fn take(&mut self, from: usize, lines: &[u8]) {
        match self {
            Self::All(all) => all.extend_from_slice(lines),
            Self::Routed(routes) => {
                lines.split_inclusive(|byte| *byte == b'\n').for_each(|line| routes.route(from, line));
            }
        }
    }

    /// Hands each place its part in one message, and starts again. `places`: as many as there are.
    pub fn hand_out(
        &mut self,
        places: usize,
        framed: impl Fn(&[u8]) -> Cow<'_, [u8]>,
        mut write: impl FnMut(usize, &[u8]),
    ) {
        match self {
            Self::All(all) if all.is_empty() => {}
            Self::All(all) => {
                let message = framed(all);
                (0..places).for_each(|place| write(place, &message));
                drop(message);
                all.clear();
            }
            Self::Routed(routes) => {
                for place in routes.dirty.drain(..) {
                    write(place, &framed(&routes.out[place]));
                    routes.out[place].clear();
                }
            }
        }
    }

    pub fn forget(&mut self, place: usize) {
        if let Self::Routed(routes) = self {
            routes.groups.values_mut().for_each(|group| group.retain(|member| *member != place));
        }
    }
}

impl Routes {
    fn route(&mut self, from: usize, line: &[u8]) {
        let Some(end) = memchr(b' ', line) else {
            self.groups.entry(line.trim_ascii_end().to_vec()).or_default().push(from);
            return;
        };
        let rest = &line[end + 1..];
        let id = &rest[..memchr(b' ', rest).unwrap_or_default()];
        if !id.is_empty() {
            let out = put(&mut self.out, &mut self.dirty, from);
            out.extend_from_slice(b"sent ");
            out.extend_from_slice(id);
            out.push(b'\n');
        }
        for place in self.groups.get(&line[..end]).into_iter().flatten().filter(|place| **place != from) {
            put(&mut self.out, &mut self.dirty, *place).extend_from_slice(line);
        }
    }
}

fn put<'a>(out: &'a mut Vec<Vec<u8>>, dirty: &mut Vec<usize>, place: usize) -> &'a mut Vec<u8> {
    if out.len() <= place {
        out.resize(place + 1, Vec::new());
    }
    if out[place].is_empty() {
        dirty.push(place);
    }
    &mut out[place]
}
