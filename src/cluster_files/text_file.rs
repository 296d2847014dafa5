//! The common form of the files: TOML, with the kind and version of the file in its first line.

use super::error::ClusterFileError;
use crate::encoding;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// A kind of file.
#[derive(Debug)]
pub(super) struct FileKind {
    /// For people.
    pub(super) what: &'static str,
    /// The key in its first line, whose value is the version.
    pub(super) key: &'static str,
    /// The version that this program reads and writes.
    pub(super) version: u32,
    /// The remedy for another file.
    pub(super) if_other: &'static str,
    /// The remedy for a damaged one.
    pub(super) if_wrong: &'static str,
}

impl FileKind {
    /// Reads a file of this kind.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        path: &Path,
        content: io::Result<Zeroizing<Vec<u8>>>,
    ) -> Result<T, ClusterFileError> {
        let unreadable = |error| ClusterFileError::Unreadable { what: self.what, path: path.into(), error };
        let content = content.map_err(unreadable)?;
        let other = || ClusterFileError::Other { what: self.what, path: path.into(), remedy: self.if_other };
        let text = Zeroizing::new(encoding::decode(&content).map_err(|_| other())?.0);
        let version = self.version(&text).ok_or_else(other)?;
        if version != self.version.to_string() {
            return Err(ClusterFileError::Version {
                what: self.what,
                path: path.into(),
                found: version.to_owned(),
                known: self.version,
            });
        }
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map(|before| before.matches('\n').count() + 1);
            let why = error.message().lines().next().unwrap_or_default();
            self.wrong(path, line, format!("is incomplete or damaged: {why}"))
        })
    }

    /// The error about a file with a wrong part.
    pub(super) fn wrong(&self, path: &Path, line: Option<usize>, why: String) -> ClusterFileError {
        ClusterFileError::Wrong { what: self.what, path: path.into(), line, why, remedy: self.if_wrong }
    }

    /// The version in the first line that is not a comment.
    fn version<'a>(&self, text: &'a str) -> Option<&'a str> {
        let mut lines = text.lines().map(str::trim);
        let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'))?;
        let (key, version) = first.split_once('=')?;
        (key.trim() == self.key && !version.trim().is_empty()).then(|| version.trim())
    }

    /// The text of a file of this kind, after lines for people.
    pub(super) fn text(
        &self,
        about: &str,
        content: &impl Serialize,
    ) -> Result<Zeroizing<String>, toml::ser::Error> {
        let body = Zeroizing::new(toml::to_string_pretty(content)?);
        let mut text = Zeroizing::new(String::with_capacity(about.len() + body.len() + 80));
        for line in about.lines() {
            text.push_str("# ");
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&format!("{} = {}\n", self.key, self.version));
        text.push_str(&body);
        Ok(text)
    }
}
