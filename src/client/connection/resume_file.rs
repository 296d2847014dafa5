//! The file with this user's resume points: one JSON object per line and server, the most recent first. A
//! damaged file counts as empty, because it only saves convenience.

use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::encoding;
use crate::files;
use crate::limits::{MAX_KNOWN_SERVERS, MAX_LOGS};
use crate::protocol::packet::LogEnd;

/// The file's name, in the state directory.
pub(crate) const FILE: &str = "resume";

/// The most bytes to read: four times the size of the largest file, with 40 bytes for each incarnation of
/// each known server.
const MAX_FILE_BYTES: u64 = 256 * 1024 + 4 * (MAX_KNOWN_SERVERS * MAX_LOGS * 40) as u64;

/// How far a client has read a server's history, in each incarnation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResumePoint {
    /// The incarnation of the history; numbers mean nothing in another one.
    pub(crate) log: String,
    /// The last message shown.
    pub(crate) seq: u64,
    /// How far the client has read other incarnations, among them earlier ones of this history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) logs: Vec<LogEnd>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ResumeLine {
    server: String,
    #[serde(flatten)]
    point: ResumePoint,
}

impl ResumePoint {
    /// How far the client has read that incarnation; `None`: not at all, or unknown.
    pub(crate) fn end(&self, log: &str) -> Option<u64> {
        let others = || self.logs.iter().find(|end| end.log == log).map(|end| end.last);
        if self.log == log { Some(self.seq) } else { others() }
    }

    /// Adds the positions in `other`, within the bound.
    pub(crate) fn join(&mut self, other: &Self) {
        let point = LogEnd { log: other.log.clone(), last: other.seq };
        for end in std::iter::once(&point).chain(&other.logs).filter(|end| !end.log.is_empty()) {
            match self.logs.iter_mut().find(|known| known.log == end.log) {
                Some(known) => known.last = known.last.max(end.last),
                None if self.log == end.log => {}
                None => self.logs.push(end.clone()),
            }
        }
        self.logs.truncate(MAX_LOGS);
    }
}

pub(crate) fn load(file: &Path, server: &str) -> Option<ResumePoint> {
    read(file).into_iter().find(|line| line.server == server).map(|line| line.point)
}

/// Saves the point for that server atomically. If the file has another point than `before`, another client
/// has written it, and this one merges both.
pub(crate) fn save(file: &Path, server: &str, point: &ResumePoint, before: &ResumePoint) -> io::Result<()> {
    let mut lines = read(file);
    let found = lines.iter().position(|line| line.server == server).map(|at| lines.remove(at).point);
    let mut point = point.clone();
    if let Some(found) = found.filter(|found| found != before) {
        if found.log == point.log {
            point.seq = point.seq.max(found.seq);
        }
        point.join(&found);
    }
    lines.insert(0, ResumeLine { server: server.to_owned(), point });
    lines.truncate(MAX_KNOWN_SERVERS);
    let text: Vec<_> = lines.iter().filter_map(|line| serde_json::to_string(line).ok()).collect();
    files::replace(file, (text.join("\n") + "\n").as_bytes())
}

fn read(file: &Path) -> Vec<ResumeLine> {
    let mut bytes = Vec::new();
    let read = files::open(file).and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes));
    match read {
        Ok(_) => encoding::decode_lossy(&bytes)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .take(MAX_KNOWN_SERVERS)
            .collect(),
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!("cannot read how far you have read in {}: {error}", file.display());
            }
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn point(log: &str, seq: u64) -> ResumePoint {
        ResumePoint { log: log.into(), seq, logs: Vec::new() }
    }

    fn end(log: &str, last: u64) -> LogEnd {
        LogEnd { log: log.into(), last }
    }

    /// Keeps a point as a client that knows of nothing before.
    fn keep(file: &Path, server: &str, point: &ResumePoint) {
        save(file, server, point, &ResumePoint::default()).unwrap();
    }

    #[test]
    fn of_two_clients_the_highest_number_wins_and_what_only_one_knows_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sub").join(FILE);
        assert_eq!(load(&file, "one"), None);
        keep(&file, "one", &point("a", 70));
        keep(&file, "two", &point("b", 5));
        keep(&file, "one", &point("a", 60));
        assert_eq!(load(&file, "one"), Some(point("a", 70)));
        assert_eq!(load(&file, "two"), Some(point("b", 5)));
        keep(&file, "one", &point("c", 2));
        let last = Some(ResumePoint { logs: vec![end("a", 70)], ..point("c", 2) });
        assert_eq!(load(&file, "one"), last);
        for saved in encoding::saved(&fs::read_to_string(&file).unwrap()) {
            fs::write(&file, saved).unwrap();
            assert_eq!(load(&file, "one"), last, "an editor saved the file");
        }
    }

    #[test]
    fn who_has_written_the_file_last_may_go_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        keep(&file, "one", &point("a", 70));
        let back = ResumePoint { logs: vec![end("z", 9)], ..point("a", 60) };
        save(&file, "one", &back, &point("a", 70)).unwrap();
        assert_eq!(load(&file, "one"), Some(back.clone()));
        assert_eq!((back.end("a"), back.end("z"), back.end("b")), (Some(60), Some(9), None));
    }

    #[test]
    fn a_line_of_an_older_version_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        fs::write(&file, "{\"server\":\"one\",\"log\":\"a\",\"seq\":7}\n").unwrap();
        assert_eq!(load(&file, "one"), Some(point("a", 7)));
    }

    #[test]
    fn parts_past_the_bound_are_forgotten_and_all_lines_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        let logs = (0..2 * MAX_LOGS).map(|n| end(&format!("{n:016x}"), u64::MAX / 2)).collect();
        let mut many = point("a", 1);
        many.join(&ResumePoint { logs, ..ResumePoint::default() });
        assert_eq!(many.logs.len(), MAX_LOGS);
        for n in 0..MAX_KNOWN_SERVERS {
            keep(&file, &format!("{n:064}"), &many);
        }
        assert_eq!(load(&file, &format!("{:064}", 0)), Some(many));
    }

    #[test]
    fn damage_counts_as_nothing_and_is_mended_by_the_next_write() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        fs::write(&file, b"{\"server\":\"one\",\"log\":\"a\",\"seq\":7}\n\xff\xfe{{{\n{\"server\":3}\n")
            .unwrap();
        assert_eq!(load(&file, "one"), Some(point("a", 7)));
        fs::write(&file, b"\0\0\0").unwrap();
        assert_eq!(load(&file, "one"), None);
        keep(&file, "one", &point("a", 8));
        assert_eq!(load(&file, "one"), Some(point("a", 8)));
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_counts_as_nothing_and_blocks_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        assert_eq!(load(&file, "one"), None);
    }

    #[test]
    fn servers_past_the_bound_are_forgotten_the_oldest_first() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        let line = |n: usize| format!("{{\"server\":\"{n}\",\"log\":\"a\",\"seq\":1}}\n");
        fs::write(&file, (0..MAX_KNOWN_SERVERS).map(line).collect::<String>()).unwrap();
        keep(&file, "new", &point("a", 1));
        assert!(load(&file, "new").is_some() && load(&file, "0").is_some());
        assert_eq!(load(&file, &(MAX_KNOWN_SERVERS - 1).to_string()), None);
    }
}
