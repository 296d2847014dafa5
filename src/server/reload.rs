//! Gives a running server new settings: those that need no restart.

use super::assembly::most_clients;
use super::chat_settings::ChatSettings;
use super::gate::GateLimits;
use super::options::{FileOptions, JoinPolicy, ServerOptions, WebOptions};
use super::{Handle, PASSPHRASE_FILE};
use crate::security::{Passphrase, PassphraseError, WebCertificate, WebCertificateError};

/// The settings that have changed, by the names of their options.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// In force for everyone who comes, or acts, from now on.
    pub applied: Vec<&'static str>,
    /// They need a restart.
    pub later: Vec<&'static str>,
}

/// Why all settings stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    #[error(transparent)]
    WebCertificate(#[from] WebCertificateError),
}

impl Reloaded {
    fn note(&mut self, option: &'static str, has_changed: bool) -> bool {
        if has_changed {
            self.applied.push(option);
        }
        has_changed
    }
}

impl Handle {
    /// Replaces the settings in `current`, with which the server runs, by those of `new` that need no restart.
    ///
    /// # Errors
    /// If it cannot read the passphrase in the data directory, or the certificate for browsers.
    pub async fn reload(
        &self,
        current: &mut ServerOptions,
        new: ServerOptions,
    ) -> Result<Reloaded, ReloadError> {
        let (passphrase, certificate) = (passphrase(&new)?, web_certificate(current, &new)?);
        let mut done = Reloaded { later: restarts(current, &new), ..Reloaded::default() };
        if let (Some(passphrase), Some(closed)) = (passphrase, &self.hub.closed_server) {
            done.note("passphrase-file", closed.replace(passphrase));
        }
        self.reload_web_certificate(current, &new, certificate, &mut done);
        self.reload_history(current, &new, &mut done).await;
        self.reload_gate(current, &new, &mut done);
        self.reload_chat(current, new, &mut done);
        self.hub.set_settings(ChatSettings::of(current, self.hub.passphrase_mark()));
        Ok(done)
    }

    /// Also if only the content of the files has changed.
    fn reload_web_certificate(
        &self,
        current: &mut ServerOptions,
        new: &ServerOptions,
        certificate: Option<WebCertificate>,
        done: &mut Reloaded,
    ) {
        let (Some(certificate), Some(web)) = (certificate, &mut current.web) else { return };
        let before = self.web_certificate().map(|before| before.sha256());
        if done.note("web-cert", before != Some(certificate.sha256())) {
            self.tls.replace_web_certificate(certificate);
        }
        web.certificate = new.web.as_ref().and_then(|web| web.certificate.clone());
    }

    async fn reload_history(&self, current: &mut ServerOptions, new: &ServerOptions, done: &mut Reloaded) {
        let (Some(before), Some(keep), Some(store)) = (current.history, new.history, &self.store) else {
            return;
        };
        let has_age = done.note("retain", before.age != keep.age);
        let has_size = done.note("retain-size", before.bytes != keep.bytes);
        if has_age || has_size {
            current.history = Some(keep);
            // The error is that of a store that ends with the server.
            let _ = store.keep(keep).await;
        }
    }

    fn reload_gate(&self, current: &mut ServerOptions, new: &ServerOptions, done: &mut Reloaded) {
        let has_clients = done.note("max-clients", current.max_clients != new.max_clients);
        let has_share = done.note("max-per-ip", current.max_per_address != new.max_per_address);
        if has_clients || has_share {
            current.max_clients = new.max_clients;
            current.max_per_address = new.max_per_address;
            let (max_per_address, max_clients) = (current.max_per_address, most_clients(current));
            self.admission.gate.set_limits(GateLimits { max_per_address, max_clients });
        }
    }

    fn reload_chat(&self, current: &mut ServerOptions, new: ServerOptions, done: &mut Reloaded) {
        if done.note("motd", current.motd != new.motd) {
            current.motd.clone_from(&new.motd);
            self.hub.act(|chat, _, _| chat.set_motd(new.motd));
        }
        if let (Some(before), Some(rate)) = (current.rules.rate, new.rules.rate)
            && done.note("rate-limit", before != rate)
        {
            current.rules.rate = Some(rate);
            self.hub.act(|chat, _, _| chat.set_rate(rate));
        }
        let log_visits = new.rules.log_visits;
        if done.note("log-connections", current.rules.log_visits != log_visits) {
            current.rules.log_visits = log_visits;
            self.hub.act(|chat, _, _| chat.set_log_visits(log_visits));
        }
        let new_names = new.rules.new_names;
        if done.note("new-names-per-hour", current.rules.new_names != new_names) {
            current.rules.new_names = new_names;
            self.hub.act(|chat, _, _| chat.set_new_names(new_names));
        }
        if let (Some(before), Some(after)) = (&mut current.files, &new.files) {
            let most = after.rules.max_bytes;
            if done.note("max-file", before.rules.max_bytes != most) {
                before.rules.max_bytes = most;
                self.hub.act(|chat, _, _| chat.set_max_file(most));
            }
        }
        let ascii_names = new.rules.ascii_names;
        if done.note("ascii-names", current.rules.ascii_names != ascii_names) {
            current.rules.ascii_names = ascii_names;
            self.hub.act(|chat, _, _| chat.set_ascii_names(ascii_names));
        }
    }
}

/// The options that have changed and need a restart.
fn restarts(old: &ServerOptions, new: &ServerOptions) -> Vec<&'static str> {
    // Naming each option makes a forgotten one a compile error. Those with `_` are reloaded, or no option of an
    // administrator.
    let ServerOptions {
        name,
        address,
        port,
        max_clients: _,
        backlog,
        memory,
        data_dir,
        motd: _,
        registration: _,
        frame: _,
        plaintext,
        web,
        access,
        max_per_address: _,
        history,
        metrics,
        multicast,
        files,
        nodes: _,
        rules,
        node: _,
    } = new;
    // Without files, the other options about them mean nothing.
    let both = |value: &dyn Fn(&FileOptions) -> u64| {
        let before = old.files.as_ref().zip(files.as_ref());
        before.is_some_and(|(before, after)| value(before) != value(after))
    };
    let mode = |web: &Option<WebOptions>| web.as_ref().map(|web| web.mode);
    // Without browsers, the other options about them mean nothing.
    let host_names = |web: &Option<WebOptions>| web.as_ref().map(|web| web.hosts.clone());
    let is_certified = |web: &Option<WebOptions>| web.as_ref().is_some_and(|web| web.certificate.is_some());
    let is_closed = |access: &JoinPolicy| !matches!(access, JoinPolicy::Open);
    let all = [
        ("name", *name != old.name),
        ("host", *address != old.address),
        ("port", *port != old.port),
        ("backlog", *backlog != old.backlog),
        ("memory", *memory != old.memory),
        ("data-dir", *data_dir != old.data_dir),
        ("allow-plaintext", *plaintext != old.plaintext),
        ("web", mode(web) != mode(&old.web)),
        ("web-host", host_names(web) != host_names(&old.web)),
        // Another certificate needs none, but the server makes its own at a start.
        ("web-cert", web.is_some() && is_certified(&old.web) && !is_certified(web)),
        ("closed", is_closed(access) != is_closed(&old.access)),
        ("no-history", history.is_some() != old.history.is_some()),
        ("metrics", *metrics != old.metrics),
        ("no-discovery", *multicast != old.multicast),
        ("no-files", files.is_some() != old.files.is_some()),
        ("max-transfers", both(&|files| files.rules.max_transfers as u64)),
        ("file-rate", both(&|files| files.rate.unwrap_or_default())),
        ("rate-limit", rules.rate.is_some() != old.rules.rate.is_some()),
    ];
    all.into_iter().filter_map(|(option, has_changed)| has_changed.then_some(option)).collect()
}

/// The certificate for browsers, if the options name one and the server serves them.
fn web_certificate(
    old: &ServerOptions,
    new: &ServerOptions,
) -> Result<Option<WebCertificate>, WebCertificateError> {
    let files = new.web.as_ref().and_then(|web| web.certificate.as_ref()).filter(|_| old.web.is_some());
    files.map(|(certificate, key)| WebCertificate::load(certificate, key)).transpose()
}

/// The passphrase of a closed server; `None` for an open one.
fn passphrase(options: &ServerOptions) -> Result<Option<Passphrase>, PassphraseError> {
    match (&options.access, &options.data_dir) {
        (JoinPolicy::Closed(passphrase) | JoinPolicy::ClosedByFile(passphrase, _), _) => {
            Ok(Some(passphrase.clone()))
        }
        (JoinPolicy::ClosedByOwn, Some(dir)) => Passphrase::read(&dir.join(PASSPHRASE_FILE)).map(Some),
        (JoinPolicy::ClosedByOwn, None) | (JoinPolicy::Open, _) => Ok(None),
    }
}
