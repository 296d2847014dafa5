//! How a connection ends, and how to treat what its peer still sends.

use mio::net::TcpStream;
use std::io;
#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(windows)]
use std::os::windows::io::AsSocket;
use std::time::Instant;

#[derive(Debug)]
pub(super) struct ConnectionEnding {
    pub(super) since: Instant,
    pub(super) mode: CloseMode,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseMode {
    /// The peer may read what was sent.
    Orderly,
    /// Nothing more can be written. Earlier input still counts.
    Broken,
    /// At once, in both directions.
    Aborted,
    /// Not here: the socket was handed out.
    HandedOut,
}

/// How to treat input from the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputPolicy {
    /// Process it.
    Counts,
    /// Read and discard it: closing over unread bytes would take the last packet from the peer.
    Discarded,
    /// Do not read it.
    Ended,
}

impl ConnectionEnding {
    pub(super) fn now(mode: CloseMode) -> Box<Self> {
        Box::new(Self { since: Instant::now(), mode })
    }
}

/// Another handle of the same socket, for a connection that is handed out.
pub(super) fn duplicate(stream: &TcpStream) -> io::Result<std::net::TcpStream> {
    #[cfg(unix)]
    let duplicate = stream.as_fd().try_clone_to_owned()?;
    #[cfg(windows)]
    let duplicate = stream.as_socket().try_clone_to_owned()?;
    Ok(duplicate.into())
}
