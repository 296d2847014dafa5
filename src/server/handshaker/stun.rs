//! STUN over TCP (RFC 8489), which a page of any site makes a browser speak: the page names the address, as that of a TURN
//! server or of a peer. The person at the browser has done nothing wrong.

use tokio::net::TcpStream;

/// In each message, after its type and length.
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// The cookie's place: as it is, and after a length (RFC 4571).
const PLACES: [usize; 2] = [4, 6];

/// Whether what has come first is a message of STUN. It comes whole.
pub(super) async fn is_next(stream: &TcpStream) -> bool {
    let mut first = [0; 10];
    let length = stream.peek(&mut first).await.unwrap_or(0);
    PLACES.iter().any(|at| first[..length].get(*at..*at + 4) == Some(&MAGIC_COOKIE))
}
