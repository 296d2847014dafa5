//! Receives an offer: checks what is there from before, takes what comes within what was offered, and names it in
//! the end.

use super::cancel::Cancel;
use super::earlier;
use super::error::TransferError;
use super::journal::Journal;
use super::landing::{Landing, Received};
use super::pipe::Pipe;
use super::progress::{FilePhase, FileProgress};
use super::site::Site;
use super::wire::{Wire, drive};
use crate::protocol::record::{FileRecord, Have, StartPlace, StopCode, Stored, Totals};
use std::io;
use std::sync::Arc;

/// Receives an offer. Returns once all of it is checked, on the disk, and under its final name. Its bytes stay
/// after a cut and on a full disk, and go after any other failure.
///
/// # Errors
/// See [`TransferError`]; after a cut, another transfer to the same place resumes.
pub async fn receive(
    pipe: Pipe,
    landing: &Landing,
    progress: Arc<FileProgress>,
    cancel: Cancel,
) -> Result<Received, TransferError> {
    let landing = landing.clone();
    drive(pipe, cancel, move |wire| {
        progress.set_total(landing.size());
        let received = match &landing.done {
            Some(done) => again(wire, done),
            None => Receiving { wire, progress: &progress }.run(&landing),
        };
        // A file that another program put there is not this program's to remove.
        let is_another = matches!(received, Err(TransferError::Here { code: StopCode::Changed, .. }));
        if let Err(error) = &received
            && !landing.keeps(error)
            && !is_another
        {
            landing.discard();
        }
        received.map_err(|error| landing.told(error))
    })
    .await
}

/// Tells a sender who missed it that all is here.
fn again(wire: &mut Wire, done: &Received) -> Result<Received, TransferError> {
    let have = Have { files: done.entries, tree: done.tree, ..Have::nothing() };
    wire.send(&FileRecord::Have(have.clone()))?;
    match wire.next()? {
        FileRecord::StartPlace(place) if place == have.place() => {}
        FileRecord::StartPlace(_) => {
            let why = "this was received before, and is something else now; offer it again";
            return Err(TransferError::here(StopCode::Changed, why));
        }
        _ => return Err(unexpected()),
    }
    match wire.next()? {
        FileRecord::Totals(totals) if totals == Totals { files: done.entries, bytes: done.bytes } => {}
        _ => return Err(unexpected()),
    }
    confirm(wire, done);
    Ok(done.clone())
}

struct Receiving<'a> {
    wire: &'a mut Wire,
    progress: &'a FileProgress,
}

impl Receiving<'_> {
    fn run(self, landing: &Landing) -> Result<Received, TransferError> {
        let Self { wire, progress } = self;
        progress.enter(FilePhase::Hashing);
        let journal = journal(landing)?;
        let found = earlier::find(landing, &journal, |bytes| {
            progress.add(bytes);
            wire.check()
        })?;
        if let Some(found) = found {
            // It is here, also if the sender does not hear that.
            return match again(wire, &found) {
                Err(error) if error.keeps_content() => Ok(found),
                told => told,
            };
        }
        let mut site = Site::open(landing, journal)?;
        let have = site.look(|bytes| {
            progress.add(bytes);
            wire.check()
        })?;
        wire.send(&FileRecord::Have(have.clone()))?;
        match wire.next()? {
            FileRecord::StartPlace(place) if place == have.place() => {}
            FileRecord::StartPlace(place) if place == StartPlace::default() => site.start_over()?,
            _ => return Err(unexpected()),
        }
        progress.flow(site.bytes());
        loop {
            match wire.next()? {
                FileRecord::File(header) => {
                    progress.name(&header.path);
                    site.begin(header)?;
                }
                FileRecord::Data(bytes) => {
                    site.write(bytes)?;
                    progress.add(bytes.len() as u64);
                }
                FileRecord::Hash(hash) => site.end(hash)?,
                FileRecord::Totals(totals) => {
                    progress.enter(FilePhase::Finishing);
                    let received = site.finish(totals)?;
                    confirm(wire, &received);
                    return Ok(received);
                }
                _ => return Err(unexpected()),
            }
        }
    }
}

fn journal(landing: &Landing) -> Result<Journal, TransferError> {
    Journal::open(landing.journal.as_deref()).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => TransferError::Cut("an earlier transfer still writes the file".into()),
        _ => TransferError::io("cannot open the journal of the transfer", &error),
    })
}

/// Tells the sender that all is here. It is, even if the sender does not hear that any more.
fn confirm(wire: &mut Wire, received: &Received) {
    let _ = wire.send(&FileRecord::Stored(Stored { bytes: received.bytes }));
}

fn unexpected() -> TransferError {
    TransferError::here(StopCode::BadRecord, "the sender sent a record that does not belong there")
}
