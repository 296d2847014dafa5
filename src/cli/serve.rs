//! `lanchat serve`: runs a server until it is told to stop.

use super::announce::{announce, tell_how_to_join};
use super::args::CommonArgs;
use super::bounds::{Cap, Pace};
use super::exit::Failure;
use super::logging::{self, Level};
use super::runtime;
use super::settings::Serve;
use crate::chat::Rules;
use crate::limits::{DEFAULT_MAX_PER_ADDRESS, MAX_MOTD_BYTES, OPERATOR_CODE_TIME};
use crate::prompt::{self, Screen};
use crate::protocol::Term;
use crate::security::{Passphrase, protect_memory};
use crate::server::{Console, Entrance, Handle, Options, PASSPHRASE_FILE, Server, StopSignals};
use crate::store::Keep;
use anyhow::{Context, bail};
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::Path;

/// Runs the server.
///
/// # Errors
/// When it can't start; the text says what to do.
pub fn run(common: &CommonArgs, serve: Serve) -> Result<(), Failure> {
    protect_memory();
    let screen = Screen::new();
    let log = screen.clone();
    logging::start(common, Level::Info, move || log.writer())?;
    runtime::finish(runtime::full()?, serve_until_stopped(serve, screen))
}

async fn serve_until_stopped(serve: Serve, screen: Screen) -> Result<(), Failure> {
    // Before anybody is told that the server is up, and before the console takes the terminal: a
    // signal at any later moment is an orderly end.
    let signals = StopSignals::catch();
    let server = Server::bind(options(serve.clone()).await?)?;
    let info = server.info();
    tell_who_serves(&server, &serve);
    tell_what_is_kept(&serve);
    let announcer = announce(&serve, info, server.address());
    tell_how_to_join(announcer.as_ref(), &serve, server.address());
    tell_how_to_operate(&server.handle());
    tell_service_manager(true);
    let console = console(server.handle(), screen);
    let stop = async {
        tokio::select! {
            () = requested(signals) => {}
            () = console => {}
        }
        tracing::info!("stopping: saying goodbye to everybody");
        tell_service_manager(false);
        if let Some(announcer) = announcer {
            announcer.shutdown().await;
        }
    };
    server.run(stop).await;
    tracing::info!("stopped");
    Ok(())
}

/// What people compare, and what they have to know to get in.
fn tell_who_serves(server: &Server, serve: &Serve) {
    let (info, key) = (server.info(), server.key());
    tracing::info!(
        "serving {:?} (id {}) on {}, up to {} clients",
        info.name,
        info.id.get(..8).unwrap_or(&info.id),
        server.address(),
        server.max_clients()
    );
    tracing::info!("key {key}");
    tracing::info!("aloud {}", key.spoken());
    if serve.closed {
        let file = serve.passphrase_file.clone().unwrap_or_else(|| serve.data_dir.join(PASSPHRASE_FILE));
        tracing::info!(
            "closed: whoever joins for the first time needs the passphrase in {}; tell it to them together \
             with a link of `lanchat invite`",
            file.display()
        );
    }
    if serve.plaintext {
        tracing::warn!("connections that are not encrypted are taken too: others can read and change them");
    }
}

/// People may want to know for how long what they say stays.
fn tell_what_is_kept(serve: &Serve) {
    let Some(Keep { age, bytes }) = serve.history else {
        return tracing::info!("history: none is kept (--no-history)");
    };
    let age = age.map_or("for ever".to_owned(), |age| format!("for {}", Term::For(age)));
    let most = bytes.map_or(String::new(), |bytes| format!(", {} MiB at most", bytes >> 20));
    tracing::info!("history: kept in {} {age}{most}", serve.data_dir.display());
}

/// For whoever watches the console; in a log the code would outlive its use.
fn tell_how_to_operate(server: &Handle) {
    if prompt::is_available() {
        tracing::info!(
            "to become operator from another machine: /op {} (once, within {} min)",
            server.operator_code(),
            OPERATOR_CODE_TIME.as_secs() / 60
        );
    }
}

/// Ends when a signal asks the server to stop.
async fn requested(signals: io::Result<StopSignals>) {
    match signals {
        Ok(signals) => signals.requested().await,
        Err(error) => {
            tracing::error!(%error, "signals can't be caught; stop this server from its console or with SIGKILL");
            std::future::pending::<()>().await;
        }
    }
}

/// Ends when the console asks the server to stop: never, where there is none.
async fn console(handle: Handle, screen: Screen) {
    match Console::open(handle, screen) {
        Ok(console) => console.run().await,
        Err(error) => {
            tracing::debug!("no console: {error}");
            std::future::pending::<()>().await;
        }
    }
}

/// The settings with files read and names looked up.
pub(super) async fn options(serve: Serve) -> anyhow::Result<Options> {
    let address = match &serve.host {
        Some(host) => Some(own_address(host).await?),
        None => None,
    };
    let (entrance, rules) = (entrance(&serve)?, rules(&serve));
    Ok(Options {
        name: serve.name,
        address,
        port: serve.port,
        max_clients: serve.max_clients.map(|clients| usize::try_from(clients).unwrap_or(usize::MAX)),
        backlog: serve.backlog,
        memory: serve.memory,
        data_dir: Some(serve.data_dir),
        plaintext: serve.plaintext,
        entrance,
        max_per_address: match serve.max_per_ip {
            None => Some(DEFAULT_MAX_PER_ADDRESS),
            Some(Cap::At(bound)) => Some(usize::try_from(bound.get()).unwrap_or(usize::MAX)),
            Some(Cap::Off) => None,
        },
        history: serve.history,
        multicast: serve.discovery,
        rules,
        motd: serve.motd.as_deref().map(read_motd).transpose()?.unwrap_or_default(),
        ..Options::default()
    })
}

fn entrance(serve: &Serve) -> anyhow::Result<Entrance> {
    Ok(match &serve.passphrase_file {
        _ if !serve.closed => Entrance::Open,
        Some(file) => Entrance::Closed(Passphrase::read(file)?),
        None => Entrance::ClosedByOwn,
    })
}

fn rules(serve: &Serve) -> Rules {
    let rate = match serve.rate {
        Pace::At(rate) => Some(rate),
        Pace::Off => None,
    };
    Rules { rate, ascii_names: serve.ascii_names, closed: serve.closed, interim: false }
}

async fn own_address(host: &str) -> anyhow::Result<IpAddr> {
    let mut found = tokio::net::lookup_host((host, 0)).await.with_context(|| {
        format!("can't listen on {host}: give one of this machine's addresses with --host")
    })?;
    found.next().map(|address| address.ip()).with_context(|| format!("{host} has no address"))
}

fn read_motd(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_MOTD_BYTES as u64 + 1).read_to_string(&mut text))
        .with_context(|| format!("can't read the message of the day from {}", path.display()))?;
    if text.len() > MAX_MOTD_BYTES {
        bail!(
            "the message of the day in {} is longer than {MAX_MOTD_BYTES} bytes; shorten it",
            path.display()
        );
    }
    Ok(text.trim_end().to_owned())
}

/// Type=notify of systemd: ready once the port is open, and when the end begins.
#[cfg(target_os = "linux")]
fn tell_service_manager(ready: bool) {
    use sd_notify::NotifyState;
    let state = if ready { NotifyState::Ready } else { NotifyState::Stopping };
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

#[cfg(not(target_os = "linux"))]
fn tell_service_manager(_ready: bool) {}
