//! The file with how far this user has got in the history of each server: a JSON object a line, the
//! server of the latest visit first. It is a convenience: whatever is wrong with it, it counts as empty.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files;
use crate::limits::MAX_KNOWN_SERVERS;

/// Its name, in the state directory.
pub(super) const FILE: &str = "resume";

/// Bytes read of it: four times what as many servers take as are known.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// A place in a server's history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Point {
    /// Which history: its numbers mean nothing in another one.
    pub(super) log: String,
    /// The number of the last message that was shown.
    pub(super) seq: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    server: String,
    #[serde(flatten)]
    point: Point,
}

/// The point on that server.
pub(super) fn load(file: &Path, server: &str) -> Option<Point> {
    read(file).into_iter().find(|line| line.server == server).map(|line| line.point)
}

/// Keeps the point on that server in one step, unless another client has got further meanwhile.
///
/// # Errors
/// What the system says.
pub(super) fn save(file: &Path, server: &str, point: &Point) -> io::Result<()> {
    let mut lines = read(file);
    let before = lines.iter().position(|line| line.server == server).map(|at| lines.remove(at).point);
    let mut point = point.clone();
    if let Some(before) = before.filter(|before| before.log == point.log) {
        point.seq = point.seq.max(before.seq);
    }
    lines.insert(0, Line { server: server.to_owned(), point });
    lines.truncate(MAX_KNOWN_SERVERS);
    let text: Vec<_> = lines.iter().filter_map(|line| serde_json::to_string(line).ok()).collect();
    files::replace(file, (text.join("\n") + "\n").as_bytes())
}

fn read(file: &Path) -> Vec<Line> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .take(MAX_KNOWN_SERVERS)
            .collect(),
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn point(log: &str, seq: u64) -> Point {
        Point { log: log.into(), seq }
    }

    #[test]
    fn the_highest_number_wins_and_another_history_replaces_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sub").join(FILE);
        assert_eq!(load(&file, "one"), None);
        save(&file, "one", &point("a", 70)).unwrap();
        save(&file, "two", &point("b", 5)).unwrap();
        save(&file, "one", &point("a", 60)).unwrap();
        assert_eq!(load(&file, "one"), Some(point("a", 70)));
        assert_eq!(load(&file, "two"), Some(point("b", 5)));
        save(&file, "one", &point("c", 2)).unwrap();
        assert_eq!(load(&file, "one"), Some(point("c", 2)));
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
        save(&file, "one", &point("a", 8)).unwrap();
        assert_eq!(load(&file, "one"), Some(point("a", 8)));
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
    }

    #[test]
    fn servers_past_the_bound_are_forgotten_the_oldest_first() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        let line = |n: usize| format!("{{\"server\":\"{n}\",\"log\":\"a\",\"seq\":1}}\n");
        fs::write(&file, (0..MAX_KNOWN_SERVERS).map(line).collect::<String>()).unwrap();
        save(&file, "new", &point("a", 1)).unwrap();
        assert!(load(&file, "new").is_some() && load(&file, "0").is_some());
        assert_eq!(load(&file, &(MAX_KNOWN_SERVERS - 1).to_string()), None);
    }
}
