//! `lanchat trust`: a server's key, in place of the one that it had before or beside others of its name.

use std::io::{self, Write};

use super::args::{CommonArgs, TrustArgs};
use super::exit::Failure;
use super::join;
use super::logging::{self, Level};
use crate::client;
use crate::text::safe_line;

/// Accepts the key.
///
/// # Errors
/// If the name is none, or it cannot be noted.
pub fn run(common: &CommonArgs, args: &TrustArgs) -> Result<(), Failure> {
    logging::start(common, Level::Error, io::stderr)?;
    if args.name.trim().is_empty() {
        return Err(Failure::usage("the server's name is empty; give it as the refusal shows it"));
    }
    let trusted = client::trust(&args.name, args.fingerprint, args.replace).map_err(join::failure)?;
    let others = match trusted.others.as_slice() {
        [] if trusted.has_replaced => "; the key that it had before is not accepted any more".to_owned(),
        [] => String::new(),
        [one] => format!("; {one}, of the same name, is accepted as before, unless you give --replace"),
        several => format!("; the others of that name are accepted as before: {}", several.join(", ")),
    };
    let (name, spoken) = (safe_line(&trusted.name), args.fingerprint.spoken());
    Ok(writeln!(io::stdout(), "\"{name}\" is the server with the key {spoken}{others}.")?)
}
