//! One connection to a server: connects, asks what answers there, says hello, and reads and writes packets.
//! It does not reconnect, and knows no prompt.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::channel::{Channel, ended};
use super::error::LinkError;
use crate::fingerprint::Fingerprint;
use crate::limits::PROTOCOL_VERSION;
use crate::name::Name;
use crate::protocol::codec::{Decoded, Decoder};
use crate::protocol::event::Welcome;
use crate::protocol::packet::ServerInfo;
use crate::protocol::request::{Act, Connect, Hello, TestToken};
use crate::protocol::{Code, Event, Request, ServerPacket, WebAccess, binary};
use crate::security::{Binding, PakeResponse, Passphrase};

/// How long a server may take to answer a hello, or a ping to an address that the user gave.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// How long the request for operator rights may take, for which nobody waits.
const OPERATOR_WAIT: Duration = Duration::from_secs(2);

/// The `id` of that request.
const OPERATOR_ID: &str = "operator";

/// Packets that may come before its answer.
const MAX_AHEAD: usize = 1000;

const READ_BYTES: usize = 16 * 1024;

pub(crate) struct ServerLink {
    reader: LinkReader,
    writer: PacketWriter,
    peer: SocketAddr,
    local: Option<IpAddr>,
    key: Option<Fingerprint>,
}

/// The reading half.
pub(crate) struct LinkReader {
    half: Box<dyn AsyncRead + Send + Unpin>,
    decoder: Decoder,
    ready: VecDeque<ServerPacket>,
    buffer: Box<[u8]>,
}

/// The writing half.
pub(crate) struct PacketWriter {
    half: Box<dyn AsyncWrite + Send + Unpin>,
}

/// A server's words about itself; the id is that of its proven key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerStatus {
    pub(crate) server: ServerInfo,
    /// Its name within its chat; `None`: the chat has no other server.
    pub(crate) node: Option<String>,
    /// Whether newcomers need a passphrase.
    pub(crate) closed: bool,
    /// Users who are online.
    pub(crate) total: usize,
    /// Whether it gives way to other servers.
    pub(crate) interim: bool,
    /// Random for each start of the server; older servers tell none.
    pub(crate) run: Option<String>,
    /// How browsers join; `None`: not at all.
    pub(crate) web: Option<WebAccess>,
}

/// Proves to a closed server that this client knows the passphrase.
pub(crate) struct PassphraseProof<'a> {
    pub(crate) passphrase: &'a Passphrase,
    /// The fingerprint of this user's key.
    pub(crate) own: Fingerprint,
}

impl ServerLink {
    pub(crate) async fn connect(addr: SocketAddr, channel: &Channel) -> Result<Self, LinkError> {
        let streams = channel.open(addr).await?;
        Ok(Self {
            reader: LinkReader {
                half: streams.reader,
                decoder: Decoder::default(),
                ready: VecDeque::new(),
                buffer: vec![0; READ_BYTES].into(),
            },
            writer: PacketWriter { half: streams.writer },
            peer: addr,
            local: streams.local,
            key: streams.key,
        })
    }

    /// Connects and asks the server about itself, without registering.
    pub(crate) async fn probe(
        addr: SocketAddr,
        channel: &Channel,
    ) -> Result<(Self, ServerStatus), LinkError> {
        let mut link = Self::connect(addr, channel).await?;
        link.writer.send(&Request::Connect(Connect::Ping).to_frame(None)).await?;
        let status = timeout(ANSWER_WAIT, link.pong()).await.map_err(|_| LinkError::Silent)??;
        Ok((link, status))
    }

    /// Connects and asks for a multicast test. Returns whether the server heard this machine's packets.
    pub(crate) async fn test_multicast(
        addr: SocketAddr,
        channel: &Channel,
        token: TestToken,
    ) -> Result<bool, LinkError> {
        let mut link = Self::connect(addr, channel).await?;
        link.writer.send(&Request::Connect(Connect::Multicast { token }).to_frame(None)).await?;
        let answer = timeout(ANSWER_WAIT, link.reader.next()).await.map_err(|_| LinkError::Silent)??;
        match Event::from_packet(answer) {
            Event::Multicast { heard, .. } => Ok(heard),
            other => Err(refusal(other)),
        }
    }

    async fn pong(&mut self) -> Result<ServerStatus, LinkError> {
        match Event::from_packet(self.reader.next().await?) {
            Event::Pong { server, node, total, closed, interim, run, web } => {
                let server = self.proven(server);
                Ok(ServerStatus { server, node, closed, total, interim, run, web })
            }
            other => Err(refusal(other)),
        }
    }

    /// Replaces the id in a server's words about itself with that of its key.
    fn proven(&self, server: ServerInfo) -> ServerInfo {
        match self.key {
            Some(key) => ServerInfo { id: key.id(), ..server },
            None => server,
        }
    }

    /// Registers. Gives a closed server the proof that it asks for. Sets `proven` if the server gives its own
    /// proof, which may come before an error.
    pub(crate) async fn hello(
        &mut self,
        hello: Hello,
        proof: Option<PassphraseProof<'_>>,
        proven: &mut bool,
    ) -> Result<Welcome, LinkError> {
        self.writer.send(&Request::Connect(Connect::Hello(hello)).to_frame(None)).await?;
        let welcome = timeout(ANSWER_WAIT, self.welcome(proof, proven)).await;
        welcome.map_err(|_| LinkError::Silent)?
    }

    async fn welcome(
        &mut self,
        mut proof: Option<PassphraseProof<'_>>,
        proven: &mut bool,
    ) -> Result<Welcome, LinkError> {
        let mut answered = None;
        loop {
            let packet = self.reader.next().await?;
            let version = packet.v.unwrap_or(PROTOCOL_VERSION);
            match Event::from_packet(packet) {
                Event::Pong { .. } => {}
                Event::Pake { pake, .. } if answered.is_none() && !*proven => {
                    let proof = proof.take().ok_or(LinkError::PassphraseNeeded)?;
                    answered = Some(self.answer(&proof, &pake).await?);
                }
                Event::PakeOk { mac } => {
                    let answer: PakeResponse = answered.take().ok_or(LinkError::WrongPassphrase)?;
                    answer.check(&bytes(&mac)).map_err(|_| LinkError::WrongPassphrase)?;
                    *proven = true;
                }
                Event::Error { code: Some(Code::BadPassphrase), .. } => {
                    return Err(LinkError::WrongPassphrase);
                }
                // A server that asked for a proof must give its own, whatever else it says: each answer such
                // as "name taken" would give an impostor another guess at the passphrase.
                _ if answered.is_some() => return Err(LinkError::WrongPassphrase),
                Event::Welcome(_) if version > PROTOCOL_VERSION => return Err(LinkError::TooNew(version)),
                // The name goes into prompts and messages, so it must be valid.
                Event::Welcome(welcome) if Name::new(&welcome.name).is_ok() => {
                    let server = self.proven(welcome.server.clone());
                    return Ok(Welcome { server, ..*welcome });
                }
                other => return Err(refusal(other)),
            }
        }
    }

    async fn answer(&mut self, proof: &PassphraseProof<'_>, pake: &str) -> Result<PakeResponse, LinkError> {
        // In plaintext, a man in the middle could relay the proof.
        let server = self.key.ok_or(LinkError::WrongPassphrase)?;
        let binding = Binding::new(&server, Some(&proof.own));
        let answer = PakeResponse::new(proof.passphrase, binding, &bytes(pake))
            .map_err(|_| LinkError::WrongPassphrase)?;
        let (pake, mac) = (binary::to_text(answer.element()), binary::to_text(answer.mac()));
        let request = Request::Connect(Connect::Pake { pake, mac });
        self.writer.send(&request.to_frame(None)).await?;
        Ok(answer)
    }

    /// Becomes an operator with the server's own secret; false if the server refuses. Keeps packets that come
    /// before the answer.
    pub(crate) async fn become_operator(&mut self, token: &str) -> Result<bool, LinkError> {
        let request = Request::Act(Act::OpByToken { token: token.to_owned() });
        self.writer.send(&request.to_frame(Some(OPERATOR_ID))).await?;
        let mut ahead = VecDeque::new();
        let answer = async {
            while ahead.len() < MAX_AHEAD {
                let packet = self.reader.next().await?;
                if packet.id.as_deref() == Some(OPERATOR_ID) {
                    return Ok(!matches!(Event::from_packet(packet), Event::Error { .. }));
                }
                ahead.push_back(packet);
            }
            Ok(false)
        };
        let answer = timeout(OPERATOR_WAIT, answer).await;
        ahead.append(&mut self.reader.ready);
        self.reader.ready = ahead;
        answer.unwrap_or(Ok(false))
    }

    /// The server's address.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// This machine's address on the connection.
    pub(crate) fn local(&self) -> Option<IpAddr> {
        self.local
    }

    /// The server's key, proven; none in plaintext.
    pub(crate) fn key(&self) -> Option<Fingerprint> {
        self.key
    }

    /// Splits the link into halves that can be used at the same time.
    pub(crate) fn split(self) -> (LinkReader, PacketWriter) {
        (self.reader, self.writer)
    }
}

/// Decodes a member; invalid text gives no bytes, which make no valid proof.
fn bytes(text: &str) -> Vec<u8> {
    binary::from_text(text).unwrap_or_default()
}

/// Explains an event in place of the expected answer.
fn refusal(event: Event) -> LinkError {
    match event {
        Event::Error { code: code @ Some(Code::TlsRequired), .. } => {
            let msg = "it accepts only encrypted connections; leave out --plaintext".into();
            LinkError::Refused { code, msg, free: None }
        }
        Event::Error { code, msg, name } => LinkError::Refused { code, msg, free: name },
        Event::Bye { code, msg, .. } => LinkError::Refused { code, msg, free: None },
        _ => LinkError::Protocol("its answer does not match the request".into()),
    }
}

impl LinkReader {
    /// The next packet. Safe to cancel: nothing read is lost.
    pub(crate) async fn next(&mut self) -> Result<ServerPacket, LinkError> {
        loop {
            if let Some(packet) = self.ready.pop_front() {
                return Ok(packet);
            }
            match self.half.read(&mut self.buffer).await {
                Ok(0) => return Err(LinkError::Lost("closed by the other side".into())),
                Ok(read) => self.take(read)?,
                Err(error) => return Err(ended(&error)),
            }
        }
    }

    fn take(&mut self, read: usize) -> Result<(), LinkError> {
        let ready = &mut self.ready;
        let mut wrong = None;
        let _ = self.decoder.decode(&self.buffer[..read], |decoded| {
            match decoded {
                Decoded::Frame(frame) => match ServerPacket::parse(frame) {
                    Ok(packet) => ready.push_back(packet),
                    Err(_) => wrong = Some("it sent JSON that is not a packet"),
                },
                Decoded::Garbage => wrong = Some("it sent something other than packets"),
                Decoded::TooLong => wrong = Some("it sent a packet over 64 KiB"),
            }
            if wrong.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        wrong.map_or(Ok(()), |why: &str| Err(LinkError::Protocol(why.into())))
    }
}

impl PacketWriter {
    /// Sends a frame. Not safe to cancel: half of it may be sent.
    pub(crate) async fn send(&mut self, frame: &[u8]) -> Result<(), LinkError> {
        let sent = async {
            self.half.write_all(frame).await?;
            self.half.flush().await
        };
        sent.await.map_err(|error| ended(&error))
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn finish(&mut self) {
        let _ = self.half.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// A server that says `text` to each client and waits for the end.
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

    async fn probe_error(addr: SocketAddr) -> LinkError {
        ServerLink::probe(addr, &Channel::Plain).await.err().expect("an error")
    }

    #[tokio::test]
    async fn a_probe_gives_what_the_server_says_of_itself() {
        let pong = r#"{"from":{"name":"server"},"type":"pong","server":{"id":"3f9a","name":"office"},"total":4,"closed":true}"#;
        let (link, ServerStatus { server, closed, .. }) =
            ServerLink::probe(says(pong).await, &Channel::Plain).await.unwrap();
        assert_eq!((server.id.as_str(), server.name.as_str(), closed), ("3f9a", "office", true));
        assert_eq!(link.peer().ip(), std::net::Ipv4Addr::LOCALHOST);
    }

    #[tokio::test]
    async fn a_welcome_under_a_name_that_is_none_is_not_believed() {
        let addr = says("{\"type\":\"welcome\",\"name\":\"\\u001b]0;gone\\u0007\"}\n").await;
        let mut link = ServerLink::connect(addr, &Channel::Plain).await.unwrap();
        let error = link.hello(Hello::default(), None, &mut false).await.unwrap_err();
        assert!(matches!(error, LinkError::Protocol(_)), "{error:?}");
    }

    #[tokio::test]
    async fn what_is_no_lanchat_server_is_told_apart_from_one_that_refuses() {
        let error = probe_error(says("SSH-2.0-OpenSSH_9.2\r\n").await).await;
        assert!(matches!(error, LinkError::Protocol(_)), "{error:?}");
        let error = probe_error(says(r#"{"hello":"world"}"#).await).await;
        assert!(matches!(error, LinkError::Protocol(_)), "{error:?}");
        let full = r#"{"from":{"name":"server"},"type":"error","code":"server_full","msg":"full"}"#;
        let error = probe_error(says(full).await).await;
        assert!(matches!(error, LinkError::Refused { code: Some(Code::ServerFull), .. }), "{error:?}");
    }

    #[tokio::test]
    async fn nobody_there_is_a_failure_to_connect() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        drop(listener);
        assert!(matches!(probe_error(addr).await, LinkError::Connect(_)));
    }
}
