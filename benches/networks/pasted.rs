//! The remedies that `doctor` prints, tried as they stand: `nft` lines by running them, `ufw` lines by what
//! they come to in nftables, as the firewall of a namespace is no ufw's.

use super::lan::Host;
use std::process::{Command, Stdio};

/// The commands in the doctor's text that open something in a firewall: each stands behind the words for its
/// place.
pub fn remedies(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (_, line) in text.lines().filter_map(|line| line.split_once("sudo ")) {
        let line = line.trim().trim_end_matches([',', '.', ';']);
        let is_one = line.starts_with("ufw allow ") || line.starts_with("nft insert ");
        if is_one && !found.iter().any(|known| known == line) {
            found.push(line.to_owned());
        }
    }
    found
}

/// Pastes a command on a host; whether it was taken.
pub fn paste(host: &Host, line: &str) -> bool {
    let line = match line.strip_prefix("ufw allow ") {
        Some(what) => match rule(what) {
            Some(rule) => format!("nft insert rule inet f i {rule} accept"),
            None => return false,
        },
        None => line.to_owned(),
    };
    let mut command = Command::new("sh");
    command.args(["-c", &line]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    host.run(|| command.status()).is_ok_and(|status| status.success())
}

/// The rule of `ufw allow` in nftables' syntax.
fn rule(what: &str) -> Option<String> {
    let words: Vec<&str> = what.split_whitespace().collect();
    let after = |word: &str| words.iter().position(|other| *other == word).and_then(|at| words.get(at + 1));
    if let [single] = words.as_slice() {
        let (port, protocol) = single.split_once('/').unwrap_or((single, "tcp"));
        return port.parse::<u16>().ok().map(|port| format!("{protocol} dport {port}"));
    }
    let protocol = after("proto")?;
    // `from any port N`, and `to any port N`.
    let port = |side: &str| {
        let at = words.iter().position(|word| *word == side)?;
        (words.get(at + 2) == Some(&"port")).then(|| words.get(at + 3)).flatten()
    };
    match (port("from"), port("to")) {
        (Some(from), _) => Some(format!("{protocol} sport {from}")),
        (None, Some(to)) => Some(format!("{protocol} dport {to}")),
        (None, None) => None,
    }
}
