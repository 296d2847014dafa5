//! Sockets that take connections, and the loop that accepts them.

use super::connection::Connection;
use super::hub::Hub;
use super::roll::{Place, Roll};
use super::session::{self, Seat};
use crate::chat::Peer;
use crate::limits::{
    ACCEPT_PAUSE_MAX, ACCEPT_PAUSE_MIN, CLOSE_GRACE, KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_PROBES,
};
use crate::protocol::{Code, Event};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Connections that wait to be accepted. The kernel cuts it to its own bound.
const LISTEN_BACKLOG: i32 = 4096;

/// Connections over the bound that are being told so at a time; further ones are just closed.
const FAREWELLS: usize = 32;

/// What the accept loop goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admission {
    pub(super) max_clients: usize,
    pub(super) max_backlog: usize,
}

/// Opens a socket on `address`, or on every address of the machine.
pub(super) fn listen(address: Option<IpAddr>, port: u16) -> io::Result<TcpListener> {
    match address {
        Some(ip) => open(SocketAddr::new(ip, port)),
        // Dual stack; without IPv6 in the kernel the older protocol alone.
        None => {
            open(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)).or_else(|error| match error.kind() {
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
                _ => open(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)),
            })
        }
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // A restart must not wait for the old connections' TIME_WAIT. On Windows the option means
    // something else: it would let two servers share the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(LISTEN_BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts until dropped. Errors never end the loop: running out of descriptors or memory makes it
/// wait for a while. Each session is a task that ends with its connection; `roll` counts those.
pub(super) async fn accept(listener: &TcpListener, hub: &Arc<Hub>, admission: Admission, roll: &Arc<Roll>) {
    let farewells = Arc::new(Semaphore::new(FAREWELLS));
    let mut pause = ACCEPT_PAUSE_MIN;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                pause = ACCEPT_PAUSE_MIN;
                tracing::debug!(%address, "a client connects");
                match roll.enter(admission.max_clients) {
                    None => say_full(stream, admission.max_clients, &farewells),
                    Some(place) => {
                        let connection = admit(hub, stream, address, admission.max_backlog, place);
                        // Taken here, so that a shutdown at this moment does not miss it.
                        tokio::spawn(session::run(Seat::take(Arc::clone(hub), connection)));
                    }
                }
            }
            // The peer gave up while it waited, or its network did: the next one is fine.
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                tracing::warn!(%error, pause_ms = pause.as_millis(), "a connection could not be accepted");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
            }
        }
    }
}

/// accept(2): errors of the new connection come out of accept on Linux.
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
    )
}

fn admit(
    hub: &Hub,
    stream: TcpStream,
    address: SocketAddr,
    max_backlog: usize,
    place: Place,
) -> Arc<Connection> {
    if let Err(error) = tune(&stream) {
        tracing::debug!(%error, "a socket option could not be set");
    }
    let ip = address.ip().to_canonical();
    let own = stream.local_addr().is_ok_and(|local| local.ip().to_canonical() == ip);
    let peer = Peer { ip, operator: own || ip.is_loopback() };
    Connection::new(hub.number(), peer, stream, max_backlog, place)
}

fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&keepalive)?;
    // Unacknowledged data ends a dead connection in the same time (RFC 5482); keep-alive alone
    // would leave it to the retransmissions, a quarter of an hour.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(KEEPALIVE_IDLE + KEEPALIVE_INTERVAL * KEEPALIVE_PROBES))?;
    Ok(())
}

fn say_full(mut stream: TcpStream, max_clients: usize, farewells: &Arc<Semaphore>) {
    let Ok(permit) = Arc::clone(farewells).try_acquire_owned() else { return };
    let text = format!("this server has all the {max_clients} clients it takes; try again later");
    let frame = Event::error(Code::ServerFull, text).to_packet("", None).to_frame();
    tokio::spawn(async move {
        let _permit = permit;
        let farewell = async {
            stream.write_all(&frame).await?;
            stream.shutdown().await?;
            // Reading to the end keeps the close from discarding the line on its way.
            tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
        };
        let _ = timeout(CLOSE_GRACE, farewell).await;
    });
}
