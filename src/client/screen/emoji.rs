//! Emoji that Tab completes after a colon, by the names that other chat programs use.

const EMOJI: &[(&str, &str)] = &[
    ("+1", "👍"),
    ("-1", "👎"),
    ("100", "💯"),
    ("bug", "🐛"),
    ("clap", "👏"),
    ("coffee", "☕"),
    ("construction", "🚧"),
    ("cry", "😢"),
    ("eyes", "👀"),
    ("facepalm", "🤦"),
    ("fire", "🔥"),
    ("grin", "😁"),
    ("heart", "❤"),
    ("joy", "😂"),
    ("laughing", "😆"),
    ("lock", "🔒"),
    ("ok_hand", "👌"),
    ("party", "🥳"),
    ("pizza", "🍕"),
    ("point_up", "☝"),
    ("pray", "🙏"),
    ("raised_hands", "🙌"),
    ("rocket", "🚀"),
    ("shrug", "🤷"),
    ("smile", "😄"),
    ("sob", "😭"),
    ("sweat_smile", "😅"),
    ("tada", "🎉"),
    ("thinking", "🤔"),
    ("thumbsdown", "👎"),
    ("thumbsup", "👍"),
    ("warning", "⚠"),
    ("wave", "👋"),
    ("white_check_mark", "✅"),
    ("wink", "😉"),
    ("x", "❌"),
];

/// The emoji whose names have that start, which comes after a colon. A name that is complete comes first.
pub(super) fn starting_with(word: &str) -> Vec<String> {
    let Some(start) = word.strip_prefix(':').filter(|start| !start.is_empty()) else { return Vec::new() };
    let start = start.strip_suffix(':').unwrap_or(start);
    let is_whole = |(name, _): &&(&str, &str)| *name == start;
    let whole = EMOJI.iter().filter(is_whole);
    let others = EMOJI.iter().filter(|(name, _)| name.starts_with(start) && *name != start);
    let others = others.filter(|_| !word[1..].ends_with(':'));
    whole.chain(others).map(|(_, emoji)| format!("{emoji} ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_found_by_their_names() {
        assert_eq!(starting_with(":tada:"), ["🎉 "]);
        assert_eq!(starting_with(":th"), ["🤔 ", "👎 ", "👍 "]);
        assert_eq!(starting_with(":x"), ["❌ "]);
        assert_eq!(
            [starting_with(":"), starting_with("12:30"), starting_with(":nope:")],
            [(); 3].map(|()| Vec::<String>::new())
        );
    }
}
