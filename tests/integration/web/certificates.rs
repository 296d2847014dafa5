//! Certificates of an authority: wrong files, an end, and their renewal while the server runs.

use crate::support::browser::WebStream;
use crate::support::home::LANCHAT;
use crate::support::process::{Serve, serve_command};
use lanchat::fingerprint::Fingerprint;
use rcgen::{CertificateParams, KeyPair};
use rustix::process::Signal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A certificate for `chat.example` from one year to another, and its key, in PEM.
fn certificate(from: i32, until: i32) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["chat.example".into()]).unwrap();
    (parameters.not_before, parameters.not_after) =
        (rcgen::date_time_ymd(from, 1, 1), rcgen::date_time_ymd(until, 1, 1));
    (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn authority(name: &str) -> rcgen::CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
    rcgen::CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

fn write(dir: &Path, name: &str, content: &str) -> PathBuf {
    let path = dir.join(name);
    lanchat::files::replace(&path, content.as_bytes()).unwrap();
    path
}

/// The files for the options, with this content.
fn write_both(dir: &Path, (certificate, key): &(String, String)) -> [String; 4] {
    let (certificate, key) = (write(dir, "cert.pem", certificate), write(dir, "key.pem", key));
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    ["--web-cert".into(), text(certificate), "--web-key".into(), text(key)]
}

fn shown(address: SocketAddr) -> Vec<u8> {
    let mut stream = WebStream::connect(address, true);
    stream.ask(&format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n"));
    let WebStream::Tls(stream) = stream else { panic!("TLS") };
    stream.conn.peer_certificates().unwrap()[0].to_vec()
}

fn der(pem: &str) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject as _;
    rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

#[test]
fn a_renewed_certificate_is_shown_after_a_reload_and_a_broken_one_is_not() {
    let home = tempfile::tempdir().unwrap();
    let (first, second) = (certificate(2020, 2090), certificate(2021, 2091));
    let options = write_both(home.path(), &first);
    let options: Vec<&str> = ["--web"].into_iter().chain(options.iter().map(String::as_str)).collect();
    let mut server = Serve::start_at_home(home, &options);
    let dir = server.home.path().to_owned();
    assert_eq!(shown(server.address), der(&first.0));
    let mut open = WebStream::connect(server.address, true);
    write_both(&dir, &second);
    server.signal(Signal::HUP);
    server.wait_for_log("reloaded: web-cert");
    assert_eq!(shown(server.address), der(&second.0));
    let (head, _) = open.ask(&format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", server.address));
    assert!(head.starts_with("HTTP/1.1 200"), "a connection stays: {head}");
    // A renewal that is under way: the other file is still the old one.
    write(&dir, "cert.pem", &first.0);
    server.signal(Signal::HUP);
    server.wait_for_log("nothing is reloaded, the settings stay as they were: the key in");
    assert_eq!(shown(server.address), der(&second.0));
    write_both(&dir, &certificate(2020, 2021));
    server.signal(Signal::HUP);
    server.wait_for_log("reloaded: web-cert");
    server.wait_for_log("ended on 2021-01-01 00:00 UTC, so browsers warn");
    server.signal(Signal::HUP);
    server.wait_for_log("reloaded: no setting has changed");
}

#[test]
fn the_names_in_a_given_certificate_are_the_server_s() {
    let home = tempfile::tempdir().unwrap();
    let options = write_both(home.path(), &certificate(2020, 2090));
    let options: Vec<&str> = ["--web"].into_iter().chain(options.iter().map(String::as_str)).collect();
    let server = Serve::start_at_home(home, &options);
    let status = |host: &str| {
        let mut stream = WebStream::connect(server.address, true);
        stream.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).0[9..12].to_owned()
    };
    assert_eq!(status("chat.example:7667"), "200");
    assert_eq!(status("Chat.Example"), "200");
    assert_eq!(status("other.example"), "421");
}

#[test]
fn links_have_the_names_that_an_authority_vouches_for() {
    let home = tempfile::tempdir().unwrap();
    let (house, key) = (authority("house"), KeyPair::generate().unwrap());
    let names = ["*.example".to_owned(), "chat.example".to_owned()];
    let own = CertificateParams::new(names).unwrap().signed_by(&key, &house).unwrap();
    let options = write_both(home.path(), &(own.pem() + &house.pem(), key.serialize_pem()));
    let options: Vec<&str> = ["--web"].into_iter().chain(options.iter().map(String::as_str)).collect();
    let mut server = Serve::start_at_home(home, &options);
    let link = format!("https://chat.example:{}/", server.address.port());
    server.wait_for_log(&format!("browsers join at {link}"));
    let mut invite = Command::new(LANCHAT);
    invite.args(["invite", "--web", "--data-dir"]).arg(server.home.path()).env("HOME", server.home.path());
    let output = invite.output().unwrap();
    let (links, notes) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((&*links, notes.contains("warn")), (&*format!("{link}\n"), false), "{notes}");
}

#[test]
fn serve_and_its_check_say_in_one_line_what_is_wrong_with_a_file() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().to_owned();
    let (good, other) = (certificate(2020, 2090), certificate(2020, 2090));
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let cases = [
        ((good.0.clone(), other.1.clone()), "name the two files that belong together"),
        ((other.0.clone() + &good.0, good.1.clone()), "put the server's first"),
        ((good.0.clone(), locked.into()), "openssl pkey"),
        (("no certificate".into(), good.1.clone()), "holds no certificate or key in PEM"),
        ((good.0.clone(), "no key".into()), "holds no certificate or key in PEM"),
        ((String::new(), good.1.clone()), "holds no certificate or key in PEM"),
    ];
    for (files, remedy) in cases {
        let options = write_both(&dir, &files);
        for check in [&["--check"][..], &[]] {
            let mut command = serve_command(&home, &["--web"]);
            let output = command.args(&options).args(check).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.code() == Some(1) && said.contains(remedy), "{remedy}: {said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
    let mut options = write_both(&dir, &good);
    options[1] = dir.join("gone.pem").to_str().unwrap().to_owned();
    let output = serve_command(&home, &["--web", "--check"]).args(&options).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("gone.pem") && said.contains("name a file that exists"), "{said}");
}

#[test]
fn the_check_warns_of_what_keeps_browsers_away_and_a_start_logs_it() {
    let home = tempfile::tempdir().unwrap();
    let check = |args: &[&str]| {
        let output = serve_command(&home, args).arg("--check").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert_eq!(output.status.code(), Some(0));
        (text(output.stdout), text(output.stderr))
    };
    let (said, warned) = check(&["--web", "--name", "Office"]);
    assert_eq!(
        (said.as_str(), warned.as_str()),
        ("nothing wrong: this would serve \"Office\" on 127.0.0.1, port 0, with a page for browsers\n", "")
    );
    let (said, warned) = check(&["--web", "--port", "6667"]);
    assert!(
        said.starts_with("this would serve") && warned.contains("refuse to open port 6667"),
        "{said}{warned}"
    );
    let (_, warned) = check(&["--web=plaintext", "--closed"]);
    assert!(warned.contains("nobody gets into this closed server"), "{warned}");
    let options = write_both(home.path(), &certificate(2020, 2021));
    let options: Vec<&str> = ["--web"].into_iter().chain(options.iter().map(String::as_str)).collect();
    let (_, warned) = check(&options);
    assert!(warned.contains("ended on 2021-01-01 00:00 UTC, so browsers warn; put"), "{warned}");
    // The chat of those without a browser goes on.
    let mut server = Serve::start_at_home(home, &options);
    server.wait_for_log("ended on 2021-01-01 00:00 UTC, so browsers warn");
}

#[test]
fn the_check_looks_at_the_certificates_between_the_server_s_and_its_authority() {
    let home = tempfile::tempdir().unwrap();
    let (house, other) = (authority("house"), authority("other"));
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(["chat.example".into()]).unwrap().signed_by(&key, &house).unwrap();
    for (above, part) in [
        (String::new(), "has only the server's own certificate; if an intermediate"),
        (other.pem(), "do not lead from the server's own to its authority"),
        (house.pem(), ""),
    ] {
        let options = write_both(home.path(), &(own.pem() + &above, key.serialize_pem()));
        let output = serve_command(&home, &["--web", "--check"]).args(&options).output().unwrap();
        let warned = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && warned.contains(part), "{part}: {warned}");
        assert_eq!(warned.is_empty(), part.is_empty(), "{warned}");
    }
}

#[test]
fn the_fingerprint_is_the_one_that_browsers_see_whether_the_server_runs_or_not() {
    let mut server = Serve::start(&["--web"]);
    let sha256 = ring::digest::digest(&ring::digest::SHA256, &shown(server.address));
    let sha256 = Fingerprint::new(sha256.as_ref().try_into().unwrap());
    let expected = format!("{}\n{}\n", sha256.colons(), sha256.id());
    let dir = server.home.path().to_owned();
    let fingerprint = |args: &[&str]| {
        let mut command = Command::new(LANCHAT);
        command.args(["fingerprint", "--web"]).args(args).env("HOME", &dir);
        let output = command.env("XDG_STATE_HOME", &dir).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    };
    let own = ["--data-dir", dir.to_str().unwrap()];
    assert_eq!(fingerprint(&own), (expected.clone(), String::new()));
    let address = server.address.to_string();
    let (asked, note) = fingerprint(&["--host", &address]);
    assert_eq!(asked, expected);
    assert!(note.contains("Compare it with `lanchat fingerprint --web` on the server"), "{note}");
    let invite = ["invite", "--web", "--host", &address, "--data-dir", own[1]];
    let output = Command::new(LANCHAT).args(invite).env("HOME", &dir).output().unwrap();
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(notes.contains(&sha256.colons()), "{notes}");
    server.signal(Signal::TERM);
    server.wait();
    assert_eq!(fingerprint(&own), (expected, String::new()));
    let (said, why) = fingerprint(&["--host", &address]);
    assert!(said.is_empty() && why.contains("shows browsers no certificate"), "{why}");
}

#[test]
fn a_server_without_a_page_has_no_certificate_to_compare() {
    let server = Serve::start(&[]);
    let mut command = Command::new(LANCHAT);
    command.args(["fingerprint", "--web", "--data-dir"]).arg(server.home.path());
    let output = command.env("HOME", server.home.path()).output().unwrap();
    let why = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && why.contains("lanchat serve --web"), "{why}");
}
