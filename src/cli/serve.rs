//! `lanchat serve`: runs a server until a signal or its console stops it.

use super::announce::{announce, page_guide, tell_how_to_join};
use super::args::{CommonArgs, ServeArgs};
use super::copies;
use super::exit::ExitError;
use super::former_identity::FormerIdentity;
use super::logging::{self, LogFilter};
use super::page_warnings::{chain_hint, named_certificate, page_warnings};
use super::reload::Reloader;
use super::runtime;
use super::service_manager::{self, ServiceStage};
use super::values::Size;
use crate::limits::OPERATOR_CODE_TIME;
use crate::prompt::{self, Screen};
use crate::protocol::Term;
use crate::security::{WebCertificate, protect_memory};
use crate::server::{
    Console, Handle, JoinPolicy, PASSPHRASE_FILE, PageGuide, ReloadSignal, Server, ServerOptions, StartError,
    StopSignals, check_data_dir, is_in_use,
};
use crate::store::Retention;
use jiff::Timestamp;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

pub(crate) fn run(common: &CommonArgs, serve: ServeArgs) -> Result<(), ExitError> {
    protect_memory();
    #[cfg(windows)]
    let Some(serve) = run_as_service(common, serve) else { return Ok(()) };
    let screen = Screen::new();
    let log = screen.clone();
    let filter = logging::start_as(common, serve.log_level, serve.watch.log_format, move || log.writer())?;
    if serve.check {
        return runtime::finish(runtime::full()?, check(&serve));
    }
    runtime::finish(runtime::full()?, serve_until_stopped((serve, filter), screen, std::future::pending()))
}

/// Resolves the options as a start would, and says so.
async fn check(serve: &ServeArgs) -> Result<(), ExitError> {
    let options = serve.options().await?;
    if let Some(address) = options.address {
        // Any free port of that address: the server may be running.
        std::net::TcpListener::bind((address, 0)).map_err(|error| {
            anyhow::anyhow!(
                "cannot listen on {address}: {error}; give one of this machine's addresses with --host"
            )
        })?;
    }
    if let Some(metrics) = options.metrics {
        // The same.
        let any_port = (metrics.ip(), 0);
        std::net::TcpListener::bind(any_port)
            .map_err(|error| anyhow::Error::from(StartError::Metrics(metrics, error)))?;
    }
    options.data_dir.as_deref().map_or(Ok(()), check_data_dir)?;
    let mut warnings = check_page(&options)?;
    warnings.extend(check_port(&options).map_err(anyhow::Error::from)?);
    for warning in &warnings {
        anstream::eprintln!("warning: {warning}");
    }
    let place = options.address.map_or("all addresses".to_owned(), |address| address.to_string());
    let access = if options.rules.closed { ", closed" } else { "" };
    let page = if options.web.is_some() { ", with a page for browsers" } else { "" };
    let verdict = if warnings.is_empty() { "nothing wrong: " } else { "" };
    anstream::println!(
        "{verdict}this would serve {:?} on {place}, port {}{access}{page}",
        options.name,
        options.port
    );
    Ok(())
}

/// Tries the port. Returns a warning if another program has it, which may end before the start.
fn check_port(options: &ServerOptions) -> Result<Option<String>, StartError> {
    let (address, port) = (options.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), options.port);
    if let Some(metrics) = options.metrics.filter(|metrics| metrics.port() == port && port != 0)
        && (metrics.ip() == address || metrics.ip().is_unspecified() || address.is_unspecified())
    {
        return Err(StartError::Metrics(metrics, io::ErrorKind::AddrInUse.into()));
    }
    let is_running = options.data_dir.as_deref().is_some_and(is_in_use);
    match std::net::TcpListener::bind((address, port)) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(StartError::PortForbidden(port)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && !is_running => Ok(Some(format!(
            "port {port} is in use, by another program or by the service manager for this server; if it is another \
             program, stop that one, or choose another port with --port"
        ))),
        _ => Ok(None),
    }
}

/// Reads the certificate for browsers as a start would. Returns warnings, with which a start would work.
fn check_page(options: &ServerOptions) -> Result<Vec<String>, ExitError> {
    let (certificate, now) = (named_certificate(options.web.as_ref())?, Timestamp::now());
    let mut warnings = page_warnings(options, certificate.as_ref(), now);
    let file = options.web.as_ref().and_then(|web| web.certificate.as_ref());
    if let (Some(certificate), Some((file, _)), []) = (&certificate, file, warnings.as_slice()) {
        warnings.extend(chain_hint(certificate, file, now));
    }
    Ok(warnings)
}

/// Logs the same warnings.
fn log_page(options: &ServerOptions, certificate: Option<&WebCertificate>) {
    for warning in page_warnings(options, certificate, Timestamp::now()) {
        tracing::warn!(event = "web_doubtful", "{warning}");
    }
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
        let started =
            logging::start_as(&common, serve.log_level, serve.watch.log_format, move || log.clone());
        let served =
            started.and_then(|filter| Ok((filter, runtime::full()?))).and_then(|(filter, runtime)| {
                runtime::finish(runtime, serve_until_stopped((serve, filter), Screen::new(), stop.notified()))
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
    (serve, filter): (ServeArgs, LogFilter),
    screen: Screen,
    asked: impl Future<Output = ()>,
) -> Result<(), ExitError> {
    // Before clients learn that the server is up, and before the console takes the terminal: any later signal
    // is an orderly end.
    let has_terminal = prompt::is_available();
    let signals = StopSignals::catch(has_terminal);
    let hangups = (!has_terminal).then(ReloadSignal::catch);
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
    let server = Server::bind_on(service_manager::socket().map_err(bad_socket)?, options.clone())?;
    log_identity(&server, &options, serve.passphrase_file.as_deref());
    if let Some(warning) = former.and_then(|former| former.warning(&server.key())) {
        tracing::warn!(event = "key_changed", "{warning}");
    }
    log_settings(&server, &options);
    let announcer = announce(&serve, &server);
    tell_how_to_join(announcer.as_ref(), &serve, &server);
    copies::watch(announcer.as_ref(), &server);
    log_operator_code(&server.handle());
    service_manager::tell(ServiceStage::Ready);
    let page = (page_guide(&serve, &server, announcer.is_some()), !options.rules.closed);
    let reloader = Reloader { server: server.handle(), args: serve, options, filter };
    let reloads = async move {
        match hangups {
            Some(hangups) => reloader.run(hangups).await,
            None => std::future::pending().await,
        }
    };
    let watchdog = service_manager::feed_watchdog(server.handle());
    let console = console(server.handle(), screen, page);
    let stop = async {
        tokio::select! {
            () = asked => {}
            () = console => {}
            () = reloads => {}
            () = watchdog => {}
        }
        tracing::info!(event = "stopping", "stopping: saying goodbye to all clients");
        service_manager::tell(ServiceStage::Stopping);
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
        let place = match (passphrase_file, &options.access) {
            (None, JoinPolicy::ClosedByFile(..)) => "the service manager's credential".to_owned(),
            (file, _) => file.map(Path::to_path_buf).or(own).unwrap_or_default().display().to_string(),
        };
        tracing::info!(
            event = "serving_closed",
            "closed: newcomers need the passphrase in {place}; give it to them with a link from `lanchat invite`"
        );
    }
    if options.plaintext {
        tracing::warn!(
            event = "plaintext_allowed",
            "also accepting unencrypted connections, which others can read and alter"
        );
    }
}

/// Logs the settings that an administrator may want to check.
fn log_settings(server: &Server, options: &ServerOptions) {
    log_retention(options);
    log_metrics(server);
    log_page(options, server.web_certificate().as_ref());
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
async fn console(handle: Handle, screen: Screen, (page, is_open): (Option<PageGuide>, bool)) {
    match Console::open(handle, screen) {
        Ok(console) => console.with_page(page, is_open).run().await,
        Err(error) => {
            tracing::debug!(event = "console_missing", "no console: {error}");
            std::future::pending::<()>().await;
        }
    }
}

fn bad_socket(error: io::Error) -> anyhow::Error {
    anyhow::anyhow!(
        "cannot use the socket that the service manager passed: {error}; a lanchat.socket listens on one TCP port"
    )
}
