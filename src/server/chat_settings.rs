//! The settings that concern a chat as a whole, although each of its servers has options of its own.
//!
//! The rules run at the server that leads, with its options, so a setting that differs changes with the leader, or with
//! the server at which people are.

use super::options::{JoinPolicy, ServerOptions};
use crate::chat::{NewNames, Rules};
use crate::protocol::{Term, WebAccess, size};
use crate::security::digest_of;
use crate::store::Retention;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// The values as people read them, by the names of the options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChatSettings(BTreeMap<String, String>);

/// A setting that is not the same at all servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingDifference {
    /// The name of its option.
    pub setting: String,
    /// Each value, and the names of the servers that have it.
    pub values: Vec<(String, Vec<String>)>,
}

impl ChatSettings {
    /// `mark`: of a closed server's passphrase.
    pub(super) fn of(options: &ServerOptions, mark: Option<String>) -> Self {
        // Naming each option makes a new one a compile error. Those with `_` are settings of one machine, or of no option:
        // there, each server bounds what comes to it.
        let ServerOptions {
            name,
            address: _,
            port: _,
            max_clients: _,
            backlog: _,
            memory: _,
            data_dir: _,
            motd,
            registration: _,
            frame: _,
            plaintext: _,
            web,
            access,
            max_per_address: _,
            history,
            metrics: _,
            multicast: _,
            files,
            nodes: _,
            rules,
            node,
        } = options;
        let Rules { rate, ascii_names, closed: _, interim: _, log_visits, new_names } = rules;
        let Retention { age, bytes } = history.unwrap_or_default();
        let mut all = BTreeMap::new();
        let mut set = |setting: &str, value: String| drop(all.insert(setting.to_owned(), value));
        set("name", name.clone());
        set("motd", mark_of_text(motd));
        set("web", web.as_ref().map_or("off", |web| web_value(web.mode)).to_owned());
        set("closed", on_off(!matches!(access, JoinPolicy::Open)));
        set("retain", age.map_or(Term::Forever, Term::For).to_string());
        set("retain-size", bytes.map_or_else(off, bytes_value));
        set("rate-limit", or_off(*rate));
        set("ascii-names", on_off(*ascii_names));
        set("log-connections", on_off(*log_visits));
        set("new-names-per-hour", new_names_value(*new_names));
        set("no-files", on_off(files.is_none()));
        if let Some(files) = files {
            set("max-file", files.rules.max_bytes.map_or_else(off, bytes_value));
            set("max-transfers", files.rules.max_transfers.to_string());
        }
        if let Some(mark) = mark {
            set("passphrase-file", format!("a passphrase with the mark {mark}"));
        }
        if let Some(node) = node {
            let places = node.addresses.iter().map(|at| format!("{}:{}", at.host, at.port));
            set("engine-file", places.collect::<Vec<_>>().join(", "));
        }
        Self(all)
    }

    /// The settings of these servers that are not the same at all of them. A server that does not know a setting, as it has
    /// another version or needs none, counts for no difference.
    pub fn differences<'a>(servers: impl IntoIterator<Item = (&'a str, &'a Self)>) -> Vec<SettingDifference> {
        let mut all: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
        for (server, settings) in servers {
            for (setting, value) in &settings.0 {
                all.entry(setting).or_default().entry(value).or_default().insert(server);
            }
        }
        let differing = all.into_iter().filter(|(_, values)| values.len() > 1);
        let owned = |servers: BTreeSet<&str>| servers.into_iter().map(str::to_owned).collect();
        let difference = |(setting, values): (&str, BTreeMap<&str, BTreeSet<&str>>)| SettingDifference {
            setting: setting.to_owned(),
            values: values.into_iter().map(|(value, at)| (value.to_owned(), owned(at))).collect(),
        };
        differing.map(difference).collect()
    }

    /// The settings that differ at another server: the name, the value here, and that there.
    pub(super) fn other_at(&self, there: &Self) -> Vec<[String; 3]> {
        let both = self.0.iter().filter_map(|(setting, here)| Some((setting, here, there.0.get(setting)?)));
        let differing = both.filter(|(_, here, there)| here != there);
        differing.map(|(setting, here, there)| [setting.clone(), here.clone(), there.clone()]).collect()
    }
}

fn off() -> String {
    "off".to_owned()
}

fn on_off(is_on: bool) -> String {
    if is_on { "on".to_owned() } else { off() }
}

fn or_off(value: Option<impl Display>) -> String {
    value.map_or_else(off, |value| value.to_string())
}

fn web_value(mode: WebAccess) -> &'static str {
    match mode {
        WebAccess::Https => "https",
        WebAccess::Plaintext => "plaintext",
    }
}

fn new_names_value(names: NewNames) -> String {
    match names {
        NewNames::Usual => "the default".to_owned(),
        NewNames::PerHour(count) => count.to_string(),
        NewNames::Unlimited => off(),
    }
}

/// As people write it: in the biggest unit that divides it, so that each number has a text of its own.
fn bytes_value(bytes: u64) -> String {
    let units = ["", "KiB", "MiB", "GiB", "TiB"];
    let power = units.len().min((bytes.trailing_zeros() % u64::BITS) as usize / 10 + 1) - 1;
    format!("{}{}", bytes >> (10 * power), units[power])
}

/// Short, and another one for another text.
fn mark_of_text(text: &str) -> String {
    if text.is_empty() {
        return "none".to_owned();
    }
    let [first, second, third, fourth, ..] = digest_of(text.as_bytes());
    let start = u32::from_be_bytes([first, second, third, fourth]);
    format!("a text of {} with the digest {start:08x}", size(text.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::options::FileOptions;

    fn settings(change: impl FnOnce(&mut ServerOptions)) -> ChatSettings {
        let mut options = ServerOptions::default();
        change(&mut options);
        ChatSettings::of(&options, None)
    }

    #[test]
    fn each_setting_of_the_chat_that_differs_is_named_with_its_servers() {
        let usual = settings(|_| {});
        assert_eq!(ChatSettings::differences([("a", &usual), ("b", &usual)]), []);
        let other = settings(|options| {
            options.rules.rate = None;
            options.motd = "hello".into();
            // Of one machine.
            (options.port, options.max_clients, options.plaintext) = (1, Some(5), true);
        });
        let found = ChatSettings::differences([("a", &usual), ("b", &other), ("c", &usual)]);
        let values = |values: &[(&str, &[&str])]| -> Vec<(String, Vec<String>)> {
            let owned = |servers: &[&str]| servers.iter().map(|name| (*name).to_owned()).collect();
            values.iter().map(|(value, servers)| ((*value).to_owned(), owned(servers))).collect()
        };
        let motd = "a text of 5 bytes with the digest 2cf24dba";
        let expected = [
            SettingDifference {
                setting: "motd".into(),
                values: values(&[(motd, &["b"]), ("none", &["a", "c"])]),
            },
            SettingDifference {
                setting: "rate-limit".into(),
                values: values(&[("5:20", &["a", "c"]), ("off", &["b"])]),
            },
        ];
        assert_eq!(found, expected);
        let [setting, here, there] = &other.other_at(&usual)[1];
        assert_eq!((setting.as_str(), here.as_str(), there.as_str()), ("rate-limit", "off", "5:20"));
    }

    #[test]
    fn a_setting_that_one_server_does_not_know_is_no_difference() {
        let (usual, older) = (settings(|_| {}), ChatSettings::default());
        assert_eq!(ChatSettings::differences([("a", &usual), ("b", &older)]), []);
        assert_eq!(usual.other_at(&older), Vec::<[String; 3]>::new());
        let no_files = settings(|options| options.files = None);
        let names = |found: Vec<[String; 3]>| found.into_iter().map(|[name, ..]| name).collect::<Vec<_>>();
        assert_eq!(names(no_files.other_at(&usual)), ["no-files"]);
        let more = settings(|options| {
            let files = options.files.get_or_insert_with(FileOptions::default);
            files.rules.max_transfers = 9;
        });
        assert_eq!(names(more.other_at(&usual)), ["max-transfers"]);
    }

    #[test]
    fn sizes_are_told_apart_to_the_byte() {
        let texts = [1 << 30, (1 << 30) + 1, 3 << 20, 1 << 60, 1500, 0].map(bytes_value);
        assert_eq!(texts, ["1GiB", "1073741825", "3MiB", "1048576TiB", "1500", "0"]);
    }

    #[test]
    fn another_passphrase_of_a_closed_server_is_a_difference() {
        let options = ServerOptions { access: JoinPolicy::ClosedByOwn, ..ServerOptions::default() };
        let [one, other] = ["1f", "2f"].map(|mark| ChatSettings::of(&options, Some(mark.into())));
        assert_eq!(one.other_at(&other).len(), 1);
        let open = ChatSettings::of(&ServerOptions::default(), None);
        assert_eq!(one.other_at(&open), [["closed", "on", "off"]]);
    }
}
