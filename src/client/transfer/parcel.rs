//! The content of an offer: a file, a folder, several of both, or a stream.

use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_FILE_NAME_BYTES, MAX_OFFERED_ENTRIES, MAX_PATH_PART_BYTES, MAX_PATH_PARTS};
use crate::name::FileName;
use crate::protocol::packet::FileInfo;
use crate::text::safe_line;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use walkdir::WalkDir;

/// The bytes of an offer's id, which are written as twice as many digits.
const ID_BYTES: usize = 16;

/// The most names in a line.
const FEW: usize = 3;

/// The content of an offer.
pub struct Parcel {
    name: String,
    contents: Contents,
    skipped: Vec<PathBuf>,
    /// The hidden files and folders within the paths that were given.
    hidden: BTreeSet<String>,
}

pub(super) enum Contents {
    /// One file.
    File(Item),
    /// A folder, or several paths: files and empty folders in the order in which they are sent.
    Folder(Vec<Item>),
    /// A stream, which can be sent once, and its id.
    Stream(Mutex<Option<Box<dyn Read + Send>>>, String),
}

/// A file or an empty folder.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The names that the receiver gets.
    pub(super) path: Vec<String>,
    pub(super) local: PathBuf,
    pub(super) is_folder: bool,
    pub(super) state: ItemState,
}

/// The properties of a file that change if a program writes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ItemState {
    pub(super) size: u64,
    modified: Option<SystemTime>,
}

/// Why paths cannot be offered. One line, safe for a terminal.
#[derive(Debug, thiserror::Error)]
pub enum ParcelError {
    #[error("cannot read {path}: {error}")]
    Read { path: String, error: io::Error },
    #[error("{0} is neither a file nor a folder; give one of these")]
    Odd(String),
    #[error("these are over {MAX_OFFERED_ENTRIES} files; send an archive of them")]
    TooMany,
    #[error("{0} is too deep in its folder, or has a name that is too long; send an archive of the folder")]
    TooDeep(String),
    #[error("there is nothing to send; give a file or a folder")]
    Empty,
}

impl ItemState {
    pub(super) fn of(found: &Metadata) -> Self {
        Self { size: found.len(), modified: found.modified().ok() }
    }
}

impl Parcel {
    /// Looks at the paths, which takes as long as the disk does. Skips symbolic links in folders, pipes
    /// and devices.
    ///
    /// # Errors
    /// If a path cannot be read, or there is too much.
    pub fn collect(paths: &[PathBuf]) -> Result<Self, ParcelError> {
        let first = paths.first().ok_or(ParcelError::Empty)?;
        let mut skipped = Vec::new();
        let name = own_name(first);
        if let [path] = paths {
            let found = fs::metadata(path).map_err(|error| unreadable(path, error))?;
            let contents = match found.is_dir() {
                true => Contents::Folder(walk(path, &[], &mut skipped)?),
                false => Contents::File(file(path, vec![name.clone()], &found)?),
            };
            return Ok(Self { name, hidden: hidden(&contents, 0), contents, skipped });
        }
        let mut items = Vec::new();
        for path in paths {
            let found = fs::metadata(path).map_err(|error| unreadable(path, error))?;
            let top = [own_name(path)];
            match found.is_dir() {
                true => items.extend(walk(path, &top, &mut skipped)?),
                false => items.push(file(path, top.to_vec(), &found)?),
            }
            if items.len() > MAX_OFFERED_ENTRIES {
                return Err(ParcelError::TooMany);
            }
        }
        let name = format!("{name} and {} more", paths.len() - 1);
        let contents = Contents::Folder(items);
        // Users mean the paths that they name.
        Ok(Self { name, hidden: hidden(&contents, 1), contents, skipped })
    }

    /// The same under another name.
    pub fn named(mut self, name: &str) -> Self {
        if let Contents::File(item) = &mut self.contents {
            item.path = vec![name.to_owned()];
        }
        Self { name: name.to_owned(), ..self }
    }

    /// Standard input under a name.
    pub fn stdin(name: &str) -> Self {
        Self::stream(name, io::stdin())
    }

    /// A stream of unknown length. It can be sent once, and not resumed.
    pub fn stream(name: &str, stream: impl Read + Send + 'static) -> Self {
        let mut id = [0; ID_BYTES];
        // Without randomness, two streams of one user have the same id, and the receiver is asked again.
        let _ = getrandom::fill(&mut id);
        let contents = Contents::Stream(Mutex::new(Some(Box::new(stream))), digits(&id));
        Self { name: name.to_owned(), contents, skipped: Vec::new(), hidden: BTreeSet::new() }
    }

    /// The offer for the owner of that key.
    pub fn info(&self, own: &Fingerprint) -> FileInfo {
        let mut end = self.name.len().min(MAX_FILE_NAME_BYTES);
        while !self.name.is_char_boundary(end) {
            end -= 1;
        }
        let count = match &self.contents {
            Contents::Folder(items) => Some(items.iter().filter(|item| !item.is_folder).count() as u64),
            _ => None,
        };
        FileInfo { name: self.name[..end].to_owned(), size: self.size(), count, id: self.id(own) }
    }

    /// The name under which it is offered.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All bytes; `None`: a stream.
    pub fn size(&self) -> Option<u64> {
        match &self.contents {
            Contents::Stream(..) => None,
            _ => Some(self.items().iter().map(|item| item.state.size).sum()),
        }
    }

    /// The files and empty folders; none for a stream.
    pub(super) fn items(&self) -> &[Item] {
        match &self.contents {
            Contents::File(item) => std::slice::from_ref(item),
            Contents::Folder(items) => items,
            Contents::Stream(..) => &[],
        }
    }

    /// The number of files; one for a stream.
    pub fn files(&self) -> usize {
        match &self.contents {
            Contents::Stream(..) => 1,
            _ => self.items().iter().filter(|item| !item.is_folder).count(),
        }
    }

    /// Paths that are not sent: symbolic links, and those that lead neither to a file nor to a folder.
    pub fn skipped(&self) -> &[PathBuf] {
        &self.skipped
    }

    /// Notes about content that the user may not expect, in lines that are safe for a terminal.
    pub fn notes(&self) -> Vec<String> {
        let skipped: Vec<String> = self.skipped.iter().map(|path| shown(path)).collect();
        let hidden: Vec<String> = self.hidden.iter().map(|name| safe_line(name)).collect();
        [
            ("links and special files are not sent", skipped),
            ("hidden files are sent, too, and arrive without the dot", hidden),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}", few(&names)))
        .collect()
    }

    /// Whether it can be sent only once, without resuming.
    pub fn is_stream(&self) -> bool {
        matches!(self.contents, Contents::Stream(..))
    }

    /// Whether its stream was read from: no later attempt has the whole of it.
    pub fn is_begun(&self) -> bool {
        match &self.contents {
            Contents::Stream(stream, _) => stream.lock().unwrap_or_else(PoisonError::into_inner).is_none(),
            _ => false,
        }
    }

    /// The stream, the first time.
    pub(super) fn take_stream(&self) -> Option<Box<dyn Read + Send>> {
        match &self.contents {
            Contents::Stream(stream, _) => stream.lock().unwrap_or_else(PoisonError::into_inner).take(),
            _ => None,
        }
    }

    /// The same for the same content, also in a later run: made from what a change would change.
    fn id(&self, own: &Fingerprint) -> String {
        if let Contents::Stream(_, id) = &self.contents {
            return id.clone();
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(own.to_string().as_bytes());
        for item in self.items() {
            let whole = fs::canonicalize(&item.local).unwrap_or_else(|_| item.local.clone());
            let state = format!("{:?} {:?} {:?}\n", item.path, whole, item.state);
            hasher.update(state.as_bytes());
        }
        digits(&hasher.finalize().as_bytes()[..ID_BYTES])
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel")
            .field("name", &self.name)
            .field("items", &self.items())
            .finish_non_exhaustive()
    }
}

/// The names of hidden files and folders, from that depth on.
fn hidden(contents: &Contents, depth: usize) -> BTreeSet<String> {
    let Contents::Folder(items) = contents else { return BTreeSet::new() };
    let first = |item: &Item| item.path.iter().skip(depth).find(|name| name.starts_with('.')).cloned();
    items.iter().filter_map(first).collect()
}

/// The first of many names.
fn few(names: &[String]) -> String {
    let (few, more) = names.split_at(names.len().min(FEW));
    match more.len() {
        0 => few.join(", "),
        more => format!("{} and {more} more", few.join(", ")),
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn shown(path: &Path) -> String {
    safe_line(&path.to_string_lossy())
}

fn unreadable(path: &Path, error: io::Error) -> ParcelError {
    ParcelError::Read { path: shown(path), error }
}

/// The name of what a path leads to, also for `.` and `..`.
fn own_name(path: &Path) -> String {
    let is_named = matches!(path.components().next_back(), Some(Component::Normal(_)));
    let whole = if is_named { None } else { fs::canonicalize(path).ok() };
    let name = whole.as_deref().unwrap_or(path).file_name();
    name.map_or_else(|| "files".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn file(local: &Path, path: Vec<String>, found: &Metadata) -> Result<Item, ParcelError> {
    if !found.is_file() {
        return Err(ParcelError::Odd(shown(local)));
    }
    // An offer of what nobody can read would fail late.
    File::open(local).map_err(|error| unreadable(local, error))?;
    Ok(Item { path, local: local.to_owned(), is_folder: false, state: ItemState::of(found) })
}

/// The files and the empty folders below a folder: in the order of their names, but first those whose names arrive
/// unchanged, so that no other takes their place.
fn walk(root: &Path, top: &[String], skipped: &mut Vec<PathBuf>) -> Result<Vec<Item>, ParcelError> {
    let mut items: Vec<Item> = Vec::new();
    for entry in WalkDir::new(root).min_depth(1).sort_by_key(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (FileName::from_sender(&name).as_str() != name, name)
    }) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(root).to_owned();
            unreadable(&path, error.into_io_error().unwrap_or_else(|| io::ErrorKind::Other.into()))
        })?;
        let is_folder = entry.file_type().is_dir();
        if !is_folder && !entry.file_type().is_file() {
            skipped.push(entry.into_path());
            continue;
        }
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let names = below.iter().map(|name| name.to_string_lossy().into_owned());
        let path: Vec<String> = top.iter().cloned().chain(names).collect();
        if path.len() > MAX_PATH_PARTS || path.iter().any(|part| part.len() > MAX_PATH_PART_BYTES) {
            return Err(ParcelError::TooDeep(shown(entry.path())));
        }
        // A folder comes before its content.
        if items.last().is_some_and(|last| last.is_folder && entry.path().starts_with(&last.local)) {
            items.pop();
        }
        if items.len() >= MAX_OFFERED_ENTRIES {
            return Err(ParcelError::TooMany);
        }
        let found = entry.metadata().map_err(|error| {
            unreadable(entry.path(), error.into_io_error().unwrap_or_else(|| io::ErrorKind::Other.into()))
        })?;
        let mut state = ItemState::of(&found);
        if is_folder {
            state.size = 0;
        }
        items.push(Item { path, local: entry.into_path(), is_folder, state });
    }
    if items.is_empty() && !top.is_empty() {
        let state = ItemState { size: 0, modified: None };
        items.push(Item { path: top.to_vec(), local: root.to_owned(), is_folder: true, state });
    }
    Ok(items)
}
