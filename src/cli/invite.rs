//! `lanchat invite`: prints links to the server on this machine that contain its key, or links for browsers.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::args::{CommonArgs, InviteArgs, JoinArgs, ServeArgs};
use super::exit::ExitError;
use super::link_target::LinkTarget;
use super::logging;
use super::qr::qr_code;
use super::status::on_this_machine;
use super::values::{HostPort, LogLevel};
use super::{join, own_server, runtime};
use crate::client;
use crate::discovery::own_addresses;
use crate::limits::DEFAULT_PORT;
use crate::security::protect_memory;
use crate::server;

pub(crate) fn run(
    common: &CommonArgs,
    args: InviteArgs,
    join: JoinArgs,
    serve: ServeArgs,
) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    if args.web {
        return invite_browsers(args, join, &serve);
    }
    let (dir, fingerprint) =
        own_server::with_key(args.data_dir.or_else(|| serve.data_dir.clone()), "invite")?;
    let mut text = String::new();
    for at in addresses(args.host, running_port(&dir), &serve)? {
        text += &format!("{}\n", LinkTarget { at, fingerprint: Some(fingerprint) });
    }
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// The port of the server that runs with that data directory, whatever the config file says.
fn running_port(dir: &Path) -> Option<u16> {
    let server = client::local_server(dir).ok().filter(|_| server::is_in_use(dir))?;
    Some(server.address?.port())
}

/// Prints links for browsers, with a ticket if the server is closed.
fn invite_browsers(args: InviteArgs, join: JoinArgs, serve: &ServeArgs) -> Result<(), ExitError> {
    protect_memory();
    let InviteArgs { web: _, host, data_dir } = args;
    let dirs = data_dir.map_or_else(|| join::data_dirs(serve), |dir: PathBuf| vec![dir]);
    let options = join::quiet_options(join, dirs.clone())?;
    let options = on_this_machine(options, dirs, serve, "invite")?;
    let port = options.host.as_ref().and_then(|(_, port)| *port);
    let ticket = runtime::finish(runtime::small()?, client::ticket(options)).map_err(join::failure)?;
    let fragment = ticket.map_or(String::new(), |ticket| format!("#t={ticket}"));
    let links: Vec<String> =
        addresses(host, port, serve)?.iter().map(|at| format!("https://{at}/{fragment}")).collect();
    let mut text: String = links.iter().map(|link| format!("{link}\n")).collect();
    if io::stdout().is_terminal() {
        text += &links.first().and_then(|link| qr_code(link)).unwrap_or_default();
    }
    Ok(anstream::stdout().write_all(text.as_bytes())?)
}

/// Lists the addresses for the links.
fn addresses(
    chosen: Option<HostPort>,
    running: Option<u16>,
    serve: &ServeArgs,
) -> anyhow::Result<Vec<HostPort>> {
    let of_config = serve.host.as_ref().and_then(|host| host.port).or(serve.port);
    let port = running.or(of_config.filter(|port| *port != 0)).unwrap_or(DEFAULT_PORT);
    if let Some(HostPort { host, port: chosen }) = chosen {
        return Ok(vec![HostPort { host, port: Some(chosen.unwrap_or(port)) }]);
    }
    let addrs = own_addresses().context("cannot list this machine's addresses; name one with --host")?;
    if addrs.is_empty() {
        bail!("this machine has no address that others can reach; name one with --host");
    }
    Ok(addrs.iter().map(|ip| HostPort { host: ip.to_string(), port: Some(port) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::config::Config;

    #[test]
    fn the_port_is_that_of_the_address_or_of_the_running_server_or_of_its_settings() {
        let serve = |port| ServeArgs { port, ..Config::default().serve().unwrap() };
        let shown_of = |at: &str, running, serve| {
            addresses(Some(at.parse().unwrap()), running, &serve).unwrap()[0].to_string()
        };
        let shown = |at: &str, serve| shown_of(at, None, serve);
        assert_eq!(shown_of("office", Some(7801), serve(Some(7700))), "office:7801");
        assert_eq!(shown_of("office:1", Some(7801), serve(None)), "office:1");
        assert_eq!(shown("office", serve(None)), "office:7667");
        assert_eq!(shown("office", serve(Some(7700))), "office:7700");
        assert_eq!(shown("office", serve(Some(0))), "office:7667");
        assert_eq!(shown("[fd00::1]:1", serve(Some(7700))), "[fd00::1]:1");
    }
}
