//! The program's own two ends against each other, and the client against programs that are not servers.

use super::super::{ServerChannel, ServerTls};
use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::JoinHandle;

/// The server's view of one connection.
#[derive(Debug, Default)]
struct Seen {
    was_open: bool,
    key: Option<Fingerprint>,
    /// Bytes that came after its first answer: of an honest client, all that it says of itself.
    after_hello: usize,
    failed: bool,
}

/// Serves one connection: echoes what it gets, until the end.
fn serve(keypair: &Keypair, mut socket: DuplexStream) -> JoinHandle<Seen> {
    let mut channel = ServerChannel::new(&ServerTls::new(keypair).unwrap()).unwrap();
    tokio::spawn(async move {
        let mut seen = Seen::default();
        let mut has_answered = false;
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = socket.read(&mut buffer).await {
            seen.after_hello += if has_answered { count } else { 0 };
            let (mut plain, mut out) = (Vec::new(), Vec::new());
            let taken = channel.receive(&buffer[..count], &mut plain, &mut out);
            seen.failed |= taken.is_err();
            seen.was_open |= channel.is_open();
            seen.key = channel.peer_key();
            if !plain.is_empty() {
                channel.send(&plain, &mut out).unwrap();
            }
            has_answered |= !out.is_empty();
            if socket.write_all(&out).await.is_err() || taken.is_err() {
                break;
            }
        }
        seen
    })
}

/// Connects with `expect` to a server that answers `bytes` and closes.
async fn connect_to(bytes: &'static [u8]) -> HandshakeError {
    let (near, mut far) = duplex(64 * 1024);
    let answers = tokio::spawn(async move {
        far.write_all(bytes).await.unwrap();
        far.shutdown().await.unwrap();
        // Whatever the client says is taken, as a socket's buffer would.
        let _ = far.read_to_end(&mut Vec::new()).await;
    });
    let error = ClientTls::anonymous().unwrap().connect(near, &Expect::Anyone).await.unwrap_err();
    answers.await.unwrap();
    error
}

#[tokio::test]
async fn both_ends_learn_the_others_key_and_text_goes_both_ways() {
    let (server, user) = (Keypair::ephemeral().unwrap(), Keypair::ephemeral().unwrap());
    for (tls, key) in
        [(ClientTls::new(&user).unwrap(), Some(user.fingerprint())), (ClientTls::anonymous().unwrap(), None)]
    {
        for expect in [
            Expect::Anyone,
            Expect::Only(vec![server.fingerprint()]),
            Expect::Only(vec![user.fingerprint(), server.fingerprint()]),
        ] {
            let (near, far) = duplex(1000);
            let serving = serve(&server, far);
            let (stream, presented) = tls.connect(near, &expect).await.unwrap();
            assert_eq!(presented, server.fingerprint());
            let (mut reader, mut writer) = tokio::io::split(stream);
            let text: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
            let sending = {
                let text = text.clone();
                tokio::spawn(async move {
                    writer.write_all(&text).await.unwrap();
                    writer.flush().await.unwrap();
                    writer
                })
            };
            let mut echo = vec![0; text.len()];
            reader.read_exact(&mut echo).await.unwrap();
            assert!(echo == text, "the echo differs");
            drop((reader, sending.await.unwrap()));
            let seen = serving.await.unwrap();
            assert!(seen.was_open && !seen.failed, "{seen:?}");
            assert_eq!(seen.key, key);
        }
    }
}

#[tokio::test]
async fn a_server_with_another_key_is_refused_before_it_learns_anything() {
    let (server, user, other) =
        (Keypair::ephemeral().unwrap(), Keypair::ephemeral().unwrap(), Keypair::ephemeral().unwrap());
    for expected in [vec![other.fingerprint()], vec![]] {
        let (near, far) = duplex(10_000);
        let serving = serve(&server, far);
        let refused = ClientTls::new(&user).unwrap().connect(near, &Expect::Only(expected)).await;
        match refused {
            Err(HandshakeError::WrongKey { presented }) => assert_eq!(presented, server.fingerprint()),
            other => panic!("{other:?}"),
        }
        let seen = serving.await.unwrap();
        assert!(!seen.was_open && seen.key.is_none(), "{seen:?}");
        // An alert, and the meaningless record that comes before it for old middleboxes.
        assert!(seen.after_hello <= 24 + 6, "{seen:?}");
    }
}

#[tokio::test]
async fn a_server_that_closes_at_once_is_told_from_one_that_speaks_no_tls() {
    assert!(matches!(connect_to(b"").await, HandshakeError::Closed));
    let json = b"{\"type\":\"error\",\"code\":\"server_full\"}\r\nmore\n";
    match connect_to(json).await {
        HandshakeError::NoTls { line } => assert_eq!(line, "{\"type\":\"error\",\"code\":\"server_full\"}"),
        other => panic!("{other:?}"),
    }
    match connect_to(b"SSH-2.0-x").await {
        HandshakeError::NoTls { line } => assert_eq!(line, "SSH-2.0-x"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(connect_to(b"\n").await, HandshakeError::NoTls { .. }));
}

#[tokio::test]
async fn an_alert_and_broken_tls_are_told_apart() {
    // handshake_failure and protocol_version, in the clear.
    assert!(matches!(connect_to(&[21, 3, 3, 0, 2, 2, 40]).await, HandshakeError::Refused(_)));
    assert!(matches!(connect_to(&[21, 3, 3, 0, 2, 2, 70]).await, HandshakeError::Refused(_)));
    assert!(matches!(connect_to(&[22, 3, 3, 0, 4, 2, 0, 0, 0]).await, HandshakeError::Failed(_)));
    assert!(matches!(connect_to(&[22, 3, 3]).await, HandshakeError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_never_ends_is_cut() {
    let (near, mut far) = duplex(64 * 1024);
    far.write_all(b"{ \"half").await.unwrap();
    let error = ClientTls::anonymous().unwrap().connect(near, &Expect::Anyone).await.unwrap_err();
    match error {
        HandshakeError::NoTls { line } => assert_eq!(line, "{ \"half"),
        other => panic!("{other:?}"),
    }
    let (near, mut far) = duplex(64 * 1024);
    far.write_all(&[b'x'; 30_000]).await.unwrap();
    let error = ClientTls::anonymous().unwrap().connect(near, &Expect::Anyone).await.unwrap_err();
    match error {
        HandshakeError::NoTls { line } => {
            assert!(line.len() <= crate::limits::MAX_FOREIGN_LINE_BYTES, "{}", line.len());
        }
        other => panic!("{other:?}"),
    }
}
