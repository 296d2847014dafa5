//! The same of names, containers, and the server's own machine.

use super::*;

#[test]
fn each_place_is_told_apart_with_its_remedy() {
    let docker = |gateway| Machine { container: Some("Docker container"), gateway, ..Machine::default() };
    let mut inside = with_address("172.17.0.2", 16);
    inside.links[0].name = "eth0".into();
    inside.machine.gateway = gateway("172.17.0.1");
    for (case, findings, cause, words, paste) in [
        (
            "dead DNS",
            named("office", Lookup::Unanswered("EAI_AGAIN".into())),
            Cause::NameServers,
            "do not answer",
            "cat /etc/resolv.conf",
        ),
        (
            "wrong host",
            named("ofice", Lookup::Unknown("no".into())),
            Cause::UnknownHost,
            "check the spelling",
            "lanchat discover",
        ),
        (
            "desk.local, dead DNS",
            named("desk.local", Lookup::Unanswered("EAI_AGAIN".into())),
            Cause::UnknownHost,
            "mDNS resolves names",
            "lanchat discover",
        ),
        (
            "desk.local",
            named("desk.local", Lookup::Unknown("no".into())),
            Cause::UnknownHost,
            "mDNS resolves names",
            "lanchat discover",
        ),
        (
            "in a container",
            inside.clone(),
            Cause::Container,
            "a container with a network of its own",
            "lanchat --host 172.17.0.1",
        ),
        (
            "in one, server on its host",
            and(inside, probe(ProbeSource::Gateway, "172.17.0.1:7667", answered())),
            Cause::Routed,
            "which has a network of its own",
            "lanchat --host 172.17.0.1",
        ),
        (
            "container on its host's network",
            machine(docker(gateway("10.78.0.254"))),
            Cause::NobodyHeard,
            "nothing speaks mDNS",
            "lanchat doctor",
        ),
        (
            "WSL",
            machine(Machine { is_wsl: true, gateway: gateway("172.20.0.1"), ..Machine::default() }),
            Cause::Wsl,
            "WSL",
            "networkingMode=mirrored",
        ),
        (
            "port held",
            Findings { port: Some("in use".into()), ..lan() },
            Cause::PortTaken,
            "does not share UDP port 5353",
            "sudo ss -ulpn",
        ),
        (
            "no multicast",
            Findings { failures: vec!["no socket".into()], ..lan() },
            Cause::NoMulticast,
            "no socket",
            "lanchat --host HOST",
        ),
        (
            "others heard",
            Findings { others: 1, ..lan() },
            Cause::NoServer,
            "1 other machine was heard",
            "lanchat serve",
        ),
        (
            "wrong --server",
            Findings {
                wanted: Some("ofice".into()),
                servers: vec![AnnouncedServer { is_meant: false, ..announced(BOTH).servers.remove(0) }],
                ..lan()
            },
            Cause::NotAmongThem,
            "these are here: office (3f9a1c77)",
            "lanchat discover",
        ),
        (
            "full",
            host(ProbeOutcome::TurnedAway("the server is full".into())),
            Cause::TurnedAway,
            "the server is full",
            "",
        ),
        (
            "another program",
            host(ProbeOutcome::Foreign(
                "the program that answers is not a lanchat server (no packets)".into(),
            )),
            Cause::Foreign,
            "at 10.78.0.1:7667, the program that answers is not a lanchat server (no packets); give",
            "",
        ),
        (
            "wrong key",
            host(refused(JoinRefusal::Key("other".into()))),
            Cause::WrongKey,
            "impersonating",
            "lanchat fingerprint",
        ),
        (
            "several servers",
            {
                let mut findings = and(announced(BOTH), probe(ProbeSource::Announced, SERVER, answered()));
                let server =
                    AnnouncedServer { title: "lab (a0b1c2d3)".into(), ..findings.servers[0].clone() };
                findings.servers.push(AnnouncedServer { addrs: vec![at("10.78.0.9:7667")], ..server });
                let lab = ProbeOutcome::Answered {
                    server: "lab (a0b1c2d3)".into(),
                    key: Ok("new".into()),
                    is_meant: true,
                };
                and(findings, probe(ProbeSource::Announced, "10.78.0.9:7667", lab))
            },
            Cause::Well,
            "2 servers answer (lab (a0b1c2d3), office (3f9a1c77))",
            "lanchat --server NAME",
        ),
        (
            "namesake",
            and(announced(BOTH), probe(ProbeSource::Announced, SERVER, refused(namesake()))),
            Cause::Namesake,
            "not the server of this name that you know",
            "lanchat --server vm-0c8bbd84",
        ),
        (
            "changed at one address, a namesake by another",
            {
                let mut findings =
                    and(announced(BOTH), probe(ProbeSource::Announced, SERVER, refused(namesake())));
                findings.servers[0].addrs.push(at("[fe80::1%2]:7667"));
                let changed = refused(JoinRefusal::Key("other".into()));
                and(findings, probe(ProbeSource::Announced, "[fe80::1%2]:7667", changed))
            },
            Cause::WrongKey,
            "its key has changed",
            "lanchat fingerprint",
        ),
        (
            "own server",
            own(Machine::default()),
            Cause::OwnServer,
            "others may still be unable to reach it",
            "lanchat doctor --host 10.78.0.2",
        ),
        (
            "own, walled",
            own(nft("")),
            Cause::OwnServerWalled,
            "nft drops connections to TCP port 7667: others cannot connect",
            "sudo nft insert rule inet f i tcp dport 7667 accept",
        ),
        (
            "own, let in",
            own(nft("tcp dport 7667 accept")),
            Cause::OwnServer,
            "nothing on this machine seems to block them",
            "lanchat doctor --host 10.78.0.2",
        ),
        (
            "own, ufw of unknown rules",
            own(Machine { firewalls: vec![Firewall::Ufw(None)], ..Machine::default() }),
            Cause::OwnServer,
            "ufw is on",
            "sudo ufw allow 7667/tcp",
        ),
        (
            "own, on the loopback",
            own(Machine { listeners: vec![at("127.0.0.1:7667")], ..Machine::default() }),
            Cause::OwnServerLocal,
            "loopback address only",
            "lanchat serve",
        ),
    ] {
        holds(case, &findings, cause, words, paste);
    }
}
