//! Receives packets in spite of errors that concern only one of them.

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

/// The system's error on Windows for a packet that is longer than the buffer.
const TOO_LONG: i32 = 10040;

/// Receives the next packet that fits the buffer. Safe to cancel.
///
/// # Errors
/// The system's error, after which no packet will come.
pub(super) async fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    loop {
        match socket.recv_from(buffer).await {
            Err(error) if concerns_one_packet(&error) => {}
            received => return received,
        }
    }
}

/// Windows also reports that an earlier packet had no receiver.
fn concerns_one_packet(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionReset
        || (cfg!(windows) && error.raw_os_error() == Some(TOO_LONG))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[tokio::test]
    async fn neither_a_long_packet_nor_one_without_a_receiver_ends_the_reception() {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
        let (own, other, gone) = (bind().await.unwrap(), bind().await.unwrap(), bind().await.unwrap());
        let (to, nowhere) = (own.local_addr().unwrap(), gone.local_addr().unwrap());
        drop(gone);
        own.send_to(b"question", nowhere).await.unwrap();
        other.send_to(&[0; 100], to).await.unwrap();
        other.send_to(b"answer", to).await.unwrap();
        let mut buffer = [0; 10];
        loop {
            let (length, from) = receive(&own, &mut buffer).await.unwrap();
            assert_eq!(from, other.local_addr().unwrap());
            // Unix cuts the long one.
            if &buffer[..length] == b"answer" {
                return;
            }
        }
    }
}
