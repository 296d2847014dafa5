//! The client against servers that a real one never is: encrypted, and lying about the rest.

use super::channel::Channel;
use super::{LinkError, PassphraseProof, ServerLink};
use crate::fingerprint::Fingerprint;
use crate::protocol::binary;
use crate::protocol::request::{ClientPacket, Hello};
use crate::security::{
    Binding, Challenge, ClientTls, Expect, Keypair, Passphrase, ServerChannel, ServerTls, Status,
};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server's answers to a packet, given the client's key.
type Script = Box<dyn FnMut(ClientPacket, Option<Fingerprint>) -> Vec<String> + Send>;

/// A server with its own key that follows a script, for one client.
async fn server(keypair: &Keypair, mut script: Script) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let tls = ServerTls::new(keypair).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut channel = ServerChannel::new(&tls).unwrap();
        let (mut bytes, mut plain) = (vec![0; 16 * 1024], Vec::new());
        while let Ok(read @ 1..) = stream.read(&mut bytes).await {
            let mut out = Vec::new();
            let status = channel.receive(&bytes[..read], &mut plain, &mut out);
            while let Some(end) = plain.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = plain.drain(..=end).collect();
                for answer in script(ClientPacket::parse(&line).unwrap(), channel.peer_key()) {
                    channel.send(format!("{answer}\n").as_bytes(), &mut out).unwrap();
                }
            }
            let _ = stream.write_all(&out).await;
            if !matches!(status, Ok(Status::Handshaking | Status::Open)) {
                return;
            }
        }
    });
    addr
}

fn encrypted(own: &Keypair, expect: Expect) -> Channel {
    Channel::Tls { tls: Box::new(ClientTls::new(own).unwrap()), expect }
}

const PONG: &str = r#"{"type":"pong","server":{"id":"00","name":"Office"}}"#;
const WELCOME: &str = r#"{"type":"welcome","name":"alice","server":{"id":"00","name":"Office"}}"#;

fn pake(challenge: &Challenge) -> String {
    format!(r#"{{"type":"pake","pake":"{}"}}"#, binary::to_text(challenge.element()))
}

/// Enters a server that answers the client's proof with what `reply` makes of it.
async fn enter(
    passphrase: Option<&str>,
    bound_to: Option<Fingerprint>,
    reply: fn(Challenge, &ClientPacket) -> Vec<String>,
) -> Result<bool, LinkError> {
    let (keys, own) = (Keypair::ephemeral().unwrap(), Keypair::ephemeral().unwrap());
    let server_key = bound_to.unwrap_or(keys.fingerprint());
    let known = Passphrase::new("correct horse battery").unwrap();
    let mut challenge = None;
    let script: Script = Box::new(move |packet, client| match packet.kind.as_deref() {
        Some("hello") => {
            let new = Challenge::new(&known, Binding::new(&server_key, client.as_ref()));
            let asked = pake(&new);
            challenge = Some(new);
            vec![asked]
        }
        _ => reply(challenge.take().unwrap(), &packet),
    });
    let addr = server(&keys, script).await;
    let mut link = ServerLink::connect(addr, &encrypted(&own, Expect::Anyone)).await.unwrap();
    let passphrase = passphrase.map(|text| Passphrase::new(text).unwrap());
    let proof = passphrase.as_ref().map(|passphrase| PassphraseProof { passphrase, own: own.fingerprint() });
    let mut proven = false;
    let welcome = link.hello(Hello::default(), proof, &mut proven).await?;
    assert_eq!(welcome.server.id, keys.fingerprint().id());
    Ok(proven)
}

fn confirm(challenge: Challenge, packet: &ClientPacket) -> Vec<String> {
    let part = |member: &Option<String>| binary::from_text(member.as_deref().unwrap()).unwrap();
    match challenge.verify(&part(&packet.pake), &part(&packet.mac)) {
        Ok(mac) => {
            let ok = format!(r#"{{"type":"pake_ok","mac":"{}"}}"#, binary::to_text(&mac));
            vec![ok, WELCOME.into()]
        }
        Err(_) => vec![r#"{"type":"error","code":"bad_passphrase","msg":"no"}"#.into()],
    }
}

#[tokio::test]
async fn a_server_proves_that_it_knows_the_passphrase_too() {
    assert!(enter(Some("correct horse battery"), None, confirm).await.unwrap());
    let wrong = enter(Some("some other words"), None, confirm).await;
    assert!(matches!(wrong, Err(LinkError::WrongPassphrase)), "{wrong:?}");
    let none = enter(None, None, confirm).await;
    assert!(matches!(none, Err(LinkError::PassphraseNeeded)), "{none:?}");
}

#[tokio::test]
async fn who_sits_in_between_with_a_key_of_their_own_learns_nothing() {
    let other = Keypair::ephemeral().unwrap().fingerprint();
    let relayed = enter(Some("correct horse battery"), Some(other), confirm).await;
    assert!(matches!(relayed, Err(LinkError::WrongPassphrase)), "{relayed:?}");
}

#[tokio::test]
async fn a_welcome_in_place_of_the_proof_is_not_believed() {
    let skips: [fn(Challenge, &ClientPacket) -> Vec<String>; 3] = [
        |_, _| vec![WELCOME.into()],
        |_, _| vec![format!(r#"{{"type":"pake_ok","mac":"{}"}}"#, binary::to_text(&[0; 32])), WELCOME.into()],
        |challenge, _| vec![pake(&challenge), WELCOME.into()],
    ];
    for skip in skips {
        let entered = enter(Some("correct horse battery"), None, skip).await;
        let refused = matches!(entered, Err(LinkError::WrongPassphrase | LinkError::Protocol(_)));
        assert!(refused, "{entered:?}");
    }
}

#[tokio::test]
async fn a_server_that_goes_on_in_a_version_nobody_offered_is_left() {
    for (version, is_in) in [("1", true), ("null", true), ("2", false)] {
        let (keys, own) = (Keypair::ephemeral().unwrap(), Keypair::ephemeral().unwrap());
        let welcome = WELCOME.replacen('{', &format!("{{\"v\":{version},"), 1);
        let addr = server(&keys, Box::new(move |_, _| vec![welcome.clone()])).await;
        let mut link = ServerLink::connect(addr, &encrypted(&own, Expect::Anyone)).await.unwrap();
        let entered = link.hello(Hello::default(), None, &mut false).await;
        match entered {
            Ok(_) => assert!(is_in, "{version}"),
            Err(error) => assert!(!is_in && matches!(error, LinkError::TooNew(2)), "{version} {error}"),
        }
    }
}

#[tokio::test]
async fn the_id_is_that_of_the_key_whatever_the_server_says() {
    let (keys, own) = (Keypair::ephemeral().unwrap(), Keypair::ephemeral().unwrap());
    let addr = server(&keys, Box::new(|_, _| vec![PONG.into()])).await;
    let (link, status) = ServerLink::probe(addr, &encrypted(&own, Expect::Anyone)).await.unwrap();
    assert_eq!((status.server.id, link.key()), (keys.fingerprint().id(), Some(keys.fingerprint())));
}

#[tokio::test]
async fn another_key_than_the_expected_one_is_refused_with_both() {
    let (keys, own) = (Keypair::ephemeral().unwrap(), Keypair::ephemeral().unwrap());
    let addr = server(&keys, Box::new(|_, _| panic!("the client has said something"))).await;
    let channel = encrypted(&own, Expect::Only(vec![own.fingerprint()]));
    let error = ServerLink::connect(addr, &channel).await.err().unwrap();
    assert!(matches!(error, LinkError::WrongKey { presented, .. } if presented == keys.fingerprint()));
    // A narrowed channel is never widened.
    let never = channel.narrowed(vec![keys.fingerprint()]);
    assert!(matches!(never, Channel::Tls { expect: Expect::Only(keys), .. } if keys.is_empty()));
}
