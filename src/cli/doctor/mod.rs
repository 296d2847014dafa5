//! `lanchat doctor`: why can I not connect? It examines the network, this machine and the known servers at the
//! same time and gathers the results as data (`findings`). From these, `diagnosis` derives a cause and
//! remedies.

mod check_line;
mod checks;
#[cfg(feature = "nats")]
mod cluster_checks;
mod diagnosis;
mod examine;
mod findings;
mod lists;
mod machine;
mod multicast;
mod page_checks;
mod probe;
mod prober;
mod remedy;
mod render;

use check_line::CheckLine;
pub use checks::checks;
pub use diagnosis::{Cause, Class, Diagnosis};
pub use examine::Examination;
pub use findings::KeyStatus;
pub use prober::Prober;

use super::args::{CommonArgs, ConnectArgs, DoctorArgs, ServeArgs};
use super::exit::ExitError;
use super::link_target::LinkTarget;
use super::logging;
use super::progress::ProgressDisplay;
use super::values::LogLevel;
use super::{join, runtime};
use crate::client::Inspector;
use crate::limits::DEFAULT_PORT;
use crate::text::safe_line;
use std::io::Write;

/// Examines the way to a server and prints each check, the diagnosis and its remedies on standard output. With
/// `--quiet`, it prints only a bad diagnosis, so it can serve as a container's health check. A bad diagnosis is
/// a silent [`ExitError`] with the status of its [`Class`].
pub(super) fn run(common: &CommonArgs, args: DoctorArgs, configured: &ServeArgs) -> Result<(), ExitError> {
    let connect = args.connect.checked()?;
    let prober = Inspector::new(connect.plaintext, &connect.fingerprint).map_err(join::failure)?;
    logging::start(common, LogLevel::Error, std::io::stderr)?;
    let waiting = ProgressDisplay::waiting(common, "examining the network, for up to 6 seconds");
    let findings = runtime::finish(runtime::small()?, async {
        match &connect.host {
            Some(LinkTarget { at, .. }) => {
                let prober = prober.at_host(&at.host, at.port);
                let port = at.port.unwrap_or(DEFAULT_PORT);
                Examination::start(prober, None).of_host(&at.host, port, !connect.no_discovery).await
            }
            None => Examination::start(prober, connect.server.clone()).of_network(connect.timeout).await,
        }
    });
    let (mut checks, diagnosis) = (checks(&findings), Diagnosis::of(&findings));
    if common.quiet == 0 {
        checks.extend(cluster_checks(configured));
    }
    drop(waiting);
    let is_well = diagnosis.cause.class() == Class::Well;
    let text = match (args.json, args.report, common.quiet > 0) {
        (true, ..) => render::json(&checks, &diagnosis),
        (_, true, _) => render::report(&checks, &diagnosis, &asked(&connect)),
        (.., false) => render::text(&checks, &diagnosis),
        (.., true) if is_well => String::new(),
        (.., true) => format!("{diagnosis}\n"),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    if is_well { Ok(()) } else { Err(ExitError::silent(diagnosis.cause.class().exit())) }
}

/// The checks of a chat of several servers, if this machine has one of them.
#[cfg(feature = "nats")]
fn cluster_checks(configured: &ServeArgs) -> Vec<CheckLine> {
    cluster_checks::cluster_checks(configured)
}

#[cfg(not(feature = "nats"))]
fn cluster_checks(_: &ServeArgs) -> Vec<CheckLine> {
    Vec::new()
}

/// Describes what the user asked for, for the report.
fn asked(connect: &ConnectArgs) -> String {
    match (&connect.host, &connect.server) {
        (Some(LinkTarget { at, .. }), _) => {
            let port = at.port.unwrap_or(DEFAULT_PORT);
            format!("the way to {}, port {port}", safe_line(&at.host))
        }
        (None, Some(server)) => format!("the way to the server called {}", safe_line(server)),
        (None, None) => "the way to any server".into(),
    }
}
