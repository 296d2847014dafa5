//! The listening socket, and the loop that accepts connections.

use super::connection_ids::ConnectionIds;
use super::gate::Gate;
use super::handshaker::{self, Handshaker};
use super::memory::Budget;
use super::reactor_inbox::Permits;
use crate::limits::{
    ACCEPT_PAUSE_MAX, ACCEPT_PAUSE_MIN, KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_PROBES,
    RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES,
};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;

/// Connections that wait to be accepted; the kernel may lower it.
const LISTEN_BACKLOG: i32 = 4096;

/// Whether connections inherit the listening socket's options (tcp(7)), which saves seven calls per login.
const INHERITS: bool = cfg!(target_os = "linux");

/// Everything that the accept loop needs to admit a connection.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    pub(super) gate: Arc<Gate>,
    pub(super) ids: Arc<ConnectionIds>,
    pub(super) memory: Arc<Budget>,
}

/// Prepares the `inherited` socket, on which clients can connect already, or else [reserves](reserve) a port.
pub(super) fn take(
    inherited: Option<std::net::TcpListener>,
    (address, port): (Option<IpAddr>, u16),
) -> io::Result<Socket> {
    let Some(inherited) = inherited else { return reserve(address, port) };
    let socket = Socket::from(inherited);
    socket.set_nonblocking(true)?;
    if INHERITS {
        tune(&socket)?;
    }
    Ok(socket)
}

/// Binds `address`, or every address of the machine. Clients cannot connect until [`listen`].
pub(super) fn reserve(address: Option<IpAddr>, port: u16) -> io::Result<Socket> {
    match address {
        Some(ip) => bind(SocketAddr::new(ip, port)),
        // Dual stack; without IPv6 in the kernel, IPv4 alone.
        None => {
            bind(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)).or_else(|error| match error.kind() {
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
                _ => bind(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)),
            })
        }
    }
}

/// An address at which a client on this machine reaches the socket.
pub(super) fn local_address(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok(match address.ip().is_unspecified() {
        true => (Ipv4Addr::LOCALHOST, address.port()).into(),
        false => address,
    })
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // Otherwise a restart would have to wait for old connections in TIME_WAIT. On Windows, the option means
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

pub(super) fn listen(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(LISTEN_BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts connections until dropped, and starts a task for each. Errors never end the loop: without
/// descriptors or memory, it pauses.
pub(super) async fn accept(listener: &TcpListener, handshaker: &Arc<Handshaker>, admission: &Admission) {
    let mut pause = ACCEPT_PAUSE_MIN;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                pause = ACCEPT_PAUSE_MIN;
                tracing::debug!(event = "connection_new", %address, "new connection");
                if !INHERITS && let Err(error) = tune(&SockRef::from(&stream)) {
                    tracing::debug!(event = "socket_option", %error, "cannot set a socket option");
                }
                // Counted here, so that a shutdown at this moment does not miss the connection.
                let is_short = admission.memory.is_full();
                let (pass, cut) = admission.gate.enter(address.ip(), is_short, handshaker.hub.uptime());
                let permits = Permits { pass, id: admission.ids.lease() };
                tokio::spawn(handshaker::serve(Arc::clone(handshaker), stream, address, permits, cut));
            }
            // The peer or its network gave up; the next connection is fine.
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                tracing::warn!(
                    event = "accept_failed",
                    %error,
                    pause_ms = pause.as_millis(),
                    "cannot accept a connection"
                );
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
            }
        }
    }
}

/// Whether the error belongs to the new connection, which Linux also reports through accept(2).
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

/// Sets the options that connections need.
pub(super) fn tune(socket: &Socket) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
    let counted = socket.set_tcp_keepalive(&keepalive.clone().with_retries(KEEPALIVE_PROBES));
    // Before version 10, Windows fixes the number of probes.
    if cfg!(windows) && counted.is_err() {
        socket.set_tcp_keepalive(&keepalive)?;
    } else {
        counted?;
    }
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    // Unacknowledged data then ends a dead connection in the same time (RFC 5482); keep-alive alone
    // would leave that to the retransmissions, which take a quarter of an hour.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(KEEPALIVE_IDLE + KEEPALIVE_INTERVAL * KEEPALIVE_PROBES))?;
    // On a lossy network, the system then retransmits every 200 ms instead of after 200, 400, 800 ms. Systems
    // without the option are only slower there.
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
