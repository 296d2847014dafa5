//! A browser's way in: requests for the page, then one to go on as a WebSocket.

use super::files;
use super::head::{HeadFault, RequestHead, Upgrade, parse_head};
use super::identity::{self, Caller};
use super::response::{self, Notice};
use super::stream::WebStream;
use super::{WebCaller, WebDoor, WebEnd};
use crate::limits::{WEB_ANSWER_BYTES, WEB_REQUESTS, WEB_TIMEOUT, WEB_UPGRADE_BYTES};
use crate::protocol::WebAccess;
use crate::security::ServerChannel;
use crate::server::gate::Pass;
use crate::server::hub::Hub;
use crate::server::websocket::WebPurpose;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The next step after a request.
enum NextStep {
    Go,
    End(WebEnd),
    Upgrade(Upgrade, WebPurpose, String),
}

/// Serves a browser until it says who it is. `early`: bytes that came with the end of the handshake.
pub(in crate::server) async fn enter(
    (door, hub, pass): (&WebDoor, &Hub, &Pass),
    socket: &mut TcpStream,
    channel: Option<ServerChannel>,
    mut early: Vec<u8>,
) -> Result<WebCaller, WebEnd> {
    let mut stream = WebStream { socket, channel };
    for n in 1..=WEB_REQUESTS {
        let request = match next_request(&mut stream, &mut early).await {
            Ok(request) => request,
            Err(end) => {
                stream.end().await;
                return Err(end);
            }
        };
        match answer((door, hub, pass), &mut stream, &request, n == WEB_REQUESTS).await {
            NextStep::Go => {}
            NextStep::End(end) => {
                stream.end().await;
                return Err(end);
            }
            NextStep::Upgrade(upgrade, purpose, origin) => {
                let caller = Caller { door, hub, ip: pass.host(), purpose, origin };
                return identity::learn(caller, stream, &upgrade, early).await;
            }
        }
    }
    stream.end().await;
    Err(WebEnd::Done)
}

/// Reads a request's head, and answers what is none.
async fn next_request(stream: &mut WebStream<'_>, early: &mut Vec<u8>) -> Result<RequestHead, WebEnd> {
    let read = timeout(WEB_TIMEOUT, async {
        loop {
            match parse_head(early) {
                Ok(Some(head)) => break Ok(Some(head)),
                Ok(None) => {}
                Err(fault) => break Err(fault),
            }
            if !stream.read(early).await.unwrap_or(false) {
                break Ok(None);
            }
        }
    });
    match read.await {
        Ok(Ok(Some(head))) => {
            early.drain(..head.length);
            Ok(head)
        }
        Ok(Ok(None)) => Err(WebEnd::Done),
        Ok(Err(fault)) => {
            // It may be gone.
            let _ = stream.write(&[&Notice::Fault(fault).to_bytes(false, false)]).await;
            // A page from elsewhere can make a browser send the others. That must shut nobody out.
            Err(if fault == HeadFault::Bad { WebEnd::Garbage } else { WebEnd::Done })
        }
        // Browsers open connections in advance.
        Err(_) if early.is_empty() => Err(WebEnd::Done),
        Err(_) => Err(WebEnd::Slow),
    }
}

async fn answer(
    (door, hub, pass): (&WebDoor, &Hub, &Pass),
    stream: &mut WebStream<'_>,
    request: &RequestHead,
    is_last: bool,
) -> NextStep {
    let keeps = request.keeps && !is_last && door.mode.is_some();
    let decision = decide(door, stream.is_encrypted(), request);
    let cost = match &decision {
        Decision::Page(file) if !request.is_head => {
            WEB_ANSWER_BYTES + file.form(request.reads_gzip).bytes.len()
        }
        Decision::Page(_) | Decision::Notice(_) => WEB_ANSWER_BYTES,
        Decision::Upgrade(..) => WEB_UPGRADE_BYTES,
    };
    let Some(wait) = pass.answer_delay(cost, hub.uptime()) else { return NextStep::End(WebEnd::Busy) };
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let written = match decision {
        Decision::Page(file) => {
            let form = file.form(request.reads_gzip);
            let body = if request.is_head { &[] } else { form.bytes };
            let others = door.siblings.sources(stream.is_encrypted());
            stream.write(&[&response::page_head(file, &form, &others, keeps), body]).await
        }
        Decision::Notice(notice) => stream.write(&[&notice.to_bytes(request.is_head, keeps)]).await,
        Decision::Upgrade(upgrade, purpose, origin) => return NextStep::Upgrade(upgrade, purpose, origin),
    };
    if keeps && written.is_ok() { NextStep::Go } else { NextStep::End(WebEnd::Done) }
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Page(&'static files::PageFile),
    Notice(Notice),
    Upgrade(Upgrade, WebPurpose, String),
}

fn decide(door: &WebDoor, is_encrypted: bool, request: &RequestHead) -> Decision {
    let Some(mode) = door.mode else { return Decision::Notice(Notice::Off) };
    if !door.hosts.accepts(&request.host) {
        return Decision::Notice(Notice::ForeignHost);
    }
    if !is_encrypted && mode == WebAccess::Https {
        return Decision::Notice(Notice::Redirect(format!("https://{}{}", request.host, request.path)));
    }
    let (purpose, protocol) = match request.path.as_str() {
        "/chat" => (WebPurpose::Chat, identity::CHAT_PROTOCOL),
        "/file" => (WebPurpose::File, identity::FILE_PROTOCOL),
        path => {
            let file = files::file(path);
            return file.map_or(Decision::Notice(Notice::NotFound), Decision::Page);
        }
    };
    // Programs have the chat's own protocol, so there is always a page.
    let own = |origin: &&String| door.is_for(origin, is_encrypted, &request.host);
    match (&request.upgrade, request.origin.as_ref().filter(own)) {
        (None, _) => Decision::Notice(Notice::UpgradeNeeded),
        (Some(_), None) => Decision::Notice(Notice::ForeignOrigin),
        (Some(upgrade), Some(_)) if request.is_head || !upgrade.protocols.iter().any(|p| p == protocol) => {
            Decision::Notice(Notice::NoSuchProtocol)
        }
        (Some(upgrade), Some(origin)) => Decision::Upgrade(upgrade.clone(), purpose, origin.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::hosts::WebHosts;
    use super::*;

    fn door(mode: Option<WebAccess>) -> WebDoor {
        WebDoor::new(mode, WebHosts::new(&["office".into()]), "3f9a".into())
    }

    fn decided(mode: Option<WebAccess>, is_encrypted: bool, request: &str) -> Decision {
        let head = parse_head(format!("{request}\r\n\r\n").as_bytes()).unwrap().unwrap();
        decide(&door(mode), is_encrypted, &head)
    }

    const ON: Option<WebAccess> = Some(WebAccess::Https);
    const BOTH: Option<WebAccess> = Some(WebAccess::Plaintext);

    fn upgrade(path: &str, origin: &str, protocol: &str) -> String {
        format!(
            "GET {path} HTTP/1.1\r\nHost: office:7667\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: {origin}\r\n\
             Sec-WebSocket-Protocol: {protocol}"
        )
    }

    #[test]
    fn http_leads_to_https_at_the_same_port_unless_it_is_allowed() {
        let request = "GET /?x=1 HTTP/1.1\r\nHost: office:7667";
        let target = "https://office:7667/".to_owned();
        assert_eq!(decided(ON, false, request), Decision::Notice(Notice::Redirect(target)));
        assert!(matches!(decided(BOTH, false, request), Decision::Page(_)));
        assert!(matches!(decided(ON, true, request), Decision::Page(_)));
        assert_eq!(decided(None, false, request), Decision::Notice(Notice::Off));
    }

    #[test]
    fn a_name_that_leads_here_from_elsewhere_gets_nothing() {
        for host in ["evil.example:7667", "evil.example", ""] {
            let request = format!("GET / HTTP/1.1\r\nHost: {host}");
            for is_encrypted in [true, false] {
                assert_eq!(
                    decided(BOTH, is_encrypted, &request),
                    Decision::Notice(Notice::ForeignHost),
                    "{host}"
                );
            }
        }
    }

    #[test]
    fn only_the_server_s_own_page_opens_a_websocket() {
        let own = "https://office:7667";
        assert!(matches!(
            decided(ON, true, &upgrade("/chat", own, "lanchat")),
            Decision::Upgrade(_, WebPurpose::Chat, _)
        ));
        assert!(matches!(
            decided(ON, true, &upgrade("/file", own, "lanchat-file")),
            Decision::Upgrade(_, WebPurpose::File, _)
        ));
        for origin in ["https://evil.example", "http://office:7667", "null", "https://office"] {
            let request = upgrade("/chat", origin, "lanchat");
            assert_eq!(decided(ON, true, &request), Decision::Notice(Notice::ForeignOrigin), "{origin}");
        }
        let without = upgrade("/chat", own, "lanchat").replace("Origin:", "X-Origin:");
        assert_eq!(decided(ON, true, &without), Decision::Notice(Notice::ForeignOrigin));
        for protocol in ["lanchat-file", "other", ""] {
            let request = upgrade("/chat", own, protocol);
            assert_eq!(decided(ON, true, &request), Decision::Notice(Notice::NoSuchProtocol), "{protocol}");
        }
        let head = upgrade("/chat", own, "lanchat").replace("GET", "HEAD");
        assert_eq!(decided(ON, true, &head), Decision::Notice(Notice::NoSuchProtocol));
    }

    #[test]
    fn other_paths_are_files_or_nothing() {
        let get = |path: &str| decided(ON, true, &format!("GET {path} HTTP/1.1\r\nHost: office"));
        assert_eq!(get("/chat"), Decision::Notice(Notice::UpgradeNeeded));
        for path in ["/../server.pem", "//", "/index.html/", "/chat/"] {
            assert_eq!(get(path), Decision::Notice(Notice::NotFound), "{path}");
        }
        assert!(matches!(get("/style.css"), Decision::Page(_)));
    }
}
