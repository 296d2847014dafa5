//! The names of other chat programs' commands.

/// Words of other programs, and the command that does the same.
const MEANINGS: &[(&[&str], &str)] = &[
    (&["action", "emote", "describe", "do"], "me"),
    (&["backlog", "log", "last", "scrollback", "buffer"], "history"),
    (&["channel", "channels", "chan", "chans"], "rooms"),
    (&["close", "wc", "cycle", "hop"], "part"),
    (&["cls"], "clear"),
    (&["commands", "man", "usage"], "help"),
    (&["disconnect", "logout", "signoff", "leave-server", "die"], "quit"),
    (&["enter", "create"], "join"),
    (&["hilight", "highlight"], "set highlight"),
    (&["grep", "find", "lastlog"], "search"),
    (&["info", "whowas", "finger"], "whois"),
    (&["lag", "uptime", "server"], "status"),
    (&["ls", "online", "members-here", "userlist"], "users"),
    (&["notice", "message", "private", "say-to"], "msg"),
    (&["nickname", "rename", "name", "setname"], "nick"),
    (&["win", "window", "switch"], "query"),
    (&["respond", "answer"], "reply"),
    (&["sendfile", "upload", "file", "dcc", "attach", "put"], "send"),
    (&["receive", "get", "download", "save", "fetch", "take"], "accept"),
    (&["deny", "refuse"], "reject"),
    (&["files", "downloads", "uploads", "offers"], "transfers"),
    (&["abort", "stop"], "cancel"),
    (&["subject", "title"], "topic"),
    (&["trust", "fingerprint", "key", "otr"], "verify"),
    (&["kickban", "block"], "ban"),
    (&["devoice", "silence", "gag"], "mute"),
    (&["wall", "wallops", "broadcast", "shout"], "alert"),
];

/// The command that the word of another program means.
pub(super) fn command(word: &str) -> Option<&'static str> {
    MEANINGS.iter().find(|(words, _)| words.contains(&word)).map(|(_, command)| *command)
}
