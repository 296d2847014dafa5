//! `lanchat doctor`: why can I not connect? Everything that can be looked at is looked at at the same time
//! and gathered as data (`findings`), of which `verdict` makes a cause and what to do about it.

mod checks;
mod contact;
mod examine;
mod findings;
mod knock;
mod machine;
mod remedy;
mod render;
mod verdict;

pub use checks::{Check, State, checks};
pub use contact::{Answer, Contact, Fault};
pub use examine::Examination;
pub use findings::Tested;
pub use verdict::{Cause, Class, Verdict};

use super::args::{CommonArgs, ConnectArgs, DoctorArgs};
use super::exit::Failure;
use super::invitation::Destination;
use super::logging::{self, Level};
use super::progress::Progress;
use super::{join, runtime};
use crate::client::Inspector;
use crate::limits::DEFAULT_PORT;
use crate::text::safe_line;
use std::io::Write;

/// Examines the way to a server, and prints each check, the verdict and its remedies on standard output;
/// with `--quiet` nothing but a bad verdict, so that it can be a container's health check.
///
/// # Errors
/// None but of this program itself; a bad verdict is a [`Failure`] that has nothing left to say, with the
/// status of its [`Class`].
pub fn run(common: &CommonArgs, args: DoctorArgs) -> Result<(), Failure> {
    let connect = args.connect.checked()?;
    let contact = Inspector::new(connect.plaintext, &connect.fingerprint).map_err(join::failure)?;
    logging::start(common, Level::Error, std::io::stderr)?;
    let waiting = Progress::waiting(common, "looking at the network, for six seconds at most");
    let findings = runtime::finish(runtime::small()?, async {
        match &connect.host {
            Some(Destination { at, .. }) => {
                let contact = contact.at_host(&at.host, at.port);
                let port = at.port.unwrap_or(DEFAULT_PORT);
                Examination::start(contact, None).of_host(&at.host, port, !connect.no_discovery).await
            }
            None => Examination::start(contact, connect.server.clone()).of_network(connect.timeout.0).await,
        }
    });
    drop(waiting);
    let (checks, verdict) = (checks(&findings), Verdict::of(&findings));
    let is_well = verdict.cause.class() == Class::Well;
    let text = match (args.json, args.report, common.quiet > 0) {
        (true, ..) => render::json(&checks, &verdict),
        (_, true, _) => render::report(&checks, &verdict, &asked(&connect)),
        (.., false) => render::text(&checks, &verdict),
        (.., true) if is_well => String::new(),
        (.., true) => format!("{verdict}\n"),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    if is_well { Ok(()) } else { Err(Failure::silent(verdict.cause.class().exit())) }
}

/// What was asked for.
fn asked(connect: &ConnectArgs) -> String {
    match (&connect.host, &connect.server) {
        (Some(Destination { at, .. }), _) => {
            let port = at.port.unwrap_or(DEFAULT_PORT);
            format!("the way to {}, port {port}", safe_line(&at.host))
        }
        (None, Some(server)) => format!("the way to the server called {}", safe_line(server)),
        (None, None) => "the way to any server".into(),
    }
}
