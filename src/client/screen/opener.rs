//! Opens a link with the desktop's own program, without a shell.

use std::io;
use std::process::{Command, Stdio};
use std::thread;

use crate::text::{safe_line, width};

/// The program, and its arguments before the link.
const OPENER: (&str, &[&str]) = if cfg!(target_os = "macos") {
    ("open", &[])
} else if cfg!(windows) {
    ("rundll32", &["url.dll,FileProtocolHandler"])
} else {
    ("xdg-open", &[])
};

/// Asks whether to open a link. The host, which matters most, comes first where it might not be seen: in a link
/// that does not fit a line, and behind a user's name.
pub(super) fn question(link: &str, columns: usize) -> String {
    let shown = safe_line(link);
    let after_scheme = shown.split_once("://").map_or(&*shown, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let question = format!("Open {shown}? [y/N] ");
    match width(&question) < columns && host == authority {
        true => question,
        false => format!("Open a link to {host}: {shown}? [y/N] "),
    }
}

/// Opens a link that the user has seen and agreed to.
///
/// # Errors
/// What failed, and what to do.
pub(super) fn open(link: &str) -> Result<(), String> {
    let (program, arguments) = OPENER;
    let mut command = Command::new(program);
    command.args(arguments).arg(link);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("cannot open the link, because {program} is not installed"),
        _ => format!("cannot open the link: {program}: {error}"),
    })?;
    // So that no dead process stays. A thread that cannot start leaves one until the client ends.
    let _ = thread::Builder::new().name("open".into()).spawn(move || child.wait());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_comes_first_where_it_might_not_be_seen() {
        assert_eq!(question("https://a.example/x", 80), "Open https://a.example/x? [y/N] ");
        let long = format!("https://a.example:8443?{}", "y".repeat(80));
        assert_eq!(question(&long, 80), format!("Open a link to a.example:8443: {long}? [y/N] "));
        let posing = "https://good.example@evil.example/";
        assert_eq!(question(posing, 80), format!("Open a link to evil.example: {posing}? [y/N] "));
    }
}
