//! The offers that this user has accepted: where each goes, so that a later attempt, also of a later run, resumes
//! without a question. Kept in a file; without a place for it, for this run.

use super::error::TransferError;
use super::journal::Journal;
use super::landing::{Landing, Received};
use crate::client::json_lines;
use crate::files;
use crate::fingerprint::Fingerprint;
use crate::limits::{
    FINISHED_KNOWN, MAX_ACCEPTED_FILES, MAX_UNFINISHED_PER_SENDER, MAX_UNFINISHED_WITHOUT_KEY,
    UNFINISHED_KEPT,
};
use crate::protocol::Target;
use crate::protocol::packet::FileInfo;
use crate::protocol::record::StopCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILE: &str = "accepted_files";

/// The folder for the journals of unfinished files, beside the list.
const JOURNALS: &str = "transfers";

/// The bytes of a journal's name, which are written as twice as many digits.
const NAME_BYTES: usize = 16;

/// The sender of an offer: one who returns as the same may resume it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferOrigin {
    /// The server's id.
    server: String,
    /// The sender's key, or the name of a sender without one.
    sender: String,
    /// The room to which the offer goes; `None`: to this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<String>,
}

impl OfferOrigin {
    /// The sender of an offer on the server with that id.
    pub fn new(server: &str, name: &str, key: Option<&Fingerprint>) -> Self {
        let who = key.map_or_else(|| format!("name:{name}"), |key| format!("key:{key}"));
        Self { server: server.to_owned(), sender: who, room: None }
    }

    /// The same sender's offer to that receiver: a user accepts one, and may decline the other.
    pub fn to(self, to: &str) -> Self {
        let is_room = matches!(Target::parse(to), Target::All | Target::Room(_));
        Self { room: is_room.then(|| to.to_lowercase()), ..self }
    }

    fn is_sender(&self, other: &Self) -> bool {
        (&self.server, &self.sender) == (&other.server, &other.sender)
    }

    /// Whether a key proves who the sender is. Otherwise, anyone can have any number of names.
    fn has_key(&self) -> bool {
        self.sender.starts_with("key:")
    }
}

/// The offers that this user has accepted.
#[derive(Debug, Default)]
pub struct Accepted {
    list: Vec<AcceptedOffer>,
    dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct AcceptedOffer {
    origin: OfferOrigin,
    id: String,
    at: Timestamp,
    landing: Landing,
    /// The rooms of the offers that were accepted; `None`: the one to this user. Empty in older lists: any.
    #[serde(default)]
    rooms: Vec<Option<String>>,
}

impl Accepted {
    /// Reads the list in `dir`, and skips lines that it does not understand.
    pub fn load(dir: Option<&Path>) -> Self {
        let mut accepted = Self { list: Vec::new(), dir: dir.map(Path::to_owned) };
        accepted.read();
        accepted
    }

    /// The place of an offer that was accepted before, and not only the same content offered to others: it may be resumed
    /// without a question.
    pub fn recall(&self, origin: &OfferOrigin, info: &FileInfo) -> Option<Landing> {
        let offer = self.list.iter().rev().find(|offer| offer.is(origin, &info.id))?;
        let is_accepted = offer.rooms.is_empty() || offer.rooms.contains(&origin.room);
        self.find(origin, info).filter(|_| is_accepted)
    }

    /// The place of content that was accepted before.
    pub fn find(&self, origin: &OfferOrigin, info: &FileInfo) -> Option<Landing> {
        find(&self.list, origin, info)
    }

    /// Accepts an offer: makes a place for it in `folder`, or finds the one that it has. `max` is the most bytes to
    /// take if the offer does not say how many come.
    ///
    /// # Errors
    /// If it does not fit, or the folder cannot be written to.
    pub fn accept(
        &mut self,
        origin: &OfferOrigin,
        info: &FileInfo,
        folder: &Path,
        max: Option<u64>,
    ) -> Result<Landing, TransferError> {
        let dir = self.dir.clone();
        let mut result = Err(TransferError::Cut("the list of accepted files is in use".into()));
        let mut is_new = false;
        self.change(|list| {
            // Another client of this user may have accepted it since.
            let found = find(list, origin, info).filter(|landing| landing.suits(folder));
            if let Some(path) = found.as_ref().map(Landing::unfinished) {
                renew(list, path);
                let offer = list.iter_mut().find(|offer| offer.landing.unfinished() == path);
                if let Some(offer) = offer.filter(|offer| !offer.rooms.contains(&origin.room)) {
                    offer.rooms.push(origin.room.clone());
                }
            }
            is_new = found.is_none();
            result = found.map_or_else(|| add(list, dir.as_deref(), (origin, info), (folder, max)), Ok);
        });
        let landing = result?;
        // From here on, the list says to whom the unfinished file belongs, also after a crash.
        if is_new && let Err(error) = landing.make() {
            self.change(|list| list.retain(|offer| offer.landing.unfinished() != landing.unfinished()));
            return Err(error);
        }
        Ok(landing)
    }

    /// Notes how a transfer ended: what is complete stays known, so that it is not taken twice; what was cut waits
    /// for the next attempt; the rest is forgotten.
    pub fn settle(&mut self, landing: &Landing, outcome: &Result<Received, TransferError>) {
        let path = landing.unfinished();
        self.change(|list| {
            let Some(at) = list.iter().position(|offer| offer.landing.unfinished() == path) else { return };
            match outcome {
                Ok(received) => {
                    list[at].landing.done = Some(received.clone());
                    list[at].at = Timestamp::now();
                }
                Err(error) if landing.keeps(error) => renew(list, path),
                Err(_) => drop(list.remove(at)),
            }
        });
        if !outcome.as_ref().is_err_and(|error| landing.keeps(error)) {
            landing.remove_journal();
        }
    }

    /// Forgets an offer that was withdrawn or declined, and removes what it left.
    pub fn forget(&mut self, landing: &Landing) {
        landing.discard();
        self.change(|list| {
            list.retain(|offer| {
                offer.landing.unfinished() != landing.unfinished() || offer.landing.done.is_some()
            });
        });
    }

    /// Removes what unfinished offers left that nobody has resumed for long, and what a crash left of the list itself.
    /// Touches nothing else.
    pub fn clean(&mut self, now: Timestamp) {
        if let Some(dir) = &self.dir {
            files::remove_leftovers(&dir.join(FILE));
        }
        if self.has_lost_journals() {
            let journals = self.dir.clone().unwrap_or_default().join(JOURNALS);
            self.change(|list| {
                for lost in lost_journals(&journals, list) {
                    let _ = fs::remove_file(lost);
                }
            });
        }
        let is_old = |offer: &AcceptedOffer| {
            now.duration_since(offer.last_used()) > span(UNFINISHED_KEPT) && !offer.is_running()
        };
        if self.list.iter().any(is_old) {
            self.change(|list| {
                list.retain(|offer| {
                    let stays = !is_old(offer);
                    if !stays {
                        offer.landing.discard();
                    }
                    stays
                });
            });
        }
    }

    /// Whether there may be journals that belong to no unfinished offer.
    fn has_lost_journals(&self) -> bool {
        let Some(dir) = &self.dir else { return false };
        lost_journals(&dir.join(JOURNALS), &self.list).next().is_some()
    }

    fn read(&mut self) {
        let Some(path) = self.dir.as_ref().map(|dir| dir.join(FILE)) else { return };
        match json_lines::read(&path, MAX_ACCEPTED_FILES) {
            Ok(list) => self.list = list,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.list.clear(),
            Err(error) => tracing::warn!("cannot read the accepted files in {}: {error}", path.display()),
        }
    }

    /// Changes the list as it is in the file: another client of this user may have changed it.
    fn change(&mut self, change: impl FnOnce(&mut Vec<AcceptedOffer>)) {
        let Some(dir) = self.dir.clone() else { return change(&mut self.list) };
        let lock = files::create_directory(&dir).and_then(|()| files::lock_directory(&dir));
        if lock.is_ok() {
            self.read();
        }
        change(&mut self.list);
        let saved = lock.and_then(|lock| {
            let saved = json_lines::replace(&dir.join(FILE), &self.list);
            drop(lock);
            saved
        });
        if let Err(error) = saved {
            tracing::warn!("cannot save the accepted files in {}: {error}", dir.display());
        }
    }
}

impl AcceptedOffer {
    fn is(&self, origin: &OfferOrigin, id: &str) -> bool {
        self.origin.is_sender(origin) && self.id == id
    }

    /// Whether a transfer of this or another process writes it.
    fn is_running(&self) -> bool {
        Journal::is_in_use(self.landing.journal.as_deref())
    }

    /// When it was accepted, or something came, last.
    fn last_used(&self) -> Timestamp {
        let written = |path: &Path| {
            let changed = path.symlink_metadata().and_then(|found| found.modified()).ok()?;
            Timestamp::try_from(changed).ok()
        };
        let paths = [Some(self.landing.unfinished()), self.landing.journal.as_deref()];
        paths.into_iter().flatten().filter_map(written).fold(self.at, Timestamp::max)
    }

    fn is_unfinished(&self) -> bool {
        self.landing.done.is_none() && !self.is_gone()
    }

    /// Whether its user has removed what was unfinished.
    fn is_gone(&self) -> bool {
        self.landing.unfinished().symlink_metadata().is_err() && !self.is_running()
    }
}

/// The place of an offer that was accepted before.
fn find(list: &[AcceptedOffer], origin: &OfferOrigin, info: &FileInfo) -> Option<Landing> {
    let offer = list.iter().rev().find(|offer| offer.is(origin, &info.id))?;
    let is_current = match &offer.landing.done {
        // A sender who offers the same again much later means to send it again.
        Some(done) => done.is_there() && Timestamp::now().duration_since(offer.at) < span(FINISHED_KNOWN),
        None => true,
    };
    (is_current && offer.landing.is_for(info)).then(|| offer.landing.clone())
}

/// Makes room for an offer: earlier ones with its id go, and the oldest that are finished or that nobody can resume.
/// Nobody's unfinished file goes for another.
fn make_room(
    list: &mut Vec<AcceptedOffer>,
    is_same: impl Fn(&AcceptedOffer) -> bool,
) -> Result<(), TransferError> {
    for offer in list.extract_if(.., |offer| is_same(offer) && !offer.is_running()) {
        offer.landing.discard();
    }
    while list.len() >= MAX_ACCEPTED_FILES {
        let finished = list.iter().position(|offer| offer.landing.done.is_some());
        let Some(at) = finished.or_else(|| list.iter().position(AcceptedOffer::is_gone)) else {
            let why = format!(
                "{MAX_ACCEPTED_FILES} accepted files are unfinished, which is the limit; remove those that you do \
                 not need (.part) from the folder for downloads, and accept again"
            );
            return Err(TransferError::here(StopCode::Busy, why));
        };
        list.remove(at).landing.discard();
    }
    Ok(())
}

/// Fails if the unfinished files of a sender take as many places as one may have: the others need some, too.
fn check_share(list: &[AcceptedOffer], origin: &OfferOrigin) -> Result<(), TransferError> {
    let unfinished = |is_theirs: &dyn Fn(&OfferOrigin) -> bool| {
        list.iter().filter(|offer| is_theirs(&offer.origin) && offer.is_unfinished()).count()
    };
    let (most, whose) = if unfinished(&|other| other.is_sender(origin)) >= MAX_UNFINISHED_PER_SENDER {
        (MAX_UNFINISHED_PER_SENDER, "of this sender")
    } else if !origin.has_key() && unfinished(&|other| !other.has_key()) >= MAX_UNFINISHED_WITHOUT_KEY {
        (MAX_UNFINISHED_WITHOUT_KEY, "of senders without a key")
    } else {
        return Ok(());
    };
    let why = format!(
        "{most} accepted files {whose} are unfinished, which is the limit; remove those that you do not need (.part) \
         from the folder for downloads, and accept again"
    );
    Err(TransferError::here(StopCode::Busy, why))
}

/// Makes a place for an offer.
fn add(
    list: &mut Vec<AcceptedOffer>,
    dir: Option<&Path>,
    (origin, info): (&OfferOrigin, &FileInfo),
    (folder, max): (&Path, Option<u64>),
) -> Result<Landing, TransferError> {
    make_room(list, |other| other.is(origin, &info.id))?;
    check_share(list, origin)?;
    let mut landing = Landing::new(folder, info, max)?;
    landing.journal = dir.map(|dir| dir.join(JOURNALS).join(journal(origin, info, &landing)));
    let at = Timestamp::now();
    let (id, rooms) = (info.id.clone(), vec![origin.room.clone()]);
    let offer = AcceptedOffer { origin: origin.clone(), id, at, landing: landing.clone(), rooms };
    list.push(offer);
    Ok(landing)
}

/// Notes that an unfinished offer is used.
fn renew(list: &mut [AcceptedOffer], unfinished: &Path) {
    let is_it =
        |offer: &&mut AcceptedOffer| offer.landing.unfinished() == unfinished && offer.landing.done.is_none();
    if let Some(offer) = list.iter_mut().find(is_it) {
        offer.at = Timestamp::now();
    }
}

fn span(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

/// The journals in that folder that belong to no unfinished offer, and that no transfer uses: a crash came between the
/// end of an offer and the end of its journal.
fn lost_journals(folder: &Path, list: &[AcceptedOffer]) -> impl Iterator<Item = PathBuf> {
    let unfinished = list.iter().filter(|offer| offer.landing.done.is_none());
    let known: HashSet<&Path> = unfinished.filter_map(|offer| offer.landing.journal.as_deref()).collect();
    let found = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let lost: Vec<PathBuf> = found.filter(|path| !known.contains(path.as_path())).collect();
    lost.into_iter().filter(|path| !Journal::is_in_use(Some(path)))
}

/// The name of an offer's journal.
fn journal(origin: &OfferOrigin, info: &FileInfo, landing: &Landing) -> String {
    let mut hasher = blake3::Hasher::new();
    let what = format!("{origin:?} {} {}", info.id, landing.unfinished().display());
    hasher.update(what.as_bytes());
    hasher.finalize().as_bytes()[..NAME_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
}
