//! Folds text for searches, so that different ways to write the same compare as equal.
//!
//! Case in all scripts, diacritics, composed and decomposed forms, and wide, narrow and other compatibility
//! forms make no difference, nor do invisible characters. White space becomes a single space. Folding works
//! character by character: a part of a text, cut between visible characters, is also a part once both are
//! folded.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::decompose_compatible;

/// Folds a text. Folding it again changes nothing.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return fold_ascii(text);
    }
    if text.chars().all(is_plain) {
        return spaced(text.chars().map(lower));
    }
    let bare = bare(text.chars());
    // Lower, upper, lower: small and capital letters have no one form in common. Capital ß is ß, whose
    // capitals are SS; there are two small sigmas and two of some Georgian letters, and Cherokee's capitals
    // came first.
    let cased = bare.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    let cased: String = cased.flat_map(char::to_lowercase).collect();
    spaced(self::bare(cased.chars()).nfc())
}

/// The same for most text, several times as fast.
fn fold_ascii(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte > b' ' && byte != 0x7f {
            folded.push(char::from(byte.to_ascii_lowercase()));
        } else if !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded
}

/// Whether folding the character, in any context, is just [`lower`]: true for most text in many languages,
/// and ten times as fast.
fn is_plain(c: char) -> bool {
    c.is_ascii()
        || matches!(c,
            // Kana without marks of their own, Han, Hangul syllables, pictures.
            '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{30FC}' | '\u{3001}'..='\u{3011}'
            | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' | '\u{1F300}'..='\u{1FAFF}')
        // Cyrillic letters without a mark.
        || matches!(c, '\u{0410}'..='\u{044F}') && !matches!(c, '\u{0419}' | '\u{0439}')
}

fn lower(c: char) -> char {
    match c {
        '\u{0410}'..='\u{042F}' => char::from_u32(u32::from(c) + 0x20).unwrap_or(c),
        _ => c.to_ascii_lowercase(),
    }
}

/// Decomposes text, and drops marks and invisible characters.
fn bare(text: impl Iterator<Item = char>) -> String {
    let mut bare = String::new();
    for c in text {
        if is_blank(c) {
            bare.push(' ');
            continue;
        }
        let start = bare.len();
        let mut is_space_with_mark = false;
        decompose_compatible(c, |part| {
            is_space_with_mark |= is_blank(part) && bare.len() == start;
            if !is_mark(part) && !is_unseen(part) {
                bare.push(part);
            }
        });
        // A mark by itself, such as ´, decomposes to a space with a mark.
        if is_space_with_mark {
            bare.truncate(start);
            bare.push(c);
        }
    }
    bare
}

fn spaced(text: impl Iterator<Item = char>) -> String {
    let mut spaced = String::new();
    for c in text {
        if !is_blank(c) {
            spaced.push(c);
        } else if !spaced.ends_with(' ') {
            spaced.push(' ');
        }
    }
    spaced
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Marks that people omit when they search: accents in Latin, Greek and Cyrillic, and vowels in Hebrew and
/// Arabic. In other scripts, marks make different letters.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{FE20}'..='\u{FE2F}'
        | '\u{0591}'..='\u{05BD}' | '\u{05BF}' | '\u{05C1}' | '\u{05C2}' | '\u{05C4}' | '\u{05C5}' | '\u{05C7}'
        | '\u{0610}'..='\u{061A}' | '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}'
        | '\u{06D6}'..='\u{06DC}' | '\u{06DF}'..='\u{06E4}' | '\u{06E7}' | '\u{06E8}' | '\u{06EA}'..='\u{06ED}')
}

/// Joiners, directions, variation selectors and the like, and characters that the word index reserves for
/// itself.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{FDD0}'..='\u{FDEF}' | '\u{E0001}' | '\u{E0100}'..='\u{E01EF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = char> {
        ('\0'..=char::MAX).filter(|c| !is_blank(*c))
    }

    #[test]
    fn what_people_take_for_the_same_is_folded_to_the_same() {
        for (one, other) in [
            ("Straße", "STRASSE"),
            ("GROẞ", "groß"),
            ("ΟΔΟΣ", "οδος"),
            ("ὈΔΥΣΣΕΎΣ", "οδυσσευσ"),
            ("Istanbul", "İSTANBUL"),
            ("DIYARBAKIR", "dıyarbakır"),
            ("Ꭰꭰ", "ꭰꭰ"),
            ("ᲐᲑᲒ", "აბგ"),
            ("ＬＡＮ１２", "lan12"),
            ("ﾃｽﾄ", "テスト"),
            ("ｶﾞｽ", "ガス"),
            ("caf\u{e9}", "CAFE\u{301}"),
            ("Ёлка", "елка"),
            ("ﬁn", "FIN"),
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("❤\u{fe0f}", "❤"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("a\u{a0}\t\r\nb", "a b"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        for (one, other) in
            [("か", "が"), ("は", "ぱ"), ("ก็", "ก"), ("나", "너"), ("´", "`"), ("1\u{20e3}", "1")]
        {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn the_quick_way_leads_to_the_same() {
        let slowly = |text: &str| {
            let folded = fold(&format!("{text}\u{e9}"));
            folded[..folded.len() - 1].to_owned()
        };
        for c in all().filter(|c| is_plain(*c)) {
            let text = format!("{c}{c} \t\u{7f}a{c}\n");
            assert_eq!(fold(&text), slowly(&text), "{c:?}");
        }
    }

    #[test]
    fn every_character_folds_as_its_other_case_does_and_stays_as_it_is_folded() {
        // Here, an iota subscript is a mark; only in capitals is it a letter.
        let has_iota = |c: char| c.to_string().nfd().any(|part| part == '\u{345}');
        for c in all().filter(|c| !has_iota(*c)) {
            let folded = fold(&c.to_string());
            assert_eq!(fold(&folded), folded, "{c:?} {:x}", u32::from(c));
            for other in [c.to_uppercase().collect::<String>(), c.to_lowercase().collect()] {
                assert_eq!(fold(&other), folded, "{c:?} {other:?}");
            }
            assert!(!folded.contains('\u{FDD0}'), "that is the index' own");
        }
    }
}
