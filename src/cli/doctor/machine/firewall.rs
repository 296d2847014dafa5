//! The firewalls on this machine: ufw, firewalld, and nft, on which both are built.

use crate::limits::{DOCTOR_COMMAND, MDNS_PORT};
use std::fs;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

/// Longest ruleset that is read, in bytes; a machine with containers can have ten thousand rules.
const MAX_ANSWER_BYTES: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proto {
    Tcp,
    Udp,
}

impl Proto {
    /// Its name in firewall rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Proto::Tcp => "tcp",
            Proto::Udp => "udp",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Firewall {
    /// ufw; its rules, if this user may read them.
    Ufw(Option<String>),
    /// firewalld; its rules in the active zones, if it lists them.
    Firewalld(Option<String>),
    Nft {
        /// The output of `nft list ruleset`.
        rules: String,
        /// The table and chain that filter incoming packets, such as `inet filter input`.
        chain: Option<String>,
    },
}

impl Firewall {
    pub fn name(&self) -> &'static str {
        match self {
            Firewall::Ufw(_) => "ufw",
            Firewall::Firewalld(_) => "firewalld",
            Firewall::Nft { .. } => "nft",
        }
    }

    /// Whether it lets packets to that port through; `None` if unknown.
    pub(super) fn lets(&self, flow: Direction, proto: Proto, port: u16) -> Option<bool> {
        match (self, flow) {
            (Firewall::Ufw(rules), Direction::In) => ufw_lets(rules.as_deref()?, proto, port),
            (Firewall::Firewalld(rules), Direction::In) => firewalld_lets(rules.as_deref()?, proto, port),
            (Firewall::Nft { rules, .. }, flow) => nft_lets(rules, flow, proto, port),
            _ => None,
        }
    }
}

/// Asks the firewalls' own programs for their rules. Takes up to 1.5 s.
pub(in crate::cli::doctor) fn firewalls() -> Vec<Firewall> {
    let mut found = Vec::new();
    let is_on = |text: &str| text.lines().any(|line| line.trim().eq_ignore_ascii_case("ENABLED=yes"));
    if fs::read_to_string("/etc/ufw/ufw.conf").is_ok_and(|text| is_on(&text)) {
        found.push(Firewall::Ufw(fs::read_to_string("/etc/ufw/user.rules").ok()));
    }
    // In parallel, as either may take a while.
    let zones = thread::spawn(|| {
        output_of("firewall-cmd", &["--state"]).and_then(|_| output_of("firewall-cmd", &["--list-all"]))
    });
    let rules = output_of("nft", &["list", "ruleset"]);
    let state = zones.join().ok().flatten();
    if state.is_some() {
        found.push(Firewall::Firewalld(state));
    }
    if let Some(rules) = rules.filter(|rules| filters(rules)) {
        let chain = input_chain(&rules);
        found.push(Firewall::Nft { rules, chain });
    }
    found
}

/// Returns a program's output if it succeeds in time.
fn output_of(program: &str, args: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stderr(Stdio::null());
    let (sender, answer) = mpsc::channel();
    // The thread ends with the program that it waits for, at the latest with this one.
    thread::spawn(move || sender.send(command.output()));
    let output = answer.recv_timeout(DOCTOR_COMMAND).ok()?.ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.chars().take(MAX_ANSWER_BYTES).collect())
}

/// Reads ufw's lines `### tuple ### allow tcp 7667 0.0.0.0/0 any 0.0.0.0/0 in`; by default, ufw drops
/// everything else.
fn ufw_lets(rules: &str, proto: Proto, port: u16) -> Option<bool> {
    if proto == Proto::Udp && port == MDNS_PORT {
        // ufw's defaults let mDNS in, but these rules do not show it.
        return None;
    }
    let tuples = rules.lines().filter_map(|line| line.strip_prefix("### tuple ###"));
    for tuple in tuples {
        let columns: Vec<&str> = tuple.split_whitespace().collect();
        let [action, kind, ports, ..] = columns.as_slice() else { continue };
        let is_kind = *kind == "any" || *kind == proto.as_str();
        if is_kind && tuple.trim_end().contains(" in") && (*ports == "any" || covers(ports, port)) {
            return Some(*action == "allow" || *action == "limit");
        }
    }
    Some(false)
}

/// Reads the lines `ports: 7667/tcp` and `services: ssh mdns` of `firewall-cmd --list-all`.
fn firewalld_lets(rules: &str, proto: Proto, port: u16) -> Option<bool> {
    let line = |name: &str| {
        rules
            .lines()
            .filter_map(|line| line.trim().strip_prefix(name))
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ")
    };
    if rules.contains("target: ACCEPT") {
        return Some(true);
    }
    let mdns = proto == Proto::Udp
        && port == MDNS_PORT
        && line("services:").split_whitespace().any(|is| is == "mdns");
    let named = line("ports:").split_whitespace().any(|rule| {
        rule.split_once('/').is_some_and(|(ports, kind)| kind == proto.as_str() && covers(ports, port))
    });
    // Rich rules may override this.
    let is_rich = rules.contains("rule ");
    if mdns || named { Some(true) } else { (!is_rich).then_some(false) }
}

/// Whether a list of ports and ranges, such as `7667`, `7000:8000` or `7000-8000`, contains the port.
fn covers(ports: &str, port: u16) -> bool {
    ports.split(',').map(str::trim).any(|part| match part.split_once([':', '-']) {
        Some((from, to)) => {
            let bounds = (from.trim().parse::<u16>(), to.trim().parse::<u16>());
            matches!(bounds, (Ok(from), Ok(to)) if (from..=to).contains(&port))
        }
        None => part.parse() == Ok(port),
    })
}

/// Whether a ruleset drops any incoming or outgoing packets.
fn filters(rules: &str) -> bool {
    let is_hook = |line: &str| line.contains("hook input") || line.contains("hook output");
    rules.lines().any(is_hook) && ["policy drop", " drop", "reject"].iter().any(|word| rules.contains(word))
}

/// Finds the table and chain that filter incoming packets, such as `inet filter input`: new rules go there.
fn input_chain(rules: &str) -> Option<String> {
    let (mut table, mut chain) = ("", "");
    for line in rules.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("table ") {
            table = name.trim_end_matches('{').trim();
        } else if let Some(name) = line.strip_prefix("chain ") {
            chain = name.trim_end_matches('{').trim();
        } else if line.contains("hook input") && line.contains("type filter") {
            return Some(format!("{table} {chain}"));
        }
    }
    None
}

/// Reads nft's rules cautiously: the first rule for the port counts, in the direction's chain or in one that it
/// may jump to, then the chain's policy. Rules that depend on more than the port count as unknown.
fn nft_lets(rules: &str, flow: Direction, proto: Proto, port: u16) -> Option<bool> {
    let hook = match flow {
        Direction::In => "hook input",
        Direction::Out => "hook output",
    };
    let (mut is_meant, mut is_base, mut drops, mut is_unsure, mut has_chain) =
        (false, false, false, false, false);
    let mut verdict = None;
    for line in rules.lines().map(str::trim) {
        if line.starts_with("chain ") {
            // Any chain may jump to a chain without a hook.
            (is_meant, is_base) = (true, false);
        } else if line.contains(" hook ") {
            is_base = line.contains(hook) && line.contains("type filter");
            is_meant = is_base;
            has_chain |= is_meant;
            drops |= is_meant && line.contains("policy drop");
        } else if is_meant && !line.is_empty() && line != "}" {
            match read_rule(line, proto, port) {
                Rule::Port(accepts) => verdict = verdict.or(Some(accepts)),
                Rule::Rest(accepts) if is_base => verdict = verdict.or(Some(accepts)),
                Rule::Rest(_) | Rule::Other => {}
                Rule::Unsure => is_unsure = true,
            }
        }
    }
    match verdict {
        _ if !has_chain => None,
        Some(accepts) => Some(accepts),
        None if is_unsure => None,
        None => Some(!drops),
    }
}

/// The effect of a rule on packets to a port.
enum Rule {
    /// Accepts or drops packets to that port.
    Port(bool),
    /// Accepts or drops all remaining packets.
    Rest(bool),
    /// Concerns other packets.
    Other,
    /// May concern packets to that port.
    Unsure,
}

fn read_rule(line: &str, proto: Proto, port: u16) -> Rule {
    let ends = |words: &[&str]| words.iter().any(|word| line.split_whitespace().any(|part| part == *word));
    let (accepts, drops) = (ends(&["accept"]), ends(&["drop", "reject"]));
    let key = format!("{} dport ", proto.as_str());
    if let Some(at) = line.find(&key) {
        let rest = &line[at + key.len()..];
        let ports = match rest.strip_prefix('{') {
            Some(set) => set.split('}').next().unwrap_or_default(),
            None => rest.split_whitespace().next().unwrap_or_default(),
        };
        if ports.contains('@') || ports.starts_with("!=") {
            return Rule::Unsure;
        }
        return match (covers(ports, port), accepts, drops) {
            (false, ..) => Rule::Other,
            // With an address in the rule, it concerns only some packets.
            (true, ..) if line.contains("addr") => Rule::Unsure,
            (true, true, _) => Rule::Port(true),
            (true, _, true) => Rule::Port(false),
            (true, ..) => Rule::Unsure,
        };
    }
    let is_conditional =
        ["ct state", "iif", "oif", "icmp", "dport", "sport", "addr", "meta l4proto", "type ", "limit"]
            .iter()
            .any(|word| line.contains(word));
    match (accepts, drops) {
        _ if is_conditional => Rule::Other,
        (true, _) => Rule::Rest(true),
        (_, true) => Rule::Rest(false),
        _ if line.contains("jump") || line.contains("goto") || line.contains("vmap") => Rule::Unsure,
        _ => Rule::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nft(rules: &str) -> String {
        format!(
            "table inet f {{\n\tchain i {{\n\t\ttype filter hook input priority filter; policy drop;\n\
             \t\tiif \"lo\" accept\n\t\tct state established,related accept\n\
             \t\tmeta l4proto {{ icmp, ipv6-icmp }} accept\n\t\t{rules}\n\t}}\n}}\n"
        )
    }

    #[test]
    fn a_ruleset_says_which_ports_it_lets_in() {
        let lets = |rules: &str, proto, port| nft_lets(&nft(rules), Direction::In, proto, port);
        assert_eq!(lets("tcp dport 7667 accept", Proto::Tcp, 7667), Some(true));
        assert_eq!(lets("tcp dport 7667 accept", Proto::Udp, 5353), Some(false));
        assert_eq!(lets("tcp dport { 22, 7000-8000 } accept", Proto::Tcp, 7667), Some(true));
        assert_eq!(lets("udp dport 5353 accept", Proto::Tcp, 7667), Some(false));
        assert_eq!(lets("tcp dport 7667 reject with tcp reset", Proto::Tcp, 7667), Some(false));
        assert_eq!(lets("jump more", Proto::Tcp, 7667), None);
        assert_eq!(lets("tcp dport @open accept", Proto::Tcp, 7667), None);
        assert_eq!(lets("ip daddr 224.0.0.251 udp dport 5353 accept", Proto::Udp, 5353), None);
        assert_eq!(nft_lets(&nft(""), Direction::Out, Proto::Tcp, 7667), None);
        let out = "table inet f {\n\tchain o {\n\t\ttype filter hook output priority filter; policy accept;\n\
                   \t\tudp dport 5353 drop\n\t}\n}\n";
        assert_eq!(nft_lets(out, Direction::Out, Proto::Udp, 5353), Some(false));
        assert_eq!(nft_lets(out, Direction::Out, Proto::Tcp, 7667), Some(true));
        assert_eq!(nft_lets("", Direction::In, Proto::Tcp, 7667), None);
    }

    #[test]
    fn the_chain_for_a_new_rule_is_the_one_that_filters_what_comes_in() {
        assert_eq!(input_chain(&nft("")).as_deref(), Some("inet f i"));
        assert_eq!(input_chain("table ip nat {\n\tchain x {\n\t}\n}\n"), None);
        assert!(filters(&nft("")) && !filters("table inet f {\n}\n"));
    }

    #[test]
    fn ufw_drops_what_its_rules_do_not_name() {
        let rules = "*filter\n### tuple ### allow any 22 0.0.0.0/0 any 0.0.0.0/0 in\n\
                     ### tuple ### allow tcp 7000:8000 0.0.0.0/0 any 0.0.0.0/0 in\n";
        assert_eq!(ufw_lets(rules, Proto::Tcp, 22), Some(true));
        assert_eq!(ufw_lets(rules, Proto::Tcp, 7667), Some(true));
        assert_eq!(ufw_lets(rules, Proto::Tcp, 9000), Some(false));
        assert_eq!(ufw_lets(rules, Proto::Udp, 5353), None);
    }

    #[test]
    fn firewalld_lists_ports_and_services() {
        let rules =
            "public (active)\n  target: default\n  services: ssh mdns\n  ports: 7667/tcp\n  rich rules: \n";
        assert_eq!(firewalld_lets(rules, Proto::Tcp, 7667), Some(true));
        assert_eq!(firewalld_lets(rules, Proto::Udp, 5353), Some(true));
        assert_eq!(firewalld_lets(rules, Proto::Tcp, 80), Some(false));
        assert_eq!(firewalld_lets("trusted\n  target: ACCEPT\n", Proto::Tcp, 80), Some(true));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "(\\PC|\n)*") {
            let _ = (nft_lets(&text, Direction::In, Proto::Tcp, 1), input_chain(&text), filters(&text));
            let _ = (ufw_lets(&text, Proto::Tcp, 1), firewalld_lets(&text, Proto::Tcp, 1));
        }
    }
}
