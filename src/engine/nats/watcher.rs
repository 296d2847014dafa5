//! Watches the engine: checks it at each connection, creates the log if it may, and tells the node when records cannot
//! be appended.

use super::super::EngineEvent;
use super::api::{ApiFault, StreamInfo, ask_account, code};
use super::config::{Create, EngineConfig};
use super::fitness::{check_majority, check_server, check_stream, greeting};
use super::health::EngineHealth;
use super::link::Link;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long trouble lasts before the node hears of it. An election within the engine takes longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why the log cannot be used at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setback {
    /// It passes by itself, or once a server is started.
    Passing(String),
    /// It lasts until the administrator changes a configuration.
    Lasting(String),
}

#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) link: Link,
    pub(super) config: EngineConfig,
    pub(super) create: Create,
    pub(super) health: EngineHealth,
}

impl Watcher {
    /// Looks until the log is usable, a person has to do something, or the time is over.
    pub(super) async fn look_until(&mut self, end: Instant) -> Result<(), Setback> {
        loop {
            match self.look().await {
                Err(Setback::Passing(_)) if Instant::now() < end => self.pause(LOOK_EVERY / 4).await,
                verdict => return verdict,
            }
        }
    }

    /// Watches for as long as the node listens.
    pub(super) async fn run(mut self, events: mpsc::Sender<EngineEvent>) {
        let (mut told, mut good) = (None, Instant::now());
        loop {
            let verdict = self.look().await;
            let event = match verdict {
                Ok(()) => {
                    good = Instant::now();
                    Some(EngineEvent::Reachable)
                }
                Err(Setback::Lasting(text)) => Some(EngineEvent::Unreachable(text)),
                Err(Setback::Passing(text)) => {
                    (good.elapsed() >= PATIENCE).then_some(EngineEvent::Unreachable(text))
                }
            };
            if let Some(event) = event {
                let is_reachable = event == EngineEvent::Reachable;
                // Another reason for the same is not news.
                if told.replace(is_reachable) != Some(is_reachable) && events.send(event).await.is_err() {
                    return;
                }
            }
            if events.is_closed() {
                return;
            }
            self.pause(LOOK_EVERY).await;
        }
    }

    async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.link.changed() => {}
        }
    }

    async fn look(&mut self) -> Result<(), Setback> {
        let verdict = self.verdict().await;
        match &verdict {
            Ok(()) => self.health.set_fit(true),
            Err(Setback::Lasting(_)) => self.health.set_fit(false),
            // A log that was fit before an election is fit after it.
            Err(Setback::Passing(_)) => {}
        }
        verdict
    }

    async fn verdict(&mut self) -> Result<(), Setback> {
        let Some(server) = self.link.server() else { return Err(self.without_connection().await) };
        check_server(&server).map_err(Setback::Lasting)?;
        let info = match StreamInfo::get(&self.link, &self.config).await {
            Err(fault) if fault.is_code(&[code::STREAM_NOT_FOUND]) => self.create().await?,
            Err(fault) => return Err(self.without_log(&fault).await),
            Ok(info) => info,
        };
        check_stream(&self.config, &info).map_err(Setback::Lasting)?;
        // From now on, a log that is missing has been deleted.
        self.create = Create::Never;
        check_majority(&info).map_err(Setback::Passing)?;
        match self.health.append_failure() {
            Some(failure) => {
                Err(Setback::Passing(format!("the engine takes no records ({failure}); see its log")))
            }
            None => Ok(()),
        }
    }

    async fn without_connection(&self) -> Setback {
        let greetings = join_all(self.config.urls.iter().map(|url| greeting(url))).await;
        let urls = self.config.shown_urls();
        let mut answers = urls.iter().zip(&greetings);
        if let Some((url, _)) = answers.clone().find(|(_, answer)| answer.is_ok()) {
            let failure = self.link.failure();
            return Setback::Passing(format!(
                "the engine's server at {url} does not let this server in ({failure}); \
                 check the certificates or the password at both ends"
            ));
        }
        let why = answers.find_map(|(_, answer)| answer.as_ref().err()).map_or("no answer", String::as_str);
        let urls = urls.join(", ");
        Setback::Passing(format!(
            "this server cannot reach the engine at {urls} ({why}); start nats-server there, or check the network"
        ))
    }

    async fn create(&self) -> Result<StreamInfo, Setback> {
        if self.create == Create::Never {
            return Err(Setback::Passing(format!(
                "the engine has no stream {} any longer; restore it with lanchat cluster restore",
                self.config.stream()
            )));
        }
        let created = StreamInfo::create(&self.link, &self.config).await;
        created.map_err(|fault| {
            let text = fault.text();
            if fault.is_code(&[code::NO_PEERS]) {
                let replicas = self.config.replicas;
                return Setback::Passing(format!(
                    "the engine has too few servers for {replicas} replicas ({text}); start the others, \
                     or configure fewer replicas"
                ));
            }
            if fault.is_code(&[code::STREAM_EXISTS]) {
                // Another node has just created it.
                return Setback::Passing(text);
            }
            Setback::Passing(format!("the engine cannot create the log ({text}); see its log"))
        })
    }

    async fn without_log(&self, fault: &ApiFault) -> Setback {
        let off = "JetStream is off; add jetstream {} with a store_dir to nats-server.conf";
        let text = fault.text();
        if fault.is_code(&code::NOT_ENABLED) {
            return Setback::Lasting(format!("the engine's {off} ({text})"));
        }
        let has_jetstream = self.link.server().is_none_or(|server| server.jetstream);
        if !has_jetstream && ask_account(&self.link).await.is_err() {
            return Setback::Passing(format!("the engine's {off} ({text})"));
        }
        Setback::Passing(format!(
            "the engine does not answer ({text}): its servers are electing a leader, or most of them are down; \
             if this lasts, start them"
        ))
    }
}
