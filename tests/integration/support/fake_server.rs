//! A server that says whatever a test wants, for what a real one never says.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

/// The server's end of the first connection.
pub struct FakeServer {
    pub address: SocketAddr,
    talks: Receiver<TcpStream>,
    packets: Receiver<Value>,
}

impl FakeServer {
    /// Answers ping and hello, the latter with `welcome` besides what a welcome needs.
    pub fn start(welcome: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, talks) = channel();
        let (said, packets) = channel();
        // Ends with the test process: a listener cannot be woken.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (sender, said, welcome) = (sender.clone(), said.clone(), welcome.clone());
                std::thread::spawn(move || {
                    let lines = BufReader::new(stream.try_clone().expect("a clone")).lines();
                    for line in lines.map_while(Result::ok) {
                        let packet: Value = serde_json::from_str(&line).expect("a packet");
                        answer(&stream, &packet, &welcome);
                        match packet["type"].as_str() {
                            Some("hello") if packet["mode"] == "file" => {}
                            Some("hello") => drop(sender.send(stream.try_clone().expect("a clone"))),
                            Some("ping") => {}
                            _ => drop(said.send(packet)),
                        }
                    }
                });
            }
        });
        Self { address, talks, packets }
    }

    /// The next packet of any client that this server does not answer by itself.
    pub fn packet(&self) -> Value {
        self.packets.recv_timeout(super::peer::DEADLINE).expect("a packet")
    }

    /// The connection of the next client that has said hello.
    pub fn accept(&self) -> TcpStream {
        self.talks.recv_timeout(super::peer::DEADLINE).expect("a client")
    }
}

/// Sends a packet.
pub fn say(mut stream: &TcpStream, packet: &Value) {
    stream.write_all(format!("{packet}\n").as_bytes()).expect("the client reads");
}

fn answer(stream: &TcpStream, packet: &Value, welcome: &Value) {
    let server = json!({"id": "00112233aabbccdd", "name": "fake", "version": "9"});
    let mut answer = match packet["type"].as_str() {
        Some("ping") => json!({"type": "pong", "server": server}),
        // The other side of a transfer never comes.
        Some("hello") if packet["mode"] == "file" => {
            json!({"type": "error", "code": "cut", "msg": "the transfer has ended"})
        }
        Some("hello") => {
            let mut answer = json!({"type": "welcome", "name": packet["from"]["name"], "server": server});
            for (member, value) in welcome.as_object().expect("members") {
                answer[member] = value.clone();
            }
            answer
        }
        _ => return,
    };
    answer["from"] = json!({"name": "server", "ip": ""});
    answer["id"] = packet["id"].clone();
    say(stream, &answer);
}
