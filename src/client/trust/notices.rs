//! The texts about a server's key, for the user. Pure; everything that leaves here is safe for the terminal.

use std::net::SocketAddr;

use crate::fingerprint::Fingerprint;
use crate::security::KnownServer;
use crate::text::safe_line;

/// For a key that nobody has verified.
pub(crate) const NOT_VERIFIED: &str = "Not verified yet. To rule out an impostor, compare these numbers with the \
    output of `lanchat fingerprint` on the server, then type /verify at the prompt.";

/// The same where there is no prompt.
pub(crate) const NOT_VERIFIED_BRIEFLY: &str = "Not verified yet: to rule out an impostor, compare the key with the \
    output of `lanchat fingerprint` on the server.";

/// Names a server by its address, and by its name if it has told one.
fn who(name: &str, addr: SocketAddr) -> String {
    match name {
        "" => format!("The server at {addr}"),
        name => format!("\"{}\" ({addr})", safe_line(name)),
    }
}

/// The first group of digits, to tell two keys apart.
fn brief(key: Fingerprint) -> String {
    format!("{} ...", &key.spoken()[..5])
}

/// Another server answered here before.
pub(crate) fn there_before(before: &KnownServer) -> String {
    let (name, digits) = (safe_line(&before.name), brief(before.fp));
    format!("Before, \"{name}\" ({digits}) answered at this address.")
}

/// A new server. For a closed one, the passphrase will verify the key in a moment.
pub(crate) fn first_contact(
    name: &str,
    addr: SocketAddr,
    key: Fingerprint,
    before: Option<&KnownServer>,
    closed: bool,
) -> Vec<String> {
    let mut lines = vec![
        format!("New server {}, encrypted.", who(name, addr)),
        format!("  key   {key}"),
        format!("  aloud {}", key.spoken()),
    ];
    if let Some(before) = before {
        lines.push(there_before(before));
    }
    if !closed {
        lines.push(NOT_VERIFIED.into());
    }
    lines
}

/// The same as one line, for `send` and `tail`: what they write besides messages ends up in mails and logs.
pub(crate) fn first_contact_briefly(
    name: &str,
    addr: SocketAddr,
    key: Fingerprint,
    before: Option<&KnownServer>,
    closed: bool,
) -> String {
    let mut line = format!("New server {}, with the key {key}.", who(name, addr));
    for sentence in before.map(there_before).into_iter().chain((!closed).then(|| NOT_VERIFIED_BRIEFLY.into()))
    {
        line = line + " " + &sentence;
    }
    line
}

/// The digits of the known key and of the present one.
fn compared(known: &KnownServer, now: &str, key: Fingerprint) -> [String; 2] {
    let verified = if known.is_verified() { ", verified" } else { "" };
    let before = format!("known since {}{verified}:", safe_line(known.since()));
    let width = before.len().max(now.len());
    [format!("  {before:width$}  {}", known.fp.spoken()), format!("  {now:width$}  {}", key.spoken())]
}

/// A known server with another key. `which` names it unambiguously.
pub(crate) fn changed(
    name: &str,
    addr: SocketAddr,
    key: Fingerprint,
    known: &KnownServer,
    which: &str,
) -> Vec<String> {
    let name = if name.is_empty() { &known.name } else { name };
    let [before, now] = compared(known, "presented now:", key);
    vec![
        format!("REFUSED: {} does not have the key it had before. Nothing was sent.", who(name, addr)),
        before,
        now,
        "The server was reinstalled, another server has this address now, or someone is impersonating it. Ask its \
         administrator to read out `lanchat fingerprint`. If that is the new number, run:"
            .into(),
        format!("  lanchat trust --replace {} {key}", word(which)),
        "If it is the number of a different server with the same name, run:".into(),
        format!("  lanchat trust {} {key}", word(name)),
    ]
}

/// A different server with a known server's name. `label` selects it, where `--server` applies.
pub(crate) fn another(
    name: &str,
    addr: SocketAddr,
    key: Fingerprint,
    known: &KnownServer,
    label: Option<&str>,
) -> Vec<String> {
    let [before, now] = compared(known, "this one:", key);
    let picked = label.map(|label| format!("`lanchat --server {label}`, or permanently:"));
    vec![
        format!(
            "REFUSED: {} is not the \"{}\" that you know. Nothing was sent.",
            who(name, addr),
            safe_line(&known.name)
        ),
        before,
        now,
        format!(
            "Many machines share a name, and anyone can take one. To join this server as well, run: {}",
            picked.unwrap_or_default()
        )
        .trim_end()
        .to_owned(),
        format!("  lanchat trust {} {key}", word(name)),
    ]
}

/// Shown before the user decides about a namesake.
pub(crate) fn not_the_known(known: &KnownServer) -> String {
    format!(
        "You have known another \"{}\" since {} ({}). This is a different server and gets nothing meant for that one.",
        safe_line(&known.name),
        safe_line(known.since()),
        brief(known.fp)
    )
}

pub(crate) const JOIN_NAMESAKE: &str = "Join this server anyway? [y/N] ";

/// The user declined a namesake.
pub(crate) fn not_joined(name: &str) -> String {
    format!(
        "did not join \"{}\", and sent nothing; to pick another server: --server NAME-ID",
        safe_line(name)
    )
}

/// A known server with the name of one that was used more recently.
pub(crate) fn other(known: &KnownServer, last: &KnownServer) -> String {
    format!(
        "You know several servers called \"{}\": this is {}, not the one that you used last ({}).",
        safe_line(&known.name),
        brief(known.fp),
        brief(last.fp)
    )
}

/// A server without any of the keys that the user named.
pub(crate) fn not_named(
    name: &str,
    addr: SocketAddr,
    key: Fingerprint,
    named: &[Fingerprint],
) -> Vec<String> {
    let mut lines = vec![format!(
        "REFUSED: {} does not have the key that --fingerprint or the link names. Nothing was sent.",
        who(name, addr)
    )];
    lines.extend(named.iter().map(|named| format!("  named:          {}", named.spoken())));
    lines.push(format!("  presented now:  {}", key.spoken()));
    lines.push(
        "Another server is at that address, or someone is impersonating the server that you want. Ask its \
         administrator for a new link (`lanchat invite`)."
            .into(),
    );
    lines
}

/// A server that is missing in the system's list.
pub(crate) fn not_listed(name: &str, addr: SocketAddr, key: Fingerprint) -> Vec<String> {
    vec![
        format!(
            "REFUSED: {} has a key that this machine's list of servers does not have. Nothing was sent.",
            who(name, addr)
        ),
        format!("  presented now:  {}", key.spoken()),
        "Ask the administrator of this machine; the list is the file known_servers in lanchat's system-wide \
         settings directory."
            .into(),
    ]
}

/// A new server that wanted no proof, although the user gave a passphrase.
pub(crate) fn unproven(name: &str) -> String {
    format!(
        "\"{}\" did not ask for the passphrase, so it may be a different server; only your name was sent. To join \
         anyway, leave out --passphrase-file",
        safe_line(name)
    )
}

/// A known server under a new name, which may be another server's.
pub(crate) fn renamed(known: &KnownServer, name: &str) -> Option<String> {
    let is_other = !name.is_empty() && !known.name.is_empty() && safe_line(name) != safe_line(&known.name);
    is_other.then(|| {
        let (before, now) = (safe_line(&known.name), safe_line(name));
        format!("The server that you know as \"{before}\" now calls itself \"{now}\" ({}).", brief(known.fp))
    })
}

/// Other servers with the name of the one that is joined.
pub(crate) fn namesakes(name: &str, key: Fingerprint, others: &[String]) -> Vec<String> {
    let brief_id = |id: &String| {
        let short = || safe_line(id.get(..8).unwrap_or(id));
        Fingerprint::from_id(id).map_or_else(short, brief)
    };
    let ignored: Vec<String> = others.iter().take(3).map(brief_id).collect();
    let (count, rest) = match others.len() {
        0 => return Vec::new(),
        1 => ("Two".to_owned(), format!("The other one ({}) was ignored.", ignored[0])),
        n => (format!("{}", n + 1), format!("The others ({}) were ignored.", ignored.join(", "))),
    };
    vec![format!(
        "{count} servers call themselves \"{}\". Joining the one you know ({}). {rest}",
        safe_line(name),
        brief(key)
    )]
}

/// A closed server that proved that it knows the passphrase.
pub(crate) fn proven(name: &str) -> String {
    format!("Verified: \"{}\" knows the passphrase.", safe_line(name))
}

pub(crate) fn plaintext(name: &str) -> String {
    format!(
        "Not encrypted: anyone on the way to \"{}\" can read and change messages, and nobody is verified.",
        safe_line(name)
    )
}

/// Quotes a name as one word for a shell.
fn word(name: &str) -> String {
    let name = safe_line(name);
    let is_tame = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ',');
    if name.chars().all(is_tame) && !name.starts_with('-') {
        return format!("\"{name}\"");
    }
    let dashes = if name.starts_with('-') { "-- " } else { "" };
    format!("{dashes}'{}'", name.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_server_under_another_name_is_told_of() {
        let server = known("Fun");
        assert_eq!(renamed(&server, "Fun"), None);
        assert_eq!(renamed(&server, ""), None);
        let told = renamed(&server, "Off\u{1b}ice").unwrap();
        let start = "The server that you know as \"Fun\" now calls itself \"Off\u{fffd}ice\" (";
        assert!(told.starts_with(start), "{told}");
    }
    use crate::security::{KnownServers, Presented, TrustBasis};

    const KEY: &str = "SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844";
    const OTHER: &str = "SHA256:Yb0TGq_FApVIJ7dLPY6YpfIaPqgLLJoOzWIXHqw_8lM";

    fn addr() -> SocketAddr {
        "192.168.1.20:7700".parse().unwrap()
    }

    fn key(text: &str) -> Fingerprint {
        text.parse().unwrap()
    }

    fn known(name: &str) -> KnownServer {
        let mut known = KnownServers::default();
        known.remember(&Presented::found(key(KEY), name, addr()), TrustBasis::Digits);
        let mut known = known.last_used().unwrap().clone();
        known.first = "2026-11-21T12:00:00.000Z".into();
        known
    }

    #[test]
    fn a_first_contact_shows_the_key_and_what_to_do() {
        assert_eq!(
            first_contact("Office", addr(), key(KEY), None, false),
            [
                "New server \"Office\" (192.168.1.20:7700), encrypted.",
                "  key   SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844",
                "  aloud 44395 65761 63212 62593 98052 22766",
                "Not verified yet. To rule out an impostor, compare these numbers with the output of \
                 `lanchat fingerprint` on the server, then type /verify at the prompt.",
            ]
        );
        assert_eq!(
            first_contact_briefly("Office", addr(), key(KEY), Some(&known("Lab")), false),
            "New server \"Office\" (192.168.1.20:7700), with the key SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844. \
             Before, \"Lab\" (44395 ...) answered at this address. Not verified yet: to rule out an impostor, \
             compare the key with the output of `lanchat fingerprint` on the server."
        );
        let moved = first_contact("Lab", addr(), key(KEY), Some(&known("Office")), true);
        assert_eq!(moved[3..], ["Before, \"Office\" (44395 ...) answered at this address."]);
    }

    #[test]
    fn a_changed_key_shows_both_and_the_remedy() {
        assert_eq!(
            changed("Office", addr(), key(OTHER), &known("Office"), "Office"),
            [
                "REFUSED: \"Office\" (192.168.1.20:7700) does not have the key it had before. Nothing was sent.",
                "  known since 2026-11-21, verified:  44395 65761 63212 62593 98052 22766",
                &format!("  presented now:                     {}", key(OTHER).spoken()),
                "The server was reinstalled, another server has this address now, or someone is impersonating it. \
                 Ask its administrator to read out \
                 `lanchat fingerprint`. If that is the new number, run:",
                "  lanchat trust --replace \"Office\" SHA256:Yb0TGq_FApVIJ7dLPY6YpfIaPqgLLJoOzWIXHqw_8lM",
                "If it is the number of a different server with the same name, run:",
                "  lanchat trust \"Office\" SHA256:Yb0TGq_FApVIJ7dLPY6YpfIaPqgLLJoOzWIXHqw_8lM",
            ]
        );
    }

    #[test]
    fn a_namesake_shows_both_and_how_it_is_joined() {
        let lines = another("Office", addr(), key(OTHER), &known("Office"), Some("office-61bd131a"));
        assert_eq!(
            lines,
            [
                "REFUSED: \"Office\" (192.168.1.20:7700) is not the \"Office\" that you know. Nothing was sent.",
                "  known since 2026-11-21, verified:  44395 65761 63212 62593 98052 22766",
                &format!("  this one:                          {}", key(OTHER).spoken()),
                "Many machines share a name, and anyone can take one. To join this server as well, run: \
                 `lanchat --server office-61bd131a`, or permanently:",
                "  lanchat trust \"Office\" SHA256:Yb0TGq_FApVIJ7dLPY6YpfIaPqgLLJoOzWIXHqw_8lM",
            ]
        );
        let asked_for = another("Office", addr(), key(OTHER), &known("Office"), None);
        assert!(asked_for[3].ends_with("as well, run:"), "{asked_for:?}");
    }

    #[test]
    fn twins_are_told_apart_by_their_digits() {
        assert_eq!(
            namesakes("Office", key(KEY), &[key(OTHER).id()]),
            [format!(
                "Two servers call themselves \"Office\". Joining the one you know (44395 ...). The other one \
                 ({} ...) was ignored.",
                &key(OTHER).spoken()[..5]
            )]
        );
        let more = namesakes("Office", key(KEY), &["0011223344556677".into(), "8899".into()]);
        assert!(more[0].starts_with("3 servers") && more[0].contains("(00112233, 8899) were"), "{more:?}");
        assert!(namesakes("Office", key(KEY), &[]).is_empty());
    }

    #[test]
    fn a_name_from_the_network_is_no_command_for_terminal_or_shell() {
        let hostile = "a\x1b[2J\u{202e}\n$(reboot)`x`'";
        let server = known(hostile);
        let all = [
            first_contact(hostile, addr(), key(KEY), Some(&server), false),
            vec![first_contact_briefly(hostile, addr(), key(KEY), Some(&server), false)],
            changed(hostile, addr(), key(OTHER), &server, hostile),
            not_named(hostile, addr(), key(OTHER), &[key(KEY)]),
            not_listed(hostile, addr(), key(OTHER)),
            namesakes(hostile, key(KEY), &["\x1b[2J".into(), "\x1b".into()]),
            vec![plaintext(hostile), not_the_known(&server), not_joined(hostile), other(&server, &server)],
            another(hostile, addr(), key(OTHER), &server, None),
        ];
        for line in all.iter().flatten() {
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
        for (remedy, start) in [
            (&all[2][4], "  lanchat trust --replace 'a"),
            (&all[2][6], "  lanchat trust 'a"),
            (&all[7][4], "  lanchat trust 'a"),
        ] {
            assert!(remedy.contains(r"$(reboot)`x`'\''' SHA256:"), "{remedy}");
            assert!(remedy.starts_with(start), "{remedy}");
        }
        assert_eq!(word("-rf"), "-- '-rf'");
    }
}
