//! The floor: a relay on raw epoll that passes every line on to all, one write a receiver and turn,
//! and does nothing else. No chat server can cost less.

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// No run is longer.
const MAX_LIFE: Duration = Duration::from_secs(900);

const LISTENER: Token = Token(usize::MAX);

struct Peer {
    stream: TcpStream,
    /// What a full socket left over.
    backlog: VecDeque<u8>,
}

pub fn serve() -> ExitCode {
    match relay() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn relay() -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    eprintln!("floor on {}", listener.local_addr()?);
    let mut peers: Vec<Option<Peer>> = Vec::new();
    let mut buffer = vec![0; 65_536];
    let started = Instant::now();
    while started.elapsed() < MAX_LIFE {
        poll.poll(&mut events, Some(Duration::from_secs(1)))?;
        let mut turn = Vec::new();
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut peers)?;
                continue;
            }
            let Some(slot) = peers.get_mut(event.token().0) else { continue };
            if event.is_writable()
                && let Some(peer) = slot
            {
                peer.drain();
            }
            if event.is_readable() && slot.as_mut().is_some_and(|peer| !peer.read(&mut buffer, &mut turn)) {
                *slot = None;
            }
        }
        if !turn.is_empty() {
            peers.iter_mut().flatten().for_each(|peer| peer.write(&turn));
        }
    }
    Ok(())
}

fn accept(listener: &TcpListener, poll: &Poll, peers: &mut Vec<Option<Peer>>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                stream.set_nodelay(true)?;
                let interest = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut stream, Token(peers.len()), interest)?;
                // The least a login can be: so both servers' logins are paced by an answer.
                let mut peer = Peer { stream, backlog: VecDeque::new() };
                peer.write(b"\"welcome\"\n");
                peers.push(Some(peer));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

impl Peer {
    /// Whether the peer is still there.
    fn read(&mut self, buffer: &mut [u8], turn: &mut Vec<u8>) -> bool {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return false,
                Ok(length) => turn.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut done = 0;
        while self.backlog.is_empty() && done < bytes.len() {
            match self.stream.write(&bytes[done..]) {
                Ok(length) => done += length,
                Err(_) => break,
            }
        }
        self.backlog.extend(&bytes[done..]);
    }

    fn drain(&mut self) {
        while !self.backlog.is_empty() {
            let (front, _) = self.backlog.as_slices();
            match self.stream.write(front) {
                Ok(length) => drop(self.backlog.drain(..length)),
                Err(_) => return,
            }
        }
    }
}
