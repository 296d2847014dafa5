//! How far a list has come, page by page. A server that repeats a page, or sends pages without end, must not keep
//! this client asking.

use crate::name::NameKey;

/// Pages of a list: enough for the users of a full server, forty at a time.
const MAX_PAGES: usize = 500;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct ListProgress {
    after: Option<NameKey>,
    pages: usize,
}

impl ListProgress {
    /// Whether to ask for the next page, after a page with that many rows. Names come in the order of their keys.
    pub(super) fn advances(&mut self, rows: usize, next: &str) -> bool {
        let next = NameKey::of(next);
        let is_further = rows > 0 && self.after.as_ref().is_none_or(|after| next > *after);
        self.after = Some(next);
        self.pages += 1;
        is_further && self.pages < MAX_PAGES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_must_lead_further() {
        let pages = |pages: &[(usize, &str)]| {
            let mut progress = ListProgress::default();
            pages.iter().map(|(rows, next)| progress.advances(*rows, next)).collect::<Vec<_>>()
        };
        assert_eq!(pages(&[(3, "bob"), (3, "Carol"), (3, "dave")]), [true, true, true]);
        assert_eq!(pages(&[(3, "bob"), (3, "bob")]), [true, false]);
        assert_eq!(pages(&[(3, "bob"), (3, "alice")]), [true, false]);
        assert_eq!(pages(&[(0, "bob")]), [false]);
    }

    #[test]
    fn no_list_is_endless() {
        let mut progress = ListProgress::default();
        let pages = (0..).take_while(|page| progress.advances(1, &format!("u{page:09}"))).count();
        assert_eq!(pages, MAX_PAGES - 1);
    }
}
