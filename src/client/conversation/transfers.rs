//! Files that users offer each other, as the conversation sees them: the offers, their users, and how far they
//! are. The screen carries out the [`TransferOrder`]s and answers with [`TransferReport`]s.

mod cancelled_content;
mod commands;
mod incoming;
mod link_changes;
mod listing;
mod orders;
mod outgoing;
mod progress_label;
mod read_numbers;
mod stage;
mod wording;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{CallTime, Conversation, Effect, LinkState, OfferNumbers, PendingRequest};
use crate::client::transfer::{FileProgress, Landing, OfferOrigin, Parcel, TransferError};
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::{FileInfo, Sender};
use crate::protocol::record::StopCode;
use crate::protocol::request::Act;
use crate::protocol::{Event, Target};
use cancelled_content::CancelledContent;
pub(crate) use orders::{CollectedFiles, MeetingPoint, TransferOrder, TransferReport, TransferWork};
use progress_label::ProgressLabel;
use read_numbers::ReadNumbers;
pub(super) use stage::OfferStage;
use stage::percent;
pub(crate) use wording::{clock_time, described, file_size};

/// Offers to keep, in either direction. A server tells of fewer, so these are from an odd one.
const MAX_OFFERS: usize = 256;

/// Ended transfers that `/transfers` lists.
const MAX_ENDED: usize = 20;

/// The pause before the client accepts an interrupted offer again. It doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The time that a sender has to return, and to offer a file again, before the user reads that it is missing.
const TIME_TO_RETURN: Duration = Duration::from_secs(30);

/// The use of the server's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilesRequest {
    /// An offer of the user's own, by its mark.
    Offer(u64),
    /// The acceptance of a received offer, by its mark.
    Accept(u64),
    /// Nothing that the user has asked for.
    Quiet,
}

/// An offer that this user has received.
#[derive(Debug)]
pub(super) struct ReceivedOffer {
    mark: u64,
    number: u64,
    /// Whether the server has this offer now; not after its end, and not before it tells of it again.
    is_current: bool,
    /// Whether the user could answer it when the connection was lost.
    was_open: bool,
    /// When an open offer was first found not to have come again over a new connection.
    missing_since: Option<Instant>,
    from: Sender,
    key: Option<Fingerprint>,
    to: String,
    file: FileInfo,
    /// Whether the user has seen it.
    is_shown: bool,
    /// Whether the user had all of it when it was offered.
    is_here: bool,
    landing: Option<Arc<Landing>>,
    /// The folder as the user has typed it.
    folder: Option<String>,
    stage: OfferStage,
    /// The highest percentage so far.
    reached: Option<u64>,
    pause: Duration,
    /// Whether the user has been told of the interruption.
    is_told: bool,
    /// Whether the sender has offered it again while an earlier transfer of it had not ended yet.
    is_again: bool,
}

/// An offer of this user's own.
#[derive(Debug)]
pub(super) struct MadeOffer {
    mark: u64,
    /// None while the server does not have it.
    number: Option<u64>,
    to: Target,
    /// The line that made it.
    typed: String,
    /// None while the screen looks at the files.
    parcel: Option<Arc<Parcel>>,
    file: FileInfo,
    receivers: BTreeMap<String, OfferReceiver>,
    declined: usize,
    /// Whether the user has been told of the offer.
    is_told: bool,
    /// Users who have it all, and of whom the user has not been told.
    untold: Vec<String>,
}

/// A user who has accepted an offer of this user's.
#[derive(Debug)]
pub(super) struct OfferReceiver {
    stage: OfferStage,
    /// Whether the user has been told of the interruption.
    is_told: bool,
}

/// A transfer that has ended.
#[derive(Debug)]
pub(super) struct EndedTransfer {
    number: Option<u64>,
    is_own: bool,
    file: String,
    with: String,
    how: String,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct TransferTable {
    received: Vec<ReceivedOffer>,
    made: Vec<MadeOffer>,
    ended: VecDeque<EndedTransfer>,
    next_mark: u64,
    /// When an offer that the user could have accepted has gone.
    gone: Option<Instant>,
    label: ProgressLabel,
    cancelled: CancelledContent,
    numbers: ReadNumbers,
}

/// Whether a side has ended the transfer, and says so in another way.
fn is_cancelled(error: &TransferError) -> bool {
    error.code() == StopCode::Cancelled.as_str()
}

/// Whether the transfer has failed for a reason of its own. The other side's last word counts, even if the server says
/// before that the other side has ended it.
fn is_final(error: &TransferError, is_ended: bool) -> bool {
    let is_by_peer = matches!(error, TransferError::ByPeer { .. });
    !error.may_resume() && (!is_ended || is_by_peer) && !is_cancelled(error)
}

impl TransferTable {
    fn mark(&mut self) -> u64 {
        self.next_mark += 1;
        self.next_mark
    }

    fn received(&mut self, mark: u64) -> Option<&mut ReceivedOffer> {
        self.received.iter_mut().find(|offer| offer.mark == mark)
    }

    fn received_number(&mut self, number: u64) -> Option<&mut ReceivedOffer> {
        self.received.iter_mut().find(|offer| offer.is_current && offer.number == number)
    }

    fn made(&mut self, mark: u64) -> Option<&mut MadeOffer> {
        self.made.iter_mut().find(|offer| offer.mark == mark)
    }

    fn made_number(&mut self, number: u64) -> Option<&mut MadeOffer> {
        self.made.iter_mut().find(|offer| offer.number == Some(number))
    }

    fn end(&mut self, ended: EndedTransfer) {
        self.ended.push_back(ended);
        let surplus = self.ended.len().saturating_sub(MAX_ENDED);
        self.ended.drain(..surplus);
    }

    /// A user has another name.
    pub(super) fn rename(&mut self, old: &str, name: &str) {
        for offer in self.received.iter_mut().filter(|offer| offer.from.name == old) {
            name.clone_into(&mut offer.from.name);
        }
        for offer in &mut self.made {
            if matches!(&offer.to, Target::User(to) if to == old) {
                offer.to = Target::User(name.to_owned());
            }
            if let Some(receiver) = offer.receivers.remove(old) {
                offer.receivers.insert(name.to_owned(), receiver);
            }
        }
    }

    /// The transfers on their way, with the names of the files.
    fn running(&self) -> impl Iterator<Item = (&FileInfo, &Arc<FileProgress>)> {
        let received = self.received.iter().map(|offer| (&offer.file, &offer.stage));
        let made = self
            .made
            .iter()
            .flat_map(|offer| offer.receivers.values().map(move |to| (&offer.file, &to.stage)));
        received.chain(made).filter_map(|(file, stage)| match stage {
            OfferStage::Running { progress, .. } => Some((file, progress)),
            _ => None,
        })
    }

    /// Whether something changes with time.
    fn waits(&self) -> bool {
        let retries = |offer: &ReceivedOffer| {
            offer.is_missing()
                || offer.is_current && matches!(offer.stage, OfferStage::Interrupted { retry: Some(_), .. })
        };
        self.running().next().is_some() || self.label.is_shown() || self.received.iter().any(retries)
    }
}

impl Conversation {
    /// Handles an event about files, which may be an answer.
    pub(super) fn about_files(
        &mut self,
        event: &Event,
        request: Option<FilesRequest>,
        now: CallTime,
    ) -> Vec<Effect> {
        let mut effects = match request {
            Some(request) => self.files_answer(event, request, now),
            None => self.files_event(event, now),
        };
        effects.extend(self.progress(now));
        self.note_offers();
        effects
    }

    fn files_event(&mut self, event: &Event, now: CallTime) -> Vec<Effect> {
        match event {
            Event::Offer { from, to, key, offer, file } => {
                self.offered_to_me((from, key.as_ref()), to, *offer, file, now)
            }
            Event::Accepted { offer, name, token, send: true } => self.accepted_mine(*offer, name, token),
            Event::Accepted { offer, token, .. } => self.may_receive(*offer, token),
            Event::Ended { offer, name, code, reason, msg } => {
                let is_mine = self.transfers.made_number(*offer).is_some();
                match is_mine {
                    true => self.ended_mine(*offer, name.as_deref(), (*code, *reason), msg),
                    false => self.ended_for_me(*offer, *code, msg, now),
                }
            }
            _ => Vec::new(),
        }
    }

    fn files_answer(&mut self, event: &Event, request: FilesRequest, now: CallTime) -> Vec<Effect> {
        match (request, event) {
            (FilesRequest::Offer(mark), Event::Offered { offer, waits }) => {
                self.offered_mine(mark, *offer, waits.as_deref())
            }
            (FilesRequest::Offer(mark), Event::Error { code, msg, .. }) => self.not_offered(mark, *code, msg),
            (FilesRequest::Accept(mark), Event::Error { code, msg, .. }) => {
                self.not_accepted(mark, *code, msg, now)
            }
            // It repeats what this client has said.
            (FilesRequest::Quiet, _) => Vec::new(),
            _ => self.files_event(event, now),
        }
    }

    /// Handles what the screen reports about an order.
    pub(crate) fn transfer_report(
        &mut self,
        task: u64,
        report: TransferReport,
        now: CallTime,
    ) -> Vec<Effect> {
        self.view.now = now.clock;
        let mut effects = match report {
            TransferReport::Collected(result) => self.collected(task, result),
            TransferReport::Recalled(landing) => self.recalled(task, landing, now),
            TransferReport::Prepared(result) => self.prepared(task, result),
            TransferReport::Failed => {
                self.failure("a transfer has failed unexpectedly; /transfers shows which ones are left")
            }
            TransferReport::Sent(result) => self.sent_file(task, result),
            TransferReport::Received(result) => self.received_file(task, result, now),
        };
        effects.extend(self.progress(now));
        self.note_offers();
        self.labelled(effects)
    }

    /// Tells the roster which numbers Tab completes.
    pub(super) fn note_offers(&self) {
        let received = self.transfers.received.iter().filter(|offer| offer.is_current);
        let is_open = |offer: &&ReceivedOffer| offer.is_open();
        let is_under_way =
            |offer: &&ReceivedOffer| !matches!(offer.stage, OfferStage::Open | OfferStage::Done);
        let open = received.clone().filter(is_open).map(|offer| offer.number).collect();
        let to_cancel = received.filter(is_under_way).map(|offer| offer.number);
        let to_cancel =
            to_cancel.chain(self.transfers.made.iter().filter_map(|offer| offer.number)).collect();
        self.with_roster(|roster| roster.offers = OfferNumbers { open, to_cancel });
    }

    /// Handles the passing of time: new progress, and another attempt after an interruption.
    pub(crate) fn files_tick(&mut self, now: CallTime) -> Vec<Effect> {
        let mut effects = self.retry(now);
        effects.extend(self.tell_missing(now));
        effects.extend(self.resumed());
        effects.extend(self.progress(now));
        effects
    }

    /// Says which transfers go on, once their bytes flow: an attempt may also fail.
    fn resumed(&mut self) -> Vec<Effect> {
        let mut lines = Vec::new();
        for offer in &mut self.transfers.received {
            if offer.is_told && offer.stage.flows() {
                offer.is_told = false;
                lines.push(format!(
                    "receiving {} from {} goes on",
                    wording::name_of(&offer.file),
                    offer.from.name
                ));
            }
        }
        for offer in &mut self.transfers.made {
            let file = wording::name_of(&offer.file);
            for (name, to) in offer.receivers.iter_mut().filter(|(_, to)| to.is_told && to.stage.flows()) {
                to.is_told = false;
                lines.push(format!("sending {file} to {name} goes on"));
            }
        }
        lines.iter().flat_map(|line| self.note(line)).collect()
    }

    /// Whether there is something for [`Self::files_tick`].
    pub(crate) fn files_wait(&self) -> bool {
        self.transfers.waits()
    }

    /// The transfers on their way, which would end if the user leaves.
    pub(crate) fn running_transfers(&self) -> usize {
        self.transfers.running().count()
    }

    /// Commands about files that are not answered yet.
    pub(super) fn unanswered_files(&self) -> usize {
        let preparing =
            |offer: &&ReceivedOffer| matches!(offer.stage, OfferStage::Preparing(_) | OfferStage::Asked);
        let made = self.transfers.made.iter().filter(|offer| !offer.is_told).count();
        made + self.transfers.received.iter().filter(preparing).count()
    }

    /// Has the screen do something under that number.
    fn order(task: u64, work: TransferWork) -> Effect {
        Effect::Transfer(Box::new(TransferOrder { task, work }))
    }

    /// Where both sides meet, while there is a connection.
    fn meeting(&self, token: &str) -> Option<MeetingPoint> {
        let LinkState::Up { peer, .. } = self.state else { return None };
        Some(MeetingPoint { server: peer, key: self.view.security.key(), token: token.to_owned() })
    }

    /// The sender of an offer, in the form that the client remembers.
    fn origin(&self, name: &str, key: Option<&Fingerprint>, to: &str) -> OfferOrigin {
        OfferOrigin::new(&self.session.server.id, name, key).to(to)
    }

    /// Sends a request whose answer the user does not need.
    fn ask_quietly(&mut self, act: Act) {
        let id = self.outbox.next_id();
        if self.hand(crate::protocol::Request::Act(act).to_frame(Some(&id))) {
            self.requests.insert(id, PendingRequest::Files(FilesRequest::Quiet));
        }
    }
}
