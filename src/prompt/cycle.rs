//! Candidates that Tab puts into the line, one after the other.

/// A word in the line and its candidates.
#[derive(Debug)]
pub(super) struct Cycle {
    /// The line around the word.
    before: String,
    after: String,
    /// The candidates, then the word as it was typed.
    words: Vec<String>,
    /// The one in the line.
    at: usize,
}

impl Cycle {
    /// Starts with the word from `start` to `pos`.
    pub(super) fn new(line: &str, start: usize, pos: usize, mut words: Vec<String>) -> Self {
        words.push(line[start..pos].to_owned());
        Self { before: line[..start].to_owned(), after: line[pos..].to_owned(), at: words.len() - 1, words }
    }

    /// Whether the line still has the candidate that was put there, with the cursor behind it.
    pub(super) fn is_shown(&self, line: &str, pos: usize) -> bool {
        let Some((left, right)) = line.split_at_checked(pos) else { return false };
        right == self.after && left.strip_prefix(self.before.as_str()) == Some(self.words[self.at].as_str())
    }

    /// The next candidate, or the previous one.
    pub(super) fn step(&mut self, is_backward: bool) -> (usize, Vec<String>) {
        let count = self.words.len();
        self.at = (self.at + if is_backward { count - 1 } else { 1 }) % count;
        (self.before.len(), vec![self.words[self.at].clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tab_goes_round_and_ends_where_it_began() {
        let words = vec!["bert ".to_owned(), "bob ".to_owned()];
        let mut cycle = Cycle::new("ask b!", 4, 5, words);
        let mut step = |is_backward| cycle.step(is_backward).1.remove(0);
        assert_eq!([step(false), step(false), step(false), step(false)], ["bert ", "bob ", "b", "bert "]);
        assert_eq!([step(true), step(true)], ["b", "bob "]);
        assert!(cycle.is_shown("ask bob !", 8) && !cycle.is_shown("ask bob x!", 9));
    }
}
