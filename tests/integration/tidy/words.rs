//! One meaning a word: a type that other files see has a name that no other type of the tree has.

use super::code::{Source, is_name_part};
use std::collections::BTreeMap;

/// What defines a type.
const KINDS: [&str; 5] = ["struct", "enum", "trait", "type", "union"];

/// A type, and whether other files can name it.
#[derive(Debug, PartialEq, Eq)]
struct Definition<'a> {
    name: &'a str,
    is_visible: bool,
}

/// The types that a file defines outside of functions, `impl`s and modules.
fn definitions(code: &str) -> Vec<Definition<'_>> {
    let defined = |line| {
        let (is_visible, rest) = match str::strip_prefix(line, "pub") {
            Some(rest) => (
                true,
                rest.strip_prefix('(').map_or(rest, |rest| rest.split_once(')').unzip().1.unwrap_or("")),
            ),
            None => (false, line),
        };
        let (kind, name) = rest.trim_start().split_once(' ')?;
        let end = name.find(|c| !is_name_part(c)).unwrap_or(name.len());
        KINDS.contains(&kind).then(|| Definition { name: &name[..end], is_visible })
    };
    // An indented definition belongs to an item, as the types of an `impl` do.
    code.lines().filter(|line| !line.starts_with(' ')).filter_map(defined).collect()
}

/// The names that stand for several types, with their files, if anything but its own file sees one of them.
pub fn ambiguous(sources: &[Source]) -> Vec<String> {
    let mut files: BTreeMap<&str, (bool, Vec<&str>)> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test) {
        for Definition { name, is_visible } in definitions(&source.code) {
            let (is_seen, files) = files.entry(name).or_default();
            *is_seen |= is_visible;
            // A type may be defined once for each system.
            if files.last() != Some(&source.path.as_str()) {
                files.push(&source.path);
            }
        }
    }
    let several = files.into_iter().filter(|(_, (is_seen, files))| *is_seen && files.len() > 1);
    several
        .map(|(name, (_, files))| {
            format!("{name} means several things ({}); rename all but one", files.join(", "))
        })
        .collect()
}

#[test]
fn a_name_that_means_two_things_is_found() {
    let found = |files: &[(&str, &str)]| {
        let sources: Vec<_> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
        ambiguous(&sources)
    };
    let (here, there) = ("src/chat/a.rs", "src/server/b.rs");
    let both = "Turn means several things (src/chat/a.rs, src/server/b.rs); rename all but one";
    for line in
        ["pub struct Turn;", "pub(super) enum Turn {", "pub(crate) type Turn<T> = ();", "pub trait Turn: A {"]
    {
        assert_eq!(found(&[(here, line), (there, "struct Turn(u8);")]), [both], "{line}");
    }
    assert!(found(&[(here, "struct Turn;"), (there, "struct Turn;")]).is_empty(), "nobody else sees them");
    assert!(
        found(&[(here, "pub struct Turn;"), (there, "pub struct Turns; fn turn() -> Turn {")]).is_empty()
    );
    assert!(found(&[(here, "pub struct Turn;\npub struct Turn;")]).is_empty(), "one for each system");
    assert!(
        found(&[(here, "pub struct Turn;"), (there, "impl Deref for A {\n    type Turn = u8;\n}")])
            .is_empty()
    );
    assert!(found(&[(here, "pub struct Turn;"), ("src/server/tests.rs", "pub struct Turn;")]).is_empty());
}
