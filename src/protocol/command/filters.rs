//! The filters of a search, and likely typing errors in them. Quoted text has no filters.

/// A limit on a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    From,
    In,
    After,
    Before,
}

/// How to search for text that looks like a filter.
pub(crate) const IN_QUOTES: &str = "to search for it as text, put it in quotes";

/// A part of the text after `/search`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Quoted(&'a str),
    Word(&'a str),
    Filter(Filter, &'a str),
}

/// The longest word that may be a mistyped filter, in bytes.
const MAX_SLIP_BYTES: usize = 12;

impl Filter {
    const ALL: [Self; 4] = [Self::From, Self::In, Self::After, Self::Before];

    fn as_str(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::In => "in",
            Self::After => "after",
            Self::Before => "before",
        }
    }

    /// The filter with a value.
    fn example(self) -> &'static str {
        match self {
            Self::From => "from:alice",
            Self::In => "in:#games",
            Self::After => "after:7d",
            Self::Before => "before:2h",
        }
    }

    fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.as_str().eq_ignore_ascii_case(word))
    }

    /// Guesses the intended filter: one letter is wrong, or it is another program's word.
    fn meant(word: &str) -> Option<Self> {
        if word.len() > MAX_SLIP_BYTES {
            return None;
        }
        let word = word.to_lowercase();
        match word.as_str() {
            "by" | "user" | "author" => return Some(Self::From),
            "room" | "channel" => return Some(Self::In),
            "since" => return Some(Self::After),
            "until" => return Some(Self::Before),
            _ => {}
        }
        // In a word of two letters, one wrong letter is too much.
        let mut long = Self::ALL.into_iter().filter(|filter| filter.as_str().len() > 2);
        long.find(|filter| strsim::damerau_levenshtein(&word, filter.as_str()) == 1)
    }
}

/// Splits the text after `/search` into parts.
pub(super) fn parts(rest: &str) -> impl Iterator<Item = Part<'_>> {
    rest.split('"').enumerate().flat_map(|(place, part)| {
        let quoted = (place % 2 == 1).then_some(Part::Quoted(part));
        let words = if quoted.is_some() { "" } else { part };
        quoted.into_iter().chain(words.split_whitespace().map(word))
    })
}

fn word(word: &str) -> Part<'_> {
    let filter = word.split_once(':').and_then(|(name, value)| Some((Filter::read(name)?, value)));
    filter.map_or(Part::Word(word), |(filter, value)| Part::Filter(filter, value))
}

/// Explains what is wrong with the filters: a repeated, empty or mistyped one.
pub(super) fn slip(rest: &str) -> Option<String> {
    let mut given = Vec::new();
    for part in parts(rest) {
        match part {
            Part::Filter(filter, _) if given.contains(&filter) => {
                let name = filter.as_str();
                return Some(format!("{name}: appears twice; remove one of them"));
            }
            Part::Filter(filter, "") => {
                let (name, example) = (filter.as_str(), filter.example());
                return Some(format!(
                    "{name}: is empty; write it without spaces, such as {example}; {IN_QUOTES}"
                ));
            }
            Part::Filter(filter, _) => given.push(filter),
            Part::Word(word) => {
                // A web address is not a filter.
                let named = word.split_once(':').filter(|(_, value)| !value.starts_with("//"));
                let meant =
                    named.and_then(|(name, value)| Some((name, Filter::meant(name)?.as_str(), value)));
                let Some((name, filter, value)) = meant else { continue };
                return Some(format!(
                    "there is no filter {name}: (did you mean {filter}:{value}?); {IN_QUOTES}"
                ));
            }
            Part::Quoted(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_in_any_case_and_quotes_hold_none() {
        let found: Vec<Part<'_>> = parts("red From:bob \"in:#x  y\" 12:30").collect();
        let expected = [
            Part::Word("red"),
            Part::Filter(Filter::From, "bob"),
            Part::Quoted("in:#x  y"),
            Part::Word("12:30"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_nearly_a_filter_is_asked_about() {
        for (typed, meant) in [
            ("tea fro:bob", "from:bob"),
            ("form:bob tea", "from:bob"),
            ("FRON:bob", "from:bob"),
            ("by:bob", "from:bob"),
            ("befor:2h", "before:2h"),
            ("aftr:2h", "after:2h"),
            ("since:2h", "after:2h"),
            ("until:2h", "before:2h"),
            ("room:#x", "in:#x"),
        ] {
            let slip = slip(typed).expect(typed);
            assert!(slip.contains(&format!("did you mean {meant}?")), "{typed}: {slip}");
            assert!(slip.contains("in quotes"), "{slip}");
        }
    }

    #[test]
    fn other_words_with_a_colon_are_words() {
        for typed in [
            "12:30",
            "http://x",
            "note: tea",
            "on:time",
            "ip:10.0.0.1",
            "\"fro:bob\"",
            "from:a in:#x",
            ":",
            "",
        ] {
            assert_eq!(slip(typed), None, "{typed}");
        }
        assert_eq!(slip(&format!("{}:x", "from".repeat(1000))), None);
    }

    #[test]
    fn a_filter_with_nothing_behind_it_is_shown_how_it_is_written() {
        for (typed, example) in [
            ("in:", "in:#games"),
            ("tea in: #x", "in:#games"),
            ("FROM:\"bob\"", "from:alice"),
            ("after:", "after:7d"),
        ] {
            let slip = slip(typed).expect(typed);
            assert!(slip.contains("is empty") && slip.contains(example), "{slip}");
        }
    }

    #[test]
    fn the_same_filter_twice_is_refused() {
        for (typed, name) in
            [("from:a from:b", "from:"), ("tea in:#a x IN:#a", "in:"), ("after:1h after:2h", "after:")]
        {
            let slip = slip(typed).expect(typed);
            assert!(slip.starts_with(&format!("{name} appears twice")), "{slip}");
        }
    }
}
