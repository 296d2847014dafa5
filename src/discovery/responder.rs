//! Keeps a server announced: starts a daemon of the mDNS library per network as soon as the mDNS port can be
//! shared, and restarts daemons that end.

use super::announcement::{Announcement, Visibility, is_meant};
use super::daemon_assignment::DaemonAssignment;
use super::interfaces::{InterfaceInfo, infos, multicast_ports};
use super::order::is_v6_link_local;
use crate::limits::{INTERFACE_CHECK, LINKS_OF_A_SOCKET, MAX_ANNOUNCERS, PORT_RETRY};
use crate::text::safe_line;
use mdns_sd::{DaemonEvent, IfKind, IfPredicate, Receiver, ServiceDaemon, ServiceInfo};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::time::{Instant, interval};

/// Shared by the announcer and its task.
#[derive(Clone)]
pub(super) struct Responder {
    announcement: Arc<Announcement>,
    /// The chat, then perhaps its page.
    services: Arc<[ServiceInfo]>,
    /// Which daemon serves which interface; also used by the daemons' threads.
    assignment: Arc<Mutex<DaemonAssignment>>,
    state: Arc<Mutex<ResponderState>>,
}

#[derive(Default)]
struct ResponderState {
    daemons: Vec<Option<Running>>,
    /// Whether the daemons could use IPv4 and IPv6 when they started.
    families: (bool, bool),
    port_tried: Option<Instant>,
    /// The last logged state, so that each is logged once.
    said: Option<Visibility>,
    left_out: Vec<String>,
    is_over: bool,
}

struct Running {
    daemon: ServiceDaemon,
    events: Receiver<DaemonEvent>,
}

impl Responder {
    pub(super) fn new(announcement: &Announcement, services: Vec<ServiceInfo>) -> Responder {
        let (assignment, state) = (Arc::default(), Arc::default());
        Responder {
            announcement: Arc::new(announcement.clone()),
            services: services.into(),
            assignment,
            state,
        }
    }

    /// Updates the announcement and its visibility until the task is aborted.
    pub(super) async fn keep_up(self, told: watch::Sender<Visibility>) {
        let mut tick = interval(INTERFACE_CHECK);
        loop {
            tick.tick().await;
            // A temporary error; the daemons keep their interfaces.
            let Ok(infos) = infos() else { continue };
            let now = self.look(&infos);
            told.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
        }
    }

    /// Updates the daemons, and returns the visibility.
    pub(super) fn look(&self, infos: &[InterfaceInfo]) -> Visibility {
        let mut state = lock(&self.state);
        if state.is_over {
            return Visibility::NoNetwork;
        }
        let now = match state.try_port(infos) {
            Ok(()) => self.serve(&mut state, infos),
            Err(reason) => Visibility::PortTaken(reason),
        };
        if state.said.as_ref() != Some(&now) {
            self.say(&now);
            state.said = Some(now.clone());
        }
        now
    }

    fn serve(&self, state: &mut ResponderState, infos: &[InterfaceInfo]) -> Visibility {
        let meant: Vec<&InterfaceInfo> =
            infos.iter().filter(|one| is_meant(&self.announcement, one)).collect();
        let changes = lock(&self.assignment).update(&meant, groups_of_a_socket());
        state.daemons.resize_with(MAX_ANNOUNCERS, || None);
        for (number, running) in state.daemons.iter_mut().enumerate() {
            self.look_after(number, running, changes.added);
        }
        if changes.left_out != state.left_out && !changes.left_out.is_empty() {
            tracing::warn!(
                event = "interfaces_many",
                "this machine has too many interfaces, so clients cannot find this server on {}; choose interfaces with \
                 --interface, or raise `sysctl net.ipv4.igmp_max_memberships`, and restart the server",
                changes.left_out.join(", ")
            );
        }
        let can_tell = |one: &&InterfaceInfo| {
            let told = &self.announcement.advertise;
            !one.link.loopback
                && (told.is_empty() || told.iter().any(|ip| one.nets.iter().any(|net| net.contains(ip))))
        };
        let is_served = |one: &&InterfaceInfo| !changes.left_out.contains(&one.link.name);
        let visible = meant.into_iter().filter(can_tell).any(|one| is_served(&one));
        state.left_out = changes.left_out;
        match visible && state.daemons.iter().any(Option::is_some) {
            true => Visibility::Announced,
            false => Visibility::NoNetwork,
        }
    }

    /// Starts, keeps or stops one of the daemons.
    fn look_after(&self, number: usize, running: &mut Option<Running>, added: bool) {
        let is_used = lock(&self.assignment).is_used(number);
        if let Some(Running { daemon, events }) = running {
            if log_events(events) {
                tracing::warn!(
                    event = "mdns_restarted",
                    "the mDNS thread of this server ended; starting another one"
                );
                *running = None;
            } else if !is_used {
                // Sends a goodbye. Fails only if the thread has ended.
                let _ = daemon.shutdown();
                *running = None;
            } else if added {
                // Enables nothing, but makes the daemon look for new interfaces at once. It notices by itself
                // when addresses are gone, which it must do before it sends from others.
                let _ = daemon.enable_interface(Vec::<IfKind>::new());
            }
        }
        if is_used && running.is_none() {
            match self.begin(number) {
                Ok(begun) => *running = Some(begun),
                Err(error) => tracing::warn!(
                    event = "mdns_failed",
                    "cannot start mDNS: {error}; the server will try again"
                ),
            }
        }
    }

    fn begin(&self, number: usize) -> Result<Running, mdns_sd::Error> {
        let daemon = ServiceDaemon::new()?;
        let events = daemon.monitor()?;
        daemon.set_ip_check_interval(u32::try_from(INTERFACE_CHECK.as_secs()).unwrap_or(1))?;
        let assignment = self.assignment.clone();
        let is_served = move |interface: &if_addrs::Interface| {
            lock(&assignment).daemon_of(interface.index.unwrap_or_default()) == Some(number)
        };
        daemon.disable_interface(IfKind::All)?;
        daemon.enable_interface(IfKind::Predicate(IfPredicate::new(is_served)))?;
        for mut service in self.services.iter().cloned() {
            let assignment = self.assignment.clone();
            let is_told = move |interface: &if_addrs::Interface| {
                !is_v6_link_local(interface.ip())
                    || lock(&assignment).tells_link_local(interface.index.unwrap_or_default())
            };
            if service.is_addr_auto() {
                service.set_interfaces(vec![IfKind::Predicate(IfPredicate::new(is_told))]);
            }
            daemon.register(service)?;
        }
        Ok(Running { daemon, events })
    }

    fn say(&self, now: &Visibility) {
        let full_name = self.services.first().map_or("", ServiceInfo::get_fullname);
        let label = full_name.split('.').next().unwrap_or(full_name);
        match now {
            Visibility::Announced => tracing::info!(event = "announced", "announced by mDNS as {label}"),
            Visibility::NoNetwork if self.announcement.advertise.is_empty() => {
                tracing::info!(
                    event = "not_announced",
                    "not announced: this machine has no network; the server will be announced once it has one"
                );
            }
            Visibility::NoNetwork => tracing::warn!(
                event = "not_announced",
                "not announced: no interface of this machine is in a network of {}, and mDNS announces addresses only \
                 on their own network; check --advertise",
                listed(&self.announcement.advertise)
            ),
            Visibility::PortTaken(reason) => tracing::warn!(
                event = "not_announced",
                "not announced: cannot share UDP port 5353 (mDNS): {reason}; clients need --host until then; {}; the \
                 server tries again every {} s",
                remedy(),
                PORT_RETRY.as_secs()
            ),
        }
    }

    /// Sends goodbyes; returns false if no daemon is running.
    pub(super) fn say_goodbye(&self) -> bool {
        let mut state = lock(&self.state);
        state.is_over = true;
        let running = state.daemons.iter().flatten();
        let withdrawn = |running: &&Running| {
            let names = self.services.iter().map(ServiceInfo::get_fullname);
            names.filter(|name| running.daemon.unregister(name).is_ok()).count() > 0
        };
        running.filter(withdrawn).count() > 0
    }

    /// Ends the daemons, which send goodbyes if still necessary.
    pub(super) fn end(&self) {
        let mut state = lock(&self.state);
        state.is_over = true;
        for running in state.daemons.drain(..).flatten() {
            // Fails only if the thread has ended.
            let _ = running.daemon.shutdown();
        }
    }
}

impl ResponderState {
    /// Checks that the port can be shared; retries every few seconds.
    fn try_port(&mut self, infos: &[InterfaceInfo]) -> Result<(), String> {
        let has_both = self.families == (true, true);
        let is_late = self.port_tried.is_none_or(|at| at.elapsed() >= PORT_RETRY);
        if has_both || !is_late {
            return match &self.said {
                Some(Visibility::PortTaken(reason)) => Err(reason.clone()),
                _ => Ok(()),
            };
        }
        self.port_tried = Some(Instant::now());
        let (v4, v6) = multicast_ports();
        let families = (v4.is_ok(), v6.is_ok());
        // Only new daemons use a family that becomes available now.
        if (families.0 && !self.families.0) || (families.1 && !self.families.1) {
            for running in self.daemons.iter_mut().filter_map(Option::take) {
                let _ = running.daemon.shutdown();
            }
            self.families = families;
        }
        let needs_v4 = infos.iter().any(|one| !one.link.loopback && one.link.v4().is_some());
        match v4 {
            Err(error) if needs_v4 || v6.is_err() => Err(error.to_string()),
            _ => Ok(()),
        }
    }
}

/// Logs a daemon's events; returns true if it has ended.
fn log_events(events: &Receiver<DaemonEvent>) -> bool {
    while let Ok(event) = events.try_recv() {
        match event {
            DaemonEvent::IpAdd(ip) => {
                tracing::debug!(event = "address_changed", %ip, "announcing on a new address")
            }
            DaemonEvent::IpDel(ip) => {
                tracing::debug!(event = "address_changed", %ip, "an announced address is gone")
            }
            DaemonEvent::NameChange(change) => tracing::warn!(
                event = "announced",
                "another server has the name {} on {}; this server is now announced as {}",
                safe_line(&change.original),
                change.intf_name,
                safe_line(&change.new_name)
            ),
            DaemonEvent::Error(error) => {
                tracing::warn!(event = "mdns_failed", "mDNS: {}", safe_line(&error.to_string()))
            }
            _ => {}
        }
    }
    events.is_disconnected()
}

/// Interfaces per daemon; more if the administrator has raised the system's limit.
fn groups_of_a_socket() -> usize {
    const USUAL_BOUND: usize = 20;
    let path = "/proc/sys/net/ipv4/igmp_max_memberships";
    let bound = std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
    (LINKS_OF_A_SOCKET + bound.unwrap_or(USUAL_BOUND)).saturating_sub(USUAL_BOUND).max(1)
}

/// The remedy for the port: Avahi's setting, if Avahi does not share it.
fn remedy() -> &'static str {
    let avahi = std::fs::read_to_string("/etc/avahi/avahi-daemon.conf").unwrap_or_default();
    if keeps_the_port(&avahi) {
        "set disallow-other-stacks=no in /etc/avahi/avahi-daemon.conf and restart avahi-daemon"
    } else if cfg!(windows) {
        "end the program that uses it (see `netstat -abn -p UDP`)"
    } else if cfg!(target_os = "macos") {
        "end the program that uses it (see `sudo lsof -iUDP:5353`)"
    } else {
        "end the program that uses it (see `sudo ss -lunp 'sport = :5353'`; Avahi shares the port, unless \
         disallow-other-stacks=yes is set)"
    }
}

/// Whether these settings make Avahi refuse to share the port.
fn keeps_the_port(settings: &str) -> bool {
    settings.lines().any(|line| {
        let mut words = line.split('=').map(str::trim);
        words.next() == Some("disallow-other-stacks") && words.next() == Some("yes")
    })
}

fn listed(ips: &[IpAddr]) -> String {
    ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Takes a lock even after a panic: no change here can be half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avahi_is_blamed_only_if_its_settings_say_so() {
        for (settings, blamed) in [
            ("[server]\ndisallow-other-stacks=yes\n", true),
            ("disallow-other-stacks = yes", true),
            ("#disallow-other-stacks=yes\nuse-ipv4=yes", false),
            ("disallow-other-stacks=no", false),
            ("", false),
        ] {
            assert_eq!(keeps_the_port(settings), blamed, "{settings:?}");
        }
    }
}
