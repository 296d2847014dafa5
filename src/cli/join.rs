//! `lanchat`, `lanchat send`, `lanchat receive` and `lanchat tail`: pass the resolved options to the client, and the server that
//! it may start.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anstream::{AutoStream, ColorChoice};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::announce::announce;
use super::args::{CommonArgs, ConnectArgs, JoinArgs, ServeArgs};
use super::chat_table::ChatTable;
use super::config::Config;
use super::exit::{Exit, ExitError};
use super::former_identity::FormerIdentity;
use super::logging;
use super::own_server;
use super::runtime;
use super::values::LogLevel;
use crate::client::{self, ClientOptions, Host, Hosting, SECRET_FILE, Task};
use crate::discovery::Announcer;
use crate::files;
use crate::prompt::{self, Screen};
use crate::protocol::packet::ServerInfo;
use crate::security::protect_memory;
use crate::server::{Handle, Server, StartError};

pub(crate) fn run(
    common: &CommonArgs,
    join: JoinArgs,
    commands: bool,
    plain: bool,
    serve: ServeArgs,
    config: &Config,
) -> Result<(), ExitError> {
    protect_memory();
    let screen = Screen::new();
    let log = screen.clone();
    logging::start(common, LogLevel::Error, move || log.writer())?;
    let options = ClientOptions {
        commands,
        plain,
        preferences: config.chat.clone(),
        preferences_file: config.path.clone().map(|path| Arc::new(ChatTable(path)) as Arc<_>),
        ..options(join, data_dirs(&serve), screen)?
    };
    let host = Arc::new(LocalHost { serve });
    runtime::finish(runtime::full()?, client::join(options, host)).map_err(failure)
}

/// Sends one message. `named` is the data directory from the command line.
pub(crate) fn send(
    common: &CommonArgs,
    join: JoinArgs,
    serve: &ServeArgs,
    named: Option<&Path>,
    what: client::SendOptions,
) -> Result<(), ExitError> {
    protect_memory();
    logging::start(common, LogLevel::Error, io::stderr)?;
    if let Some(dir) = named {
        check_data_dir(dir)?;
    }
    let quiet = common.quiet > 0;
    let options = ClientOptions { quiet, ..options(join, data_dirs(serve), Screen::new())? };
    runtime::finish(runtime::small()?, client::send(options, what)).map_err(failure)
}

/// Lets a program take part.
pub(crate) fn json(common: &CommonArgs, join: JoinArgs, serve: &ServeArgs) -> Result<(), ExitError> {
    let options = program(common, join, serve)?;
    runtime::finish(runtime::small()?, client::json_chat(options)).map_err(failure)
}

/// Offers files, and sends them.
pub(crate) fn send_file(
    common: &CommonArgs,
    join: JoinArgs,
    serve: &ServeArgs,
    what: client::SendFileOptions,
) -> Result<(), ExitError> {
    let options = program(common, join, serve)?;
    runtime::finish(runtime::small()?, client::send_file(options, what)).map_err(failure)
}

/// Takes files.
pub(crate) fn receive(
    common: &CommonArgs,
    join: JoinArgs,
    serve: &ServeArgs,
    what: client::ReceiveOptions,
) -> Result<(), ExitError> {
    let options = program(common, join, serve)?;
    runtime::finish(runtime::small()?, client::receive(options, what)).map_err(failure)
}

/// The options of a client without a prompt.
fn program(common: &CommonArgs, join: JoinArgs, serve: &ServeArgs) -> Result<ClientOptions, ExitError> {
    protect_memory();
    logging::start(common, LogLevel::Error, io::stderr)?;
    let quiet = common.quiet > 0;
    Ok(ClientOptions { quiet, ..options(join, data_dirs(serve), Screen::new())? })
}

pub(crate) fn tail(
    common: &CommonArgs,
    join: JoinArgs,
    serve: &ServeArgs,
    what: client::TailOptions,
    config: &Config,
) -> Result<(), ExitError> {
    protect_memory();
    logging::start(common, LogLevel::Error, io::stderr)?;
    let color = AutoStream::choice(&io::stdout()) != ColorChoice::Never && !what.json;
    let (preferences, quiet) = (config.chat.clone(), common.quiet > 0);
    let options =
        ClientOptions { color, preferences, quiet, ..options(join, data_dirs(serve), Screen::new())? };
    runtime::finish(runtime::small()?, client::tail(options, what)).map_err(failure)
}

/// Checks that the directory has the secret that makes its readers operators.
fn check_data_dir(dir: &Path) -> Result<(), ExitError> {
    let file = dir.join(SECRET_FILE);
    match files::open(&file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(anyhow::anyhow!(
            "no server uses the data directory {}; name the one of a running server with --data-dir",
            dir.display()
        )
        .into()),
        Err(error) => Err(own_server::denied(&file, &error, "send")),
    }
}

/// Lists the directories in which servers on this machine may keep their data.
pub(super) fn data_dirs(serve: &ServeArgs) -> Vec<PathBuf> {
    let chosen = serve.data_dir.clone();
    let usual = own_server::default_data_dir().ok();
    chosen.into_iter().chain(usual).chain([own_server::service_dir()]).collect()
}

/// The options of a program that prints only what it was asked for.
pub(super) fn quiet_options(join: JoinArgs, data_dirs: Vec<PathBuf>) -> Result<ClientOptions, ExitError> {
    Ok(ClientOptions { quiet: true, ..options(join, data_dirs, Screen::new())? })
}

fn options(join: JoinArgs, data_dirs: Vec<PathBuf>, screen: Screen) -> Result<ClientOptions, ExitError> {
    // Naming each option makes an unused one a compile error.
    let JoinArgs { connect, name, key_file, guest, passphrase_file } = join;
    let ConnectArgs { host, no_discovery, server, fingerprint, plaintext, timeout } = connect.checked()?;
    Ok(ClientOptions {
        host: host.map(|host| (host.at.host, host.at.port)),
        discovery: !no_discovery,
        server,
        timeout,
        name,
        key_file,
        guest,
        plaintext,
        fingerprints: fingerprint,
        passphrase_file,
        data_dirs,
        commands: false,
        color: is_colored(),
        preferences: client::Preferences::default(),
        preferences_file: None,
        quiet: false,
        plain: false,
        screen,
    })
}

/// Whether to use colours: output for programs has them only on request.
fn is_colored() -> bool {
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => false,
        _ => prompt::is_available() || ColorChoice::global() == ColorChoice::Always,
    }
}

/// Chooses the exit status for a client's error.
pub(super) fn failure(error: client::Error) -> ExitError {
    let exit = match &error {
        client::Error::Untrusted(lines) => return ExitError::verbatim(Exit::Refused, lines.join("\n")),
        client::Error::Usage(_) => Exit::Usage,
        client::Error::NoServer(_) => Exit::NoServer,
        client::Error::Disconnected(_) | client::Error::NoAnswer => Exit::Disconnected,
        client::Error::Refused(..) => Exit::Refused,
        client::Error::Protocol(_) => Exit::Protocol,
        client::Error::Local(_) => Exit::Failure,
    };
    ExitError::new(exit, error)
}

/// Starts servers in this process, as `lanchat serve` without options would.
struct LocalHost {
    serve: ServeArgs,
}

impl Host for LocalHost {
    fn start(&self) -> Task<Result<Box<dyn Hosting>, String>> {
        let serve = self.serve.clone();
        Box::pin(async move {
            match start(serve).await {
                Ok(local) => Ok(Box::new(local) as Box<dyn Hosting>),
                Err(failure) => Err(failure.to_string()),
            }
        })
    }
}

async fn start(serve: ServeArgs) -> Result<LocalServer, ExitError> {
    let mut options = serve.options().await?;
    options.rules.interim = true;
    let former = FormerIdentity::before(options.data_dir.as_deref());
    let server = match Server::bind(options.clone()) {
        // Clients find this server by mDNS on any port.
        Err(StartError::PortInUse(_)) if !serve.no_discovery && serve.port.is_none() => {
            options.port = 0;
            Server::bind(options)?
        }
        bound => bound?,
    };
    let warning = former.and_then(|former| former.warning(&server.key()));
    let announcer = announce(&serve, &server);
    let (id, address, handle) = (server.info().id.clone(), server.address(), server.handle());
    let (stop, stopped) = oneshot::channel();
    // Ends when `stop` is used or dropped.
    let task = tokio::spawn(server.run(async { drop(stopped.await) }));
    Ok(LocalServer { id, address, handle, announcer, stop, task, warning })
}

struct LocalServer {
    id: String,
    address: SocketAddr,
    handle: Handle,
    announcer: Option<Announcer>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    warning: Option<String>,
}

impl Hosting for LocalServer {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn addr(&self) -> SocketAddr {
        match self.address.ip() {
            ip if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, self.address.port()).into(),
            _ => self.address,
        }
    }

    fn warning(&self) -> Option<String> {
        self.warning.clone()
    }

    fn users(&self) -> usize {
        self.handle.users()
    }

    fn give_way(self: Box<Self>, to: ServerInfo) -> Task<()> {
        self.handle.hand_over(to);
        self.shutdown()
    }

    fn shutdown(self: Box<Self>) -> Task<()> {
        Box::pin(async move {
            if let Some(announcer) = self.announcer {
                announcer.shutdown().await;
            }
            // An error means that the server has already ended.
            let _ = self.stop.send(());
            let _ = self.task.await;
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{client, server};

    /// They do not import each other, but share the data directory.
    #[test]
    fn client_and_server_use_the_same_files() {
        assert_eq!(client::SECRET_FILE, server::SECRET_FILE);
        assert_eq!(client::PASSPHRASE_FILE, server::PASSPHRASE_FILE);
    }
}
