//! The floor: three socat processes, of which the middle one ends TLS on both sides.

use super::figures::{Turn, children};
use super::place::{Part, Place};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// As much as lanchat reads at a time.
const BUFFER: &str = "65536";

/// Makes the relay's certificate.
pub fn certificate(dir: &Path) -> Result<()> {
    let pem = dir.join("relay.pem");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=relay", "-keyout"])
        .arg(&pem)
        .arg("-out")
        .arg(dir.join("relay.crt"))
        .stderr(Stdio::null())
        .status()
        .context("openssl is missing; install it")?;
    ensure!(made.success(), "openssl cannot make a certificate");
    let both = [fs::read(&pem)?, fs::read(dir.join("relay.crt"))?].concat();
    Ok(fs::write(pem, both)?)
}

/// One turn: `from` arrives as `to`.
pub fn turn(place: &Place, dir: &Path, plaintext: bool, from: &Path, to: &Path) -> Result<Turn> {
    let pem = dir.join("relay.pem").display().to_string();
    let ports = [free_port()?, free_port()?];
    let listen = |port: u16| match plaintext {
        true => format!("TCP-LISTEN:{port},reuseaddr"),
        false => {
            format!("OPENSSL-LISTEN:{port},reuseaddr,cert={pem},verify=0,openssl-min-proto-version=TLS1.3")
        }
    };
    let connect = |port: u16| {
        let relay = place.relay();
        let retry = "retry=500,interval=0.01";
        match plaintext {
            true => format!("TCP:{relay}:{port},{retry}"),
            false => format!("OPENSSL:{relay}:{port},verify=0,openssl-min-proto-version=TLS1.3,{retry}"),
        }
    };
    let socat = |part: Part, a: String, b: String| {
        let mut command = place.command(part, "socat");
        command.args(["-u", "-b", BUFFER, &a, &b]).stdin(Stdio::null()).stderr(Stdio::null());
        command.spawn().context("socat is missing; install it")
    };
    let (cpu, start) = (children(), Instant::now());
    let mut relay = socat(Part::Relay, listen(ports[0]), listen(ports[1]))?;
    let mut sender = socat(Part::Sender, format!("OPEN:{},rdonly", from.display()), connect(ports[0]))?;
    let mut receiver = socat(Part::Receiver, connect(ports[1]), format!("CREATE:{}", to.display()))?;
    let ended = [sender.wait()?, relay.wait()?, receiver.wait()?];
    ensure!(ended.iter().all(|status| status.success()), "socat failed: {ended:?}");
    Ok(Turn { wall: start.elapsed(), cpu: children() - cpu })
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
