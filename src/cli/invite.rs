//! `lanchat invite`: prints links to the server on this machine that contain its key.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, bail};
use jiff::Timestamp;

use super::args::{CommonArgs, InviteArgs, JoinArgs, ServeArgs};
use super::exit::ExitError;
use super::fingerprint;
use super::link_target::LinkTarget;
use super::logging;
use super::own_server;
use super::values::HostPort;
use super::values::LogLevel;
use super::{join, runtime, status};
use crate::client::{self, ServedPage};
use crate::discovery::{local_name, own_addresses};
use crate::limits::{DEFAULT_PORT, TICKET_TIME};
use crate::prompt::qr_code_here;
use crate::protocol::{WebAccess, page_link, plain_page_link};
use crate::security::{CertificateChain, protect_memory};
use crate::server;

pub(crate) fn run(
    common: &CommonArgs,
    args: InviteArgs,
    serve: ServeArgs,
    join: JoinArgs,
) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    if args.web {
        return invite_browsers(args, &serve, join);
    }
    let (dir, fingerprint) =
        own_server::with_key(args.data_dir.or_else(|| serve.data_dir.clone()), "invite")?;
    let mut text = String::new();
    for at in addresses(args.host, running_port(&dir), &serve)? {
        text += &format!("{}\n", LinkTarget { at, fingerprint: Some(fingerprint) });
    }
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// Prints the links to the page of the server that runs on this machine.
fn invite_browsers(args: InviteArgs, serve: &ServeArgs, joining: JoinArgs) -> Result<(), ExitError> {
    protect_memory();
    let dirs = args.data_dir.map_or_else(|| join::data_dirs(serve), |dir| vec![dir]);
    let passphrase_file = joining.passphrase_file.or_else(|| serve.passphrase_file.clone());
    let joining = JoinArgs { passphrase_file, ..joining };
    let options = join::quiet_options(joining, dirs.clone())?;
    let options = status::on_this_machine(options, dirs, serve, "invite --web")?;
    let at = options.host.clone();
    let port = at.as_ref().and_then(|(_, port)| *port);
    let page = runtime::finish(runtime::small()?, client::served_page(options)).map_err(join::failure)?;
    let page = page.ok_or_else(|| {
        anyhow::anyhow!("this server serves no page for browsers; start it with `lanchat serve --web`")
    })?;
    let is_announced = args.host.is_none() && !serve.no_discovery;
    let chain = at.and_then(|(host, port)| {
        // Without it, the links are by address.
        fingerprint::shown_certificate(&host, port.unwrap_or(DEFAULT_PORT)).ok()
    });
    let names = chain.as_ref().filter(|_| args.host.is_none());
    let names = names.map(|chain| chain.trusted_names(Timestamp::now())).unwrap_or_default();
    let links = match names.is_empty() {
        true => page_links(&page, &addresses(args.host, port, serve)?, is_announced),
        false => {
            let named = names.into_iter().map(|host| HostPort { host, port });
            page_links(&page, &named.collect::<Vec<_>>(), false)
        }
    };
    let mut out = anstream::stdout().lock();
    for link in &links {
        writeln!(out, "{link}")?;
    }
    if io::stdout().is_terminal() {
        let code = links.first().and_then(|link| Some((link, qr_code_here(link, true)?)));
        if let Some((link, lines)) = code {
            writeln!(out, "{link} as a QR code:")?;
            lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
    }
    drop(out);
    for note in notes(&page).into_iter().chain(chain.as_ref().and_then(warning)) {
        anstream::eprintln!("{note}");
    }
    Ok(())
}

/// The digits that a person compares at the browser's warning; `None`: browsers that know the authority do not warn.
fn warning(chain: &CertificateChain) -> Option<String> {
    chain.review(Timestamp::now()).is_self_made.then(|| {
        format!(
            "browsers warn of the server's own certificate; its SHA-256, which they show, is {}",
            chain.sha256().colons()
        )
    })
}

/// The links, addresses first: not every phone knows names in `.local`.
fn page_links(page: &ServedPage, addresses: &[HostPort], is_announced: bool) -> Vec<String> {
    let ticket = page.ticket.as_deref();
    let port = |at: &HostPort| at.port.unwrap_or(DEFAULT_PORT);
    let mut places: Vec<(String, u16)> = addresses.iter().map(|at| (at.host.clone(), port(at))).collect();
    if let Some(at) = addresses.first().filter(|_| is_announced) {
        places.push((local_name(&page.server.name, &page.server.id, page.node.as_deref()), port(at)));
    }
    let encrypted = places.iter().map(|(host, port)| page_link(host, *port, ticket));
    // Behind the others: the first one is for the QR code.
    let plain = places.iter().filter(|_| has_plain_links(page));
    encrypted.chain(plain.map(|(host, port)| plain_page_link(host, *port))).collect()
}

fn has_plain_links(page: &ServedPage) -> bool {
    page.access.admits_over_http(page.ticket.is_some())
}

/// Says how long the links are good, and who can read along.
fn notes(page: &ServedPage) -> Vec<String> {
    let minutes = TICKET_TIME.as_secs() / 60;
    let ticket = page
        .ticket
        .as_ref()
        .map(|_| format!("the links have one ticket, which lets one browser in within {minutes} minutes"));
    let access = match page.access {
        WebAccess::Plaintext if has_plain_links(page) => {
            "the links with https:// are encrypted; those with http:// are not: others on the network can read and \
             alter what goes over them"
        }
        WebAccess::Plaintext => {
            "over http:// nobody gets in: the server is closed, and a browser has a key only over https"
        }
        WebAccess::Https => page.access.explain(),
    };
    ticket.into_iter().chain([access.to_owned()]).collect()
}

/// The port of the server that runs with that data directory, whatever the config file says.
fn running_port(dir: &Path) -> Option<u16> {
    let server = client::local_server(dir).ok().filter(|_| server::is_in_use(dir))?;
    Some(server.address?.port())
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
