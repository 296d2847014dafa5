//! Reads the settings of a running server again, at SIGHUP.

use super::args::{ServeArgs, Subcommand};
use super::exit::ExitError;
use super::logging::LogFilter;
use super::page_warnings::page_warnings;
use super::service_manager::{self, ServiceStage};
use super::usage;
use crate::server::{Handle, ReloadSignal, Reloaded, ServerOptions};
use jiff::Timestamp;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, interval_at};

/// How often a server that runs looks whether its certificate for browsers ends.
const CERTIFICATE_CHECK: Duration = Duration::from_secs(24 * 60 * 60);

/// A running server, and the settings that are in force: each reload names those that need a restart again.
pub(super) struct Reloader {
    pub(super) server: Handle,
    pub(super) args: ServeArgs,
    pub(super) options: ServerOptions,
    pub(super) filter: LogFilter,
}

impl Reloader {
    /// Reads the settings at each signal. Runs forever.
    pub(super) async fn run(mut self, signal: io::Result<ReloadSignal>) {
        let mut signal = match signal {
            Ok(signal) => signal,
            Err(error) => {
                tracing::warn!(
                    event = "signals_missing",
                    %error,
                    "cannot catch SIGHUP; restart the server to change its settings"
                );
                return std::future::pending().await;
            }
        };
        let mut days = interval_at(Instant::now() + CERTIFICATE_CHECK, CERTIFICATE_CHECK);
        loop {
            tokio::select! {
                () = signal.requested() => self.reload_and_tell().await,
                _ = days.tick() => self.warn_of_certificate(),
            }
        }
    }

    async fn reload_and_tell(&mut self) {
        service_manager::tell(ServiceStage::Reloading);
        match self.reload().await {
            Ok(done) => {
                tracing::info!(event = "reloaded", "{}", summary(&done));
                if done.applied.contains(&"web-cert") {
                    self.warn_of_certificate();
                }
            }
            Err(failure) => {
                let why = failure.line();
                let why = anstream::adapter::strip_str(&why).to_string();
                let why = why.strip_prefix("lanchat: ").unwrap_or(&why);
                tracing::error!(
                    event = "reload_failed",
                    "nothing is reloaded, the settings stay as they were: {why}"
                );
            }
        }
        service_manager::tell(ServiceStage::Ready);
    }

    fn warn_of_certificate(&self) {
        let certificate = self.server.web_certificate();
        for warning in page_warnings(&self.options, certificate.as_ref(), Timestamp::now()) {
            tracing::warn!(event = "web_doubtful", "{warning}");
        }
    }

    async fn reload(&mut self) -> Result<Reloaded, ExitError> {
        let (cli, _) = usage::parse()?;
        let Some(Subcommand::Serve(args)) = cli.command else { return Ok(Reloaded::default()) };
        let options = args.options().await?;
        let mut done = self.server.reload(&mut self.options, options).await.map_err(anyhow::Error::from)?;
        if args.log_level != self.args.log_level {
            done.applied.push("log-level");
            self.filter.set(args.log_level, &cli.common);
            self.args.log_level = args.log_level;
        }
        if args.watch.log_format != self.args.watch.log_format {
            done.later.push("log-format");
        }
        if args.interface != self.args.interface {
            done.later.push("interface");
        }
        if args.advertise != self.args.advertise {
            done.later.push("advertise");
        }
        Ok(done)
    }
}

fn summary(done: &Reloaded) -> String {
    let listed = |options: &[&str]| options.join(", ");
    match (done.applied.as_slice(), done.later.as_slice()) {
        ([], []) => "reloaded: no setting has changed".to_owned(),
        (applied, []) => format!("reloaded: {}", listed(applied)),
        ([], later) => format!("reloaded: nothing; these settings need a restart: {}", listed(later)),
        (applied, later) => {
            format!("reloaded: {}; these settings need a restart: {}", listed(applied), listed(later))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_tells_what_is_in_force_and_what_needs_a_restart() {
        let told = |applied: &[&'static str], later: &[&'static str]| {
            summary(&Reloaded { applied: applied.into(), later: later.into() })
        };
        assert_eq!(told(&[], &[]), "reloaded: no setting has changed");
        assert_eq!(told(&["motd", "max-clients"], &[]), "reloaded: motd, max-clients");
        assert_eq!(told(&[], &["port"]), "reloaded: nothing; these settings need a restart: port");
        assert_eq!(told(&["motd"], &["port"]), "reloaded: motd; these settings need a restart: port");
    }
}
