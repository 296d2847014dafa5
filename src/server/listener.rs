//! Sockets that take connections, and the loop that accepts them.

use super::desk::Tickets;
use super::door::{self, Door};
use super::gate::Gate;
use super::memory::Budget;
use super::roll::Roll;
use crate::limits::{
    ACCEPT_PAUSE_MAX, ACCEPT_PAUSE_MIN, KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_PROBES,
    RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES,
};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;

/// Connections that wait to be accepted. The kernel cuts it to its own bound.
const LISTEN_BACKLOG: i32 = 4096;

/// Whether connections have the options of the socket that took them (tcp(7)), so that seven calls a
/// login are saved.
const INHERITS: bool = cfg!(target_os = "linux");

/// What the accept loop goes by.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    pub(super) gate: Arc<Gate>,
    pub(super) roll: Arc<Roll>,
    pub(super) memory: Arc<Budget>,
}

/// Takes the port on `address`, or on every address of the machine. Nobody can connect until [`listen`].
pub(super) fn reserve(address: Option<IpAddr>, port: u16) -> io::Result<Socket> {
    match address {
        Some(ip) => bind(SocketAddr::new(ip, port)),
        // Dual stack; without IPv6 in the kernel the older protocol alone.
        None => {
            bind(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)).or_else(|error| match error.kind() {
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
                _ => bind(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)),
            })
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
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
    if INHERITS {
        tune(&socket)?;
    }
    Ok(socket)
}

/// Opens the port.
pub(super) fn listen(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(LISTEN_BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts until dropped. Errors never end the loop: running out of descriptors or memory makes it
/// wait for a while. Each connection is a task that ends with it; the roll counts those.
pub(super) async fn accept(listener: &TcpListener, door: &Arc<Door>, admission: &Admission) {
    let mut pause = ACCEPT_PAUSE_MIN;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                pause = ACCEPT_PAUSE_MIN;
                tracing::debug!(%address, "a client connects");
                if !INHERITS && let Err(error) = tune(&SockRef::from(&stream)) {
                    tracing::debug!(%error, "a socket option could not be set");
                }
                // The count is taken here, so that a shutdown at this moment does not miss it.
                let is_short = admission.memory.is_full();
                let (pass, cut) = admission.gate.enter(address.ip(), is_short, door.hub.uptime());
                let tickets = Tickets { pass, place: admission.roll.enter() };
                tokio::spawn(door::serve(Arc::clone(door), stream, address, tickets, cut));
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

/// Sets what connections are to have.
fn tune(socket: &Socket) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    // Unacknowledged data ends a dead connection in the same time (RFC 5482); keep-alive alone
    // would leave it to the retransmissions, a quarter of an hour.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(KEEPALIVE_IDLE + KEEPALIVE_INTERVAL * KEEPALIVE_PROBES))?;
    // Where packets get lost, the system sends one again every 200 ms instead of after 200, 400, 800 ms. A system
    // that cannot is only slower then.
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_thin_linear_timeouts(true);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn a_connection_that_was_taken_has_every_option() {
        let socket = reserve(Some(Ipv4Addr::LOCALHOST.into()), 0).expect("a port");
        let listener = listen(socket).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (peer, taken) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (stream, _) = taken.expect("a connection");
        if !INHERITS {
            tune(&SockRef::from(&stream)).expect("options");
        }
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().expect("an option") && socket.keepalive().expect("an option"));
        assert!(socket.send_buffer_size().expect("an option") <= 2 * SEND_BUFFER_BYTES);
        assert!(socket.recv_buffer_size().expect("an option") <= 2 * RECEIVE_BUFFER_BYTES);
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_keepalive_time().expect("an option"), KEEPALIVE_IDLE);
            assert_eq!(socket.tcp_keepalive_interval().expect("an option"), KEEPALIVE_INTERVAL);
            assert_eq!(socket.tcp_keepalive_retries().expect("an option"), KEEPALIVE_PROBES);
            let timeout = KEEPALIVE_IDLE + KEEPALIVE_INTERVAL * KEEPALIVE_PROBES;
            assert_eq!(socket.tcp_user_timeout().expect("an option"), Some(timeout));
            assert!(socket.tcp_thin_linear_timeouts().expect("an option"));
        }
        drop(peer);
    }
}
