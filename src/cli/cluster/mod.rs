//! `lanchat cluster`: sets up a chat of several servers, and shows how they are doing.

#[cfg(feature = "nats")]
mod health;
#[cfg(feature = "nats")]
mod health_text;
mod join;
mod join_places;
mod new;
mod next_steps;
mod placed_files;
mod restore;
mod right_machine;
#[cfg(feature = "nats")]
mod status;

#[cfg(feature = "nats")]
pub(super) use health::ClusterHealth;
#[cfg(all(test, feature = "nats"))]
pub(super) use health::tests::well;
pub(super) use join_places::ENGINE_FILE;
#[cfg(feature = "nats")]
pub(super) use status::configured_health;

use std::io;

use super::args::{ClusterAction, ClusterArgs, CommonArgs, ServeArgs};
use super::exit::ExitError;
use super::logging;
use super::values::LogLevel;
use crate::security::protect_memory;

pub(crate) fn run(common: &CommonArgs, args: &ClusterArgs, configured: ServeArgs) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    protect_memory();
    match &args.action {
        ClusterAction::New(args) => new::run(args),
        ClusterAction::Restore(args) => restore::run(args, configured.data_dir),
        ClusterAction::Join(args) => join::run(args, configured.data_dir),
        #[cfg(feature = "nats")]
        ClusterAction::Status(args) => status::run(args, &configured),
    }
}
