//! One connection to a server: connects, asks what answers there, says hello, and reads and writes
//! packets. It does not reconnect, and knows no prompt.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::name::Name;
use crate::protocol::codec::{Decoded, Decoder};
use crate::protocol::event::Welcome;
use crate::protocol::packet::ServerInfo;
use crate::protocol::request::Hello;
use crate::protocol::{Code, Event, Packet, Request};

/// How long a server may take to answer a hello or, at an address that was given, a ping.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// Why a connection could not be had, or is over.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// There is nobody at the address.
    #[error("{0}")]
    Connect(#[source] io::Error),
    /// It was there and is gone.
    #[error("the connection was lost ({0})")]
    Lost(String),
    /// Nothing came for too long.
    #[error("no answer in time")]
    Silent,
    /// What answers is no lanchat server.
    #[error("what answers there is no lanchat server ({0})")]
    Protocol(&'static str),
    /// The server says no.
    #[error("{msg}")]
    Refused {
        /// Why, for programs.
        code: Option<Code>,
        /// Why, for people; not safe for a terminal yet.
        msg: String,
        /// A name that is free.
        free: Option<String>,
    },
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Link {
    reader: Reader,
    writer: Writer,
    peer: SocketAddr,
}

/// The reading half.
#[derive(Debug)]
pub(super) struct Reader {
    half: OwnedReadHalf,
    decoder: Decoder,
    ready: VecDeque<Packet>,
    buffer: Box<[u8]>,
}

/// The writing half.
#[derive(Debug)]
pub(super) struct Writer {
    half: OwnedWriteHalf,
    frame: Vec<u8>,
}

impl Link {
    /// Connects.
    pub(super) async fn connect(addr: SocketAddr) -> Result<Self, LinkError> {
        let stream = TcpStream::connect(addr).await.map_err(LinkError::Connect)?;
        // Chat is small packets that somebody waits for.
        stream.set_nodelay(true).map_err(LinkError::Connect)?;
        let (read, write) = stream.into_split();
        Ok(Self {
            reader: Reader {
                half: read,
                decoder: Decoder::default(),
                ready: VecDeque::new(),
                buffer: vec![0; READ_BYTES].into(),
            },
            writer: Writer { half: write, frame: Vec::new() },
            peer: addr,
        })
    }

    /// Connects and asks what answers there; it is not registered by that.
    pub(super) async fn probe(addr: SocketAddr) -> Result<(Self, ServerInfo), LinkError> {
        let mut link = Self::connect(addr).await?;
        link.writer.send(&Request::Ping.to_packet(None)).await?;
        let server = timeout(ANSWER_WAIT, link.pong()).await.map_err(|_| LinkError::Silent)??;
        Ok((link, server))
    }

    async fn pong(&mut self) -> Result<ServerInfo, LinkError> {
        match Event::from_packet(self.reader.next().await?) {
            Event::Pong { server, .. } => Ok(server),
            other => Err(refusal(other)),
        }
    }

    /// Registers, and gives the server's welcome.
    pub(super) async fn hello(&mut self, hello: Hello) -> Result<Welcome, LinkError> {
        self.writer.send(&Request::Hello(hello).to_packet(None)).await?;
        let welcome = async {
            loop {
                match Event::from_packet(self.reader.next().await?) {
                    // The name goes on into prompts and messages, so it must be one.
                    Event::Welcome(welcome) if Name::new(&welcome.name).is_ok() => return Ok(*welcome),
                    Event::Pong { .. } => {}
                    other => return Err(refusal(other)),
                }
            }
        };
        timeout(ANSWER_WAIT, welcome).await.map_err(|_| LinkError::Silent)?
    }

    /// Where the other side is.
    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The two directions, to be used at the same time.
    pub(super) fn split(self) -> (Reader, Writer) {
        (self.reader, self.writer)
    }
}

/// What it means that this came in place of the answer.
fn refusal(event: Event) -> LinkError {
    match event {
        Event::Error { code, msg, name } => LinkError::Refused { code, msg, free: name },
        Event::Bye { code, msg } => LinkError::Refused { code, msg, free: None },
        _ => LinkError::Protocol("it answered something else than what was asked"),
    }
}

impl Reader {
    /// The next packet. Safe to cancel: nothing read is lost.
    pub(super) async fn next(&mut self) -> Result<Packet, LinkError> {
        loop {
            if let Some(packet) = self.ready.pop_front() {
                return Ok(packet);
            }
            match self.half.read(&mut self.buffer).await {
                Ok(0) => return Err(LinkError::Lost("closed by the other side".into())),
                Ok(read) => self.take(read)?,
                Err(error) => return Err(LinkError::Lost(error.to_string())),
            }
        }
    }

    fn take(&mut self, read: usize) -> Result<(), LinkError> {
        let ready = &mut self.ready;
        let mut wrong = None;
        let _ = self.decoder.decode(&self.buffer[..read], |decoded| {
            match decoded {
                Decoded::Frame(frame) => match Packet::parse(frame) {
                    Ok(packet) => ready.push_back(packet),
                    Err(_) => wrong = Some("it sent JSON that is no packet"),
                },
                Decoded::Garbage => wrong = Some("it sent something else than packets"),
                Decoded::TooLong => wrong = Some("it sent a packet over 64 KiB"),
            }
            if wrong.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        wrong.map_or(Ok(()), |why| Err(LinkError::Protocol(why)))
    }
}

impl Writer {
    /// Sends a packet. Not safe to cancel: half of it may have been sent.
    pub(super) async fn send(&mut self, packet: &Packet) -> Result<(), LinkError> {
        self.frame.clear();
        packet.write_to(&mut self.frame);
        self.half.write_all(&self.frame).await.map_err(|error| LinkError::Lost(error.to_string()))
    }

    /// Says that nothing more will be sent.
    pub(super) async fn finish(&mut self) {
        let _ = self.half.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// A server that says `text` to whoever connects and waits for the end.
    async fn says(text: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        });
        addr
    }

    #[tokio::test]
    async fn a_probe_gives_what_the_server_says_of_itself() {
        let pong =
            r#"{"from":{"name":"server"},"type":"pong","server":{"id":"3f9a","name":"office"},"total":4}"#;
        let (link, server) = Link::probe(says(pong).await).await.unwrap();
        assert_eq!((server.id.as_str(), server.name.as_str()), ("3f9a", "office"));
        assert_eq!(link.peer().ip(), std::net::Ipv4Addr::LOCALHOST);
    }

    #[tokio::test]
    async fn a_welcome_under_a_name_that_is_none_is_not_believed() {
        let addr = says("{\"type\":\"welcome\",\"name\":\"\\u001b]0;gone\\u0007\"}\n").await;
        let mut link = Link::connect(addr).await.unwrap();
        let error = link.hello(Hello::default()).await.unwrap_err();
        assert!(matches!(error, LinkError::Protocol(_)), "{error:?}");
    }

    #[tokio::test]
    async fn what_is_no_lanchat_server_is_told_apart_from_one_that_refuses() {
        let error = Link::probe(says("SSH-2.0-OpenSSH_9.2\r\n").await).await.unwrap_err();
        assert!(matches!(error, LinkError::Protocol(_)), "{error:?}");
        let error = Link::probe(says(r#"{"hello":"world"}"#).await).await.unwrap_err();
        assert!(matches!(error, LinkError::Protocol(_)), "{error:?}");
        let full = r#"{"from":{"name":"server"},"type":"error","code":"server_full","msg":"full"}"#;
        let error = Link::probe(says(full).await).await.unwrap_err();
        assert!(matches!(error, LinkError::Refused { code: Some(Code::ServerFull), .. }), "{error:?}");
    }

    #[tokio::test]
    async fn nobody_there_is_a_failure_to_connect() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        drop(listener);
        assert!(matches!(Link::probe(addr).await.unwrap_err(), LinkError::Connect(_)));
    }
}
