//! A connection that lasts, against servers that answer this and that.

use super::*;
use crate::protocol::request::ClientPacket;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// A server that answers each packet with what `answer` makes of its type. It runs in the
/// test's own runtime, so that time that is paused does not pass while it answers.
async fn server(answer: fn(&str) -> Option<&'static str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.split();
        let mut lines = BufReader::new(read).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let packet = ClientPacket::parse(line.as_bytes()).unwrap();
            if let Some(text) = answer(packet.kind.as_deref().unwrap_or_default()) {
                let id = serde_json::to_string(&packet.id).unwrap();
                let answer = format!("{{{text},\"id\":{id}}}\n");
                write.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    addr
}

async fn connect(addr: SocketAddr) -> Reconnector {
    let credentials = Credentials::in_the_open("alice");
    let link = crate::client::link::ServerLink::connect(addr, &credentials.channel).await.unwrap();
    let registered = credentials.admit(link, "", false, JoinTerms::returning(Mode::Chat)).await.unwrap();
    let locator = Locator::at(addr);
    // From here on time passes only while nothing else happens.
    tokio::time::pause();
    Reconnector::start(Joined { registered, credentials, locator })
}

const WELCOME: &str = r#""type":"welcome","name":"alice""#;

#[tokio::test]
async fn a_server_that_stops_answering_is_noticed_in_25_seconds() {
    let addr = server(|kind| (kind == "hello").then_some(WELCOME)).await;
    let mut connection = connect(addr).await;
    assert!(matches!(connection.next().await, Ok(Update::Up(_))));
    let start = Instant::now();
    let Ok(Update::Down(Loss { why, .. })) = connection.next().await else { panic!("no end") };
    assert_eq!(why, "the server has stopped answering");
    assert_eq!(start.elapsed().as_secs(), 25);
}

#[tokio::test]
async fn a_kick_is_final() {
    let kicked = server(|kind| match kind {
        "hello" => Some(WELCOME),
        "ping" => Some(r#""type":"bye","code":"kicked","msg":"out""#),
        _ => None,
    })
    .await;
    let mut connection = connect(kicked).await;
    assert!(matches!(connection.next().await, Ok(Update::Up(_))));
    assert!(matches!(connection.next().await, Ok(Update::Event(Event::Bye { .. }, _))));
    let last = connection.next().await;
    assert!(matches!(last, Err(Ended::Failed(Error::Refused(why, _))) if why == "out"));
    assert!(matches!(connection.next().await, Err(Ended::Gone(_))));
}

#[tokio::test]
async fn an_idle_server_that_answers_pings_is_kept() {
    let addr = server(|kind| match kind {
        "hello" => Some(WELCOME),
        "ping" => Some(r#""type":"pong""#),
        _ => None,
    })
    .await;
    let mut connection = connect(addr).await;
    assert!(matches!(connection.next().await, Ok(Update::Up(_))));
    let quiet = tokio::time::timeout(Duration::from_secs(600), connection.next()).await;
    assert!(quiet.is_err(), "something happened on an idle connection");
}
