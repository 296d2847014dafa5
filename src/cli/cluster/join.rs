//! `lanchat cluster join`: makes a machine a server of a chat of several.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::join_places::{CA, CERTIFICATE, ENGINE_FILE, JoinPlaces, KEY};
use super::next_steps::{engine_warning, next_steps};
use super::placed_files::{self, InPlace, MayDiffer, PlacedFile};
use super::right_machine;
use crate::cli::args::{ClusterJoinArgs, server_name};
use crate::cli::exit::ExitError;
use crate::cli::own_server;
use crate::cli::rescue;
use crate::cluster_files::{ConfPlaces, EngineAccess, EngineFile, EngineTlsFiles, JoinFile, nats_conf};
use crate::security::{KeyError, Keypair};
use crate::server::{self, DataDirError, HISTORY_FILE, KEY_FILE, PASSPHRASE_FILE, RecoveryError};

pub(super) fn run(args: &ClusterJoinArgs, data_dir: Option<PathBuf>) -> Result<(), ExitError> {
    let join = JoinFile::read(&args.file, Timestamp::now())?;
    server_name(&join.chat).map_err(|why| anyhow!("the join file {}: {why}", args.file.display()))?;
    let own = right_machine::own_addresses();
    let warning = right_machine::check(&join, &args.file, &own).map_err(|why| anyhow!(why))?;
    let places = JoinPlaces::new(args, data_dir)?;
    let has_key = check_identity(&join, &places.data, &args.file)?;
    let (mut own, mut engine) = (own_files(&join, &places)?, engine_files(&join, &places)?);
    if has_key {
        // Its text may differ, as an editor saves it.
        own.retain(|file| !file.path.ends_with(KEY_FILE));
    }
    for files in [&mut own, &mut engine] {
        placed_files::look(files, |path| path.with_file_name(CERTIFICATE))?;
    }
    add_to_data_dir(&places.data, &own)?;
    placed_files::write_missing(&engine)?;
    let secrets: Vec<PathBuf> = [CA, CERTIFICATE, KEY].map(|name| places.out.join(name)).into();
    let text = format!(
        "{}{}{}{}delete {}: it has the chat's key, and this machine no longer needs it\n{}",
        summary(&join),
        if has_key {
            format!("unchanged: {} (the chat's key)\n", places.data.join(KEY_FILE).display())
        } else {
            String::new()
        },
        placed_files::report(&own),
        placed_files::report(&engine),
        args.file.display(),
        next_steps(&places, &secrets)
    );
    io::stdout().write_all(text.as_bytes())?;
    for warning in warning.into_iter().chain(engine_warning()) {
        anstream::eprintln!("lanchat: {warning}");
    }
    Ok(())
}

/// Refuses a data directory of another chat. Returns whether the chat's key is there.
fn check_identity(join: &JoinFile, dir: &Path, file: &Path) -> Result<bool, ExitError> {
    let path = dir.join(KEY_FILE);
    let there = match Keypair::load(&path) {
        Ok(key) => key.fingerprint(),
        Err(KeyError::Missing(_)) if dir.join(HISTORY_FILE).symlink_metadata().is_ok() => {
            return Err(anyhow!(
                "{} has a history, but not the key of its server; restore {KEY_FILE} there, or choose another data \
                 directory with --data-dir",
                dir.display()
            )
            .into());
        }
        Err(KeyError::Missing(_)) => return Ok(false),
        Err(KeyError::Unusable(path, error)) if error.raw_os_error().is_some() => {
            return Err(own_server::denied(&path, &error, "cluster join FILE"));
        }
        Err(error) => return Err(error.into()),
    };
    match join.chat_key().is_some_and(|key| key.fingerprint() == there) {
        true => Ok(true),
        false => Err(anyhow!(
            "{} is the key of another chat than {}; choose another data directory with --data-dir, or make new join \
             files of this server with `lanchat cluster new --from {}`",
            path.display(),
            file.display(),
            dir.display()
        )
        .into()),
    }
}

/// The files of the server's data directory.
fn own_files(join: &JoinFile, places: &JoinPlaces) -> Result<Vec<PlacedFile>, ExitError> {
    // This machine's engine first: it is the nearest one.
    let (near, far): (Vec<_>, Vec<_>) =
        join.servers.as_slice().iter().partition(|server| server.name == join.server);
    let urls = near.into_iter().chain(far);
    let engine = EngineAccess {
        urls: urls.map(|server| format!("tls://{}", server.host.with_port(join.ports.engine))).collect(),
        replicas: join.servers.as_slice().len(),
        tls: Some(EngineTlsFiles { ca: CA.into(), certificate: CERTIFICATE.into(), key: KEY.into() }),
    };
    let engine_file = EngineFile {
        chat: join.chat.clone(),
        server: join.server.clone(),
        servers: join.servers.clone(),
        port: join.ports.chat,
        history_from: join.history_from.clone(),
        engine,
    };
    let passphrase = Zeroizing::new(format!("{}\n", *join.passphrase));
    let file =
        |name: &str, content: &str, about, change| placed(places.data.join(name), content, about, change);
    let mut files = vec![
        file(KEY_FILE, &join.chat_key, "the chat's key", MayDiffer::Never),
        file(PASSPHRASE_FILE, &passphrase, "for newcomers, if the chat is closed", MayDiffer::Always),
    ];
    files.extend(certificates(join, &places.data));
    files.push(file(ENGINE_FILE, &engine_file.text()?, "for lanchat", MayDiffer::AfterJoining));
    Ok(files)
}

/// The engine's settings, and its copy of the certificates: another user runs it.
fn engine_files(join: &JoinFile, places: &JoinPlaces) -> Result<Vec<PlacedFile>, ExitError> {
    let [ca, certificate, key] = [CA, CERTIFICATE, KEY].map(|name| places.out.join(name));
    let conf = nats_conf(join, &ConfPlaces { ca, certificate, key, store: places.store.clone() })?;
    let mut files: Vec<PlacedFile> = match places.out == places.data {
        true => Vec::new(),
        false => certificates(join, &places.out).into(),
    };
    files.push(placed(places.conf(), &conf, "for NATS", MayDiffer::AfterJoining));
    Ok(files)
}

fn certificates(join: &JoinFile, dir: &Path) -> [PlacedFile; 3] {
    let identity = &join.identity;
    [
        placed(dir.join(CA), &join.authority, "the authority of the engine's certificates", MayDiffer::Never),
        placed(dir.join(CERTIFICATE), &identity.certificate, "this server's certificate", MayDiffer::Never),
        placed(dir.join(KEY), &identity.key, "its key", MayDiffer::Never),
    ]
}

fn placed(path: PathBuf, content: &str, about: &'static str, change: MayDiffer) -> PlacedFile {
    let content = Zeroizing::new(content.as_bytes().to_vec());
    PlacedFile { path, content, about, change, found: InPlace::Nothing }
}

/// Adds the missing files to the data directory, unless a server is using it.
fn add_to_data_dir(dir: &Path, files: &[PlacedFile]) -> Result<(), ExitError> {
    let missing = files.iter().filter(|file| file.found == InPlace::Nothing);
    let missing: Vec<(&Path, &[u8])> = missing.map(|file| (file.path.as_path(), &**file.content)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    server::add_files(dir, &missing).map_err(|error| {
        let error = match error {
            DataDirError::InUse(dir) => RecoveryError::Runs(dir),
            error => RecoveryError::DataDir(error),
        };
        rescue::failure(error, "cluster join FILE")
    })
}

/// `this machine is the server a of the chat "office", with b (192.168.1.22) and c (192.168.1.23)`.
fn summary(join: &JoinFile) -> String {
    let others = join.servers.as_slice().iter().filter(|server| server.name != join.server);
    let others: Vec<String> = others.map(|server| format!("{} ({})", server.name, server.host)).collect();
    let with = match others.split_last() {
        Some((last, [])) => format!(", with {last}"),
        Some((last, rest)) => format!(", with {} and {last}", rest.join(", ")),
        None => String::new(),
    };
    format!("this machine is the server {} of the chat {:?}{with}\n", join.server, join.chat)
}
