//! The air gap: on a network without a way out, a server and its clients use the sockets that they were told to use,
//! and no others, and ask nobody for names. The system's own record of their calls says so.

use crate::support::browser::WebStream;
use crate::support::lan::{Host, Lan};
use crate::support::soon::until;
use crate::support::tools::{Talk, has_tools};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

const PORT: u16 = 7667;

/// Where mDNS is spoken.
const MDNS: [&str; 2] = ["224.0.0.251:5353", "[ff02::fb]:5353"];

/// What a program's system calls came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Calls {
    /// `TCP` or `UDP` for the network; otherwise the family, such as `AF_NETLINK`.
    sockets: BTreeSet<String>,
    /// What it listens on.
    bound: BTreeSet<String>,
    /// Where it has connected to or sent a packet to: addresses, and paths of other programs' sockets.
    reached: BTreeSet<String>,
    /// Files that the system reads to look up a name.
    lookups: BTreeSet<String>,
}

impl Calls {
    /// Reads what `strace` has written.
    fn of(trace: &str) -> Self {
        let mut calls = Self::default();
        for line in trace.lines() {
            // `123 connect(9, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.1")}, 16) = 0`
            let Some((call, arguments)) =
                line.split_once(' ').and_then(|(_, call)| call.trim().split_once('('))
            else {
                continue;
            };
            match call {
                "socket" => drop(calls.sockets.insert(socket(arguments))),
                "bind" => calls.bound.extend(address(arguments)),
                "connect" | "sendto" | "sendmsg" | "sendmmsg" => calls.reached.extend(address(arguments)),
                "open" | "openat" => calls.lookups.extend(lookup(arguments)),
                _ => {}
            }
        }
        calls
    }
}

fn socket(arguments: &str) -> String {
    let family = arguments.split([',', ')']).next().unwrap_or_default();
    match (family, arguments) {
        ("AF_INET" | "AF_INET6", kind) if kind.contains("SOCK_STREAM") => "TCP".to_owned(),
        ("AF_INET" | "AF_INET6", kind) if kind.contains("SOCK_DGRAM") => "UDP".to_owned(),
        _ => family.to_owned(),
    }
}

/// The text between two marks.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

/// The address in the arguments; none for a connected socket and for the kernel's own families.
fn address(arguments: &str) -> Option<String> {
    let port = || between(arguments, "htons(", ")");
    match between(arguments, "sa_family=", ",")? {
        "AF_INET" => Some(format!("{}:{}", between(arguments, "inet_addr(\"", "\"")?, port()?)),
        "AF_INET6" => Some(format!("[{}]:{}", between(arguments, "inet_pton(AF_INET6, \"", "\"")?, port()?)),
        "AF_UNIX" => Some(between(arguments, "sun_path=", "}")?.to_owned()),
        _ => None,
    }
}

fn lookup(arguments: &str) -> Option<String> {
    const NAMES: [&str; 6] = ["resolv.conf", "nsswitch.conf", "/hosts", "host.conf", "gai.conf", "libnss"];
    let path = between(arguments, "\"", "\"")?;
    NAMES.iter().any(|name| path.contains(name)).then(|| path.to_owned())
}

/// The program on a host, with its system calls written to a file.
fn watched(host: &Host, home: &Path, args: &[&str]) -> (Command, PathBuf) {
    let file = home.join("calls");
    let mut command = host.command("strace");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
        command.env_remove(name);
    }
    command.args(["-f", "--seccomp-bpf", "-qq", "-s", "0", "-e", "signal=none"]);
    command.args(["-e", "trace=network,?open,openat", "-o"]).arg(&file).arg(env!("CARGO_BIN_EXE_lanchat"));
    command.args(args).env("HOME", home);
    for folder in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"] {
        command.env(folder, home);
    }
    (command, file)
}

/// Lets two clients talk over a server, with these options for all; what each of the three did.
fn talk(lan: &Lan, options: &[&str], host: &[&str]) -> [Calls; 3] {
    talk_with(lan, &[], options, host)
}

/// The same with more options for the server. If these include a page, a browser loads it.
fn talk_with(lan: &Lan, serve: &[&str], options: &[&str], host: &[&str]) -> [Calls; 3] {
    let has_page = serve.contains(&"--web");
    let hosts = [lan.host(), lan.host(), lan.host()];
    let homes = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let at = hosts[0].v4().to_string();
    let serve = [&["serve", "--host", &at, "--name", "Office"], serve, options].concat();
    let (mut command, server_calls) = watched(&hosts[0], homes[0].path(), &serve);
    let server = Talk::start(&mut command);
    let listens = || TcpStream::connect((hosts[0].v4(), PORT)).ok();
    hosts[0].run(|| drop(until(listens)));
    let mut talks = Vec::new();
    let mut files = vec![server_calls];
    for (number, name) in [(1, "alice"), (2, "bob")] {
        let args = [&["--json", "--name", name, "--timeout", "20s"], options, host].concat();
        let (mut command, file) = watched(&hosts[number], homes[number].path(), &args);
        let mut talk = Talk::start(&mut command);
        assert_eq!(talk.packet()["type"], "welcome");
        talks.push(talk);
        files.push(file);
    }
    for (from, to) in [(0, 1), (1, 0)] {
        talks[from].send(&json!({"to": "all", "msg": "hello"}));
        talks[from].wait_for("sent");
        assert_eq!(talks[to].wait_for("chat")["msg"], "hello");
    }
    if has_page {
        hosts[1].run(|| {
            let mut browser = WebStream::connect((hosts[0].v4(), PORT).into(), true);
            let (head, page) = browser.ask(&format!("GET / HTTP/1.1\r\nHost: {at}:{PORT}\r\n\r\n"));
            assert!(head.starts_with("HTTP/1.1 200") && page.contains("<!doctype html>"), "{head}");
        });
    }
    for talk in talks {
        let (_, status, errors) = talk.finish();
        assert_eq!(status, Some(0), "{errors}");
    }
    server.stop_traced();
    let read = |file: &PathBuf| Calls::of(&fs::read_to_string(file).unwrap());
    [read(&files[0]), read(&files[1]), read(&files[2])]
}

/// The kinds of sockets that a program may have besides UDP's. The C library asks about interfaces by one of
/// `AF_UNIX` that leads nowhere; those that lead somewhere are in `reached`.
const LOCAL: [&str; 3] = ["TCP", "AF_NETLINK", "AF_UNIX"];

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[test]
fn without_discovery_there_is_the_servers_connection_and_nothing_else() {
    let Some(lan) = Lan::new() else { return };
    if !has_tools(&[("strace", "-V")]) {
        return;
    }
    // The server's host is the first.
    let at = format!("10.77.1.1:{PORT}");
    let [server, alice, bob] = talk(&lan, &["--no-discovery"], &["--host", &at]);
    assert_eq!(server.bound, set(&[&at]));
    assert_eq!((server.reached, server.lookups), (BTreeSet::new(), BTreeSet::new()));
    assert!(server.sockets.is_subset(&set(&LOCAL)), "{:?}", server.sockets);
    for client in [alice, bob] {
        assert_eq!((client.bound, client.reached), (BTreeSet::new(), set(&[&at])));
        assert_eq!(client.lookups, BTreeSet::new());
        assert!(client.sockets.is_subset(&set(&LOCAL)), "{:?}", client.sockets);
    }
}

#[test]
fn a_page_for_browsers_opens_no_other_socket_and_asks_nobody() {
    let Some(lan) = Lan::new() else { return };
    if !has_tools(&[("strace", "-V")]) {
        return;
    }
    let at = format!("10.77.1.1:{PORT}");
    let [server, ..] = talk_with(&lan, &["--web"], &["--no-discovery"], &["--host", &at]);
    assert_eq!((server.bound, server.reached), (set(&[&at]), BTreeSet::new()));
    assert_eq!(server.lookups, BTreeSet::new());
    assert!(server.sockets.is_subset(&set(&LOCAL)), "{:?}", server.sockets);
}

#[test]
fn with_discovery_there_is_multicast_dns_on_the_link_as_well() {
    if Lan::new().is_none() || !has_tools(&[("strace", "-V")]) {
        return;
    }
    // A client that has heard nothing for a while asks for a host of the name lanchat, too: on a busy machine, not
    // each attempt is quick enough.
    let mut attempts = (1..=3).map(|number| (number, Lan::numbered(1).map(|lan| talk(&lan, &[], &[]))));
    let is_quick = |calls: &[Calls; 3]| calls.iter().all(|calls| calls.lookups.is_empty());
    let found = attempts.find_map(|(number, calls)| calls.filter(|calls| number == 3 || is_quick(calls)));
    let [server, alice, bob] = found.expect("three attempts");
    let on_the_link = |at: &String| {
        MDNS.contains(&at.as_str())
            || at.parse::<SocketAddr>().is_ok_and(|at| {
                let ip = at.ip().to_string();
                let is_near =
                    ["10.77.1.", "fd77:1:", "fe80:", "127.", "::1"].iter().any(|net| ip.starts_with(net));
                is_near && at.port() != 53
            })
    };
    for calls in [&server, &alice, &bob] {
        assert!(calls.reached.iter().all(on_the_link), "{calls:?}");
        assert!(calls.reached.iter().any(|at| MDNS.contains(&at.as_str())), "{calls:?}");
        assert!(calls.sockets.is_subset(&set(&[&LOCAL[..], &["UDP"]].concat())), "{calls:?}");
        assert_eq!(calls.lookups, BTreeSet::new(), "{calls:?}");
    }
}

#[test]
fn a_way_out_would_be_noticed() {
    let calls = Calls::of(
        "7 socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 5\n\
         7 openat(AT_FDCWD, \"/etc/resolv.conf\", O_RDONLY|O_CLOEXEC) = 6\n\
         8 connect(5, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr(\"192.0.2.1\")}, 16) = 0\n\
         8 connect(5, {sa_family=AF_UNIX, sun_path=\"/var/run/nscd/socket\"}, 110) = -1 ENOENT\n\
         8 sendto(9, \"\"..., 40, MSG_NOSIGNAL, NULL, 0 <unfinished ...>\n\
         8 sendmsg(9, {msg_name={sa_family=AF_INET6, sin6_port=htons(5353), sin6_flowinfo=htonl(0), \
         inet_pton(AF_INET6, \"ff02::fb\", &sin6_addr), sin6_scope_id=2}, msg_namelen=28}, 0) = 4\n\
         8 bind(4, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0\n",
    );
    let expected = Calls {
        sockets: set(&["UDP"]),
        bound: BTreeSet::new(),
        reached: set(&["192.0.2.1:53", "\"/var/run/nscd/socket\"", "[ff02::fb]:5353"]),
        lookups: set(&["/etc/resolv.conf"]),
    };
    assert_eq!(calls, expected);
}
