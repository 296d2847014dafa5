//! JSON that a terminal may show. Programs read the same values.

use super::clean::is_suspicious;

/// Escapes the characters of a JSON text that could control a terminal, reorder or hide text, or end a line.
pub fn escape_json(json: &str) -> String {
    let is_safe = |c: char| match c.is_ascii() {
        // JSON itself escapes the other control characters, and the line feed is ours.
        true => c != '\u{7f}',
        false => !is_suspicious(c),
    };
    if json.chars().all(is_safe) {
        return json.to_owned();
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match is_safe(c) {
            true => text.push(c),
            false => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text += &format!("\\u{unit:04x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_the_same_for_programs_and_drives_no_terminal() {
        let msg = "plain, José, 山田 \u{9b}31m \u{202e} \u{2028} \u{10ffff} \u{7f}";
        let json = serde_json::to_string(msg).unwrap();
        let safe = escape_json(&json);
        assert!(
            safe.contains("山田")
                && !safe.contains(['\u{9b}', '\u{202e}', '\u{2028}', '\u{10ffff}', '\u{7f}'])
        );
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), msg);
    }
}
