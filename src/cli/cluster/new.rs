//! `lanchat cluster new`: makes the join files.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::cli::args::ClusterNewArgs;
use crate::cli::exit::ExitError;
use crate::cli::own_server;
use crate::cluster_files::{ClusterPorts, JoinFile, ServerList};
use crate::files;
use crate::security::{EngineAuthority, KeyError, Keypair, Passphrase};
use crate::server::{self, KEY_FILE, PASSPHRASE_FILE};

/// The secrets that all servers of the chat share.
struct ChatSecrets {
    key: Zeroizing<String>,
    passphrase: Passphrase,
}

pub(super) fn run(args: &ClusterNewArgs) -> Result<(), ExitError> {
    let servers = ServerList::new(args.boxes.clone()).map_err(ExitError::usage)?;
    let ports = ClusterPorts { chat: args.port, engine: args.engine_port, routes: args.route_port };
    if let Some(fault) = ports.fault() {
        return Err(ExitError::usage(format!("{fault}; see --port, --engine-port and --route-port")));
    }
    let out = args.out.clone().unwrap_or_default();
    let paths: Vec<PathBuf> =
        servers.as_slice().iter().map(|server| out.join(format!("{}.join", server.name))).collect();
    refuse_existing(&paths)?;
    let secrets = match &args.from {
        Some(dir) => secrets_of(dir)?,
        None => ChatSecrets { key: Keypair::new_pem()?, passphrase: Passphrase::generate()? },
    };
    let authority = EngineAuthority::new(Timestamp::now())?;
    let mut texts = Vec::new();
    for server in servers.as_slice() {
        let join = JoinFile {
            chat: args.chat.clone(),
            server: server.name.clone(),
            servers: servers.clone(),
            ports,
            history_from: args.from.as_ref().and(args.boxes.first()).map(|first| first.name.clone()),
            passphrase: Zeroizing::new(secrets.passphrase.as_str().to_owned()),
            chat_key: secrets.key.clone(),
            authority: authority.certificate().to_owned(),
            identity: authority.issue(server.name.as_str(), server.host.as_str())?,
        };
        texts.push(join.text()?);
    }
    write_all(&paths, &texts)?;
    let text = report(args, &paths, &authority);
    Ok(io::stdout().write_all(text.as_bytes())?)
}

fn refuse_existing(paths: &[PathBuf]) -> Result<(), ExitError> {
    match paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        None => Ok(()),
        Some(path) => Err(anyhow!(
            "{} is there already; delete it if no machine needs it any longer, or choose another directory with --out",
            path.display()
        )
        .into()),
    }
}

/// The key and passphrase of a server that does not run.
fn secrets_of(dir: &Path) -> Result<ChatSecrets, ExitError> {
    if server::is_in_use(dir) {
        return Err(anyhow!(
            "a lanchat server is using the data directory {}; stop it first, for good: the chat of several servers \
             takes its place, and messages that it takes from now on could not come along",
            dir.display()
        )
        .into());
    }
    let key = Keypair::load_pem(&dir.join(KEY_FILE)).map_err(|error| match error {
        KeyError::Missing(_) => anyhow!(
            "there is no server's key in {}; name the data directory of a server with --from",
            dir.display()
        )
        .into(),
        KeyError::Unusable(path, error) if error.raw_os_error().is_some() => {
            own_server::denied(&path, &error, "cluster new")
        }
        error => ExitError::from(error),
    })?;
    let file = dir.join(PASSPHRASE_FILE);
    let passphrase = if file.exists() { Passphrase::read(&file) } else { Passphrase::generate() };
    Ok(ChatSecrets { key, passphrase: passphrase? })
}

/// Writes all files, or none.
fn write_all(paths: &[PathBuf], texts: &[Zeroizing<String>]) -> Result<(), ExitError> {
    for (place, (path, text)) in paths.iter().zip(texts).enumerate() {
        if let Err(error) = files::create(path, text.as_bytes()) {
            // A part of them is of no use: the next run makes other certificates.
            paths[..place].iter().for_each(|path| drop(fs::remove_file(path)));
            return Err(error)
                .with_context(|| format!("cannot write {}", path.display()))
                .map_err(Into::into);
        }
    }
    Ok(())
}

fn report(args: &ClusterNewArgs, paths: &[PathBuf], authority: &EngineAuthority) -> String {
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let mut text = format!(
        "wrote {} for the chat {:?}\n\
         each is a secret: anyone who can read it can act as the chat's server; delete it once its machine has joined\n\
         the certificates in them are good until {}, and lanchat keeps no key with which anyone could make another\n",
        shown.join(", "),
        args.chat,
        authority.until()
    );
    if let (Some(dir), Some(first)) = (&args.from, args.boxes.first()) {
        text += &format!(
            "the chat has the key of {dir}, so people's clients recognise it\n\
             the history stays in {dir}: it must be the data directory on {host} when that machine joins as {name}; \
             to bring it there, run `lanchat backup FILE --data-dir {dir}` here and `lanchat restore FILE` there\n",
            dir = dir.display(),
            host = first.host,
            name = first.name
        );
    }
    text += "next, for each server:\n";
    let mut servers = args.boxes.clone();
    servers.sort_by(|one, other| one.name.cmp(&other.name));
    for (server, path) in servers.iter().zip(&shown) {
        text += &format!(
            "  copy {path} to {host}, for example: scp {path} {scp}:\n    and run there: lanchat cluster join {name}.join\n",
            host = server.host,
            scp = server.host.scp(),
            name = server.name
        );
    }
    text
}
