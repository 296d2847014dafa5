//! Receives an offer: checks what is there from before, takes what comes within what was offered, and names it in
//! the end.

use super::cancel::Cancel;
use super::error::TransferError;
use super::landing::{Landing, Received};
use super::pipe::Pipe;
use super::progress::{Phase, Progress};
use super::site::Site;
use super::wire::{Wire, drive};
use crate::protocol::record::{Have, Record, StartPlace, StopCode, Stored, Totals};
use std::sync::Arc;

/// Receives an offer. Returns once all of it is checked, on the disk, and under its final name. Its bytes stay
/// after a cut, and go after any other failure.
///
/// # Errors
/// See [`TransferError`]; after a cut, another transfer to the same place resumes.
pub async fn receive(
    pipe: Pipe,
    landing: &Landing,
    progress: Arc<Progress>,
    cancel: Cancel,
) -> Result<Received, TransferError> {
    let landing = landing.clone();
    drive(pipe, cancel, move |wire| {
        progress.set_total(landing.size());
        let received = match &landing.done {
            Some(done) => again(wire, done),
            None => Receiving { wire, progress: &progress }.run(&landing),
        };
        if let Err(error) = &received
            && !error.is_cut()
        {
            landing.discard();
        }
        received
    })
    .await
}

/// Tells a sender who missed it that all is here.
fn again(wire: &mut Wire, done: &Received) -> Result<Received, TransferError> {
    let have = Have { files: done.entries, tree: done.tree, ..Have::nothing() };
    wire.send(&Record::Have(have.clone()))?;
    match wire.next()? {
        Record::StartPlace(place) if place == have.place() => {}
        Record::StartPlace(_) => {
            let why = "this was received before, and is something else now; offer it again";
            return Err(TransferError::here(StopCode::Changed, why));
        }
        _ => return Err(unexpected()),
    }
    match wire.next()? {
        Record::Totals(totals) if totals == Totals { files: done.entries, bytes: done.bytes } => {}
        _ => return Err(unexpected()),
    }
    wire.send(&Record::Stored(Stored { bytes: done.bytes }))?;
    Ok(done.clone())
}

struct Receiving<'a> {
    wire: &'a mut Wire,
    progress: &'a Progress,
}

impl Receiving<'_> {
    fn run(self, landing: &Landing) -> Result<Received, TransferError> {
        let Self { wire, progress } = self;
        progress.enter(Phase::Hashing);
        let mut site = Site::open(landing)?;
        let have = site.look(|bytes| {
            progress.add(bytes);
            wire.check()
        })?;
        wire.send(&Record::Have(have.clone()))?;
        match wire.next()? {
            Record::StartPlace(place) if place == have.place() => {}
            Record::StartPlace(place) if place == StartPlace::default() => site.start_over()?,
            _ => return Err(unexpected()),
        }
        progress.set(site.bytes());
        progress.enter(Phase::Moving);
        loop {
            match wire.next()? {
                Record::File(header) => {
                    progress.name(&header.path);
                    site.begin(header)?;
                }
                Record::Data(bytes) => {
                    site.write(bytes)?;
                    progress.add(bytes.len() as u64);
                }
                Record::Hash(hash) => site.end(hash)?,
                Record::Totals(totals) => {
                    progress.enter(Phase::Finishing);
                    let received = site.finish(totals)?;
                    wire.send(&Record::Stored(Stored { bytes: received.bytes }))?;
                    return Ok(received);
                }
                _ => return Err(unexpected()),
            }
        }
    }
}

fn unexpected() -> TransferError {
    TransferError::here(StopCode::BadRecord, "the sender sent a record that does not belong there")
}
