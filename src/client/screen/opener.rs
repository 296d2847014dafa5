//! Opens a link with the desktop's own program, without a shell.

use std::io;
use std::process::{Command, Stdio};
use std::thread;

/// The program, and its arguments before the link.
const OPENER: (&str, &[&str]) = if cfg!(target_os = "macos") {
    ("open", &[])
} else if cfg!(windows) {
    ("rundll32", &["url.dll,FileProtocolHandler"])
} else {
    ("xdg-open", &[])
};

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
