//! `lanchat trust`: accepts a server's key, instead of its previous one or besides other servers of its name.
//! Without a fingerprint, finds the known servers whose keys have changed, and asks for the right number.

use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::time::Duration;

use anstream::{eprint, eprintln};

use super::args::{CommonArgs, TrustArgs};
use super::exit::{Exit, ExitError};
use super::logging;
use super::values::LogLevel;
use super::{join, runtime};
use crate::client::{self, ChangedKey};
use crate::fingerprint::Fingerprint;
use crate::text::safe_line;

/// How long a server may take to show its key.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(3);

pub(crate) fn run(common: &CommonArgs, args: &TrustArgs) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    match (&args.name, args.fingerprint) {
        (Some(name), _) if name.trim().is_empty() => {
            Err(ExitError::usage("the server's name is empty; type it as the refusal shows it"))
        }
        (Some(name), Some(key)) => accept(name, key, args.replace),
        (name, _) => ask(name.as_deref()),
    }
}

fn accept(name: &str, key: Fingerprint, replaces: bool) -> Result<(), ExitError> {
    let trusted = client::trust(name, key, replaces).map_err(join::failure)?;
    let others = match trusted.others.as_slice() {
        [] if trusted.has_replaced => "; its previous key is no longer accepted".to_owned(),
        [] => String::new(),
        [one] => format!("; {one}, a server of the same name, stays accepted; --replace would end that"),
        several => format!("; the other servers of that name stay accepted: {}", several.join(", ")),
    };
    let (name, spoken) = (safe_line(&trusted.name), key.spoken());
    Ok(writeln!(io::stdout(), "accepted the key {spoken} for \"{name}\"{others}.")?)
}

/// Shows the known servers with changed keys, and accepts those whose number the user knows from elsewhere: a
/// plain yes would accept an impostor's key as easily.
fn ask(name: Option<&str>) -> Result<(), ExitError> {
    let work = client::changed_keys(name, HANDSHAKE_WAIT);
    let changed = runtime::finish(runtime::small()?, work).map_err(join::failure)?;
    if changed.is_empty() {
        let all = "no server that you know and that answers has another key";
        return Ok(writeln!(io::stdout(), "{all}. To accept another key: lanchat trust NAME FINGERPRINT")?);
    }
    for key in &changed {
        let ChangedKey { name, addr, since, known, presented, .. } = key;
        eprintln!("\"{name}\" ({addr}) has another key now:");
        eprintln!("  known since {since}:  {}", known.spoken());
        eprintln!("  presented now:           {}", presented.spoken());
        if !io::stdin().is_terminal() {
            continue;
        }
        eprintln!("Ask its administrator to read out `lanchat fingerprint` on the server.");
        eprint!("Type the whole number, or press Enter to skip: ");
        let typed = typed()?;
        if typed.trim().is_empty() {
            continue;
        }
        if !is_number_of(presented, &typed) {
            let why = "this is not the number of the key that the server presents, so lanchat did not accept the key";
            return Err(ExitError::new(Exit::Refused, anyhow::anyhow!(why)));
        }
        accept(&key.which, *presented, true)?;
    }
    if io::stdin().is_terminal() {
        return Ok(());
    }
    Err(ExitError::usage("to accept a key without a terminal: lanchat trust --replace NAME FINGERPRINT"))
}

fn typed() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

/// Whether the typed digits or fingerprint are those of the key.
fn is_number_of(key: &Fingerprint, typed: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let is_spoken = typed.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || c == '-');
    match is_spoken {
        true => digits(typed) == digits(&key.spoken()),
        false => typed.trim().parse() == Ok(*key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_number_counts() {
        let key: Fingerprint = "SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844".parse().unwrap();
        let spoken = key.spoken();
        for right in [spoken.as_str(), &spoken.replace(' ', ""), &spoken.replace(' ', "-"), &key.to_string()]
        {
            assert!(is_number_of(&key, right), "{right}");
        }
        for wrong in ["", "y", "yes", &spoken[..5], &spoken[..spoken.len() - 1]] {
            assert!(!is_number_of(&key, wrong), "{wrong}");
        }
    }
}
