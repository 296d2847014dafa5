//! `lanchat status`: prints a server's own numbers.

use std::io::{self, Write as _};
use std::path::PathBuf;

use super::args::{CommonArgs, ServeArgs, StatusArgs};
use super::cluster::ENGINE_FILE;
use super::exit::{Exit, ExitError};
use super::logging;
use super::values::LogLevel;
use super::{join, own_server, runtime};
use crate::client::{self, ClientOptions, OwnServer};
use crate::limits::DEFAULT_PORT;
use crate::protocol::ServerNumbers;
use crate::security::protect_memory;
use crate::server;
use crate::text::safe_lines;

pub(crate) fn run(common: &CommonArgs, args: StatusArgs, serve: &ServeArgs) -> Result<(), ExitError> {
    protect_memory();
    logging::start(common, LogLevel::Error, io::stderr)?;
    let StatusArgs { join: connect, json, data_dir } = args;
    let is_elsewhere = connect.connect.host.is_some() || connect.connect.server.is_some();
    let data_dirs = join::data_dirs(serve);
    let options = join::quiet_options(connect, data_dirs.clone())?;
    let options = match data_dir {
        None if is_elsewhere => options,
        Some(dir) => on_this_machine(options, vec![dir], serve, "status")?,
        None => on_this_machine(options, data_dirs, serve, "status")?,
    };
    // The server that leads answers, so a server that is cut off cannot.
    let is_of_several = !is_elsewhere && options.data_dirs.iter().any(|dir| dir.join(ENGINE_FILE).exists());
    let numbers = runtime::finish(runtime::small()?, client::status(options));
    let numbers = numbers.map_err(join::failure).map_err(|error| match is_of_several {
        true => error.with_hint("for all servers of this chat, use `lanchat cluster status`"),
        false => error,
    })?;
    Ok(writeln!(io::stdout().lock(), "{}", text(&numbers, json)?)?)
}

fn text(numbers: &ServerNumbers, json: bool) -> Result<String, ExitError> {
    match json {
        true => Ok(serde_json::to_string(numbers).map_err(anyhow::Error::from)?),
        // The server may be another one.
        false => Ok(safe_lines(&numbers.lines().join("\n")).join("\n")),
    }
}

/// Chooses the server that runs with the first of these data directories. `command` is the subcommand for the remedy.
pub(super) fn on_this_machine(
    options: ClientOptions,
    dirs: Vec<PathBuf>,
    serve: &ServeArgs,
    command: &str,
) -> Result<ClientOptions, ExitError> {
    let mut tried = Vec::new();
    for dir in dirs {
        let file = dir.join(client::SECRET_FILE);
        let found = match client::local_server(&dir) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tried.push(dir.display().to_string());
                continue;
            }
            Err(error) => return Err(own_server::denied(&file, &error, command)),
        };
        if !server::is_in_use(&dir) {
            let why = anyhow::anyhow!(
                "the server with the data directory {} does not run; start it with `lanchat serve`",
                dir.display()
            );
            return Err(ExitError::new(Exit::NoServer, why));
        }
        let OwnServer { key, address } = found;
        let address = address
            .unwrap_or_else(|| (std::net::Ipv4Addr::LOCALHOST, serve.port.unwrap_or(DEFAULT_PORT)).into());
        return Ok(ClientOptions {
            host: Some((address.ip().to_string(), Some(address.port()))),
            server: None,
            discovery: false,
            plaintext: false,
            fingerprints: vec![key],
            data_dirs: vec![dir],
            ..options
        });
    }
    let why = anyhow::anyhow!(
        "no server uses {}; name its directory with --data-dir, or a server elsewhere with --host or --server",
        tried.join(" or ")
    );
    Err(ExitError::new(Exit::NoServer, why))
}
