//! What stands in for a lanchat server here: something announced that says who it is.

use crate::support::lan::Host;
use lanchat::discovery::{Announcement, Announcer, Proof};
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::thread::JoinHandle;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// An announced listener on a host, which tells everybody who connects its id and name. It says
/// goodbye when it is stopped or dropped.
pub(super) struct Station {
    pub(super) port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

pub(super) fn announcement(id: &str, name: &str) -> Announcement {
    let (advertise, interfaces) = (Vec::new(), Vec::new());
    Announcement {
        id: id.into(),
        name: name.into(),
        node: None,
        closed: false,
        web: false,
        port: 0,
        advertise,
        interfaces,
    }
}

impl Station {
    /// One that is what it is announced as.
    pub(super) fn start(host: &Host, id: &str, name: &str) -> Station {
        Station::announced(host, announcement(id, name), id)
    }

    /// One that says `id` when asked, whatever is announced.
    pub(super) fn announced(host: &Host, announcement: Announcement, id: &str) -> Station {
        Station::at(host, announcement, id, 0)
    }

    /// The same on a certain port; any if it is 0.
    pub(super) fn at(host: &Host, announcement: Announcement, id: &str, port: u16) -> Station {
        let (stop, stopped) = oneshot::channel();
        let (ready, listening) = std::sync::mpsc::channel();
        let answer = format!("{id} {}", announcement.name);
        let thread = host.run(|| {
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await.unwrap();
                    let port = listener.local_addr().unwrap().port();
                    let announcer = Announcer::start(&Announcement { port, ..announcement }).unwrap();
                    ready.send(port).unwrap();
                    tokio::select! {
                        () = tell(listener, answer) => {}
                        _ = stopped => announcer.shutdown().await,
                    }
                });
            })
        });
        Station { port: listening.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    /// Ends it in order.
    pub(super) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.end();
    }
}

async fn tell(listener: TcpListener, answer: String) {
    while let Ok((mut stream, _)) = listener.accept().await {
        // Whoever went away need not be told.
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

/// The probe that belongs to it.
pub(super) async fn ask(addr: SocketAddr) -> io::Result<Proof<SocketAddr>> {
    let mut stream = TcpStream::connect(addr).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (id, name) = answer.split_once(' ').ok_or(io::ErrorKind::InvalidData)?;
    Ok(Proof { id: id.into(), name: name.into(), link: addr })
}

/// The addresses without ports and scopes.
pub(super) fn ips(addrs: &[SocketAddr]) -> Vec<IpAddr> {
    addrs.iter().map(SocketAddr::ip).collect()
}
