//! The two ends of a closed server's entrance, over TLS and with nothing else, so that what they bind
//! their proof to can be chosen.

use lanchat::fingerprint::Fingerprint;
use lanchat::security::{Binding, Challenge, ClientTls, Expect, Keypair, PakeResponse, Passphrase};
use lanchat::security::{ServerChannel, ServerTls};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PASSPHRASE: &str = "a long enough secret";

/// What a proof is bound to, given the server's key and the client's as an end sees them.
pub(super) type Bind = fn(&Fingerprint, Option<&Fingerprint>) -> Binding;

/// How it ended for an end: whether the other one had proved to know the passphrase.
pub(super) type Proven = Result<(), String>;

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE).unwrap()
}

/// Takes one client; says `says` to it once it has proved itself.
pub(super) async fn serve(listener: TcpListener, keypair: Keypair, bind: Bind, says: &str) -> Proven {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut channel = ServerChannel::new(&ServerTls::new(&keypair).unwrap()).unwrap();
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    let mut buffer = vec![0; 4096];
    while !channel.is_open() {
        let length = stream.read(&mut buffer).await.unwrap();
        channel.receive(&buffer[..length], &mut plain, &mut out).map_err(|error| error.to_string())?;
        stream.write_all(&out).await.unwrap();
        out.clear();
    }
    let challenge = Challenge::new(&passphrase(), bind(&keypair.fingerprint(), channel.peer_key().as_ref()));
    channel.send(challenge.element(), &mut out).unwrap();
    stream.write_all(&out).await.unwrap();
    while plain.len() < 33 + 32 {
        let length = stream.read(&mut buffer).await.unwrap();
        if length == 0 {
            return Err("the client is gone".into());
        }
        channel.receive(&buffer[..length], &mut plain, &mut Vec::new()).map_err(|error| error.to_string())?;
    }
    let (element, mac) = plain.split_at(33);
    let own = challenge.verify(element, mac).map_err(|error| error.to_string())?;
    out.clear();
    channel.send(&[&own[..], says.as_bytes()].concat(), &mut out).unwrap();
    stream.write_all(&out).await.unwrap();
    // Until the client has read it.
    while stream.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
    Ok(())
}

/// Enters; returns what the server then says.
pub(super) async fn enter(address: SocketAddr, keypair: &Keypair, bind: Bind) -> Result<String, String> {
    let stream = TcpStream::connect(address).await.unwrap();
    let tls = ClientTls::new(keypair).unwrap();
    let (mut stream, server) =
        tls.connect(stream, &Expect::Anyone).await.map_err(|error| error.to_string())?;
    let mut element = [0; 33];
    stream.read_exact(&mut element).await.map_err(|error| error.to_string())?;
    let binding = bind(&server, Some(&keypair.fingerprint()));
    let answer = PakeResponse::new(&passphrase(), binding, &element).map_err(|error| error.to_string())?;
    stream.write_all(&[answer.element(), answer.mac()].concat()).await.unwrap();
    stream.flush().await.unwrap();
    let mut mac = [0; 32];
    stream.read_exact(&mut mac).await.map_err(|error| error.to_string())?;
    answer.check(&mac).map_err(|error| error.to_string())?;
    let mut said = vec![0; 4096];
    let length = stream.read(&mut said).await.unwrap();
    said.truncate(length);
    Ok(String::from_utf8(said).unwrap())
}
