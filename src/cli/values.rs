//! The values of options, environment variables and the config file.
//!
//! Each parses from a string, with errors for users, and does no I/O.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::limits::MAX_HISTORY_ASKED;
use crate::name::{RoomName, RoomNameError, with_hash};
use crate::protocol::term::duration;

/// A host with an optional port: `office`, `office:7667`, `192.168.1.20`, `[fe80::1%eth0]:7667`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    /// A name or an address; an IPv6 address without brackets, but with its scope id.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => split_brackets(rest)?,
            None => split_plain(text),
        };
        check_host(host)?;
        let port = port.map(parse_port).transpose()?;
        Ok(Self { host: host.to_owned(), port })
    }
}

/// Splits the text after an opening bracket: an IPv6 address, the closing bracket, and perhaps a port.
fn split_brackets(rest: &str) -> Result<(&str, Option<&str>), String> {
    let (host, tail) = rest.split_once(']').ok_or("the closing ']' is missing")?;
    if !is_ipv6(host) {
        return Err(format!("'{host}' is not an IPv6 address; write other hosts without brackets"));
    }
    match tail.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if tail.is_empty() => Ok((host, None)),
        None => Err(format!("expected ':PORT' after ']', not '{tail}'")),
    }
}

/// Splits a host without brackets: with more than one colon, it can only be an IPv6 address without a port.
fn split_plain(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (text, None),
    }
}

fn is_ipv6(text: &str) -> bool {
    let (address, scope) = text.split_once('%').unwrap_or((text, "1"));
    !scope.is_empty() && address.parse::<std::net::Ipv6Addr>().is_ok()
}

fn check_host(host: &str) -> Result<(), String> {
    if host.is_empty() {
        return Err("the host is empty; give a name or an address".to_owned());
    }
    if host.contains("://") {
        return Err(format!("'{host}' is a URL; give HOST[:PORT], or a link that starts with lanchat://"));
    }
    if host.contains(':') && !is_ipv6(host) {
        return Err(format!("'{host}' is not an IPv6 address"));
    }
    if host.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.is_unicast_link_local()) {
        return Err(format!("'{host}' is link-local: add the interface, as in '{host}%eth0'"));
    }
    match host
        .chars()
        .find(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '[' | ']' | '#' | '?'))
    {
        Some(bad) => Err(format!("a host cannot contain {bad:?}")),
        None => Ok(()),
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("invalid port '{text}'; use a number from 1 to 65535")),
        Ok(port) => Ok(port),
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.port, self.host.contains(':')) {
            (None, _) => write!(f, "{}", self.host),
            (Some(port), true) => write!(f, "[{}]:{port}", self.host),
            (Some(port), false) => write!(f, "{}:{port}", self.host),
        }
    }
}

/// Parses a duration above zero, written `5s`, `1m 30s`, `2min` or `PT5S`.
pub(crate) fn positive_duration(text: &str) -> Result<Duration, String> {
    let duration = duration(text).ok_or("expected a duration such as 500ms, 5s or 2min")?;
    if duration.is_zero() { Err("the duration must be above zero".to_owned()) } else { Ok(duration) }
}

/// Parses a room, and adds the `#` that a shell takes for a comment if it is not quoted.
pub(crate) fn room(text: &str) -> Result<RoomName, RoomNameError> {
    if text.is_empty() { RoomName::new(text) } else { RoomName::new(&with_hash(text)) }
}

/// Parses how many messages to start with. `-n` was short for `--name` once.
pub(crate) fn last(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(count @ 1..=MAX_HISTORY_ASKED) => Ok(count),
        Ok(_) => Err(format!("use a number from 1 to {MAX_HISTORY_ASKED}")),
        Err(_) => Err(format!("expected a number from 1 to {MAX_HISTORY_ASKED}; your name needs --name")),
    }
}

/// A number of bytes, written `65536`, `64KiB`, `10M`, `1MiB` or `2GB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// The letters of units in lower case. As elsewhere, a letter alone counts in steps of 1024, as with `iB`, and one
/// with `B` in steps of 1000.
const UNITS: [char; 4] = ['k', 'm', 'g', 't'];

/// The bytes of a unit in lower case.
fn unit_bytes(unit: &str) -> Option<u64> {
    let Some(letter) = unit.chars().next().filter(|_| unit != "b") else { return Some(1) };
    let power = u32::try_from(UNITS.iter().position(|known| *known == letter)?).ok()? + 1;
    match &unit[1..] {
        "" | "i" | "ib" => Some(1024_u64.pow(power)),
        "b" => Some(1000_u64.pow(power)),
        _ => None,
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "expected a size such as 65536, 10M, 256KiB or 2GB".to_owned();
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = text[digits.len()..].trim().to_lowercase();
        let count: u64 = digits.parse().map_err(|_| wanted())?;
        let bytes = unit_bytes(&unit).ok_or_else(wanted)?;
        let bytes = count.checked_mul(bytes).ok_or("the size is too large")?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Size {
    /// Prints the size in the largest unit that gives a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
        match units.into_iter().find(|(_, bits)| self.0 != 0 && self.0.is_multiple_of(1 << bits)) {
            Some((unit, bits)) => write!(f, "{}{unit}", self.0 >> bits),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// A number above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) usize);

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = text.parse::<std::num::NonZeroU32>().ok().and_then(|count| count.get().try_into().ok());
        count.map(Self).ok_or_else(|| "expected a number above zero".to_owned())
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The word that removes a bound.
const OFF: &str = "off";

/// A bound that an option sets, or removes with the word `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound<T> {
    At(T),
    Off,
}

impl<T> Bound<T> {
    pub(crate) fn get(self) -> Option<T> {
        match self {
            Self::At(bound) => Some(bound),
            Self::Off => None,
        }
    }
}

impl<T: FromStr<Err: fmt::Display>> FromStr for Bound<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.eq_ignore_ascii_case(OFF) {
            true => Ok(Self::Off),
            false => text.parse().map(Self::At).map_err(|why| format!("{why}, or {OFF}")),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Bound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(bound) => bound.fmt(f),
            Self::Off => f.write_str(OFF),
        }
    }
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal that supports it, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// In pipes and files too.
    Always,
    /// Never.
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// How much to log. Other subcommands than a server log errors only: they report to the user in other ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogLevel {
    Error = 0,
    Warn = 1,
    Info = 2,
    Debug = 3,
    Trace = 4,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Result<(String, Option<u16>), String> {
        text.parse().map(|at: HostPort| (at.host, at.port))
    }

    #[test]
    fn hosts_parse_with_and_without_a_port() {
        let cases = [
            ("office", "office", None),
            ("office:7700", "office", Some(7700)),
            ("192.168.1.20:1", "192.168.1.20", Some(1)),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
            ("[::1]:7667", "::1", Some(7667)),
            ("fe80::1%eth0", "fe80::1%eth0", None),
            ("[fe80::1%eth0]:65535", "fe80::1%eth0", Some(65535)),
        ];
        for (text, name, port) in cases {
            assert_eq!(host(text), Ok((name.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn hosts_print_as_they_are_written() {
        for text in ["office", "office:1", "fe80::1%2", "[fe80::1%2]:7667"] {
            let parsed: HostPort = text.parse().unwrap();
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn wrong_hosts_say_what_is_wrong() {
        let cases = [
            ("", "the host is empty; give a name or an address"),
            (":7667", "the host is empty; give a name or an address"),
            ("office:", "invalid port ''; use a number from 1 to 65535"),
            ("office:0", "invalid port '0'; use a number from 1 to 65535"),
            ("office:65536", "invalid port '65536'; use a number from 1 to 65535"),
            ("[::1", "the closing ']' is missing"),
            ("[office]:1", "'office' is not an IPv6 address; write other hosts without brackets"),
            ("[::1]7667", "expected ':PORT' after ']', not '7667'"),
            ("1:2:3", "'1:2:3' is not an IPv6 address"),
            ("fe80::1%", "'fe80::1%' is not an IPv6 address"),
            ("[fe80::1]:1", "'fe80::1' is link-local: add the interface, as in 'fe80::1%eth0'"),
            ("my host", "a host cannot contain ' '"),
            ("me@office", "a host cannot contain '@'"),
        ];
        for (text, message) in cases {
            assert_eq!(host(text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn durations_need_a_unit_and_are_positive() {
        let span = positive_duration;
        assert_eq!(span("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(span("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(span("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(span("2min"), Ok(Duration::from_secs(120)));
        for wrong in ["", "5", "-5s", "0s", "soon"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_count_bytes() {
        let size = |text: &str| text.parse().map(|size: Size| size.0);
        assert_eq!(size("65536"), Ok(65_536));
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("1 MiB"), Ok(1 << 20));
        assert_eq!(size("2mb"), Ok(2_000_000));
        for (text, bytes) in [
            ("10M", 10 << 20),
            ("10m", 10 << 20),
            ("64K", 64 << 10),
            ("2G", 2 << 30),
            ("2GB", 2_000_000_000),
            ("1T", 1 << 40),
            ("1Gi", 1 << 30),
            ("3 TiB", 3 << 40),
            ("5TB", 5_000_000_000_000),
            ("7B", 7),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in
            ["", "MiB", "M", "1.5MiB", "-1", "1XB", "1Mb/s", "1bb", "1P", "99999999999999GiB", "1é", "1ké"]
        {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        for text in ["0B", "65537B", "64KiB", "1MiB", "3GiB"] {
            assert_eq!(text.parse::<Size>().map(|size| size.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_count_is_above_zero() {
        assert_eq!("64".parse(), Ok(Count(64)));
        for wrong in ["", "0", "-1", "many", "4294967296"] {
            assert!(wrong.parse::<Count>().unwrap_err().contains("above zero"), "{wrong}");
        }
    }

    #[test]
    fn a_bound_is_a_value_or_off() {
        assert_eq!("64KiB".parse(), Ok(Bound::At(Size(65_536))));
        for text in ["off", "OFF"] {
            assert_eq!(text.parse(), Ok(Bound::<Size>::Off));
        }
        assert_eq!(
            "never".parse::<Bound<Size>>().unwrap_err(),
            "expected a size such as 65536, 10M, 256KiB or 2GB, or off"
        );
        assert_eq!(
            (Bound::At(Size(1024)).to_string(), Bound::<Size>::Off.to_string()),
            ("1KiB".into(), "off".into())
        );
    }
}
