//! `lanchat trust`: accepts a server's key, instead of its previous one or besides other servers of its name.

use std::io::{self, Write};

use super::args::{CommonArgs, TrustArgs};
use super::exit::ExitError;
use super::join;
use super::logging::{self, LogLevel};
use crate::client;
use crate::text::safe_line;

pub(crate) fn run(common: &CommonArgs, args: &TrustArgs) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    if args.name.trim().is_empty() {
        return Err(ExitError::usage("the server's name is empty; type it as the refusal shows it"));
    }
    let trusted = client::trust(&args.name, args.fingerprint, args.replace).map_err(join::failure)?;
    let others = match trusted.others.as_slice() {
        [] if trusted.has_replaced => "; its previous key is no longer accepted".to_owned(),
        [] => String::new(),
        [one] => format!("; {one}, a server of the same name, stays accepted; --replace would end that"),
        several => format!("; the other servers of that name stay accepted: {}", several.join(", ")),
    };
    let (name, spoken) = (safe_line(&trusted.name), args.fingerprint.spoken());
    Ok(writeln!(io::stdout(), "accepted the key {spoken} for \"{name}\"{others}.")?)
}
