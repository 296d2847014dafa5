//! `lanchat cluster`: sets up a chat of several servers. Contacts no other machine.

mod join;
mod join_places;
mod new;
mod next_steps;
mod placed_files;
mod restore;

use std::io;
use std::path::PathBuf;

use super::args::{ClusterAction, ClusterArgs, CommonArgs};
use super::exit::ExitError;
use super::logging;
use super::values::LogLevel;
use crate::security::protect_memory;

pub(crate) fn run(
    common: &CommonArgs,
    args: &ClusterArgs,
    data_dir: Option<PathBuf>,
) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    protect_memory();
    match &args.action {
        ClusterAction::New(args) => new::run(args),
        ClusterAction::Join(args) => join::run(args, data_dir),
        ClusterAction::Restore(args) => restore::run(args, data_dir),
    }
}
