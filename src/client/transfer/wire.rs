//! The two ends of a transfer in one process: the thread that works with files, and the tasks that move its bytes
//! over the connection. Bounded queues are between them.

use super::cancel::Cancel;
use super::error::TransferError;
use super::pipe::Pipe;
use crate::limits::{
    MIN_TRANSFER_RATE, SLOWEST_CHECK, TRANSFER_FLIGHT_BYTES, TRANSFER_LONG_STALL, TRANSFER_SIGN,
    TRANSFER_SILENCE, TRANSFER_STALL, TRANSFER_STEP_BYTES,
};
use crate::protocol::record::{
    FileRecord, RECORD_HEAD_BYTES, RecordPart, RecordReader, StartPlace, StopCode,
};
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// Blocks that may wait between the thread and the connection, in each direction.
const QUEUE: usize = 4;

/// The bytes of a block: a whole record of data.
const BLOCK_BYTES: usize = TRANSFER_STEP_BYTES + RECORD_HEAD_BYTES;

/// How long the end of a transfer waits until the other side has what was sent last.
const LINGER: Duration = Duration::from_secs(2);

/// The same, if that is why the transfer failed. With `--file-rate`, it comes behind some megabytes of data, and the
/// server drops what is under way when its sender leaves.
const LAST_WORDS: Duration = Duration::from_secs(30);

/// The thread's end: records come and go, and the thread waits for both.
pub(super) struct Wire {
    incoming: mpsc::Receiver<Vec<u8>>,
    outgoing: mpsc::Sender<Vec<u8>>,
    why: Reason,
    cancel: Cancel,
    reader: RecordReader,
    block: Vec<u8>,
    /// How much of the block is read.
    at: usize,
    /// A part that came while this side sent.
    early: Option<RecordPart>,
    /// How long the other side may only give signs of life.
    patience: Duration,
}

/// How long the other side may take to read or store so many bytes.
pub fn checking_time(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SLOWEST_CHECK)
}

/// Why the connection ended; the first reason counts.
#[derive(Clone, Default)]
struct Reason(Arc<Mutex<Option<TransferError>>>);

impl Reason {
    fn set(&self, why: TransferError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    fn get(&self) -> TransferError {
        let why = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        why.unwrap_or_else(|| cut("the connection ended"))
    }
}

fn cut(why: &str) -> TransferError {
    TransferError::Cut(why.to_owned())
}

fn lost(error: io::Error) -> TransferError {
    TransferError::lost(&error)
}

impl Wire {
    /// The next record that is not a sign of life. Data come in parts as they arrive.
    pub(super) fn next(&mut self) -> Result<FileRecord<'_>, TransferError> {
        self.next_within(self.patience)
    }

    /// The same, if the other side has so many bytes to read or store first.
    pub(super) fn next_after(&mut self, bytes: u64) -> Result<FileRecord<'_>, TransferError> {
        self.next_within(TRANSFER_STALL + checking_time(bytes))
    }

    /// The same, once all is sent: behind a slow server, the last bytes are still under way.
    pub(super) fn next_after_all(&mut self, bytes: u64) -> Result<FileRecord<'_>, TransferError> {
        let flight = Duration::from_secs(bytes.min(TRANSFER_FLIGHT_BYTES) / MIN_TRANSFER_RATE);
        self.next_within(TRANSFER_STALL + checking_time(bytes) + flight)
    }

    /// Signs of life and silence both bring an end to each wait for a block, so nothing else needs to.
    fn next_within(&mut self, patience: Duration) -> Result<FileRecord<'_>, TransferError> {
        let start = Instant::now();
        let part = loop {
            if self.cancel.is_cancelled() {
                return Err(self.last_word());
            }
            if let Some(part) = self.early.take().map_or_else(|| self.part(), |part| Ok(Some(part)))? {
                break part;
            }
            if start.elapsed() >= patience {
                let minutes = patience.as_secs() / 60;
                return Err(TransferError::Cut(format!("nothing but signs of life came for {minutes} min")));
            }
            match self.incoming.blocking_recv() {
                Some(block) => (self.block, self.at) = (block, 0),
                None => return Err(self.ended()),
            }
        };
        match part {
            RecordPart::Data(bytes) => Ok(FileRecord::Data(&self.block[self.at - bytes..self.at])),
            RecordPart::Whole(kind) => {
                let record = FileRecord::read(kind, self.reader.content())?;
                if let FileRecord::File(header) = &record {
                    let is_stream = header.size.is_none() && !header.folder;
                    self.patience = if is_stream { TRANSFER_LONG_STALL } else { TRANSFER_STALL };
                }
                Ok(record)
            }
        }
    }

    /// Sends a record.
    pub(super) fn send(&mut self, record: &FileRecord<'_>) -> Result<(), TransferError> {
        if let FileRecord::Have(have) = record {
            let is_nothing = have.place() == StartPlace::default();
            self.patience = if is_nothing { TRANSFER_STALL } else { TRANSFER_LONG_STALL };
        }
        self.send_block(record.to_bytes())
    }

    /// Sends records that are already bytes. Notices if the other side has ended the transfer.
    pub(super) fn send_block(&mut self, block: Vec<u8>) -> Result<(), TransferError> {
        self.check()?;
        self.hear()?;
        if self.outgoing.blocking_send(block).is_ok() {
            return Ok(());
        }
        // The other side may have said why.
        Err(match self.next_within(TRANSFER_SIGN) {
            Err(error) => error,
            Ok(_) => self.ended(),
        })
    }

    /// Fails if the transfer is to end.
    pub(super) fn check(&self) -> Result<(), TransferError> {
        if self.cancel.is_cancelled() { Err(TransferError::cancelled()) } else { Ok(()) }
    }

    /// The reason for the end of a transfer that this side has been told to end: the other side's, if it came.
    fn last_word(&mut self) -> TransferError {
        loop {
            match self.part() {
                Ok(Some(_)) => {}
                Ok(None) => match self.incoming.try_recv() {
                    Ok(block) => (self.block, self.at) = (block, 0),
                    Err(_) => return TransferError::cancelled(),
                },
                Err(error) => return error,
            }
        }
    }

    fn ended(&self) -> TransferError {
        match self.cancel.is_cancelled() {
            true => TransferError::cancelled(),
            false => self.why.get(),
        }
    }

    /// The next part of a record in the block; `None`: nothing whole.
    fn part(&mut self) -> Result<Option<RecordPart>, TransferError> {
        while self.at < self.block.len() {
            let (taken, part) = self.reader.read(&self.block[self.at..])?;
            self.at += taken;
            match part {
                Some(RecordPart::Whole(kind)) => match FileRecord::read(kind, self.reader.content())? {
                    FileRecord::Alive => {}
                    FileRecord::Stop(stop) => return Err(stop.into()),
                    _ => return Ok(part),
                },
                part => return Ok(part),
            }
        }
        Ok(None)
    }

    /// Reads what has come while this side sends, to notice if the other side has ended the transfer.
    fn hear(&mut self) -> Result<(), TransferError> {
        while self.early.is_none() {
            self.early = self.part()?;
            if self.early.is_some() {
                break;
            }
            match self.incoming.try_recv() {
                Ok(block) => (self.block, self.at) = (block, 0),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Err(self.ended()),
            }
        }
        Ok(())
    }
}

/// Runs one side of a transfer: `work` on a thread of its own, its records over the pipe.
pub(super) async fn drive<T: Send + 'static>(
    pipe: Pipe,
    cancel: Cancel,
    work: impl FnOnce(&mut Wire) -> Result<T, TransferError> + Send + 'static,
) -> Result<T, TransferError> {
    let ((received, incoming), (outgoing, to_send)) = (mpsc::channel(QUEUE), mpsc::channel(QUEUE));
    let why = Reason::default();
    let (reader, block) = (RecordReader::default(), pipe.early);
    let mut wire = Wire {
        incoming,
        outgoing,
        why: why.clone(),
        cancel: cancel.clone(),
        reader,
        block,
        at: 0,
        early: None,
        patience: TRANSFER_STALL,
    };
    let (done, mut result) = oneshot::channel();
    // The thread reads the runtime's clock.
    let runtime = Handle::current();
    let thread = thread::Builder::new().name("file".into()).spawn(move || {
        let _runtime = runtime.enter();
        let result = work(&mut wire);
        let stop = result.as_ref().err().and_then(TransferError::last_words);
        let _ = done.send(result);
        // From here on, the queue goes away soon, even if the other side does not read.
        if let Some(stop) = stop {
            let _ = wire.outgoing.blocking_send(FileRecord::Stop(stop).to_bytes());
        }
    });
    thread.map_err(|error| TransferError::io("cannot start a thread", &error))?;
    let moving = async {
        tokio::join!(write(pipe.writer, to_send, &why, &cancel), read(pipe.reader, received, &why, &cancel))
    };
    let mut moving = pin!(moving);
    let result = tokio::select! {
        result = &mut result => result,
        _ = &mut moving => return ended(result.await),
    };
    let has_last_words = matches!(&result, Ok(Err(error)) if error.last_words().is_some());
    let is_patient = has_last_words && !cancel.is_cancelled();
    let _ = timeout(if is_patient { LAST_WORDS } else { LINGER }, moving).await;
    ended(result)
}

fn ended<T>(result: Result<Result<T, TransferError>, oneshot::error::RecvError>) -> Result<T, TransferError> {
    result.unwrap_or_else(|_| Err(TransferError::here(StopCode::Io, "the transfer failed unexpectedly")))
}

/// Writes blocks until the thread is done, and signs of life while it has none.
async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut blocks: mpsc::Receiver<Vec<u8>>,
    why: &Reason,
    cancel: &Cancel,
) {
    let moving = async {
        loop {
            let block = match blocks.try_recv() {
                Ok(block) => block,
                Err(_) => {
                    writer.flush().await.map_err(lost)?;
                    match timeout(TRANSFER_SIGN, blocks.recv()).await {
                        Ok(Some(block)) => block,
                        Ok(None) => return writer.shutdown().await.map_err(lost),
                        Err(_) => FileRecord::Alive.to_bytes(),
                    }
                }
            };
            let written = timeout(TRANSFER_STALL, writer.write_all(&block)).await;
            written.map_err(|_| cut("the other side takes nothing"))?.map_err(lost)?;
        }
    };
    let moved: Result<(), TransferError> = tokio::select! {
        moved = moving => moved,
        // The other side should hear of it, unless it does not read.
        () = async { cancel.cancelled().await; tokio::time::sleep(LINGER).await } => Ok(()),
    };
    if let Err(error) = moved {
        why.set(error);
    }
}

/// Reads blocks until the other side closes the connection, or nothing comes for too long.
async fn read(
    mut reader: impl AsyncRead + Unpin,
    blocks: mpsc::Sender<Vec<u8>>,
    why: &Reason,
    cancel: &Cancel,
) {
    let moving = async {
        loop {
            let mut block = Vec::with_capacity(BLOCK_BYTES);
            match timeout(TRANSFER_SILENCE, reader.read_buf(&mut block)).await {
                Err(_) => return Err(cut("the other side is silent")),
                Ok(read) => some(read)?,
            }
            let end = fill(&mut reader, &mut block).await;
            // After the thread is done, nothing that comes matters.
            let _ = blocks.send(block).await;
            end?;
        }
    };
    let moved: Result<(), TransferError> = tokio::select! {
        moved = moving => moved,
        () = cancel.cancelled() => Ok(()),
    };
    if let Err(error) = moved {
        why.set(error);
    }
}

/// Fails at the end of the connection.
fn some(read: io::Result<usize>) -> Result<(), TransferError> {
    match read.map_err(lost)? {
        0 => Err(cut("the server closed the connection")),
        _ => Ok(()),
    }
}

/// Fills the block with what is there, without waiting. An error also stands for the end.
async fn fill(reader: &mut (impl AsyncRead + Unpin), block: &mut Vec<u8>) -> Result<(), TransferError> {
    while block.len() < block.capacity() {
        let more = {
            let mut read = pin!(reader.read_buf(block));
            poll_fn(|context| match read.as_mut().poll(context) {
                Poll::Ready(read) => Poll::Ready(Some(read)),
                Poll::Pending => Poll::Ready(None),
            })
            .await
        };
        match more {
            None => return Ok(()),
            Some(read) => some(read)?,
        }
    }
    Ok(())
}
