//! Somebody in between: takes clients with a key of its own, goes on to the true server with that
//! key, and passes on what each says, reading along.

use lanchat::fingerprint::Fingerprint;
use lanchat::security::{ClientTls, Expect, Keypair, ServerChannel, ServerTls, Status};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// What it has learned.
#[derive(Debug, Default, Clone)]
pub struct Heard {
    /// Connections of clients, whatever came of them.
    pub connections: usize,
    /// Clients that refused it in the handshake.
    pub refusals: usize,
    /// What clients said, after encryption was taken off.
    pub client: Vec<u8>,
    /// What the server said to them.
    pub server: Vec<u8>,
    /// The keys that clients showed.
    pub keys: Vec<Option<Fingerprint>>,
}

impl Heard {
    /// Whether that text passed in either direction.
    pub fn has(&self, text: &str) -> bool {
        let all = [&self.client[..], &self.server].concat();
        String::from_utf8_lossy(&all).contains(text)
    }
}

/// Ends when dropped.
pub struct Relay {
    pub address: SocketAddr,
    pub key: Fingerprint,
    heard: Arc<Mutex<Heard>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Relay {
    pub fn to(server: SocketAddr) -> Self {
        Self::with_key(server, Keypair::ephemeral().expect("a key"))
    }

    /// With a key that may be stolen.
    pub fn with_key(server: SocketAddr, keypair: Keypair) -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = std::sync::mpsc::channel();
        let (key, shared) = (keypair.fingerprint(), Arc::clone(&heard));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                ready.send(listener.local_addr().expect("an address")).expect("the test waits");
                tokio::select! {
                    () = accept(listener, server, keypair, shared) => {}
                    _ = stopped => {}
                }
            });
        });
        let address = started.recv().expect("it starts");
        Self { address, key, heard, stop: Some(stop), thread: Some(thread) }
    }

    pub fn heard(&self) -> Heard {
        self.heard.lock().expect("what was heard").clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, keypair: Keypair, heard: Arc<Mutex<Heard>>) {
    let tls = ServerTls::new(&keypair).expect("settings");
    let own = ClientTls::new(&keypair).expect("settings");
    while let Ok((client, _)) = listener.accept().await {
        heard.lock().expect("what was heard").connections += 1;
        let (tls, own, heard) = (tls.clone(), own.clone(), Arc::clone(&heard));
        // Ends with its connections, or with the runtime.
        tokio::spawn(async move { pass_on(client, server, &tls, &own, &heard).await });
    }
}

async fn pass_on(
    mut client: TcpStream,
    server: SocketAddr,
    tls: &ServerTls,
    own: &ClientTls,
    heard: &Mutex<Heard>,
) -> Option<()> {
    let mut channel = ServerChannel::new(tls).expect("settings");
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    let mut buffer = vec![0; 65536];
    while !channel.is_open() {
        let length = client.read(&mut buffer).await.unwrap_or(0);
        let taken = channel.receive(&buffer[..length], &mut plain, &mut out);
        let _ = client.write_all(&out).await;
        out.clear();
        // By an alert, or without a word.
        if length == 0 || taken.is_err() {
            heard.lock().expect("what was heard").refusals += 1;
            return None;
        }
    }
    heard.lock().expect("what was heard").keys.push(channel.peer_key());
    let stream = TcpStream::connect(server).await.ok()?;
    let (mut server, _) = own.connect(stream, &Expect::Anyone).await.ok()?;
    let mut from_server = vec![0; 65536];
    loop {
        if !plain.is_empty() {
            heard.lock().expect("what was heard").client.extend_from_slice(&plain);
            server.write_all(&plain).await.ok()?;
            server.flush().await.ok()?;
            plain.clear();
        }
        if !out.is_empty() {
            client.write_all(&out).await.ok()?;
            out.clear();
        }
        tokio::select! {
            length = client.read(&mut buffer) => {
                let length = length.ok().filter(|length| *length > 0)?;
                if channel.receive(&buffer[..length], &mut plain, &mut out).ok()? == Status::Closed {
                    let _ = server.shutdown().await;
                }
            }
            length = server.read(&mut from_server) => {
                let Some(length) = length.ok().filter(|length| *length > 0) else {
                    channel.close(&mut out);
                    client.write_all(&out).await.ok()?;
                    return Some(());
                };
                heard.lock().expect("what was heard").server.extend_from_slice(&from_server[..length]);
                channel.send(&from_server[..length], &mut out).ok()?;
            }
        }
    }
}
