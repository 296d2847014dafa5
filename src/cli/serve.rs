//! `lanchat serve`: runs a server until it is told to stop.

use super::announce::{announce, tell_how_to_join};
use super::args::CommonArgs;
use super::exit::Failure;
use super::logging::{self, Level};
use super::runtime;
use super::settings::Serve;
use crate::limits::MAX_MOTD_BYTES;
use crate::prompt::Screen;
use crate::server::{Console, Handle, Options, Server, StopSignals};
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
    tracing::info!(
        "serving {:?} (id {}) on {}, up to {} clients",
        info.name,
        info.id,
        server.address(),
        server.max_clients()
    );
    let announcer = announce(&serve, info, server.address());
    tell_how_to_join(announcer.is_some(), server.address());
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
    Ok(Options {
        name: serve.name,
        address,
        port: serve.port,
        max_clients: serve.max_clients.map(|clients| usize::try_from(clients).unwrap_or(usize::MAX)),
        backlog: serve.backlog,
        data_dir: Some(serve.data_dir),
        motd: serve.motd.as_deref().map(read_motd).transpose()?.unwrap_or_default(),
        ..Options::default()
    })
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
