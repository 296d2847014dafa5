//! The table `[chat]` of the config file: read strictly into preferences, and written back by `/set` with
//! comments and order kept.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

use crate::client::{PreferenceValue, Preferences, PreferencesFile, SETTINGS, find_preference};
use crate::encoding::{self, TextForm};
use crate::files;

pub(super) const CHAT: &str = "chat";

/// Why a table is wrong, and where.
pub(super) type TableError = (Option<Range<usize>>, String);

/// Reads the table. An unknown key is an error: a misspelt preference must not look as if it held.
pub(super) fn read(table: &DeTable<'_>) -> Result<Preferences, TableError> {
    let mut preferences = Preferences::default();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let preference = find_preference(name).map_err(|near| {
            let known = || SETTINGS.iter().map(|one| one.name).collect::<Vec<_>>().join(", ");
            let hint = near.map_or_else(
                || format!("known keys: {}", known()),
                |near| format!("did you mean \"{near}\"?"),
            );
            (Some(key.span()), format!("unknown key \"{}\" in [{CHAT}]; {hint}", name.escape_debug()))
        })?;
        preferred(value.get_ref())
            .ok_or_else(|| format!("{name}: expected {}", preference.values))
            .and_then(|value| preference.set(&mut preferences, &value))
            .map_err(|why| (Some(value.span()), why))?;
    }
    Ok(preferences)
}

fn preferred(value: &DeValue<'_>) -> Option<PreferenceValue> {
    let text = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.as_ref().to_owned()),
        _ => None,
    };
    match value {
        DeValue::Boolean(on) => Some(PreferenceValue::Switch(*on)),
        DeValue::Array(list) => {
            list.iter().map(|one| text(one.get_ref())).collect::<Option<_>>().map(PreferenceValue::List)
        }
        value => text(value).map(PreferenceValue::Text),
    }
}

/// The config file that `/set` changes, whether it exists or not.
pub(super) struct ChatTable(pub(super) PathBuf);

impl PreferencesFile for ChatTable {
    fn save(&self, name: &str, value: Option<&PreferenceValue>) -> Result<(), String> {
        let path = &self.0;
        let told = |error: io::Error| format!("cannot change the config file {}: {error}", path.display());
        // The file that a link leads to: people keep their config files elsewhere.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let _lock = lock(&target).map_err(told)?;
        let (text, form) = read_text(&target).map_err(told)?;
        let changed = edited(&text, name, value).map_err(|why| told(io::Error::other(why)))?;
        if changed == text {
            Ok(())
        } else {
            replace(&target, &form.encode_edited(&text, &changed)).map_err(told)
        }
    }

    fn place(&self) -> String {
        let home = etcetera::home_dir().ok();
        match home.and_then(|home| self.0.strip_prefix(home).ok().map(Path::to_owned)) {
            Some(path) if cfg!(unix) => format!("~/{}", path.display()),
            _ => self.0.display().to_string(),
        }
    }
}

/// Keeps a second client from changing the file before this one has written it. The file itself is replaced, so
/// the lock is on its directory.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let Some(directory) = path.parent() else { return Ok(None) };
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    files::create_directory(directory)?;
    files::lock_directory(directory)
}

/// Reads the file, and how other programs saved it. A missing file has no text.
fn read_text(path: &Path) -> io::Result<(String, TextForm)> {
    let mut bytes = Vec::new();
    match files::open(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(encoding::decode(&bytes)?),
    }
}

/// Replaces the file's content, and keeps its permissions.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let before = fs::metadata(path).map(|found| found.permissions()).ok();
    files::replace(path, content)?;
    before.map_or(Ok(()), |permissions| fs::set_permissions(path, permissions))
}

/// Sets a key of the table, or removes it.
fn edited(text: &str, name: &str, value: Option<&PreferenceValue>) -> Result<String, String> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| error.message().to_owned())?;
    let Some(value) = value else {
        if let Some(table) = document.get_mut(CHAT).and_then(Item::as_table_like_mut) {
            spellings(table, name).iter().for_each(|key| drop(table.remove(key)));
        }
        return Ok(document.to_string());
    };
    let table = document.entry(CHAT).or_insert_with(|| Item::Table(Table::new()));
    let table = table.as_table_like_mut().ok_or_else(|| format!("{CHAT} is not a table in it"))?;
    let mut spellings = spellings(table, name);
    // The others would contradict the one that stays.
    let key = spellings.pop().unwrap_or_else(|| name.to_owned());
    spellings.iter().for_each(|key| drop(table.remove(key)));
    let mut new = written(value);
    match table.get_mut(&key).and_then(Item::as_value_mut) {
        Some(old) => {
            // A comment behind the value belongs to it.
            new.decor_mut().clone_from(old.decor());
            *old = new;
        }
        None => drop(table.insert(&key, Item::Value(new))),
    }
    Ok(document.to_string())
}

/// The table's keys that are read as this name, in any case.
fn spellings(table: &dyn TableLike, name: &str) -> Vec<String> {
    let keys = table.iter().map(|(key, _)| key.to_owned());
    keys.filter(|key| key.eq_ignore_ascii_case(name)).collect()
}

fn written(value: &PreferenceValue) -> Value {
    match value {
        // As people write it, and as `/set` shows it.
        PreferenceValue::Text(text) if text.is_empty() => Value::from("off"),
        PreferenceValue::Text(text) => Value::from(text.as_str()),
        PreferenceValue::Switch(on) => Value::from(*on),
        PreferenceValue::List(list) => Value::Array(list.iter().map(String::as_str).collect::<Array>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "# mine\nname = \"al\"\n\n[chat]\n# quiet\nbell = \"off\" # for now\n\n[serve]\nport = 1\n";

    fn text(text: &str) -> PreferenceValue {
        PreferenceValue::Text(text.into())
    }

    #[test]
    fn a_change_keeps_comments_order_and_other_tables() {
        let changed = edited(FILE, "bell", Some(&text("all"))).unwrap();
        assert_eq!(changed, FILE.replace("\"off\" #", "\"all\" #"));
        let added = edited(FILE, "wrap", Some(&PreferenceValue::Switch(false))).unwrap();
        assert_eq!(added, FILE.replace("# for now\n", "# for now\nwrap = false\n"));
        let rooms = PreferenceValue::List(vec!["#dev".into(), "#ops".into()]);
        let fresh = edited("", "join", Some(&rooms)).unwrap();
        assert_eq!(fresh, "[chat]\njoin = [\"#dev\", \"#ops\"]\n");
        assert_eq!(edited("", "time", Some(&text(""))).unwrap(), "[chat]\ntime = \"off\"\n");
        assert_eq!(edited(FILE, "wrap", None).unwrap(), FILE);
        assert!(!edited(FILE, "bell", None).unwrap().contains("bell"));
    }

    #[test]
    fn line_ends_and_encoding_stay_as_notepad_saved_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let added = FILE.replace("# for now\n", "# for now\nwrap = false\n");
        for (before, after) in encoding::saved(FILE).into_iter().zip(encoding::saved(&added)) {
            fs::write(&path, &before).unwrap();
            ChatTable(path.clone()).save("wrap", Some(&PreferenceValue::Switch(false))).unwrap();
            assert_eq!(fs::read(&path).unwrap(), after);
            assert!(super::super::config::load(Some(&path)).is_ok_and(|config| !config.chat.wrap));
        }
    }

    #[test]
    fn of_mixed_line_ends_only_a_new_line_has_the_usual_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, "# mine\r\nname = \"al\"\n[chat]\nbell = \"off\"\r\n\n# end\r\n").unwrap();
        for (name, value) in [("bell", text("all")), ("wrap", PreferenceValue::Switch(false))] {
            ChatTable(path.clone()).save(name, Some(&value)).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "# mine\r\nname = \"al\"\n[chat]\nbell = \"all\"\r\nwrap = false\n\n# end\r\n"
        );
    }

    #[test]
    fn a_file_that_is_not_text_stays_as_it_is_and_the_refusal_names_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let ansi = b"name = \"J\xFCrgen\"\r\n";
        fs::write(&path, ansi).unwrap();
        let remedy = format!("{}: line 1 is not UTF-8 text; save the file as UTF-8", path.display());
        let refused = ChatTable(path.clone()).save("bell", Some(&text("all"))).unwrap_err();
        assert_eq!(refused, format!("cannot change the config file {remedy}"));
        let refused = super::super::config::load(Some(&path)).unwrap_err();
        assert_eq!(refused, format!("cannot read the config file {remedy}"));
        assert_eq!(fs::read(&path).unwrap(), ansi);
    }

    #[test]
    fn a_key_in_another_case_is_the_same_key() {
        let file = "[chat]\nBell = \"all\"\n";
        assert_eq!(edited(file, "bell", Some(&text("off"))).unwrap(), "[chat]\nBell = \"off\"\n");
        assert_eq!(edited(file, "bell", None).unwrap(), "[chat]\n");
        let both = "[chat]\nBell = \"all\"\nbell = \"dm\"\n";
        assert_eq!(edited(both, "bell", Some(&text("off"))).unwrap(), "[chat]\nbell = \"off\"\n");
    }

    #[test]
    fn of_two_clients_that_change_the_file_at_once_neither_loses_its_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub").join("config.toml");
        let save = |name: &str, value: &str| ChatTable(path.clone()).save(name, Some(&text(value))).unwrap();
        for value in ["all", "off"].repeat(20) {
            std::thread::scope(|scope| {
                scope.spawn(|| save("bell", value));
                scope.spawn(|| save("notify", value));
            });
            let saved = fs::read_to_string(&path).unwrap();
            assert_eq!(saved.matches(&format!("\"{value}\"")).count(), 2, "{saved}");
        }
    }

    #[test]
    fn a_broken_file_stays_as_it_is() {
        assert!(edited("[chat", "bell", Some(&text("all"))).is_err());
        assert!(edited("chat = 1", "bell", Some(&text("all"))).unwrap_err().contains("not a table"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_the_permissions_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.toml"), dir.path().join("config.toml"));
        fs::write(&real, FILE).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        ChatTable(link.clone()).save("bell", Some(&text("dm"))).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().contains("bell = \"dm\" # for now"));
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o644);
    }
}
