//! `lanchat serve`: runs a server until it is told to stop.

use super::announce::{announce, tell_how_to_join};
use super::args::{CommonArgs, ServeArgs};
use super::exit::Failure;
use super::logging::{self, Level};
use super::runtime;
use super::values::Size;
use crate::limits::OPERATOR_CODE_TIME;
use crate::prompt::{self, Screen};
use crate::protocol::Term;
use crate::security::protect_memory;
use crate::server::{Console, Handle, PASSPHRASE_FILE, Server, ServerOptions, StopSignals};
use crate::store::Retention;
use std::io;
use std::path::Path;

/// Runs the server.
///
/// # Errors
/// When it can't start; the text says what to do.
pub fn run(common: &CommonArgs, serve: ServeArgs) -> Result<(), Failure> {
    protect_memory();
    let screen = Screen::new();
    let log = screen.clone();
    logging::start(common, Level::Info, move || log.writer())?;
    runtime::finish(runtime::full()?, serve_until_stopped(serve, screen))
}

async fn serve_until_stopped(serve: ServeArgs, screen: Screen) -> Result<(), Failure> {
    // Before anybody is told that the server is up, and before the console takes the terminal: a
    // signal at any later moment is an orderly end.
    let signals = StopSignals::catch();
    let options = serve.options().await?;
    let server = Server::bind(options.clone())?;
    let info = server.info();
    tell_who_serves(&server, &options, serve.passphrase_file.as_deref());
    tell_what_is_kept(&options);
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
fn tell_who_serves(server: &Server, options: &ServerOptions, passphrase_file: Option<&Path>) {
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
    if options.rules.closed {
        let own = options.data_dir.as_deref().map(|dir| dir.join(PASSPHRASE_FILE));
        let file = passphrase_file.map(Path::to_path_buf).or(own).unwrap_or_default();
        tracing::info!(
            "closed: whoever joins for the first time needs the passphrase in {}; tell it to them together \
             with a link of `lanchat invite`",
            file.display()
        );
    }
    if options.plaintext {
        tracing::warn!("connections that are not encrypted are taken too: others can read and change them");
    }
}

/// People may want to know for how long what they say stays.
fn tell_what_is_kept(options: &ServerOptions) {
    let (Some(Retention { age, bytes }), Some(dir)) = (options.history, &options.data_dir) else {
        return tracing::info!("history: none is kept (--no-history)");
    };
    let age = age.map_or("for ever".to_owned(), |age| format!("for {}", Term::For(age)));
    let most = bytes.map_or(String::new(), |bytes| format!(", {} at most", Size(bytes)));
    tracing::info!("history: kept in {} {age}{most}", dir.display());
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
