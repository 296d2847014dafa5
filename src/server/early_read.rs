//! Reads from a socket that the reactor does not have yet, into one buffer for each thread.

use std::cell::RefCell;
use std::io;
use tokio::net::TcpStream;

const READ_BYTES: usize = 4 * 1024;

thread_local! {
    static BUFFER: RefCell<[u8; READ_BYTES]> = const { RefCell::new([0; READ_BYTES]) };
}

/// Waits for bytes, and hands them in; `None`: the peer has closed its side.
pub(super) async fn read_some<T>(stream: &TcpStream, take: impl FnOnce(&[u8]) -> T) -> io::Result<Option<T>> {
    loop {
        stream.readable().await?;
        let read = BUFFER.with_borrow_mut(|buffer| stream.try_read(buffer));
        match read {
            Ok(0) => return Ok(None),
            Ok(length) => return Ok(Some(BUFFER.with_borrow(|buffer| take(&buffer[..length])))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
