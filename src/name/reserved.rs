//! Names that people would take for the server's, or for a word with a special meaning.
//!
//! It recognises a word in ornament (`[server]`, `--server`), under marks (`servêr`) and in digits that look
//! like letters (`5erver`). A name that only contains one (`bob-admin`, `servers`) is allowed.

use super::{Likeness, NameKey};
use std::sync::LazyLock;
use unicode_width::UnicodeWidthChar;

/// Words that mean something else as a target or a sender, or that people would trust too much.
const RESERVED: [&str; 13] = [
    "all",
    "everyone",
    "here",
    "broadcast",
    "server",
    "system",
    "admin",
    "administrator",
    "operator",
    "op",
    "root",
    "console",
    "lanchat",
];

/// Prefixes that operators write before a key and an address in place of a name.
const PREFIXES: [&str; 2] = ["key:", "ip:"];

static LOOKS: LazyLock<Vec<Likeness>> = LazyLock::new(|| RESERVED.iter().map(|word| bare(word)).collect());

/// Whether nobody may have the name with that key.
pub(super) fn is_reserved(name: &str, key: &NameKey) -> bool {
    PREFIXES.iter().any(|prefix| key.as_str().starts_with(prefix))
        || readings(name).iter().any(|reading| {
            let look = bare(reading);
            LOOKS.iter().any(|reserved| reserved.resembles(&look))
        })
}

/// All ways to read a name: punctuation is ornament or stands for letters, as digits do, and a 1 is an l or
/// an i. Digits alone are a number.
fn readings(name: &str) -> Vec<String> {
    let has_letters = name.chars().any(char::is_alphabetic);
    let mut readings: Vec<String> = Vec::new();
    for (is_ornament, one) in [(true, 'l'), (true, 'i'), (false, 'l'), (false, 'i')] {
        let letter = |c: char| match c {
            _ if is_ornament && c.is_ascii_punctuation() => None,
            '0'..='9' if !has_letters => Some(c),
            _ => Some(stands_for(c, one)).filter(|letter| !letter.is_ascii_punctuation()),
        };
        let reading: String = name.chars().filter_map(letter).collect();
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    readings
}

/// The letter that people read in a digit or sign among letters.
fn stands_for(c: char, one: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        other => other,
    }
}

/// The appearance without marks.
fn bare(text: &str) -> Likeness {
    let Likeness { folded, cased } = Likeness::of(&NameKey::of(text), text);
    let without = |look: &str| look.chars().filter(|c| c.width() != Some(0)).collect();
    Likeness { folded: without(&folded), cased: without(&cased) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{Name, NameError};

    fn is_refused(text: &str) -> bool {
        matches!(Name::new(text), Err(NameError::Reserved(name)) if name == text)
    }

    #[test]
    fn what_looks_like_a_reserved_word_is_reserved() {
        for text in [
            "adrnin",
            "ADMIN",
            "r00t",
            "R00T",
            "0p",
            "a1l",
            "AIl",
            "c0nsole",
            "Ianchat",
            "5erver",
            "53rv3r",
            "0perator",
            "adm1n",
            "Adm1n1strator",
            "h3re",
            "syst3m",
            "8roadcast",
            "broadcas7",
            "l4nch4t",
        ] {
            assert!(is_refused(text), "{text}");
        }
    }

    #[test]
    fn ornament_and_marks_hide_no_reserved_word() {
        for text in [
            "server.",
            "server-",
            "server:",
            "[server]",
            "(server)",
            "--server",
            "*Server*",
            "|server|",
            "!server!",
            "s-e-r-v-e-r",
            "ser_ver",
            "<SERVER>",
            "-admin-",
            "adm!n",
            "$erver",
            "a||",
            "o.p",
            "_root_",
            "servêr",
            "sẹrver",
            "śérvèr",
            "r\u{f8}\u{f8}t",
            "«server»",
        ] {
            assert!(Name::new(text).is_err(), "{text}");
        }
        assert!(is_refused("servêr") && is_refused("sẹrver") && is_refused("r\u{f8}\u{f8}t"));
    }

    #[test]
    fn each_reserved_word_is_found_in_all_its_dresses() {
        for word in RESERVED {
            let digits: String = word
                .chars()
                .map(|c| match c {
                    'o' => '0',
                    'i' => '1',
                    'e' => '3',
                    's' => '5',
                    c => c,
                })
                .collect();
            for text in [
                word.to_owned(),
                word.to_uppercase().replace('L', "l"),
                format!("-{word}-"),
                format!("{word}!"),
                digits,
            ] {
                assert!(is_refused(&text), "{text}");
            }
        }
    }

    #[test]
    fn what_only_has_one_in_it_or_is_near_one_is_free() {
        for text in [
            "admin-2",
            "bob-admin",
            "servers",
            "server1n",
            "serverin",
            "observer",
            "Root66",
            "roots",
            "Hermine",
            "operators",
            "heresy",
            "there",
            "Ali",
            "Al",
            "ally",
            "Wall-E",
            "opa",
            "hop",
            "Otto",
            "guest-7",
            "411",
            "07",
            "pc1",
            "o",
            "Ori",
            "badmin",
            "Sysadmin",
            "systematic",
            "Björn",
            "Renée",
            "(o_O)",
        ] {
            assert!(Name::new(text).is_ok(), "{text}");
        }
    }
}
