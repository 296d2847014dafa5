//! The server as a service of Windows: the service manager starts and stops it, and its log is a file in the
//! data directory.

#![allow(unsafe_code, reason = "the entry of a service takes a pointer, which the library's macro reads")]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{self, ServiceControlHandlerResult};
use windows_service::{define_windows_service, service_dispatcher};
use windows_sys::Win32::System::Console::GetConsoleCP;

use crate::files;

/// A service that is alone in its process may have any name, and this one is ignored.
const NAME: &str = "lanchat";

/// How long a start or a stop may take: a big history is checked at the start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The log's file in the data directory. The previous one has `.old` behind its name.
const LOG_FILE: &str = "server.log";

/// The size at which the log begins a new file. Some years of a quiet server, and two such files are little.
const MAX_LOG_BYTES: u64 = 4 * 1024 * 1024;

/// Runs the server until [`Notify`]; returns whether it succeeded.
pub(super) type Work = Box<dyn FnOnce(Arc<Notify>) -> bool + Send>;

/// The work, until the service manager has started the thread that does it.
static WORK: Mutex<Option<Work>> = Mutex::new(None);

define_windows_service!(entry, serve);

/// Does the work as a service. Returns it if the service manager has not started this process.
pub(super) fn run(work: Work) -> Option<Work> {
    // SAFETY: takes nothing. Services have no console, while programs that a person starts do.
    if unsafe { GetConsoleCP() } != 0 {
        return Some(work);
    }
    *lock(&WORK) = Some(work);
    match service_dispatcher::start(NAME, entry) {
        Ok(()) => None,
        Err(_) => lock(&WORK).take(),
    }
}

fn serve(_: Vec<OsString>) {
    let Some(work) = lock(&WORK).take() else { return };
    let stop = Arc::new(Notify::new());
    let asked = Arc::clone(&stop);
    let handle = move |control| match control {
        ServiceControl::Stop | ServiceControl::Shutdown | ServiceControl::Preshutdown => {
            asked.notify_one();
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    };
    let Ok(manager) = service_control_handler::register(NAME, handle) else { return };
    // The manager notices a process that ends without a word.
    let tell = |state, exit_code| drop(manager.set_service_status(status(state, exit_code)));
    tell(ServiceState::Running, ServiceExitCode::NO_ERROR);
    let succeeded = work(stop);
    let exit = if succeeded { ServiceExitCode::NO_ERROR } else { ServiceExitCode::ServiceSpecific(1) };
    tell(ServiceState::Stopped, exit);
}

fn status(current_state: ServiceState, exit_code: ServiceExitCode) -> ServiceStatus {
    let is_running = current_state == ServiceState::Running;
    let controls = ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN;
    ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state,
        controls_accepted: if is_running { controls } else { ServiceControlAccept::empty() },
        exit_code,
        checkpoint: 0,
        wait_hint: PATIENCE,
        process_id: None,
    }
}

/// The log of a service. Clones write to the same file.
#[derive(Clone)]
pub(super) struct ServiceLog(Arc<Mutex<LogFile>>);

struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl ServiceLog {
    /// Goes on with the log in a data directory.
    pub(super) fn open(data_dir: &Path) -> io::Result<Self> {
        files::create_directory(data_dir)?;
        let path = data_dir.join(LOG_FILE);
        let file = append(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self(Arc::new(Mutex::new(LogFile { path, file, bytes }))))
    }
}

impl Write for ServiceLog {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        let mut log = lock(&self.0);
        if log.bytes >= MAX_LOG_BYTES {
            fs::rename(&log.path, log.path.with_extension("log.old"))?;
            log.file = append(&log.path)?;
            log.bytes = 0;
        }
        let written = log.file.write(entry)?;
        log.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        lock(&self.0).file.flush()
    }
}

fn append(path: &Path) -> io::Result<File> {
    files::open_private(path, OpenOptions::new().append(true).create(true))
}

/// Takes a lock even after a panic: no change here can be half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_goes_on_and_does_not_grow_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let entry = [b'x'; 64 * 1024];
        let entries = MAX_LOG_BYTES / entry.len() as u64;
        for _ in 0..3 {
            let mut log = ServiceLog::open(dir.path()).unwrap();
            (0..entries).for_each(|_| log.write_all(&entry).unwrap());
        }
        let bytes = |name: &str| fs::metadata(dir.path().join(name)).unwrap().len();
        assert_eq!((bytes("server.log"), bytes("server.log.old")), (MAX_LOG_BYTES, MAX_LOG_BYTES));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
