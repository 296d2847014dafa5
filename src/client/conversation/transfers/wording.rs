//! How files, their sizes and their senders are written.

use std::time::Duration;

use super::ReceivedOffer;
use crate::name::FileName;
use crate::protocol::packet::FileInfo;
use crate::text::{safe_line, width};

/// The longest name of a file in a line, in columns. The end of a longer one stays: it says what kind it is.
const NAME_COLUMNS: usize = 48;

/// The most names of users in a line.
const FEW: usize = 3;

/// The file's name, safe for the terminal, in at most so many columns.
pub(super) fn shortened(name: &str, columns: usize) -> String {
    let name = safe_line(name);
    if width(&name) <= columns {
        return name;
    }
    let tail_columns = columns / 3;
    let mut tail = String::new();
    for c in name.chars().rev() {
        if width(&tail) + width(&c.to_string()) > tail_columns {
            break;
        }
        tail.insert(0, c);
    }
    let mut head = String::new();
    for c in name.chars() {
        if width(&head) + width(&c.to_string()) + width(&tail) + 1 > columns {
            break;
        }
        head.push(c);
    }
    // Cut once more, since a mark of direction may have lost its end.
    safe_line(&format!("{head}…{tail}"))
}

/// The file's name in a line: in quotes, if it could be taken for something else.
pub(super) fn called(name: &str) -> String {
    let name = shortened(name, NAME_COLUMNS);
    let is_plain = |c: char| c.is_alphanumeric() || ['.', '-', '_', '+', '…'].contains(&c);
    match !name.is_empty() && name.chars().all(is_plain) {
        true => name,
        false => format!("\"{}\"", name.replace('"', "'")),
    }
}

/// `plan.pdf (1.2 MiB)`, `docs (3 files, 12 MiB)`.
pub(crate) fn described(file: &FileInfo) -> String {
    let name = called(FileName::from_sender(&file.name).as_str());
    if file.count == Some(0) {
        return format!("{name} (an empty folder)");
    }
    let count = file.count.map(|count| if count == 1 { "1 file".into() } else { format!("{count} files") });
    let parts: Vec<String> = count.into_iter().chain(file.size.map(file_size)).collect();
    match parts.is_empty() {
        true => format!("{name} (of unknown size)"),
        false => format!("{name} ({})", parts.join(", ")),
    }
}

/// The name alone.
pub(super) fn name_of(file: &FileInfo) -> String {
    called(FileName::from_sender(&file.name).as_str())
}

/// `512 bytes`, `1.2 MiB`: three digits, which is what people compare.
pub(crate) fn file_size(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".into(),
        0..1024 => format!("{bytes} bytes"),
        _ => {
            let (number, unit) = scaled(bytes);
            format!("{} {unit}", number.trim_start())
        }
    }
}

/// The number in three characters, and its unit.
pub(super) fn scaled(bytes: u64) -> (String, &'static str) {
    let mut value = bytes as f64 / 1024.0;
    for unit in ["KiB", "MiB", "GiB"] {
        if value < 999.5 {
            return (three(value), unit);
        }
        value /= 1024.0;
    }
    (three(value), "TiB")
}

fn three(value: f64) -> String {
    if value < 9.95 { format!("{value:.1}") } else { format!("{value:3.0}") }
}

/// `0:09`, `12:30`, `1:02:03`.
pub(crate) fn clock_time(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// `, at 43 %`, or nothing.
pub(super) fn at(percent: Option<u64>) -> String {
    percent.map_or(String::new(), |percent| format!(" at {percent} %"))
}

/// `bob, carol and 3 more`.
pub(super) fn listed(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| safe_line(name)).collect();
    match names.split_at(names.len().min(FEW)) {
        ([one], []) => one.clone(),
        ([first @ .., last], []) => format!("{} and {last}", first.join(", ")),
        (few, more) => format!("{} and {} more", few.join(", "), more.len()),
    }
}

impl ReceivedOffer {
    /// The sender, and whether their key is one that the user has compared.
    pub(super) fn sender(&self, is_verified: bool) -> String {
        let name = safe_line(&self.from.name);
        match (&self.from.key, is_verified) {
            (None, _) => format!("{name}? (no key)"),
            (Some(_), true) => format!("{name} (verified)"),
            (Some(_), false) => format!("{name} (unverified)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (10_188, "9.9 KiB"),
            (10_200, "10 KiB"),
            (1_023_999, "1.0 MiB"),
            (1_300_000, "1.2 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(file_size(bytes), text);
        }
    }

    #[test]
    fn a_file_a_folder_an_empty_one_and_a_stream_are_told_apart() {
        let file = |size, count| {
            let name = "x".into();
            described(&FileInfo { name, size, count, id: String::new() })
        };
        assert_eq!(file(Some(1), None), "x (1 byte)");
        assert_eq!(file(Some(0), None), "x (0 bytes)");
        assert_eq!(file(Some(2048), Some(1)), "x (1 file, 2.0 KiB)");
        assert_eq!(file(Some(2048), Some(3)), "x (3 files, 2.0 KiB)");
        assert_eq!(file(Some(0), Some(0)), "x (an empty folder)");
        assert_eq!(file(None, None), "x (of unknown size)");
    }

    #[test]
    fn a_name_that_could_pass_for_something_else_is_in_quotes() {
        assert_eq!(called("plan.pdf"), "plan.pdf");
        assert_eq!(called("a b"), "\"a b\"");
        assert_eq!(called("x\": /accept 9"), "\"x': /accept 9\"");
        assert_eq!(called("a\x1b[2Jb"), format!("\"{}\"", safe_line("a\x1b[2Jb")));
        let long = called(&format!("{}.pdf.exe", "long".repeat(60)));
        assert!(width(&long) <= NAME_COLUMNS && long.ends_with(".pdf.exe"), "{long}");
        let wide = shortened(&"山".repeat(100), 11);
        assert!(width(&wide) <= 11, "{wide}");
    }

    #[test]
    fn a_time_reads_like_a_clock() {
        let clock = |seconds| clock_time(Duration::from_secs(seconds));
        assert_eq!([clock(9), clock(750), clock(3723)], ["0:09", "12:30", "1:02:03"]);
    }

    #[test]
    fn many_names_are_counted() {
        let names = |count: usize| (0..count).map(|n| format!("u{n}")).collect::<Vec<_>>();
        assert_eq!(listed(&names(1)), "u0");
        assert_eq!(listed(&names(3)), "u0, u1 and u2");
        assert_eq!(listed(&names(5)), "u0, u1, u2 and 2 more");
    }
}
