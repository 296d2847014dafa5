//! A sender who keeps to no rule, and `lanchat receive`, which accepts everything.

mod folders;
mod names;
mod records;

use super::{Running, User, receiver};
use crate::support::file_peer::FilePeer;
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls::Key;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A record, made without the program's own code.
fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind], length.as_slice(), content].concat()
}

fn json_record(kind: u8, content: &Value) -> Vec<u8> {
    record(kind, content.to_string().as_bytes())
}

/// Begins at the first byte.
fn start() -> Vec<u8> {
    json_record(b'P', &json!({"files": 0, "have": 0}))
}

fn begin(path: &[&str], size: u64) -> Vec<u8> {
    json_record(b'F', &json!({"path": path, "size": size}))
}

fn data(bytes: &[u8]) -> Vec<u8> {
    record(b'D', bytes)
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    record(b'H', blake3::hash(bytes).as_bytes())
}

/// A whole file.
fn file(path: &[&str], bytes: &[u8]) -> Vec<u8> {
    [begin(path, bytes.len() as u64), data(bytes), hash(bytes)].concat()
}

fn folder(path: &[&str]) -> Vec<u8> {
    json_record(b'F', &json!({"path": path, "folder": true}))
}

fn totals(files: u64, bytes: u64) -> Vec<u8> {
    json_record(b'E', &json!({"files": files, "bytes": bytes}))
}

/// Eve, who offers, and bob, who accepts everything.
struct Scene {
    server: TestServer,
    bob: User,
    running: Running,
    eve: Peer,
    key: Key,
    offers: u32,
}

impl Scene {
    fn new(args: &[&str]) -> Self {
        Self::of(User::new("bob"), args)
    }

    fn of(bob: User, args: &[&str]) -> Self {
        let server = TestServer::start();
        let running = receiver(&bob, server.address, &[&["--yes-to-all"], args].concat());
        let key = Key::new();
        let eve = Peer::join_with(server.address, "eve", &key);
        Self { server, bob, running, eve, key, offers: 0 }
    }

    /// Offers. Returns the offer's number, or the server's code.
    fn offer(&mut self, mut file: Value) -> Result<u64, String> {
        self.offers += 1;
        file["id"] = json!(format!("c{}", self.offers));
        self.eve.send(json!({"type": "offer", "to": "bob", "file": file}));
        let answer = self.eve.wait_until(|packet| packet["type"] == "offered" || packet["type"] == "error");
        answer["offer"].as_u64().ok_or_else(|| format!("refused: {}", answer["code"].as_str().unwrap()))
    }

    /// The connection for an offer that bob has accepted.
    fn connect(&mut self, offer: u64) -> FilePeer {
        let accepted = self.eve.wait_until(|packet| packet["type"] == "accepted" && packet["offer"] == offer);
        let mut pipe =
            FilePeer::open(self.server.address, Some(&self.key), accepted["token"].as_str().unwrap());
        pipe.go();
        pipe
    }

    /// How it ended for bob: a code, or the name that he has it under. Ends the offer.
    fn outcome(&mut self, offer: u64, mut pipe: FilePeer) -> String {
        pipe.read_to_end();
        drop(pipe);
        let event = self.running.one_of(&["received", "failed"]);
        self.eve.send(json!({"type": "cancel", "offer": offer, "id": "over"}));
        self.eve.wait_until(|packet| packet["id"] == "over");
        match event["path"].as_str() {
            Some(path) => Path::new(path).file_name().unwrap().to_str().unwrap().to_owned(),
            None => format!("failed: {}", event["code"].as_str().unwrap()),
        }
    }

    /// Offers that, and says those bytes once bob has accepted it.
    fn attack(&mut self, file: Value, bytes: &[u8]) -> String {
        let offer = match self.offer(file) {
            Ok(offer) => offer,
            Err(refusal) => return refusal,
        };
        let mut pipe = self.connect(offer);
        // The receiver closes the connection once it has read enough.
        let _ = pipe.try_write(bytes);
        self.outcome(offer, pipe)
    }

    /// What bob has, with `/` between the names on the way; a folder ends with one.
    fn has(&self) -> Vec<String> {
        paths(&self.bob.files())
    }

    /// Removes what bob has.
    fn clear(&self) {
        for entry in fs::read_dir(self.bob.files()).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { fs::remove_dir_all(entry) } else { fs::remove_file(entry) }.unwrap();
        }
    }

    /// The folder of what is coming, once it is there.
    fn unfinished(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.bob.files()).unwrap().map(|entry| entry.unwrap().path());
        entries.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "part"))
    }
}

/// Everything in a folder. Follows no links.
fn paths(root: &Path) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let parts: Vec<_> =
                path.strip_prefix(root).unwrap().iter().map(|part| part.to_str().unwrap()).collect();
            let is_folder = entry.file_type().unwrap().is_dir();
            found.push(parts.join("/") + if is_folder { "/" } else { "" });
            if is_folder {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}
