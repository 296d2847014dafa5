//! The port of a server.

use crate::cli::exit::ExitError;
use crate::cli::values::HostPort;
use crate::limits;

pub(super) fn one_port(host: Option<&HostPort>, port: Option<u16>) -> Result<u16, ExitError> {
    match (host.and_then(|host| host.port), port) {
        (Some(a), Some(b)) if a != b => {
            Err(ExitError::usage(format!("--host has port {a} but --port is {b}; remove one of them")))
        }
        (a, b) => Ok(a.or(b).unwrap_or(limits::DEFAULT_PORT)),
    }
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "expected a number from 0 to 65535".into())
}
