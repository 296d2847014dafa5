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
        let wires = Arc::new(Mutex::new(Wires { mode: Mode::Forward, open: Vec::new() }));
        let shared = Arc::clone(&wires);
        // Ends with the test process: a listener cannot be woken.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut wires = shared.lock().expect("the wires");
                if wires.mode == Mode::Cut {
                    continue;
                }
                let Ok(server) = TcpStream::connect(server) else { continue };
                let both = [client.try_clone().expect("a clone"), server.try_clone().expect("a clone")];
                wires.open.extend(both);
                drop(wires);
                let (from, to) = (client.try_clone().expect("a clone"), server.try_clone().expect("a clone"));
                std::thread::spawn(move || pump(from, to, || true));
                let modes = Arc::clone(&shared);
                std::thread::spawn(move || {
                    pump(server, client, || modes.lock().expect("the wires").mode != Mode::Mute);
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

    /// Forwards again.
    pub fn mend(&self) {
        self.wires.lock().expect("the wires").mode = Mode::Forward;
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, passes: impl Fn() -> bool) {
    let mut buffer = [0; 4096];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || (passes() && to.write_all(&buffer[..read]).is_err()) {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
