//! The steps after `lanchat cluster join`: the exact commands.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::join_places::JoinPlaces;
use crate::engine::NatsVersion;

/// The user and group of the engine's service.
const ENGINE_USER: &str = "nats:nats";

/// Where the engine's service expects its settings, for Debian's package as for upstream's unit.
const ENGINE_SETTINGS: &str = "/etc/nats-server.conf";

/// The lines for this machine.
pub(super) fn next_steps(places: &JoinPlaces, secrets: &[PathBuf]) -> String {
    let steps = if places.is_service { service(places, secrets) } else { by_hand(places) };
    format!(
        "next, on this machine{}:\n{steps}if only people with the passphrase may join, start all servers of the chat with \
         --closed\n",
        if places.is_service { ", as root" } else { "" }
    )
}

fn service(places: &JoinPlaces, secrets: &[PathBuf]) -> String {
    let (conf, engine_file) = (quoted(&places.conf()), places.engine_file().display().to_string());
    let store = quoted(&places.store);
    let mut owned: Vec<String> = secrets.iter().map(|path| quoted(path)).collect();
    if places.is_own_out {
        // Nobody else has files there.
        owned.insert(0, quoted(&places.out));
    }
    format!(
        "  chown {ENGINE_USER} {}\n  \
         cp {conf} {ENGINE_SETTINGS} && chmod 644 {ENGINE_SETTINGS}\n  \
         install -d -o nats -g nats -m 700 {store}\n  \
         systemctl enable nats-server && systemctl restart nats-server\n  \
         in the table [serve] of /etc/lanchat/config.toml: engine-file = {engine_file:?}\n  \
         systemctl enable lanchat && systemctl restart lanchat\n",
        owned.join(" ")
    )
}

fn by_hand(places: &JoinPlaces) -> String {
    let [conf, data, engine_file] =
        [&places.conf(), &places.data, &places.engine_file()].map(|path| quoted(path));
    format!(
        "  nats-server -c {conf}\n  \
         lanchat serve --data-dir {data} --engine-file {engine_file}\n"
    )
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=@".contains(c);
    match text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// A warning if the engine on this machine is missing or of a version that cannot be used.
pub(super) fn engine_warning() -> Option<String> {
    let oldest = NatsVersion::OLDEST;
    let remedy = format!("install {oldest} or newer: https://nats.io/download");
    let printed = ["nats-server", "/usr/sbin/nats-server"].into_iter().find_map(printed_version);
    let Some(printed) = printed else {
        return Some(format!("this machine has no nats-server in its PATH; {remedy}"));
    };
    match NatsVersion::printed(&printed) {
        Some(version) if version.is_usable() => None,
        Some(version) => Some(format!(
            "nats-server {version} on this machine is too old: it can lose messages that people have a receipt for, so \
             lanchat refuses it; {remedy}"
        )),
        None => Some(format!("lanchat cannot tell the version of nats-server on this machine; {remedy}")),
    }
}

fn printed_version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    Some(String::from_utf8_lossy(&output.ok()?.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_are_quoted() {
        assert_eq!(quoted(Path::new("/etc/nats/a.conf")), "/etc/nats/a.conf");
        assert_eq!(quoted(Path::new("/my chat/it's")), "'/my chat/it'\\''s'");
    }
}
