//! `lanchat doctor`: why can I not connect? One check after the other, from the network interfaces to
//! the server's answer, then a verdict with the remedy. How a server is asked who it is comes from the
//! caller.

mod verdict;

pub use verdict::Verdict;

use super::args::CommonArgs;
use super::exit::{Exit, Failure};
use super::logging::{self, Level};
use super::runtime;
use super::settings::Connect;
use crate::discovery::{Heard, Proof, Search, SearchOptions, Sighting, links, multicast_port, neighbours};
use crate::limits::{DEFAULT_PORT, DOCTOR_QUIET, PROBE_TIMEOUT};
use crate::text::safe_line;
use std::fmt;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// Examines the way to a server, and prints each check and the verdict; with `--quiet` nothing but a
/// bad verdict, so that it can be a container's health check.
///
/// # Errors
/// The bad verdict, with exit status 3 if no server was found, 5 if its key is another one than it
/// should be, else 4.
pub fn run<E, F>(
    common: &CommonArgs,
    connect: &Connect,
    probe: impl Fn(SocketAddr) -> F,
) -> Result<(), Failure>
where
    F: Future<Output = Result<Proof<Standing>, E>>,
    E: fmt::Display,
{
    logging::start(common, Level::Error, std::io::stderr)?;
    let loud = common.quiet == 0;
    let report = |check: &Check| {
        if loud {
            // Who closes the pipe has seen enough; the verdict still counts.
            let _ = writeln!(std::io::stdout(), "{check}");
        }
    };
    let doctor = Doctor { probe, report };
    let verdict = runtime::finish(runtime::small()?, async {
        match &connect.host {
            Some(host) => doctor.examine_host(&host.host, host.port.unwrap_or(DEFAULT_PORT)).await,
            None => doctor.examine_network(connect.timeout, connect.server.as_deref()).await,
        }
    });
    if verdict.is_good() {
        if loud {
            writeln!(std::io::stdout(), "{verdict}")?;
        }
        return Ok(());
    }
    let exit = match &verdict {
        Verdict::Untrusted { .. } => Exit::Refused,
        verdict if verdict.is_no_server() => Exit::NoServer,
        _ => Exit::Disconnected,
    };
    Err(Failure::new(exit, anyhow::anyhow!("{verdict}")))
}

/// One thing that was looked at. Displayed as one line, safe for terminals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub subject: String,
    /// What was seen, or why it failed.
    pub result: Result<String, String>,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, detail) = match &self.result {
            Ok(detail) => ("ok", detail),
            Err(detail) => ("failed", detail),
        };
        write!(f, "{word:<8}{}: {}", safe_line(&self.subject), safe_line(detail))
    }
}

/// What a server's key means, as a line for the user: an error if the server would be refused.
type Standing = Result<String, String>;

/// An examination that is under way: asks servers with `probe`, tells each check as it is done.
pub struct Doctor<P, R> {
    /// Connects to an address and asks which server is there.
    pub probe: P,
    /// Gets each check as soon as it is done.
    pub report: R,
}

impl<P, R, F, E> Doctor<P, R>
where
    P: Fn(SocketAddr) -> F,
    F: Future<Output = Result<Proof<Standing>, E>>,
    E: fmt::Display,
    R: FnMut(&Check),
{
    /// Examines the way to one host. Opens no multicast socket.
    pub async fn examine_host(mut self, host: &str, port: u16) -> Verdict {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let addrs: Vec<SocketAddr> = match tokio::net::lookup_host((host, port)).await {
            Ok(addrs) => addrs.collect(),
            Err(error) => {
                self.failed("host name", format!("{host}: {error}"));
                return Verdict::UnknownHost { host: host.into() };
            }
        };
        self.ok("host name", format!("{host} is {}", listed(addrs.iter().map(SocketAddr::ip))));
        self.examine_addrs(&addrs).await
    }

    /// Examines the way to whatever server there is on this network, or to the one that is wanted,
    /// listening for `wait`.
    pub async fn examine_network(mut self, wait: Duration, wanted: Option<&str>) -> Verdict {
        let links = match links() {
            Ok(links) => links.into_iter().filter(|link| !link.loopback).collect(),
            Err(error) => {
                self.failed("network interfaces", error.to_string());
                Vec::new()
            }
        };
        if links.is_empty() {
            self.failed("network interfaces", "none is up with an address".into());
        } else {
            let each = links.iter().map(|link| format!("{} ({})", link.name, listed(&link.addrs)));
            self.ok("network interfaces", listed(each));
        }
        let port = multicast_port().map_err(|error| error.to_string());
        let mut search = Search::start(SearchOptions::default());
        self.check_sockets(&search, &port);
        let mut others = JoinSet::new();
        others.spawn(neighbours(wait));
        search.collect(Instant::now() + wait, DOCTOR_QUIET).await;
        let servers: Vec<Sighting> = search.sightings().cloned().collect();
        if servers.is_empty() {
            let others = others.join_next().await.and_then(Result::ok).map_or(0, |heard| heard.len());
            self.failed("mDNS answers", format!("from no server; {others} other machines were heard"));
            return Verdict::nothing_heard(links.is_empty(), port.err(), &search.reach().failures, others);
        }
        let each = servers.iter().map(|server| format!("{} {}", titled(server), ways(server.heard)));
        self.ok("mDNS answers", listed(each));
        let is_wanted = |server: &Sighting| wanted.is_none_or(|wanted| server.is_called(wanted));
        let meant: Vec<&Sighting> = servers.iter().filter(|server| is_wanted(server)).collect();
        if let (Some(wanted), []) = (wanted, meant.as_slice()) {
            let others = safe_line(&listed(servers.iter().map(titled)));
            return Verdict::NotAmongThem { wanted: wanted.into(), others };
        }
        self.examine_servers(&meant).await
    }

    fn check_sockets(&mut self, search: &Search, port: &Result<(), String>) {
        let reach = search.reach();
        match reach.failures.as_slice() {
            [] => self.ok("multicast sockets", format!("opened on {reach}")),
            failures => self.failed("multicast sockets", listed(failures)),
        }
        match port {
            Ok(()) => self.ok("UDP port 5353", "can be shared".into()),
            Err(error) => self.failed("UDP port 5353", error.clone()),
        }
    }

    /// The first server that answers makes a good verdict, else the last bad one stands.
    async fn examine_servers(&mut self, servers: &[&Sighting]) -> Verdict {
        let mut verdict = Verdict::Silent { addrs: Vec::new() };
        for server in servers {
            verdict = self.examine_addrs(&server.addrs).await;
            if matches!(verdict, Verdict::Answers { .. }) {
                break;
            }
        }
        verdict
    }

    /// Knocks at the addresses in turn until one answers. A wrong answer says more than a refusal,
    /// and a refusal more than silence.
    async fn examine_addrs(&mut self, addrs: &[SocketAddr]) -> Verdict {
        let mut verdict = Verdict::Silent { addrs: addrs.to_vec() };
        for addr in addrs {
            let subject = format!("TCP connection to {addr}");
            let start = Instant::now();
            match timeout(PROBE_TIMEOUT, TcpStream::connect(addr)).await {
                Ok(Ok(_)) => self.ok(&subject, format!("in {:.1} ms", millis(start))),
                Ok(Err(error)) => {
                    self.failed(&subject, error.to_string());
                    let refused = error.kind() == ErrorKind::ConnectionRefused;
                    if refused && matches!(verdict, Verdict::Silent { .. }) {
                        verdict = Verdict::Refused { addr: *addr };
                    }
                    continue;
                }
                Err(_late) => {
                    self.failed(&subject, format!("no answer within {} s", PROBE_TIMEOUT.as_secs()));
                    continue;
                }
            }
            verdict = self.ask(*addr).await;
            if matches!(verdict, Verdict::Answers { .. }) {
                break;
            }
        }
        verdict
    }

    async fn ask(&mut self, addr: SocketAddr) -> Verdict {
        let subject = format!("lanchat server at {addr}");
        let start = Instant::now();
        let error = match timeout(PROBE_TIMEOUT, (self.probe)(addr)).await {
            Ok(Ok(proof)) => {
                let id: String = proof.id.chars().take(8).collect();
                let server = safe_line(&format!("{} ({id})", proof.name));
                self.ok(&subject, format!("{server} answered in {:.1} ms", millis(start)));
                return self.judge(server, addr, proof.link);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_late) => format!("no answer within {} s", PROBE_TIMEOUT.as_secs()),
        };
        self.failed(&subject, error);
        Verdict::NotLanchat { addr }
    }

    /// A server that answers may still not be the one it should be.
    fn judge(&mut self, server: String, addr: SocketAddr, standing: Standing) -> Verdict {
        let subject = format!("key of {server}");
        match standing {
            Ok(detail) => {
                self.ok(&subject, detail);
                Verdict::Answers { server, addr }
            }
            Err(detail) => {
                self.failed(&subject, detail);
                Verdict::Untrusted { server, addr }
            }
        }
    }

    fn ok(&mut self, subject: &str, detail: String) {
        (self.report)(&Check { subject: subject.into(), result: Ok(detail) });
    }

    fn failed(&mut self, subject: &str, detail: String) {
        (self.report)(&Check { subject: subject.into(), result: Err(detail) });
    }
}

fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn titled(server: &Sighting) -> String {
    format!("{} ({})", server.name, server.short_id().unwrap_or("no id"))
}

/// By which ways a server was heard of, as far as that tells something.
fn ways(heard: Heard) -> &'static str {
    match (heard.browse, heard.one_shot) {
        (true, false) => "by multicast only (a firewall here may drop unicast answers: finding is slower)",
        (false, true) => "by unicast only (multicast does not get in: changes show late)",
        _ => "by multicast and unicast",
    }
}

fn millis(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}
