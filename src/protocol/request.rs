//! What a client asks: the meaning of a packet on its way to the server.

use super::packet::Packet;
use super::{Code, Target};
use crate::limits::{MAX_ID_BYTES, MAX_TEXT_BYTES, MAX_TOKEN_BYTES, MAX_WORD_BYTES, PROTOCOL_VERSION};
use serde::Deserialize;

/// What the server reads of a client's packet. Members that only the server writes may hold
/// anything, as may unknown ones, and `null` is the same as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ClientPacket {
    /// Who it says it is; counts in a first packet only.
    pub from: Option<Claim>,
    /// Whom it is for.
    pub to: Option<String>,
    /// The text.
    pub msg: Option<String>,
    /// What it is; `chat` when absent.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The client's own token for it.
    pub id: Option<String>,
    /// What the session is for.
    pub mode: Option<String>,
    /// What makes several connections the same user.
    pub token: Option<String>,
    /// A name asked for or about.
    pub name: Option<String>,
    /// Where a page of users starts.
    pub after: Option<String>,
    /// Whether the text tells what the sender does.
    pub action: Option<bool>,
    /// For how long an operator's command holds.
    pub duration: Option<String>,
    /// Half of the proof of a passphrase.
    pub pake: Option<String>,
    /// The confirmation of that proof.
    pub mac: Option<String>,
}

/// The member `from` of a client's packet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// The name asked for.
    pub name: Option<String>,
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Takes part: its user is present and gets everything.
    #[default]
    Chat,
    /// Sends and leaves: announces nothing, gets only answers.
    Send,
    /// Reads along: announces nothing, gets everything.
    Tail,
}

/// The first packet of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hello {
    /// The name asked for, not checked yet.
    pub name: String,
    /// What the session is for.
    pub mode: Mode,
    /// What makes several connections the same user; `None` for clients that know no tokens.
    pub token: Option<String>,
}

/// One thing asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Registers the connection.
    Hello(Hello),
    /// Text for somebody.
    Chat {
        /// Whom it is for.
        to: Target,
        /// The text.
        msg: String,
        /// Whether it tells what the sender does (`/me`).
        action: bool,
    },
    /// Who is here: one page, in alphabetical order.
    Users {
        /// The name the page starts after.
        after: Option<String>,
    },
    /// The server's time.
    Time,
    /// Text that everybody is shown loudly.
    Alert {
        /// The text.
        msg: String,
    },
    /// Another name for the user.
    Nick {
        /// The name asked for.
        name: String,
    },
    /// About one user.
    Whois {
        /// The user's name.
        name: String,
    },
    /// Ends all sessions of a user.
    Kick {
        /// The user's name.
        name: String,
        /// The reason, which the user is told; may be empty.
        reason: String,
    },
    /// Refuses a user's messages.
    Mute {
        /// A user's name, `key:FINGERPRINT` or `ip:CIDR`.
        name: String,
        /// For how long, as written: see [`Term`](super::Term).
        duration: Option<String>,
    },
    /// Takes a mute back.
    Unmute {
        /// What was muted.
        name: String,
    },
    /// Ends all sessions of a user and lets none begin.
    Ban {
        /// A user's name, `key:FINGERPRINT` or `ip:CIDR`.
        name: String,
        /// For how long, as written: see [`Term`](super::Term).
        duration: Option<String>,
    },
    /// Takes a ban back.
    Unban {
        /// What was banned.
        name: String,
    },
    /// Who is banned or muted.
    Bans,
    /// Makes a user's key an operator's; with the code that the server's console shows, one's own.
    Op {
        /// A user's name, or the code.
        name: String,
    },
    /// Makes one's own key an operator's, by a secret that only files of the server's user hold.
    OpByToken {
        /// The secret.
        token: String,
    },
    /// Takes the operators' commands from a user.
    Deop {
        /// A user's name, or `key:FINGERPRINT`.
        name: String,
    },
    /// The answer to a closed server's [`Pake`](super::Event::Pake).
    Pake {
        /// The client's half, in base64url.
        pake: String,
        /// Its confirmation, in base64url.
        mac: String,
    },
    /// Are you there? Also answered before a hello.
    Ping,
    /// The commands there are (in words only).
    Help {
        /// The command asked about; all when absent.
        command: Option<String>,
    },
    /// An orderly end.
    Quit,
}

/// A packet that can't be a request: the code, and what to tell the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people: what was wrong and what to do.
    pub msg: String,
}

impl Refusal {
    /// A refusal with a text.
    pub fn new(code: Code, msg: impl Into<String>) -> Self {
        Self { code, msg: msg.into() }
    }
}

impl Mode {
    fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        match text {
            None | Some("chat") => Ok(Self::Chat),
            Some("send") => Ok(Self::Send),
            Some("tail") => Ok(Self::Tail),
            Some(other) => Err(Refusal::new(
                Code::BadPacket,
                format!("mode {other:?} is unknown; use chat, send or tail"),
            )),
        }
    }

    /// The mode as the wire has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Send => "send",
            Self::Tail => "tail",
        }
    }
}

impl ClientPacket {
    /// Reads one frame.
    ///
    /// # Errors
    /// When it is no JSON object, not UTF-8, or a member has the wrong type.
    pub fn parse(frame: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(frame)
    }

    /// The text; empty when absent.
    pub fn text(&self) -> &str {
        self.msg.as_deref().unwrap_or_default()
    }
}

impl Request {
    /// Reads a packet's meaning and checks its bounds. A chat to `server` is returned as such:
    /// its words are read by [`command`](super::command).
    ///
    /// # Errors
    /// A [`Refusal`] to send back.
    pub fn from_packet(packet: &ClientPacket) -> Result<Self, Refusal> {
        check_bounds(packet)?;
        let msg = || packet.text().to_owned();
        let name = || packet.name.clone().unwrap_or_default();
        Ok(match packet.kind.as_deref().unwrap_or("chat") {
            "hello" => Self::Hello(Hello::from_packet(packet)?),
            "chat" => Self::Chat { to: target(packet)?, msg: msg(), action: packet.action.unwrap_or(false) },
            "users" => Self::Users { after: packet.after.clone() },
            "time" => Self::Time,
            "alert" => Self::Alert { msg: msg() },
            "nick" => Self::Nick { name: name() },
            "whois" => Self::Whois { name: name() },
            "kick" => Self::Kick { name: name(), reason: msg() },
            "mute" => Self::Mute { name: name(), duration: packet.duration.clone() },
            "unmute" => Self::Unmute { name: name() },
            "ban" => Self::Ban { name: name(), duration: packet.duration.clone() },
            "unban" => Self::Unban { name: name() },
            "bans" => Self::Bans,
            "op" => match (&packet.name, &packet.token) {
                (None, Some(token)) => Self::OpByToken { token: token.clone() },
                _ => Self::Op { name: name() },
            },
            "deop" => Self::Deop { name: name() },
            "pake" => Self::Pake {
                pake: packet.pake.clone().unwrap_or_default(),
                mac: packet.mac.clone().unwrap_or_default(),
            },
            "ping" => Self::Ping,
            "help" => Self::Help { command: packet.name.clone() },
            "quit" => Self::Quit,
            other => {
                return Err(Refusal::new(
                    Code::UnknownType,
                    format!(
                        "type {other:?} is unknown; use chat, users, time, nick, whois, ping or quit; help tells more"
                    ),
                ));
            }
        })
    }

    /// The request as a packet, with the sender's own token `id`.
    pub fn to_packet(&self, id: Option<String>) -> Packet {
        let mut packet = Packet { id, to: "server".into(), ..Packet::default() };
        packet.kind = Some(self.kind().into());
        match self {
            Self::Hello(hello) => {
                packet.v = Some(PROTOCOL_VERSION);
                packet.from.name.clone_from(&hello.name);
                packet.mode = Some(hello.mode.as_str().into());
                packet.token.clone_from(&hello.token);
            }
            Self::Chat { to, msg, action } => {
                packet.to = to.to_string();
                packet.msg.clone_from(msg);
                packet.action = action.then_some(true);
            }
            Self::Users { after } => packet.after.clone_from(after),
            Self::Alert { msg } => packet.msg.clone_from(msg),
            Self::Kick { name, reason } => {
                packet.name = Some(name.clone());
                packet.msg.clone_from(reason);
            }
            Self::Mute { name, duration } | Self::Ban { name, duration } => {
                packet.name = Some(name.clone());
                packet.duration.clone_from(duration);
            }
            Self::Nick { name }
            | Self::Whois { name }
            | Self::Unmute { name }
            | Self::Unban { name }
            | Self::Op { name }
            | Self::Deop { name } => packet.name = Some(name.clone()),
            Self::OpByToken { token } => packet.token = Some(token.clone()),
            Self::Pake { pake, mac } => {
                packet.pake = Some(pake.clone());
                packet.mac = Some(mac.clone());
            }
            Self::Help { command } => packet.name.clone_from(command),
            Self::Time | Self::Bans | Self::Ping | Self::Quit => {}
        }
        packet
    }

    /// The member `type`.
    fn kind(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Chat { .. } => "chat",
            Self::Users { .. } => "users",
            Self::Time => "time",
            Self::Alert { .. } => "alert",
            Self::Nick { .. } => "nick",
            Self::Whois { .. } => "whois",
            Self::Kick { .. } => "kick",
            Self::Mute { .. } => "mute",
            Self::Unmute { .. } => "unmute",
            Self::Ban { .. } => "ban",
            Self::Unban { .. } => "unban",
            Self::Bans => "bans",
            Self::Op { .. } | Self::OpByToken { .. } => "op",
            Self::Deop { .. } => "deop",
            Self::Pake { .. } => "pake",
            Self::Ping => "ping",
            Self::Help { .. } => "help",
            Self::Quit => "quit",
        }
    }
}

impl Hello {
    /// The hello in any first packet: clients of the replaced system send a chat.
    ///
    /// # Errors
    /// When the mode is unknown.
    pub fn from_packet(packet: &ClientPacket) -> Result<Self, Refusal> {
        let claimed = packet.from.as_ref().and_then(|from| from.name.clone());
        Ok(Self {
            name: claimed.unwrap_or_default(),
            mode: Mode::parse(packet.mode.as_deref())?,
            token: packet.token.clone(),
        })
    }
}

fn target(packet: &ClientPacket) -> Result<Target, Refusal> {
    match packet.to.as_deref().map(str::trim) {
        None | Some("") => {
            Err(Refusal::new(Code::BadPacket, "\"to\" is missing; give a name, all, an IP address or server"))
        }
        Some(to) => Ok(Target::parse(to)),
    }
}

/// The bounds of [`limits`](crate::limits) that a packet which parsed can still break.
fn check_bounds(packet: &ClientPacket) -> Result<(), Refusal> {
    let claimed = packet.from.as_ref().and_then(|from| from.name.as_ref());
    for (member, value, most) in [
        ("msg", packet.msg.as_ref(), MAX_TEXT_BYTES),
        ("id", packet.id.as_ref(), MAX_ID_BYTES),
        ("token", packet.token.as_ref(), MAX_TOKEN_BYTES),
        ("from.name", claimed, MAX_WORD_BYTES),
        ("to", packet.to.as_ref(), MAX_WORD_BYTES),
        ("type", packet.kind.as_ref(), MAX_WORD_BYTES),
        ("mode", packet.mode.as_ref(), MAX_WORD_BYTES),
        ("name", packet.name.as_ref(), MAX_WORD_BYTES),
        ("after", packet.after.as_ref(), MAX_WORD_BYTES),
        ("duration", packet.duration.as_ref(), MAX_WORD_BYTES),
        ("pake", packet.pake.as_ref(), MAX_WORD_BYTES),
        ("mac", packet.mac.as_ref(), MAX_WORD_BYTES),
    ] {
        if let Some(value) = value.filter(|value| value.len() > most) {
            let advice = if member == "msg" { "send it in parts" } else { "shorten it" };
            return Err(Refusal::new(
                Code::TooLong,
                format!("{member:?} has {} bytes; at most {most} are taken, {advice}", value.len()),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(json: &str) -> Result<Request, Refusal> {
        Request::from_packet(&ClientPacket::parse(json.as_bytes()).expect("JSON"))
    }

    #[test]
    fn a_packet_of_the_replaced_system_is_a_chat() {
        let json = r#"{"from":{"name":"alice","ip":"1.2.3.4"},"to":"Broadcast","msg":"hi"}"#;
        assert_eq!(request(json), Ok(Request::Chat { to: Target::All, msg: "hi".into(), action: false }));
    }

    #[test]
    fn unknown_members_are_ignored_and_unknown_types_are_not() {
        assert_eq!(request(r#"{"type":"time","to":"server","colour":["red"]}"#), Ok(Request::Time));
        assert_eq!(request(r#"{"type":"dance"}"#).map_err(|r| r.code), Err(Code::UnknownType));
    }

    #[test]
    fn members_that_only_the_server_writes_may_hold_anything() {
        let json = r#"{"from":{"name":"a","ip":null},"to":"all","msg":"hi","id":null,"time":17,"user":"c"}"#;
        assert_eq!(request(json), Ok(Request::Chat { to: Target::All, msg: "hi".into(), action: false }));
    }

    #[test]
    fn every_member_that_is_looked_up_or_quoted_is_bounded() {
        for member in ["to", "type", "mode", "name", "after", "duration", "pake", "mac"] {
            let json = format!(r#"{{"type":"ping","{member}":"{}"}}"#, "x".repeat(257));
            let json = if member == "type" { json.replacen(r#""type":"ping","#, "", 1) } else { json };
            assert_eq!(request(&json).map_err(|r| r.code), Err(Code::TooLong), "{member}");
        }
    }

    #[test]
    fn over_long_members_are_refused_with_both_figures() {
        let json = format!(r#"{{"to":"all","msg":"{}"}}"#, "x".repeat(MAX_TEXT_BYTES + 1));
        let refusal = request(&json).expect_err("over-long");
        assert_eq!(refusal.code, Code::TooLong);
        assert!(refusal.msg.contains("10001") && refusal.msg.contains("10000"), "{}", refusal.msg);
        let json = format!(r#"{{"type":"ping","id":"{}"}}"#, "x".repeat(MAX_ID_BYTES + 1));
        assert_eq!(request(&json).map_err(|r| r.code), Err(Code::TooLong));
    }

    #[test]
    fn a_text_of_the_bound_fits_a_frame_however_it_is_escaped() {
        let packet = Packet {
            from: super::super::packet::Sender {
                name: "\u{10FFFF}".repeat(crate::limits::MAX_NAME_CHARS),
                ip: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".into(),
                key: Some("x".repeat(8)),
            },
            to: "x".repeat(128),
            msg: "\u{1}".repeat(MAX_TEXT_BYTES),
            id: Some("\u{1}".repeat(MAX_ID_BYTES)),
            ..Packet::default()
        };
        assert!(packet.to_frame().len() <= crate::limits::MAX_FRAME_BYTES);
    }

    fn any_request() -> impl Strategy<Value = Request> {
        let text = any::<String>;
        prop_oneof![
            (text(), any::<bool>()).prop_map(|(msg, action)| Request::Chat { to: Target::All, msg, action }),
            proptest::option::of(text()).prop_map(|after| Request::Users { after }),
            Just(Request::Time),
            Just(Request::Ping),
            Just(Request::Quit),
            text().prop_map(|msg| Request::Alert { msg }),
            text().prop_map(|name| Request::Nick { name }),
            text().prop_map(|name| Request::Whois { name }),
            (text(), text()).prop_map(|(name, reason)| Request::Kick { name, reason }),
            (text(), proptest::option::of(text()))
                .prop_map(|(name, duration)| Request::Mute { name, duration }),
            (text(), proptest::option::of(text()))
                .prop_map(|(name, duration)| Request::Ban { name, duration }),
            text().prop_map(|name| Request::Unmute { name }),
            text().prop_map(|name| Request::Unban { name }),
            text().prop_map(|name| Request::Op { name }),
            text().prop_map(|name| Request::Deop { name }),
            "[a-z0-9]{0,64}".prop_map(|token| Request::OpByToken { token }),
            (text(), text()).prop_map(|(pake, mac)| Request::Pake { pake, mac }),
            Just(Request::Bans),
            (text(), text()).prop_map(|(name, token)| Request::Hello(Hello {
                name,
                mode: Mode::Send,
                token: Some(token.chars().take(10).collect())
            })),
        ]
    }

    proptest! {
        #[test]
        fn every_request_comes_back_from_its_frame(sent in any_request(), id in "[ -~]{0,64}") {
            let frame = sent.to_packet(Some(id.clone())).to_frame();
            let packet = ClientPacket::parse(&frame).expect("our own frame");
            prop_assert_eq!(packet.id.as_deref(), Some(id.as_str()));
            prop_assert_eq!(Request::from_packet(&packet), Ok(sent));
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(packet) = ClientPacket::parse(&bytes) {
                let _ = Request::from_packet(&packet);
            }
        }
    }
}
