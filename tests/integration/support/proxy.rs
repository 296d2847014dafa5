//! A wire that can be cut: forwards TCP between a client and a server until told otherwise.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Forward,
    /// What the server says is lost, so that receipts do not come.
    Mute,
    /// Connections are closed, new ones at once.
    Cut,
}

struct Wires {
    mode: Mode,
    /// Where new connections lead.
    server: SocketAddr,
    /// How many more bytes pass until all connections end.
    cut_after: Option<usize>,
    /// What of a client's is lost once.
    lose: Option<&'static [u8]>,
    open: Vec<TcpStream>,
}

/// A proxy on a port of its own.
pub struct Proxy {
    pub address: SocketAddr,
    wires: Arc<Mutex<Wires>>,
}

impl Proxy {
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let wires = Arc::new(Mutex::new(Wires {
            mode: Mode::Forward,
            server,
            cut_after: None,
            lose: None,
            open: Vec::new(),
        }));
        let shared = Arc::clone(&wires);
        // Ends with the test process: a listener cannot be woken.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut wires = shared.lock().expect("the wires");
                if wires.mode == Mode::Cut {
                    continue;
                }
                let Ok(server) = TcpStream::connect(wires.server) else { continue };
                let both = [client.try_clone().expect("a clone"), server.try_clone().expect("a clone")];
                wires.open.extend(both);
                drop(wires);
                let (from, to) = (client.try_clone().expect("a clone"), server.try_clone().expect("a clone"));
                let (there, back) = (Arc::clone(&shared), Arc::clone(&shared));
                std::thread::spawn(move || {
                    pump(from, to, |bytes| {
                        let mut wires = there.lock().expect("the wires");
                        wires.pass(bytes.len()) && !wires.loses(bytes)
                    })
                });
                std::thread::spawn(move || {
                    pump(server, client, |bytes| {
                        let mut wires = back.lock().expect("the wires");
                        wires.pass(bytes.len()) && wires.mode != Mode::Mute
                    });
                });
            }
        });
        Self { address, wires }
    }

    /// From now on nothing of what the server says arrives.
    pub fn mute(&self) {
        self.wires.lock().expect("the wires").mode = Mode::Mute;
    }

    /// Ends all connections, and refuses new ones until [`Proxy::mend`].
    pub fn cut(&self) {
        let mut wires = self.wires.lock().expect("the wires");
        wires.mode = Mode::Cut;
        for stream in wires.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Ends all connections once so many more bytes have passed, and takes new ones at once.
    pub fn cut_after(&self, bytes: usize) {
        self.wires.lock().expect("the wires").cut_after = Some(bytes);
    }

    /// Whether that cut is still to come.
    pub fn is_to_cut(&self) -> bool {
        self.wires.lock().expect("the wires").cut_after.is_some()
    }

    /// Loses the next bytes from a client that contain these.
    pub fn lose(&self, bytes: &'static [u8]) {
        self.wires.lock().expect("the wires").lose = Some(bytes);
    }

    /// Whether that is still to come.
    pub fn is_to_lose(&self) -> bool {
        self.wires.lock().expect("the wires").lose.is_some()
    }

    /// New connections lead to another server.
    pub fn lead_to(&self, server: SocketAddr) {
        self.wires.lock().expect("the wires").server = server;
    }

    /// Forwards again.
    pub fn mend(&self) {
        self.wires.lock().expect("the wires").mode = Mode::Forward;
    }
}

impl Wires {
    /// Whether these bytes are lost.
    fn loses(&mut self, bytes: &[u8]) -> bool {
        self.lose.take_if(|lost| bytes.windows(lost.len()).any(|part| part == *lost)).is_some()
    }

    /// Whether so many bytes pass; ends all connections if they are one too many.
    fn pass(&mut self, bytes: usize) -> bool {
        match self.cut_after {
            Some(left) if left < bytes => {
                self.cut_after = None;
                for stream in self.open.drain(..) {
                    let _ = stream.shutdown(Shutdown::Both);
                }
                false
            }
            left => {
                self.cut_after = left.map(|left| left - bytes);
                true
            }
        }
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, passes: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 4096];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || (passes(&buffer[..read]) && to.write_all(&buffer[..read]).is_err()) {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
