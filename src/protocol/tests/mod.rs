//! The wire must not change by accident: compares how each packet is written, and how both sides read odd
//! packets, with recorded lines.
//!
//! `LANCHAT_RENEW=1` records the present state. New lines are fine; a changed line changes the protocol,
//! which other programs speak too.

pub(in crate::protocol) mod events;
mod odd;
pub(in crate::protocol) mod requests;

use super::request::{ClientPacket, Connect, Hello};
use super::{Event, Request, ServerPacket};
use std::fmt::Write as _;
use std::path::Path;

/// The line of a request.
fn request_line(request: &Request, id: Option<&str>) -> String {
    line(request.to_frame(id))
}

/// The line of an event.
fn event_line(event: &Event, to: &str, id: Option<&str>) -> String {
    line(event.to_packet(to, id.map(str::to_owned)).to_frame())
}

fn line(frame: Vec<u8>) -> String {
    let text = String::from_utf8(frame).expect("UTF-8");
    text.strip_suffix('\n').expect("a line").to_owned()
}

/// How the server reads a packet: the request as it would be written, or the refusal.
fn server_reads(line: &str) -> String {
    let packet = match ClientPacket::parse(line.as_bytes()) {
        Ok(packet) => packet,
        Err(error) => return format!("bad_packet: {error} (id: {:?})", ClientPacket::id_in(line.as_bytes())),
    };
    match Request::from_packet(&packet) {
        Ok(request) => request_line(&request, packet.echo().as_deref()),
        Err(refusal) => format!("{}: {} (id: {:?})", refusal.code, refusal.msg, packet.echo()),
    }
}

/// The same for the first packet of a connection.
fn server_reads_first(line: &str) -> String {
    let Ok(packet) = ClientPacket::parse(line.as_bytes()) else { return server_reads(line) };
    match Hello::from_packet(&packet) {
        Ok(hello) => request_line(&Connect::Hello(hello).into(), packet.echo().as_deref()),
        Err(refusal) => format!("{}: {} (id: {:?})", refusal.code, refusal.msg, packet.echo()),
    }
}

/// How the client reads a packet: the event as it would be written.
fn client_reads(line: &str) -> String {
    match ServerPacket::parse(line.as_bytes()) {
        Ok(packet) => {
            let (to, id) = (packet.to.clone(), packet.id.clone());
            event_line(&Event::from_packet(packet), &to, id.as_deref())
        }
        Err(_) => "no packet".into(),
    }
}

/// Each line with its reading.
fn readings(lines: &[String], read: fn(&str) -> String) -> String {
    lines.iter().fold(String::new(), |mut all, line| {
        _ = writeln!(all, "{line}\n    {}", read(line));
        all
    })
}

/// Asserts that the text equals the recorded one, line by line.
fn compare(name: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/protocol/tests/recorded").join(name);
    if std::env::var_os("LANCHAT_RENEW").is_some() {
        std::fs::write(&path, now).expect("written");
    }
    let recorded = std::fs::read_to_string(&path).expect("a record");
    for (number, (was, is)) in recorded.lines().zip(now.lines()).enumerate() {
        assert_eq!(is, was, "line {} of {name}", number + 1);
    }
    assert_eq!(now.lines().count(), recorded.lines().count(), "lines of {name}");
}

#[test]
fn every_request_is_written_as_recorded() {
    let all = requests::all();
    let lines = |id| all.iter().map(move |request| request_line(request, id) + "\n");
    compare("requests.jsonl", &lines(Some("id 1")).chain(lines(None)).collect::<String>());
}

#[test]
fn every_event_is_written_as_recorded() {
    let all = events::all();
    let lines = |id| all.iter().map(move |event| event_line(event, "carol", id) + "\n");
    compare("events.jsonl", &lines(Some("id 1")).chain(lines(None)).collect::<String>());
}

#[test]
fn whatever_comes_from_a_client_is_read_as_recorded() {
    compare("from_clients.txt", &readings(&odd::from_clients(), server_reads));
    compare("first_packets.txt", &readings(&odd::first_packets(), server_reads_first));
}

#[test]
fn whatever_comes_from_a_server_is_read_as_recorded() {
    compare("from_servers.txt", &readings(&odd::from_servers(), client_reads));
}
