//! A real server on a free port of loopback, in a thread and runtime of its own.

use lanchat::server::{Handle, Options, Server};
use std::net::SocketAddr;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Stops when dropped.
pub struct TestServer {
    pub address: SocketAddr,
    pub handle: Handle,
    pub id: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options {
            name: "test".into(),
            address: Some([127, 0, 0, 1].into()),
            port: 0,
            ..Options::default()
        };
        change(&mut options);
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
        Self { address, handle, id, stop: Some(stop), thread: Some(thread) }
    }

    /// Orderly; returns when it has stopped.
    pub fn stop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server ends well");
        }
    }
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
