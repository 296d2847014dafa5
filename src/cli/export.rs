//! `lanchat export`: prints a server's history as text, JSON lines or CSV.

mod cell;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::args::{CommonArgs, ExportArgs, Format};
use super::exit::ExitError;
use super::logging;
use super::own_server;
use super::progress::ProgressDisplay;
use super::values::LogLevel;
use crate::chat::{Kind, Message, Venue};
use crate::files;
use crate::store::{Export, ExportFilter};
use crate::text::{escape_json, safe_line, safe_lines};

const COLUMNS: [&str; 9] = ["seq", "time", "kind", "from", "ip", "key", "to", "text", "edited"];

pub(crate) fn run(
    common: &CommonArgs,
    args: &ExportArgs,
    data_dir: Option<PathBuf>,
) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    let filter = ExportFilter {
        since: args.since.map(|since| since.timestamp(Timestamp::now())),
        room: args.room.clone(),
        with: args.with.clone(),
    };
    let open = |path: &Path| Export::open(path, filter.clone());
    let messages = own_server::history(args.data_dir.clone().or(data_dir), "export", open)?;
    match &args.output {
        Some(path) => {
            let mut file = to_file(path)?;
            write(messages, args.format, &mut file, common)?;
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            Ok(file.sync_all()?)
        }
        None => write(messages, args.format, &mut BufWriter::new(io::stdout().lock()), common),
    }
}

/// Creates a file that only its owner can read, as it contains direct messages.
fn to_file(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let opened = files::create_private(path);
    opened.map(BufWriter::new).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            anyhow::anyhow!("{} already exists; choose another file, or remove it", path.display())
        }
        _ => anyhow::anyhow!("cannot write {}: {error}; choose another file", path.display()),
    })
}

fn write(
    messages: Export,
    format: Format,
    out: &mut impl Write,
    common: &CommonArgs,
) -> Result<(), ExitError> {
    let (before, last) = messages.ends();
    let progress = ProgressDisplay::new(common, "exporting");
    let count = |message: &Message| progress.set(message.seq - before, last.saturating_sub(before));
    match format {
        Format::Text => {
            let zone = TimeZone::system();
            for message in messages {
                let message = message?;
                count(&message);
                out.write_all(line(&message, &zone).as_bytes())?;
            }
        }
        Format::Jsonl => {
            for message in messages {
                let message = message?;
                count(&message);
                out.write_all(&frame(&message))?;
            }
        }
        Format::Csv => {
            let mut table = csv::Writer::from_writer(&mut *out);
            table.write_record(COLUMNS).map_err(of_csv)?;
            for message in messages {
                let message = message?;
                count(&message);
                table.write_record(cells(message)).map_err(of_csv)?;
            }
            table.flush()?;
        }
    }
    Ok(out.flush()?)
}

/// Unwraps an I/O error, so that a closed pipe is recognised.
fn of_csv(error: csv::Error) -> anyhow::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        other => anyhow::anyhow!("cannot write the table: {other:?}"),
    }
}

/// Formats `2026-11-21 12:00:00 #lobby <alice> hello`; further lines of the message are indented. As in the chat,
/// `(edited)` ends a message whose author has changed it.
fn line(message: &Message, zone: &TimeZone) -> String {
    let time = message.at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S");
    let from = safe_line(&message.from.name);
    let place = match &message.venue {
        Venue::Room(room) => safe_line(room.as_str()),
        Venue::Direct(to) => format!("@{}", safe_line(to)),
    };
    let mark = if message.edited { " (edited)" } else { "" };
    let mut lines = safe_lines(&format!("{}{mark}", message.text)).into_iter();
    let first = lines.next().unwrap_or_default();
    let mut text = match message.kind {
        Kind::Action => format!("{time} {place} * {from} {first}\n"),
        Kind::Alert => format!("{time} {place} ALERT from {from}: {first}\n"),
        _ => {
            format!("{time} {place} <{from}> {first}\n")
        }
    };
    for line in lines {
        text += &format!("    {line}\n");
    }
    text
}

fn frame(message: &Message) -> Vec<u8> {
    let mut frame = Vec::new();
    // On the wire, an alert comes from the server; here its author is the sender.
    message.to_live_packet(Some(message.seq)).write_as(&message.from, &mut frame);
    escape_json(&String::from_utf8_lossy(&frame)).into_bytes()
}

fn cells(message: Message) -> [String; 9] {
    let kind = match message.kind {
        Kind::Action => "action",
        Kind::Alert => "alert",
        _ => "chat",
    };
    let at = message.stamp();
    let to = match message.venue {
        Venue::Room(room) => room.to_string(),
        Venue::Direct(to) => to,
    };
    // A cell may have several lines, but no terminal escapes.
    let text = safe_lines(&message.text).join("\n");
    [
        message.seq.to_string(),
        at,
        kind.to_owned(),
        cell::harmless(&safe_line(&message.from.name)),
        message.from.ip,
        message.from.key.unwrap_or_default(),
        cell::harmless(&safe_line(&to)),
        cell::harmless(&text),
        if message.edited { "true".into() } else { String::new() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::RoomName;
    use crate::protocol::packet::Sender;

    fn message(text: &str) -> Message {
        Message {
            seq: 7,
            at: "2026-11-21T12:00:00.5Z".parse().unwrap(),
            kind: Kind::Chat,
            venue: Venue::Room(RoomName::lobby()),
            receiver: None,
            from: Sender { name: "alice".into(), ip: "10.0.0.1".into(), key: None },
            author: None,
            id: None,
            text: text.into(),
            reply: None,
            edited: false,
            mail: Vec::new(),
        }
    }

    #[test]
    fn text_shows_room_and_author_and_is_safe_for_a_terminal() {
        let line = |message: &Message| line(message, &TimeZone::UTC);
        assert_eq!(line(&message("hi")), "2026-11-21 12:00:00 #lobby <alice> hi\n");
        let direct = Message { venue: Venue::Direct("bob".into()), kind: Kind::Action, ..message("waves") };
        assert_eq!(line(&direct), "2026-11-21 12:00:00 @bob * alice waves\n");
        let hostile = line(&message("one\n\u{1b}]52;c;x\u{7}\ntwo"));
        assert_eq!(hostile.lines().count(), 3);
        assert!(!hostile.contains(|c: char| c.is_control() && c != '\n'), "{hostile:?}");
    }

    #[test]
    fn each_format_marks_an_edited_message() {
        let edited = Message { edited: true, ..message("one\ntwo") };
        let text = line(&edited, &TimeZone::UTC);
        assert_eq!(text, "2026-11-21 12:00:00 #lobby <alice> one\n    two (edited)\n");
        assert!(String::from_utf8(frame(&edited)).unwrap().contains("\"edited\":true"));
        assert_eq!(cells(edited)[7..], ["one\ntwo", "true"]);
        assert_eq!(cells(message("hi"))[7..], ["hi", ""]);
    }

    #[test]
    fn no_cell_is_a_formula_and_no_json_drives_a_terminal() {
        let hostile = || Message {
            from: Sender { name: "=1+1".into(), ip: "10.0.0.1".into(), key: None },
            venue: Venue::Direct("@SUM(1)".into()),
            ..message("=HYPERLINK(\"http://192.0.2.1\")\u{1b}[2J\u{202e}\u{2028}\u{9b}")
        };
        let cells = cells(hostile());
        assert!(!cells.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{cells:?}");
        assert_eq!((cells[3].as_str(), cells[6].as_str()), ("'=1+1", "'@SUM(1)"));
        let json = String::from_utf8(frame(&hostile())).unwrap();
        assert!(!json.contains(|c: char| c != '\n' && crate::text::is_suspicious(c)), "{json:?}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["msg"], hostile().text);
    }

    #[test]
    fn json_lines_are_packets_of_the_wire() {
        let alert = Message { kind: Kind::Alert, ..message("fire") };
        assert_eq!(
            String::from_utf8(frame(&alert)).unwrap(),
            "{\"from\":{\"name\":\"alice\",\"ip\":\"10.0.0.1\"},\"to\":\"all\",\"msg\":\"fire\",\"type\":\"alert\",\
             \"seq\":7,\"ts\":\"2026-11-21T12:00:00.500Z\",\"by\":\"alice\"}\n"
        );
    }
}
