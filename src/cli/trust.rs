//! `lanchat trust`: another key for a server that had one before.

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
    let replaced = client::trust(&args.name, args.fingerprint).map_err(join::failure)?;
    let others = match replaced {
        None => "; no server of that name was known before".to_owned(),
        Some(0) => String::new(),
        Some(1) => "; the key that it had before is not accepted any more".to_owned(),
        Some(n) => format!("; the {n} keys that it had before are not accepted any more"),
    };
    let (name, spoken) = (safe_line(&args.name), args.fingerprint.spoken());
    Ok(writeln!(io::stdout(), "\"{name}\" is the server with the key {spoken}{others}.")?)
}
