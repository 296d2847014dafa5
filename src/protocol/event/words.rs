//! What a person reads of an event: the text of its packet.

use super::{Crowd, Welcome};
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::{BanInfo, UserInfo};

/// `1 user`, `3 users`.
pub fn count_users(count: usize) -> String {
    if count == 1 { "1 user".into() } else { format!("{count} users") }
}

/// `1 user is`, `3 users are`.
pub fn users_are(count: usize) -> String {
    format!("{} {}", count_users(count), if count == 1 { "is" } else { "are" })
}

pub(super) fn welcome_text(welcome: &Welcome) -> String {
    let Welcome { server, name, total, motd, .. } = welcome;
    let text = format!("welcome to {}, {name}; {} here", server.name, users_are(*total));
    if motd.is_empty() { text } else { format!("{text}\n{motd}") }
}

/// `alice, bob and 3 more joined`, or `40 users joined`.
pub(super) fn crowd_text(crowd: &Crowd, verb: &str) -> String {
    let more = crowd.count.saturating_sub(crowd.names.len());
    match (crowd.names.as_slice(), more) {
        ([], more) => format!("{} {verb}", count_users(more)),
        ([one], 0) => format!("{one} {verb}"),
        ([most @ .., last], 0) => format!("{} and {last} {verb}", most.join(", ")),
        (names, more) => format!("{} and {more} more {verb}", names.join(", ")),
    }
}

pub(super) fn users_text(users: &[UserInfo], total: usize, next: Option<&str>) -> String {
    let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
    let text = format!("{}: {}", count_users(total), names.join(", "));
    match next {
        Some(next) => format!("{text} ... (/users {next} shows more)"),
        None => text,
    }
}

pub(super) fn whois_text(user: &UserInfo) -> String {
    let mut text = format!("{} from {}", user.name, user.ip);
    if let Some(since) = &user.since {
        text += &format!(", here since {since}");
    }
    if let Some(sessions) = user.sessions.filter(|sessions| *sessions != 1) {
        text += &format!(", {sessions} sessions");
    }
    if user.operator == Some(true) {
        text += ", operator";
    }
    if user.plaintext == Some(true) {
        text += ", (plaintext)";
    }
    text + &match &user.key {
        None => ", unverified".into(),
        // The digits are what people compare with one another.
        Some(key) => key
            .parse()
            .map_or_else(|_| format!(", key {key}"), |key: Fingerprint| format!(", key {}", key.spoken())),
    }
}

/// One line each, and how many are not shown.
pub(super) fn bans_text(bans: &[BanInfo], total: usize) -> String {
    let line = |ban: &BanInfo| {
        let done = if ban.kind == "mute" { "muted" } else { "banned" };
        let name = ban.name.as_ref().map_or(String::new(), |name| format!(" ({name})"));
        let until = ban.until.as_ref().map_or("forever".into(), |until| format!("until {until}"));
        format!("{}{name} {done} by {} {until}", ban.who, ban.by)
    };
    match (bans.len(), total.saturating_sub(bans.len())) {
        (0, 0) => "nobody is banned or muted".into(),
        (_, older) => {
            let more = (older > 0).then(|| format!("and {older} older ones"));
            bans.iter().map(line).chain(more).collect::<Vec<_>>().join("\n")
        }
    }
}
