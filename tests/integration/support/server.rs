//! A real server on a free port of loopback, in a thread and runtime of its own.

use super::one_node;
use lanchat::fingerprint::Fingerprint;
use lanchat::protocol::request::{Ask, Operate, Refusal};
use lanchat::protocol::{Event, ServerNumbers};
use lanchat::server::{Handle, Server, ServerOptions};
use std::net::SocketAddr;
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// Stops when dropped.
pub struct TestServer {
    pub address: SocketAddr,
    pub handle: Handle,
    pub id: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// If the test has none for it, but it has a log.
    _own_dir: Option<TempDir>,
}

impl TestServer {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut ServerOptions)) -> Self {
        Self::launch(change, one_node::share)
    }

    /// Keeps nothing.
    pub fn without_history() -> Self {
        Self::with(|options| options.history = None)
    }

    fn launch(
        change: impl FnOnce(&mut ServerOptions),
        share: impl FnOnce(&mut ServerOptions) -> Option<TempDir>,
    ) -> Self {
        let mut options = ServerOptions {
            name: "test".into(),
            address: Some([127, 0, 0, 1].into()),
            port: 0,
            plaintext: true,
            ..ServerOptions::default()
        };
        // Tests write faster than people.
        options.rules.rate = None;
        change(&mut options);
        let own_dir = share(&mut options);
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let server = Server::bind(options).expect("a server");
                let id = server.info().id.clone();
                ready.send((server.address(), server.handle(), id)).expect("the test waits");
                server.run(async { drop(stopped.await) }).await;
            });
        });
        let (address, handle, id) = started.recv().expect("the server starts");
        Self { address, handle, id, stop: Some(stop), thread: Some(thread), _own_dir: own_dir }
    }

    /// One that keeps what it has in `dir`: the next one there is the same server.
    pub fn in_dir(dir: &std::path::Path) -> Self {
        Self::with(|options| options.data_dir = Some(dir.to_owned()))
    }

    /// The same without a log, whatever `LANCHAT_TEST_NODE` says: what follows gives it one.
    pub fn alone_in_dir(dir: &std::path::Path) -> Self {
        Self::launch(|options| options.data_dir = Some(dir.to_owned()), |_| None)
    }

    /// Stops it, and starts it again at the same address.
    pub fn restart(&mut self, dir: &std::path::Path) {
        self.stop();
        let port = self.address.port();
        *self = Self::with(|options| {
            options.data_dir = Some(dir.to_owned());
            options.port = port;
        });
    }

    /// Its own numbers.
    pub fn numbers(&self) -> ServerNumbers {
        wait_for(self.handle.numbers())
    }

    /// Asks at its console.
    pub fn ask(&self, question: &Ask) -> Result<Event, Refusal> {
        wait_for(self.handle.ask(question))
    }

    /// Gives a command at its console.
    pub fn operate(&self, command: &Operate) -> Result<Event, Refusal> {
        wait_for(self.handle.operate(command))
    }

    /// Makes a user who is here an operator.
    pub fn op(&self, name: &str) {
        self.operate(&Operate::Op { name: name.into() }).expect("the console may");
    }

    /// The link that leads to this server and no other.
    pub fn link(&self) -> String {
        self.link_at(self.address)
    }

    /// The same by way of another address.
    pub fn link_at(&self, address: SocketAddr) -> String {
        let key = Fingerprint::from_id(&self.id).expect("an id");
        format!("lanchat://{address}/?fp={key}")
    }

    /// Orderly; returns when it has stopped.
    pub fn stop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server ends well");
        }
    }
}

fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(future)
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.expect("the server ends well");
            }
        }
    }
}
