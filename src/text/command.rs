//! Splits a command that a user wrote into its words, without a shell.

/// The words of a command: spaces separate them, and either kind of quotes keeps spaces. Nothing else is
/// special. `None`: a quote is not closed.
pub fn command_words(typed: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in typed.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == '"' || c == '\'' => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            None if c.is_whitespace() => words.extend(word.take()),
            Some(_) | None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_at_spaces_outside_quotes() {
        let split = |typed| command_words(typed).map(|words| words.join("|"));
        assert_eq!(split(" notify-send  -u low "), Some("notify-send|-u|low".into()));
        assert_eq!(split("a 'b  c' \"d'e\" ''"), Some("a|b  c|d'e|".into()));
        assert_eq!(split("a $HOME;b\\"), Some("a|$HOME;b\\".into()));
        assert_eq!(split("a 'b"), None);
    }
}
