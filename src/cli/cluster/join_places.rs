//! Where `lanchat cluster join` puts its files.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::args::ClusterJoinArgs;
use crate::cli::exit::ExitError;
use crate::cli::own_server;
use crate::server::KEY_FILE;

/// The unit of the system service, as packages and administrators install it.
const SERVICE_UNITS: [&str; 3] = [
    "/etc/systemd/system/lanchat.service",
    "/usr/lib/systemd/system/lanchat.service",
    "/lib/systemd/system/lanchat.service",
];

pub(super) const CONF: &str = "nats-server.conf";
pub(crate) const ENGINE_FILE: &str = "engine.toml";
pub(super) const CA: &str = "engine-ca.pem";
pub(super) const CERTIFICATE: &str = "engine-cert.pem";
pub(super) const KEY: &str = "engine-key.pem";

/// Where the files go.
pub(super) struct JoinPlaces {
    /// The server's data directory.
    pub(super) data: PathBuf,
    /// For the engine's settings and certificates.
    pub(super) out: PathBuf,
    /// For the engine's data.
    pub(super) store: PathBuf,
    /// Whether the server is the system service.
    pub(super) is_service: bool,
    /// Whether nothing but the engine's files is in `out`.
    pub(super) is_own_out: bool,
}

impl JoinPlaces {
    pub(super) fn new(args: &ClusterJoinArgs, data_dir: Option<PathBuf>) -> Result<Self, ExitError> {
        let absolute = |path: PathBuf| {
            std::path::absolute(&path).with_context(|| format!("cannot use {}", path.display()))
        };
        let data = match args.data_dir.clone().or(data_dir) {
            Some(dir) => dir,
            None => usual_data_dir()?,
        };
        let data = absolute(data)?;
        // Elsewhere, the engine has no usual places.
        let is_service = cfg!(unix) && data == own_server::service_dir();
        let usual = || if is_service { "/etc/nats".into() } else { ".".into() };
        let out = absolute(args.out.clone().unwrap_or_else(usual))?;
        let usual = || if is_service { "/var/lib/nats".into() } else { out.join("jetstream") };
        let store = absolute(args.store_dir.clone().unwrap_or_else(usual))?;
        let is_own_out = !out.exists() || (is_service && args.out.is_none());
        Ok(Self { data, out, store, is_service, is_own_out })
    }

    pub(super) fn conf(&self) -> PathBuf {
        self.out.join(CONF)
    }

    pub(super) fn engine_file(&self) -> PathBuf {
        self.data.join(ENGINE_FILE)
    }
}

/// The data directory of this user's own server if there is one, or else that of the system service if it is
/// installed, even if it has not run yet.
pub(super) fn usual_data_dir() -> Result<PathBuf, ExitError> {
    let dir = own_server::directory(None)?;
    let has_server = dir.join(KEY_FILE).exists();
    let is_installed = cfg!(unix) && SERVICE_UNITS.iter().any(|unit| Path::new(unit).exists());
    Ok(if !has_server && is_installed { own_server::service_dir() } else { dir })
}
