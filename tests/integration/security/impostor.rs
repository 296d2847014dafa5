//! A host that plays the server: it announces what it likes, answers as if it were the true one, and
//! writes down what clients say to it.

use crate::support::lan::Host;
use lanchat::discovery::{Announcement, Announcer};
use lanchat::fingerprint::Fingerprint;
use lanchat::protocol::binary;
use lanchat::security::{Binding, Challenge, Keypair, Passphrase, ServerChannel, ServerTls, Status};
use serde_json::{Value, json};
use simple_dns::rdata::{A, PTR, RData, SRV};
use simple_dns::{CLASS, Name, Packet, ResourceRecord};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

const SERVICE: &str = "_lanchat._tcp.local";

/// How often a forged packet is sent again: far more often than anything honest.
const FLOOD: Duration = Duration::from_millis(10);

/// What it pretends to be.
#[derive(Clone)]
pub(super) struct Role {
    pub(super) id: String,
    pub(super) name: String,
    /// Whether it is announced so.
    pub(super) is_announced: bool,
    /// Whether it asks for proofs of a passphrase, by which it can test a guess each, and then for
    /// another name, so as to be asked again.
    pub(super) guesses: bool,
}

/// Ends when dropped.
pub(super) struct Impostor {
    pub(super) port: u16,
    heard: Arc<Mutex<Vec<Value>>>,
    stop: Vec<oneshot::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

/// A forged packet of mDNS.
pub(super) enum Forgery {
    /// The true instance is where the impostor is.
    Moved { instance: String, to: Ipv4Addr, port: u16 },
    /// The true instance is gone.
    Goodbye { instance: String },
}

impl Impostor {
    /// On a host, in that role, with that key.
    pub(super) fn start(host: &Host, role: Role, keypair: Keypair) -> Self {
        host.run(|| Self::start_here(role, keypair))
    }

    /// On whatever network this thread is.
    pub(super) fn start_here(role: Role, keypair: Keypair) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = std::sync::mpsc::channel();
        let shared = Arc::clone(&heard);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).await.unwrap();
                let port = listener.local_addr().unwrap().port();
                let announcer = role.is_announced.then(|| announce(&role, port));
                ready.send(port).unwrap();
                tokio::select! {
                    () = accept(listener, role, &keypair, shared) => {}
                    _ = stopped => {}
                }
                if let Some(announcer) = announcer {
                    announcer.shutdown().await;
                }
            });
        });
        Self { port: started.recv().unwrap(), heard, stop: vec![stop], threads: vec![thread] }
    }

    /// Sends that packet again and again from the host for as long as this lives.
    pub(super) fn flood(&mut self, host: &Host, forgery: &Forgery) {
        let (stop, mut stopped) = oneshot::channel();
        let bytes = forgery.bytes();
        let own = host.v4();
        let socket = host.run(|| multicaster(own));
        self.threads.push(std::thread::spawn(move || {
            while matches!(stopped.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
                let _ = socket.send_to(&bytes, (Ipv4Addr::new(224, 0, 0, 251), 5353));
                std::thread::sleep(FLOOD);
            }
        }));
        self.stop.push(stop);
    }

    /// What was said to it beyond the question which server it is.
    pub(super) fn heard(&self) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|packet| packet["type"] != "ping").cloned().collect()
    }

    /// How often it was asked that.
    pub(super) fn asked(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.stop.clear();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Forgery {
    fn bytes(&self) -> Vec<u8> {
        let mut packet = Packet::new_reply(0);
        let service = Name::new(SERVICE).unwrap();
        match self {
            Self::Moved { instance, to, port } => {
                let full = full(instance);
                let host = Name::new("elsewhere.local").unwrap();
                let srv = SRV { priority: 0, weight: 0, port: *port, target: host.clone() };
                packet.answers.push(record(service, RData::PTR(PTR(full.clone()))));
                packet.answers.push(record(full, RData::SRV(srv)).with_cache_flush(true));
                let address = RData::A(A { address: u32::from(*to) });
                packet.answers.push(record(host, address).with_cache_flush(true));
            }
            Self::Goodbye { instance } => {
                let mut goodbye = record(service, RData::PTR(PTR(full(instance))));
                goodbye.ttl = 0;
                packet.answers.push(goodbye);
            }
        }
        packet.build_bytes_vec().unwrap()
    }
}

fn full(instance: &str) -> Name<'static> {
    Name::new(&format!("{instance}.{SERVICE}")).unwrap().into_owned()
}

fn record<'a>(name: Name<'a>, data: RData<'a>) -> ResourceRecord<'a> {
    ResourceRecord::new(name, CLASS::IN, 120, data)
}

fn announce(role: &Role, port: u16) -> Announcer {
    let (advertise, interfaces) = (Vec::new(), Vec::new());
    let (id, name) = (role.id.clone(), role.name.clone());
    Announcer::start(&Announcement {
        id,
        name,
        node: None,
        closed: false,
        web: false,
        port,
        advertise,
        interfaces,
    })
    .unwrap()
}

/// A socket that sends as a responder does (RFC 6762 11).
fn multicaster(own: Ipv4Addr) -> UdpSocket {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.set_multicast_if_v4(&own).unwrap();
    socket.set_multicast_ttl_v4(255).unwrap();
    socket.bind(&SocketAddr::from((own, 5353)).into()).unwrap();
    socket.into()
}

async fn accept(listener: TcpListener, role: Role, keypair: &Keypair, heard: Arc<Mutex<Vec<Value>>>) {
    let tls = ServerTls::new(keypair).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, role, heard) = (tls.clone(), role.clone(), Arc::clone(&heard));
        // Ends with its connection, or with the runtime.
        tokio::spawn(async move { talk(stream, &tls, &role, &heard).await });
    }
}

async fn talk(mut stream: TcpStream, tls: &ServerTls, role: &Role, heard: &Mutex<Vec<Value>>) -> Option<()> {
    let mut channel = ServerChannel::new(tls).unwrap();
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    let mut buffer = vec![0; 65536];
    loop {
        let length = stream.read(&mut buffer).await.ok().filter(|length| *length > 0)?;
        let status = channel.receive(&buffer[..length], &mut plain, &mut out).ok();
        while let Some(end) = plain.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = plain.drain(..=end).collect();
            let packet: Value = serde_json::from_slice(&line).unwrap_or(Value::Null);
            let answer = answer(role, &packet);
            heard.lock().unwrap().push(packet);
            channel.send(format!("{answer}\n").as_bytes(), &mut out).ok()?;
        }
        stream.write_all(&out).await.ok()?;
        out.clear();
        if status? == Status::Closed {
            return None;
        }
    }
}

fn answer(role: &Role, packet: &Value) -> Value {
    let mut answer = json!({
        "type": "sent", "from": {"name": "server", "ip": ""}, "to": "", "msg": "", "seq": 1, "ts": "",
        "id": packet["id"], "server": {"id": role.id, "name": role.name, "version": "0.1.0"},
    });
    match packet["type"].as_str() {
        Some("ping") => {
            answer["type"] = json!("pong");
            answer["closed"] = json!(role.guesses);
        }
        Some("hello") if role.guesses => {
            let word = Passphrase::new("a mere guess").unwrap();
            let key = Fingerprint::from_id(&role.id).unwrap();
            let challenge = Challenge::new(&word, Binding::new(&key, None));
            answer["type"] = json!("pake");
            answer["pake"] = json!(binary::to_text(challenge.element()));
        }
        Some("pake") => {
            answer["type"] = json!("error");
            answer["code"] = json!("name_taken");
            answer["name"] = json!("somebody-else");
        }
        Some("hello") => {
            answer["type"] = json!("welcome");
            answer["name"] = packet["from"]["name"].clone();
        }
        _ => {}
    }
    answer
}
