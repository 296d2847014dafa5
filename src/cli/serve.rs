//! `lanchat serve`: runs a server until a signal or its console stops it.

use super::announce::{announce, tell_how_to_join};
use super::args::{CommonArgs, ServeArgs};
use super::exit::ExitError;
use super::former_identity::FormerIdentity;
use super::logging::{self, LogLevel};
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

pub(crate) fn run(common: &CommonArgs, serve: ServeArgs) -> Result<(), ExitError> {
    protect_memory();
    #[cfg(windows)]
    let Some(serve) = run_as_service(common, serve) else { return Ok(()) };
    let screen = Screen::new();
    let log = screen.clone();
    logging::start_as(common, LogLevel::Info, serve.watch.log_format, move || log.writer())?;
    runtime::finish(runtime::full()?, serve_until_stopped(serve, screen, std::future::pending()))
}

/// Runs the server as a service if the service manager has started this program; otherwise returns the options.
#[cfg(windows)]
fn run_as_service(common: &CommonArgs, serve: ServeArgs) -> Option<ServeArgs> {
    use super::own_server;
    use super::service::{self, ServiceLog};
    let (common, given) = (common.clone(), serve.clone());
    let work = move |stop: std::sync::Arc<tokio::sync::Notify>| {
        let data_dir = Some(given.data_dir.clone().unwrap_or_else(own_server::service_dir));
        let serve = ServeArgs { data_dir: data_dir.clone(), ..given };
        let log = data_dir.as_deref().map(ServiceLog::open);
        let Some(Ok(log)) = log else { return false };
        let started = logging::start_as(&common, LogLevel::Info, serve.watch.log_format, move || log.clone());
        let served = started.and_then(|()| Ok(runtime::full()?)).and_then(|runtime| {
            runtime::finish(runtime, serve_until_stopped(serve, Screen::new(), stop.notified()))
        });
        if let Err(failure) = &served {
            tracing::error!(event = "server_failed", "{}", anstream::adapter::strip_str(&failure.line()));
        }
        served.is_ok()
    };
    service::run(Box::new(work)).map(|_| serve)
}

/// Runs the server until a signal, its console or `asked` stops it.
async fn serve_until_stopped(
    serve: ServeArgs,
    screen: Screen,
    asked: impl Future<Output = ()>,
) -> Result<(), ExitError> {
    // Before clients learn that the server is up, and before the console takes the terminal: any later signal
    // is an orderly end.
    let signals = StopSignals::catch();
    let mut asked = std::pin::pin!(async {
        tokio::select! {
            () = requested(signals) => {}
            () = asked => {}
        }
    });
    let options = tokio::select! {
        options = serve.options() => options?,
        () = &mut asked => return Ok(()),
    };
    let former = FormerIdentity::before(options.data_dir.as_deref());
    let server = Server::bind(options.clone())?;
    let info = server.info();
    log_identity(&server, &options, serve.passphrase_file.as_deref());
    if let Some(warning) = former.and_then(|former| former.warning(&server.key())) {
        tracing::warn!(event = "key_changed", "{warning}");
    }
    log_retention(&options);
    log_metrics(&server);
    let announcer = announce(&serve, info, server.address());
    tell_how_to_join(announcer.as_ref(), &serve, server.address());
    log_operator_code(&server.handle());
    tell_service_manager(true);
    let console = console(server.handle(), screen);
    let stop = async {
        tokio::select! {
            () = asked => {}
            () = console => {}
        }
        tracing::info!(event = "stopping", "stopping: saying goodbye to all clients");
        tell_service_manager(false);
        if let Some(announcer) = announcer {
            announcer.shutdown().await;
        }
    };
    server.run(stop).await;
    tracing::info!(event = "stopped", "stopped");
    Ok(())
}

/// Logs the key, for people to compare, and how to get in.
fn log_identity(server: &Server, options: &ServerOptions, passphrase_file: Option<&Path>) {
    let (info, key) = (server.info(), server.key());
    tracing::info!(
        event = "serving",
        "serving {:?} (id {}) on {}, up to {} clients",
        info.name,
        info.id.get(..8).unwrap_or(&info.id),
        server.address(),
        server.max_clients()
    );
    tracing::info!(event = "serving_key", "key {key}");
    tracing::info!(event = "serving_key", "aloud {}", key.spoken());
    if options.rules.closed {
        let own = options.data_dir.as_deref().map(|dir| dir.join(PASSPHRASE_FILE));
        let file = passphrase_file.map(Path::to_path_buf).or(own).unwrap_or_default();
        tracing::info!(
            event = "serving_closed",
            "closed: newcomers need the passphrase in {}; give it to them with a link from `lanchat invite`",
            file.display()
        );
    }
    if options.plaintext {
        tracing::warn!(
            event = "plaintext_allowed",
            "also accepting unencrypted connections, which others can read and alter"
        );
    }
}

/// Logs how long messages stay.
fn log_retention(options: &ServerOptions) {
    let (Some(Retention { age, bytes }), Some(dir)) = (options.history, &options.data_dir) else {
        return tracing::info!(event = "history_kept", "history: off (--no-history)");
    };
    let age = age.map_or("forever".to_owned(), |age| format!("for {}", Term::For(age)));
    let most = bytes.map_or(String::new(), |bytes| format!(", at most {}", Size(bytes)));
    tracing::info!(event = "history_kept", "history: kept in {} {age}{most}", dir.display());
}

/// Logs where the metrics are, and who can read them.
fn log_metrics(server: &Server) {
    let Some(address) = server.metrics_address() else { return };
    tracing::info!(event = "metrics_served", "metrics are at http://{address}/metrics");
    if !address.ip().is_loopback() {
        tracing::warn!(
            event = "metrics_public",
            "anyone who can connect to {address} can read the metrics; to keep them on this machine: --metrics 127.0.0.1"
        );
    }
}

/// Logs the operator code, at a terminal only: in a file, the code would outlive its use.
fn log_operator_code(server: &Handle) {
    if prompt::is_available() {
        tracing::info!(
            event = "operator_code",
            "to become operator from another machine: /op {} (once, within {} min)",
            server.operator_code(),
            OPERATOR_CODE_TIME.as_secs() / 60
        );
    }
}

/// Waits until a signal asks the server to stop.
async fn requested(signals: io::Result<StopSignals>) {
    match signals {
        Ok(signals) => signals.requested().await,
        Err(error) => {
            tracing::error!(
                event = "signals_missing",
                %error,
                "cannot catch signals; stop this server from its console or with SIGKILL"
            );
            std::future::pending::<()>().await;
        }
    }
}

/// Waits until the console asks the server to stop; forever without a console.
async fn console(handle: Handle, screen: Screen) {
    match Console::open(handle, screen) {
        Ok(console) => console.run().await,
        Err(error) => {
            tracing::debug!(event = "console_missing", "no console: {error}");
            std::future::pending::<()>().await;
        }
    }
}

/// Tells systemd (Type=notify) that the port is open, or that the server is stopping.
#[cfg(target_os = "linux")]
fn tell_service_manager(ready: bool) {
    use sd_notify::NotifyState;
    let state = if ready { NotifyState::Ready } else { NotifyState::Stopping };
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(event = "service_manager_missing", %error, "cannot notify the service manager");
    }
}

#[cfg(not(target_os = "linux"))]
fn tell_service_manager(_ready: bool) {}
