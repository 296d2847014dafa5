//! The links in a message: what the user agrees to open is exactly what is shown.

use crate::text::{is_suspicious, safe_line};

/// The longest link to open, in bytes: longer ones fill the screen, and many servers refuse them.
const MAX_BYTES: usize = 2048;

const SCHEMES: [&str; 2] = ["https://", "http://"];

/// The most links of a message to list: about a screen.
const MAX_LINKS: usize = 20;

/// The links to web pages, each without what ends the sentence around it and without what nobody sees.
pub(super) fn web_links(text: &str) -> Vec<Result<String, WebLinkError>> {
    // Of the same length, so that places stay.
    let lower = text.to_ascii_lowercase();
    let mut links = Vec::new();
    let mut at = 0;
    while links.len() < MAX_LINKS {
        let starts = SCHEMES.into_iter().filter_map(|scheme| Some((lower[at..].find(scheme)?, scheme)));
        let Some((start, scheme)) = starts.min() else { break };
        let rest = &text[at + start + scheme.len()..];
        let is_end = |c: char| c.is_whitespace() || c.is_control() || "<>\"`{}|\\^".contains(c);
        let rest = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        at += start + scheme.len() + rest.len();
        links.extend(web_link(scheme, rest).transpose());
    }
    links
}

/// A link, from its scheme and what follows it; `None`: nothing does.
fn web_link(scheme: &str, rest: &str) -> Result<Option<String>, WebLinkError> {
    let seen: String = rest.chars().filter(|c| !is_unseen(*c)).collect();
    // The question shows the very link that opens.
    let seen = safe_line(&seen);
    let mut link = seen.trim_end_matches(is_sentence);
    // A bracket belongs to the link if it began in there.
    for (open, close) in [('(', ')'), ('[', ']')] {
        while link.ends_with(close) && link.matches(open).count() < link.matches(close).count() {
            link = link[..link.len() - 1].trim_end_matches(is_sentence);
        }
    }
    match scheme.len() + link.len() {
        _ if link.is_empty() => Ok(None),
        bytes if bytes > MAX_BYTES => Err(WebLinkError::TooLong(bytes)),
        _ => Ok(Some(format!("{scheme}{link}"))),
    }
}

/// Why there is nothing to open.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum WebLinkError {
    None,
    /// Its length in bytes.
    TooLong(usize),
}

impl WebLinkError {
    /// For the user who wanted to open the link of that line.
    pub(super) fn text(&self, line: usize) -> String {
        match self {
            Self::None => format!("line {line} has no link"),
            Self::TooLong(bytes) => format!(
                "the link in line {line} has {bytes} bytes, and the limit is {MAX_BYTES}; \
                 to copy the line: /copy {line}"
            ),
        }
    }
}

/// Whether a character ends a sentence rather than a link.
fn is_sentence(c: char) -> bool {
    ".,;:!?'".contains(c)
}

/// Whether a character in a link has no shape of its own, so that it would only hide where the link leads.
fn is_unseen(c: char) -> bool {
    is_suspicious(c) || matches!(c, '\u{200D}' | '\u{FE00}'..='\u{FE0F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web_link(text: &str) -> Result<String, WebLinkError> {
        web_links(text).into_iter().next().unwrap_or(Err(WebLinkError::None))
    }

    #[test]
    fn each_link_counts_once_and_there_is_an_end() {
        let links = |text: &str| web_links(text).into_iter().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(
            links(
                "http://one.example, then https://two.example/?u=http://x; https:// and (http://three.example)"
            ),
            ["http://one.example", "https://two.example/?u=http://x", "http://three.example"]
        );
        assert_eq!(links(&"http://a.example ".repeat(2 * MAX_LINKS)).len(), MAX_LINKS);
    }

    #[test]
    fn a_link_ends_where_the_sentence_goes_on() {
        for (text, expected) in [
            ("see https://a.example/x_(y)?q=1, or not", Some("https://a.example/x_(y)?q=1")),
            ("(http://a.example/b)", Some("http://a.example/b")),
            ("[docs](https://a.example).", Some("https://a.example")),
            ("<https://a.example/>", Some("https://a.example/")),
            ("http://one.example then https://two.example", Some("http://one.example")),
            ("SEE HTTPS://UP.example/A", Some("https://UP.example/A")),
            ("https:// ", None),
            ("https://.\u{200b}.", None),
            ("javascript:alert(1) file:///etc/passwd", None),
            ("no link", None),
        ] {
            assert_eq!(web_link(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_nobody_sees_is_not_part_of_a_link() {
        for (text, expected) in [
            ("https://good.example/\u{202e}gnp.exe\u{2066}", "https://good.example/gnp.exe"),
            ("https://a.example\u{200b}.evil.example/x", "https://a.example.evil.example/x"),
            ("https://a.example/\u{200d}\u{fe0f}\u{e0041}x.\u{2069}", "https://a.example/x"),
        ] {
            let link = web_link(text).unwrap();
            assert_eq!(link, expected);
            assert_eq!(safe_line(&link), link, "the link that is shown opens");
        }
        let tower = web_link(&format!("https://a.example/e{}", "\u{301}".repeat(50))).unwrap();
        assert_eq!(safe_line(&tower), tower);
    }

    #[test]
    fn a_long_link_is_refused() {
        let link = |bytes: usize| format!("https://a.example/{}", "y".repeat(bytes - 18));
        assert_eq!(web_link(&link(MAX_BYTES)), Ok(link(MAX_BYTES)));
        assert_eq!(web_link(&link(MAX_BYTES + 1)), Err(WebLinkError::TooLong(MAX_BYTES + 1)));
    }
}
