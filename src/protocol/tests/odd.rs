//! Packets as others may write them: bare, with all members, with `null`, with values of the wrong type.

/// Types of requests, and some invalid ones.
const REQUESTS: &str = "\
    hello chat users join part rooms topic history search received time alert nick whois kick mute \
    unmute ban unban bans operators members owners admit dismiss release op deop pake ping multicast \
    help quit dance Hello welcome";

/// Types of events, and some invalid ones.
const EVENTS: &str = "\
    welcome chat sent joined left renamed room topic rooms history delivered users time alert whois \
    pong pake pake_ok bans operators members owners multicast operator notice error bye unknown \
    hologram Chat";

/// Members that the server reads, each with a value.
const OF_CLIENTS: [(&str, &str); 22] = [
    ("from", r#"{"name":"alice","ip":"10.0.0.1"}"#),
    ("to", r#""bob""#),
    ("msg", r#""hi""#),
    ("id", r#""i""#),
    ("v", "1"),
    ("mode", r#""send""#),
    ("token", r#""0123456789abcdef""#),
    ("name", r#""carol""#),
    ("after", r#""dave""#),
    ("action", "true"),
    ("duration", r#""10m""#),
    ("pake", r#""half""#),
    ("mac", r#""confirmation""#),
    ("room", r##""#games""##),
    ("topic", r#""chess""#),
    ("since", r#""2026-11-21T12:00:00Z""#),
    ("log", r#""log""#),
    ("logs", r#"[{"log":"before","last":6}]"#),
    ("limit", "5"),
    ("before", "9"),
    ("until", r#""2026-11-22""#),
    ("seq", "7"),
];

/// Members that the client reads, each with a value.
const OF_SERVERS: [(&str, &str); 58] = [
    ("from", r#"{"name":"bob","ip":"10.0.0.2","key":"tag"}"#),
    ("to", r#""all""#),
    ("msg", r#""hi\nthere""#),
    ("id", r#""i""#),
    ("seq", "7"),
    ("ts", r#""then""#),
    ("code", r#""quit""#),
    ("v", "1"),
    ("mode", r#""send""#),
    ("token", r#""token""#),
    ("name", r#""carol""#),
    ("old", r#""bob""#),
    ("ip", r#""10.0.0.1""#),
    ("key", r#""SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#),
    ("operator", "true"),
    ("closed", "true"),
    ("interim", "true"),
    ("web", r#""https""#),
    ("pake", r#""half""#),
    ("mac", r#""confirmation""#),
    ("duration", r#""10m""#),
    ("server", r#"{"id":"id","name":"house","version":"1.0"}"#),
    ("limits", r#"{"frame_bytes":1,"text_bytes":2,"name_chars":3}"#),
    ("total", "4"),
    ("count", "2"),
    ("names", r#"["alice","bob"]"#),
    ("users", r#"[{"name":"bob","ip":"10.0.0.2"}]"#),
    ("next", r#""next""#),
    ("after", r#""after""#),
    ("user", r#"{"name":"bob","ip":"10.0.0.2"}"#),
    ("time", r#""there""#),
    ("uptime", "3"),
    ("action", "true"),
    ("by", r#""alice""#),
    ("bans", r#"[{"kind":"ban","who":"bob","by":"alice"}]"#),
    ("keys", r#"[{"key":"key","name":"bob"}]"#),
    ("room", r##""#games""##),
    ("topic", r#""chess""#),
    ("members", "9"),
    ("here", "2"),
    ("joined", "true"),
    ("rooms", r##"[{"name":"#games","members":1,"here":1,"joined":true}]"##),
    ("since", "5"),
    ("log", r#""log""#),
    ("logs", r#"[{"log":"before","last":6}]"#),
    ("rewound", "true"),
    ("history", "true"),
    ("gap", "true"),
    ("more", "true"),
    ("stored", "false"),
    ("waits", "true"),
    ("lost", "1"),
    ("last", "6"),
    ("limit", "5"),
    ("before", "9"),
    ("until", r#""2026-11-22""#),
    ("partial", "true"),
    ("heard", "true"),
];

/// Values, most of them of the wrong type.
const VALUES: [&str; 11] =
    ["null", "7", "7.0", "1.5", "-1", r#""x""#, "true", "[]", "[7]", "{}", r#"{"name":7,"log":7,"last":-1}"#];

/// Some of these.
const FEW_VALUES: [&str; 6] = ["null", "7", "1.5", r#""x""#, "true", "[]"];

/// More from clients.
const SOME_REQUESTS: [&str; 38] = [
    r#"{"from":{"name":"alice","ip":"1.2.3.4"},"to":"Broadcast","msg":"hi"}"#,
    r#"{"from":{"name":"alice","ip":""},"to":"server","msg":"time"}"#,
    r#"{"msg":"hi"}"#,
    r#"{"to":"  ","msg":"hi"}"#,
    "{}",
    r#"{"type":null,"to":"bob","msg":"hi"}"#,
    r#"{"id":"i","msg":"hi","type":"chat","to":" #Lobby "}"#,
    r#"{"type":"time","to":"server","colour":["red"]}"#,
    r#"{"time":17,"user":"c","server":[],"from":{"name":"a","ip":null},"to":"all","msg":"hi","id":null}"#,
    r#"{"type":"chat","to":"all","to":"bob","msg":"hi","id":"i"}"#,
    r#"{"type":"ping","type":"ping"}"#,
    r#"{"type":"ping","id":"i","id":"j"}"#,
    r#"{"type":"ping","colour":1,"colour":2,"id":"i"}"#,
    r#"{"\u0074ype":"ping","i\u0064":"\u0069"}"#,
    r#"{"type":"p\u0069ng"}"#,
    r#"{"type":"ping",}"#,
    r#"{"type":"ping"} x"#,
    r#"{"type":"ping""#,
    "[]",
    r#"["alice"]"#,
    r#""ping""#,
    r#"{"type":"history","room":"x","name":"bob","id":"i"}"#,
    r#"{"type":"history","limit":7.0,"before":7e0}"#,
    r#"{"type":"search","msg":"tea","since":7}"#,
    r#"{"type":"search","msg":"tea","since":"7d","until":"1d"}"#,
    r#"{"type":"topic","room":"x","msg":""}"#,
    r#"{"type":"topic","room":"x","msg":"tea"}"#,
    r#"{"type":"topic","room":"x","msg":"tea","topic":""}"#,
    r#"{"type":"op","token":"secret"}"#,
    r#"{"type":"op","token":"secret","name":"bob"}"#,
    r#"{"type":"multicast","token":"0123456789ABCDEF"}"#,
    r#"{"type":"received","seq":18446744073709551616}"#,
    r#"{"type":"hello","from":{"name":"a"},"v":"1"}"#,
    r#"{"type":"hello","from":{"name":"a"},"since":"yesterday"}"#,
    r#"{"type":"hello","from":{"name":"a"},"mode":"lurk"}"#,
    r#"{"type":"hello","from":{"name":"a"},"log":""}"#,
    r#"{"type":"hello","from":{"name":"a","name":"b"}}"#,
    r#"{"type":"hello","from":"alice","id":"i"}"#,
];

/// More from servers.
const SOME_EVENTS: [&str; 22] = [
    r#"{"from":{"name":"alice","ip":"1.2.3.4"},"to":"Broadcast","msg":"hi"}"#,
    r#"{"from":{"name":"server"},"msg":"from the future","type":"hologram"}"#,
    r#"{"msg":"hi"}"#,
    "{}",
    r#"{"type":null,"msg":"hi"}"#,
    r#"{"type":"error","msg":"no","code":"from_the_future"}"#,
    r#"{"type":"delivered","count":4294967296,"lost":0}"#,
    r#"{"type":"delivered","lost":4294967296}"#,
    r#"{"type":"welcome","since":"then","key":"none","msg":"welcome\nto\nall"}"#,
    r#"{"type":"sent","name":"bob"}"#,
    r#"{"type":"sent","waits":true}"#,
    r#"{"type":"sent","waits":false,"name":"bob","stored":true}"#,
    r#"{"type":"notice","msg":"hi","stored":null}"#,
    r#"{"type":"notice","msg":"hi","stored":true}"#,
    r#"{"type":"ping","type":"ping"}"#,
    r#"{"type":"sent","colour":1,"colour":2}"#,
    r#"{"type":"users","users":[{"ip":"10.0.0.2"}]}"#,
    r#"{"type":"users","users":[{"name":"bob","ip":null}]}"#,
    r#"{"type":"welcome","logs":[{"log":"a","last":7.0}]}"#,
    r#"{"from":{"name":null},"msg":"hi"}"#,
    r#"{"seq":1,"from":{"ip":"10.0.0.2","name":"bob"},"type":"chat","to":"all","ts":"then","msg":"hi"}"#,
    "[]",
];

/// For each type: bare, with all members, and with all of them `null`.
fn of_each(types: &str, members: &[(&str, &str)]) -> Vec<String> {
    let with = |kind: &str, value: fn(&str) -> &str| {
        let members = members.iter().map(|(member, own)| format!(r#","{member}":{}"#, value(own)));
        format!(r#"{{"type":"{kind}"{}}}"#, members.collect::<String>())
    };
    types
        .split(' ')
        .chain([""])
        .flat_map(|kind| [format!(r#"{{"type":"{kind}"}}"#), with(kind, |own| own), with(kind, |_| "null")])
        .collect()
}

/// Each member with values of the wrong type, in a packet of a type that does not use it.
fn of_every_kind(kind: &str, members: &[(&str, &str)], values: &[&str]) -> Vec<String> {
    let line = |member: &str, value: &str| match member {
        "type" => format!(r#"{{"type":{value},"id":"i"}}"#),
        "id" => format!(r#"{{"type":"{kind}","id":{value}}}"#),
        _ => format!(r#"{{"type":"{kind}","{member}":{value},"id":"i"}}"#),
    };
    let members = members.iter().map(|(member, _)| *member).chain(["type"]);
    members.flat_map(|member| values.iter().map(move |value| line(member, value))).collect()
}

/// Each member, too long.
fn too_long(members: &[(&str, &str)]) -> Vec<String> {
    let line = |(member, own): &(&str, &str)| {
        let is_text = own.starts_with('"').then_some(());
        is_text.map(|()| format!(r#"{{"type":"ping","{member}":"{}"}}"#, "x".repeat(257)))
    };
    members.iter().filter_map(line).chain([format!(r#"{{"type":"{}"}}"#, "x".repeat(257))]).collect()
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

pub(super) fn from_clients() -> Vec<String> {
    let mut all = of_each(REQUESTS, &OF_CLIENTS);
    all.extend(of_every_kind("ping", &OF_CLIENTS, &VALUES));
    all.extend(too_long(&OF_CLIENTS));
    all.extend(owned(&SOME_REQUESTS));
    all
}

pub(super) fn first_packets() -> Vec<String> {
    let mut all = of_each("hello chat ping dance", &OF_CLIENTS);
    all.extend(of_every_kind("hello", &OF_CLIENTS, &FEW_VALUES));
    all.extend(owned(&SOME_REQUESTS));
    all
}

pub(super) fn from_servers() -> Vec<String> {
    let mut all = of_each(EVENTS, &OF_SERVERS);
    all.extend(of_every_kind("pong", &OF_SERVERS, &FEW_VALUES));
    all.extend(owned(&SOME_EVENTS));
    all
}
