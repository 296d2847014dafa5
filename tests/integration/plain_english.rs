//! Plain English: the worst patterns that CONTRIBUTING.md's page on language rules out, and what to write
//! instead. Code in Markdown (fenced, indented or between backquotes) may say anything: it quotes programs.

mod prose;

use crate::support::tree::files;
use prose::{Word, of_markdown, of_rust};

/// Whether comments and texts in `src`, and the pages made from them, are held to the rules too.
const SOURCES: bool = true;

/// Pages that the program prints: they follow `SOURCES`.
const GENERATED: [&str; 1] = ["docs/limits.md"];

/// Records what was; the rules are younger.
const HISTORY: &str = "CHANGELOG.md";

struct Pattern {
    /// Lower-case words in a row. `.` stands for the start of a sentence that asks nothing, `#` for a number.
    words: &'static str,
    why: &'static str,
    instead: &'static str,
    /// Words before or after it that make it good English.
    unless: &'static [&'static str],
}

const fn pattern(words: &'static str, why: &'static str, instead: &'static str) -> Pattern {
    Pattern { words, why, instead, unless: &[] }
}

const WHO: &str = "a relative clause cannot act";
const NEGATION: &str = "German word order";
const HIDDEN: &str = "the passive hides the actor";
const PER: &str = "a rate takes \"per\"";

const PATTERNS: &[Pattern] = &[
    pattern(". who", WHO, "the person: \"a user who ...\", \"anyone who ...\""),
    pattern("to who", WHO, "\"to the user who ...\""),
    pattern("for who", WHO, "\"for a user who ...\""),
    pattern("from who", WHO, "\"from the user who ...\""),
    pattern("by who", WHO, "\"by the user who ...\""),
    pattern("whoever", WHO, "\"anyone who ...\", or the noun: user, client, owner"),
    pattern("somebody", "it names nobody", "the actor (user, client, sender), or \"someone\""),
    pattern(". what", WHO, "the thing itself: \"input that is not ...\""),
    pattern("what there is", WHO, "the thing itself"),
    Pattern { unless: &["there", "longer"], ..pattern("is no", NEGATION, "\"is not a ...\"") },
    Pattern { unless: &["there", "longer"], ..pattern("are no", NEGATION, "\"are not ...\"") },
    Pattern { unless: &["there", "longer"], ..pattern("was no", NEGATION, "\"was not a ...\"") },
    pattern("there is none", NEGATION, "\"no ...\", with the noun"),
    pattern("there are none", NEGATION, "\"no ...\", with the noun"),
    Pattern { unless: &["than"], ..pattern("no more", NEGATION, "\"no longer\", or the verb: leaves, ends") },
    pattern("be it", NEGATION, "\"even\", \"whether ... or\""),
    pattern("anew", "not used", "\"again\", \"newly\""),
    pattern("in vain", "not used", "how it failed"),
    pattern("meanwhile", "it leaves the time open", "\"while ...\""),
    pattern("by will", "not English", "\"on request\", or who asks for it"),
    pattern("as far as", "it blurs the condition", "\"if\", \"where\""),
    pattern("at the most", "longer than needed", "\"at most\""),
    pattern("at the least", "longer than needed", "\"at least\""),
    pattern("keeps its word", "an idiom", "what it does: \"honours flushes\""),
    pattern("keep their word", "an idiom", "what they do: \"honour flushes\""),
    pattern("can't", "one spelling", "\"cannot\""),
    pattern("is told", HIDDEN, "the actor: \"the server tells ...\""),
    pattern("are told", HIDDEN, "the actor: \"the server tells ...\""),
    pattern("is given", HIDDEN, "the actor, or \"gets\""),
    pattern("are given", HIDDEN, "the actor, or \"get\""),
    pattern("is said", HIDDEN, "the actor: \"the log says ...\""),
    pattern("are said", HIDDEN, "the actor: \"the log says ...\""),
    pattern("is answered", HIDDEN, "the actor: \"the server answers ...\""),
    pattern("# a second", PER, "\"per second\""),
    pattern("# a minute", PER, "\"per minute\""),
    pattern("# an hour", PER, "\"per hour\""),
    pattern("# a day", PER, "\"per day\""),
    pattern("# of each", PER, "\"per\""),
];

impl Pattern {
    /// How many words it takes from the start of `words`, if it is there.
    fn matches(&self, words: &[Word]) -> Option<usize> {
        let mut at = 0;
        for part in self.words.split(' ') {
            let word = words.get(at)?;
            let fits = match part {
                // A word alone is an argument or an alias.
                "." => word.starts_sentence && !is_question(words) && !is_alone(words),
                "#" => word.text.starts_with(|c: char| c.is_ascii_digit()),
                part => word.text == part && (at == 0 || !word.starts_clause),
            };
            if !fits {
                return None;
            }
            at += usize::from(part != ".");
        }
        Some(at)
    }

    fn is_excused(&self, before: Option<&Word>, after: Option<&Word>) -> bool {
        let excuses =
            |word: Option<&Word>| word.is_some_and(|word| self.unless.contains(&word.text.as_str()));
        excuses(before) || excuses(after)
    }
}

fn is_alone(words: &[Word]) -> bool {
    words.get(1).is_some_and(|next| next.starts_sentence)
}

/// Whether the sentence that starts here asks.
fn is_question(words: &[Word]) -> bool {
    let rest = words[1..].iter().take_while(|word| !word.starts_sentence).count();
    words[rest].asks
}

/// What is wrong with these words, a line each.
fn faults(path: &str, words: &[Word]) -> Vec<String> {
    let mut faults = Vec::new();
    for at in 0..words.len() {
        for pattern in PATTERNS {
            let Some(length) = pattern.matches(&words[at..]) else { continue };
            let before = at.checked_sub(1).and_then(|before| words.get(before));
            if !pattern.is_excused(before, words.get(at + length)) {
                let said: Vec<_> = words[at..at + length].iter().map(|word| word.text.as_str()).collect();
                let (said, line) = (said.join(" "), words[at].line);
                let Pattern { why, instead, .. } = pattern;
                faults.push(format!("{path}:{line}: \"{said}\": {why}; write {instead}"));
            }
        }
    }
    faults
}

#[test]
fn everything_is_in_plain_english() {
    let documents = files("", "md");
    let sources = files("src", "rs");
    assert!(documents.len() >= 7 && sources.len() > 20, "few files: the search is broken");
    let documents = documents
        .iter()
        .filter(|(path, _)| path != HISTORY && (SOURCES || !GENERATED.contains(&path.as_str())))
        .flat_map(|(path, text)| faults(path, &of_markdown(text)));
    let sources = sources.iter().filter(|_| SOURCES);
    let sources = sources.flat_map(|(path, text)| faults(path, &of_rust(text)));
    let faults: Vec<_> = documents.chain(sources).collect();
    let (count, faults) = (faults.len(), faults.join("\n"));
    assert!(count == 0, "\n{faults}\n{count} of these; see \"Language\" in CONTRIBUTING.md\n");
}

mod violations_are_caught {
    use super::*;

    fn lines(faults: &[String]) -> Vec<String> {
        faults.iter().map(|fault| fault.split(": ").take(2).collect::<Vec<_>>().join(": ")).collect()
    }

    #[test]
    fn of_each_pattern() {
        for pattern in PATTERNS {
            let said = pattern.words.replace(". ", "").replace('#', "60");
            let found = faults("x.md", &of_markdown(&format!("{said} here.")));
            assert!(found.iter().any(|fault| fault.contains(&format!("\"{said}\": "))), "{said}: {found:?}");
        }
    }

    #[test]
    fn with_file_line_and_remedy() {
        let text = "# Title\n\nA name that is\nno name.\n";
        assert_eq!(
            faults("a.md", &of_markdown(text)),
            ["a.md:3: \"is no\": German word order; write \"is not a ...\""]
        );
    }

    #[test]
    fn but_not_good_english() {
        let text = "There is no history. It is no longer there. No more than 5. Who may enter? Yes. What now?\n\
                    The list says who is here. So it is. No more. That is: no. 5, a second, and so on.";
        let found = faults("a.md", &of_markdown(text));
        assert_eq!(lines(&found), ["a.md:2: \"no more\""]);
    }

    #[test]
    fn and_not_code() {
        let text =
            "Say `whoever` or\n```diff\n- whoever\n```\n\n    whoever\n\nand whoever | `whoever` | anew";
        let found = faults("a.md", &of_markdown(text));
        assert_eq!(lines(&found), ["a.md:8: \"whoever\"", "a.md:8: \"anew\""]);
    }

    #[test]
    fn in_comments_and_texts_of_programs() {
        let text = "//! Whoever\n//! is no\n//! user.\nfn whoever<'a>(x: &'a str) -> char {\n    \
                    say(\"in \\\n    vain, {whoever}\", r#\"anew \"now\" meanwhile\"#, '\"'); /* by will */\n}";
        let found = faults("a.rs", &of_rust(text));
        let expected = [
            "a.rs:1: \"whoever\"",
            "a.rs:2: \"is no\"",
            "a.rs:5: \"in vain\"",
            "a.rs:6: \"anew\"",
            "a.rs:6: \"meanwhile\"",
            "a.rs:6: \"by will\"",
        ];
        assert_eq!(lines(&found), expected);
    }
}
