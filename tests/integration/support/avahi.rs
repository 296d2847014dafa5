//! Avahi as a peer that nobody here wrote: a daemon on a host of a test network, with a message bus
//! and a mount namespace of its own, all of which end with it.

use super::lan::{Host, Running};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What runs inside: a private /run, a bus that allows everything, the daemon.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs none /run
mkdir -p /run/dbus /run/avahi-daemon
cat > /run/bus.conf <<END
<busconfig>
  <type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/>
    <allow receive_type="error"/><allow receive_type="signal"/>
  </policy>
</busconfig>
END
cat > /run/avahi.conf <<END
[server]
host-name=avahibox
use-ipv4=yes
use-ipv6=yes
[publish]
publish-workstation=no
END
dbus-daemon --config-file=/run/bus.conf --nofork --nopidfile &
until [ -S /run/dbus/system_bus_socket ]; do sleep 0.02; done
exec avahi-daemon -f /run/avahi.conf --no-drop-root --no-chroot --no-rlimits
"#;

pub struct Avahi {
    daemon: Running,
}

impl Avahi {
    /// Starts it; `None` with the reason printed where it is not installed or may not run (it needs
    /// the real root), and a panic there if `LANCHAT_REQUIRE_LAN=1`.
    pub fn start(host: &Host) -> Option<Avahi> {
        let mut command = host.command("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "--", "sh", "-c", SCRIPT]);
        let avahi = Avahi { daemon: host.spawn(command.stdout(Stdio::null()).stderr(Stdio::null())) };
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut last = String::new();
        while Instant::now() < deadline {
            match avahi.command("avahi-browse").args(["-pt", "_none._tcp"]).output() {
                Ok(output) if output.status.success() => return Some(avahi),
                Ok(output) => last = String::from_utf8_lossy(&output.stderr).into_owned(),
                Err(error) => last = error.to_string(),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let required = std::env::var("LANCHAT_REQUIRE_LAN").is_ok_and(|value| value == "1");
        assert!(!required, "LANCHAT_REQUIRE_LAN=1, but avahi does not run here: {last}");
        eprintln!("skipped: avahi does not run here: {last}");
        None
    }

    /// A command that talks to this daemon.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.daemon.0.id().to_string(), "-m", "-n", "--", program]);
        command
    }

    /// The resolved lines of `avahi-browse -rpt KIND`, split at their semicolons.
    pub fn browse(&self, kind: &str) -> Vec<Vec<String>> {
        let output = self.command("avahi-browse").args(["-rpt", kind]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let resolved = text.lines().filter(|line| line.starts_with('='));
        resolved.map(|line| line.split(';').map(String::from).collect()).collect()
    }

    /// Publishes a service for as long as the result lives.
    pub fn publish(&self, name: &str, kind: &str, port: u16, txt: &[&str]) -> Running {
        let mut command = self.command("avahi-publish-service");
        command.args([name, kind, &port.to_string()]).args(txt);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}
