//! Accepted offers: the tokens that admit both sides, and how transfers end.

use super::call::Call;
use super::delivery::Delivery;
use super::file_shares::{FileLimit, OfferPayers, Standing};
use super::offering::no_such_offer;
use super::offers::{NewTransfer, TokenHolder, TokenWay, Transfer, TransferId, TransferSide};
use super::peer::Peer;
use super::who::{SessionId, Who};
use super::{Chat, Deliveries, Now};
use crate::limits::{
    DUE_PORTION, MAX_TRANSFERS_PER_ADDRESS, MAX_TRANSFERS_PER_USER, NAME_TRIED, TRANSFER_MEETING,
};
use crate::name::{NameKey, RoomName};
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};
use serde::{Deserialize, Serialize};

/// The digits of a token in hexadecimal.
const TOKEN_DIGITS: usize = 32;

/// A connection that a token admits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTicket {
    pub transfer: TransferId,
    pub side: TransferSide,
    /// The receiver's session: the sides meet at its server.
    pub meets: SessionId,
    /// The names of the sender and the receiver.
    pub names: [String; 2],
    /// How many bytes may pass, if that is limited, and the number of files.
    pub max_bytes: Option<u64>,
    pub files: u64,
}

/// How a transfer ended, as the server saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferEnd {
    /// Both sides closed their connections.
    Done,
    /// The receiver has said that it has everything, but the sender may have missed it: a connection broke.
    Received,
    /// A side's connection broke.
    Cut(TransferSide),
    /// Nothing passed for too long.
    Silent,
    TooBig,
}

impl Call<'_> {
    pub(super) fn accept(&mut self, number: u64) -> Result<(), Refusal> {
        let Some(asking) = self.chat.asking(self.session) else { return Ok(()) };
        let offerer = self.chat.open_offer(self.session, number)?.session;
        if self.chat.offers()?.transfer_to(number, &asking.who).is_some() {
            let msg = format!("you are receiving offer {number} already, here or in another session");
            return Err(Refusal::new(Code::Taken, msg));
        }
        let payers = self.chat.transfer_payers(offerer, self.session, self.now)?;
        let names = [self.chat.name_in(offerer), self.chat.name_in(self.session)];
        let (Some(sends), Some(receives)) =
            (self.chat.token_holder(offerer), self.chat.token_holder(self.session))
        else {
            return Ok(());
        };
        let new = NewTransfer {
            offer: number,
            receiver: asking.who.clone(),
            session: self.session,
            names: names.clone(),
            holders: [sends, receives],
            payers,
        };
        let [sender, receiver] = names;
        let Some([sends, receives]) = self.chat.offers_mut()?.begin(new, self.now.uptime) else {
            let msg = "the system gave the server no random numbers for a token; try again";
            return Err(Refusal::new(Code::TooManyTransfers, msg));
        };
        let accepted = |name: String, token: u128, send| Event::Accepted {
            offer: number,
            name,
            token: format!("{token:0TOKEN_DIGITS$x}"),
            send,
        };
        self.answer(accepted(sender, receives, false));
        self.chat.inform(offerer, accepted(receiver, sends, true), self.out);
        self.chat.tell_taken(number, &asking.who, [self.session, offerer], self.out);
        Ok(())
    }

    /// Ends an offer, one of its transfers, or the user's own part in it.
    pub(super) fn cancel(&mut self, number: u64, name: Option<&str>) -> Result<(), Refusal> {
        let Some(asking) = self.chat.asking(self.session) else { return Ok(()) };
        let offers = self.chat.offers()?;
        let offer = offers.get(number).ok_or_else(|| no_such_offer(number))?;
        let is_offerer = offer.session == self.session;
        match offers.transfer_to(number, &asking.who).filter(|_| !is_offerer) {
            Some(id) => self.cancel_transfer(id),
            None if offer.owner != asking.who => return Err(no_such_offer(number)),
            None => match name {
                None => return self.withdraw(number),
                Some(name) => {
                    let id = self.chat.transfer_named(number, name);
                    let msg =
                        || format!("{name} is not receiving offer {number}; to end the offer, give no name");
                    self.cancel_transfer(id.ok_or_else(|| Refusal::new(Code::NoSuchOffer, msg()))?);
                }
            },
        }
        Ok(())
    }

    /// Ends a transfer for one of its sides, and tells both.
    fn cancel_transfer(&mut self, id: TransferId) {
        let Some(transfer) = self.chat.stop(id, Code::Cancelled, self.out) else { return };
        let own = self.chat.name_in(self.session);
        let msg = format!("{own} has cancelled the transfer");
        for (session, event) in self.chat.endings(&transfer, Code::Cancelled, &msg) {
            if session == self.session {
                self.answer(event);
            } else {
                self.chat.inform(session, event, self.out);
            }
        }
        if self.echo.is_some() {
            // Another session of the sender's asked.
            let name = Some(transfer.names[1].clone());
            self.answer(Event::Ended {
                offer: transfer.offer,
                name,
                code: Some(Code::Cancelled),
                reason: None,
                msg,
            });
        }
    }
}

impl Chat {
    /// Admits a connection that presents a token, which nobody can use again.
    pub fn claim_transfer(&mut self, token: &str, peer: &Peer, now: &Now) -> Result<FileTicket, Refusal> {
        self.claim_transfer_at(token, peer, TokenWay::ONLY, now)
    }

    /// The same at one of several servers. Unless the sides meet there, the connection has to be passed on.
    pub fn claim_transfer_at(
        &mut self,
        token: &str,
        peer: &Peer,
        way: TokenWay,
        now: &Now,
    ) -> Result<FileTicket, Refusal> {
        if let Some(why) = self.ban_text(peer, now).filter(|_| !way.is_passed_on) {
            return Err(Refusal::new(Code::Banned, why));
        }
        let by = [TokenHolder::Address(peer.ip)];
        let by: Vec<_> = peer.key.map(TokenHolder::Key).into_iter().chain(by).collect();
        let is_token = token.len() == TOKEN_DIGITS && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        let token = u128::from_str_radix(token, 16).ok().filter(|_| is_token);
        let offers = self.offers_mut()?;
        let claimed = token.and_then(|token| offers.claim(token, &by, way));
        let (transfer, side) = claimed.ok_or_else(bad_token)?;
        let max_bytes = offers.rules.max_bytes;
        let found = offers.transfer(transfer).ok_or_else(bad_token)?;
        let files = offers.get(found.offer).and_then(|offer| offer.file.count).unwrap_or(1);
        let (meets, names) = (found.session, found.names.clone());
        Ok(FileTicket { transfer, side, meets, names, max_bytes, files })
    }

    /// The session at whose server the sides of a transfer meet.
    pub fn meeting_place(&self, id: TransferId) -> Option<SessionId> {
        Some(self.offers.as_ref()?.transfer(id)?.session)
    }

    /// Ends a transfer whose connections are closed.
    pub fn transfer_ended(&mut self, id: TransferId, end: TransferEnd, out: &mut Deliveries) {
        let Some(transfer) = self.offers.as_mut().and_then(|offers| offers.end(id)) else { return };
        let (code, msg) = match end {
            // Both sides know.
            TransferEnd::Done => return,
            TransferEnd::Received => return self.tell_received(&transfer, out),
            TransferEnd::Cut(side) => {
                (Code::Cut, format!("the connection of {} broke", transfer.names[side.index()]))
            }
            TransferEnd::Silent => (Code::Cut, "nothing was sent for too long".into()),
            TransferEnd::TooBig => {
                (Code::FileTooBig, "more was sent than this server passes on (--max-file)".into())
            }
        };
        self.tell_endings(&transfer, code, &msg, out);
    }

    /// Ends the transfers whose sides did not connect in time.
    pub(super) fn end_late_transfers(&mut self, now: &Now, out: &mut Deliveries) {
        for _ in 0..DUE_PORTION {
            let Some(offers) = &self.offers else { return };
            let Some(id) = offers.due_by(now.uptime) else { return };
            let late = offers.transfer(id).map(|transfer| {
                let missing: Vec<_> =
                    transfer.missing().map(|side| transfer.names[side.index()].as_str()).collect();
                missing.join(" and ")
            });
            let late = late.unwrap_or_default();
            let msg = format!("{late} did not connect within {} seconds", TRANSFER_MEETING.as_secs());
            self.end_told(id, Code::Cut, &msg, out);
        }
    }

    /// Ends the transfers of a user who leaves a room, of offers to that room.
    pub(super) fn part_offers(&mut self, who: &Who, room: &RoomName, out: &mut Deliveries) {
        let Some(offers) = &self.offers else { return };
        let mut own: Vec<_> =
            self.sessions_and_silent_of(who).flat_map(|id| offers.received_by(id)).collect();
        let is_in = |id: &TransferId| {
            let offer = offers.transfer(*id).and_then(|transfer| offers.get(transfer.offer));
            offer.is_some_and(|offer| offer.scope == super::offers::OfferScope::room(room))
        };
        own.retain(is_in);
        for id in own {
            self.end_told(id, Code::Cancelled, &format!("the receiver has left {room}"), out);
        }
    }

    fn sessions_and_silent_of<'a>(&'a self, who: &'a Who) -> impl Iterator<Item = SessionId> + 'a {
        let users = self.users_of(who).iter().filter_map(|user| self.users.get(user));
        users.flat_map(|user| &user.sessions).copied()
    }

    /// Removes a transfer and has the server close its connections. Tells nobody.
    pub(super) fn stop(&mut self, id: TransferId, code: Code, out: &mut Deliveries) -> Option<Transfer> {
        let transfer = self.offers.as_mut()?.end(id)?;
        out.push(Delivery::EndTransfer { transfer: id, code, meets: transfer.session });
        Some(transfer)
    }

    /// Ends a transfer and tells both sides.
    pub(super) fn end_told(&mut self, id: TransferId, code: Code, msg: &str, out: &mut Deliveries) {
        if let Some(transfer) = self.stop(id, code, out) {
            self.tell_endings(&transfer, code, msg, out);
        }
    }

    /// The same, but tells the receiver only.
    pub(super) fn end_told_receiver(&mut self, id: TransferId, code: Code, msg: &str, out: &mut Deliveries) {
        if let Some(transfer) = self.stop(id, code, out) {
            let [sender, _] = transfer.names;
            self.inform_open(transfer.session, ended(transfer.offer, sender, code, msg), out);
        }
    }

    /// Tells the sender what the receiver knows.
    fn tell_received(&self, transfer: &Transfer, out: &mut Deliveries) {
        let offer = self.offers.as_ref().and_then(|offers| offers.get(transfer.offer));
        let [_, receiver] = transfer.names.clone();
        let msg = format!("{receiver} has received everything");
        if let Some(offer) = offer {
            self.inform_open(offer.session, ended(transfer.offer, receiver, Code::Received, &msg), out);
        }
    }

    fn tell_endings(&self, transfer: &Transfer, code: Code, msg: &str, out: &mut Deliveries) {
        for (session, event) in self.endings(transfer, code, msg) {
            self.inform_open(session, event, out);
        }
    }

    /// The events for both sides of a transfer that has ended.
    fn endings(&self, transfer: &Transfer, code: Code, msg: &str) -> Vec<(SessionId, Event)> {
        let [sender, receiver] = transfer.names.clone();
        let offer = self.offers.as_ref().and_then(|offers| offers.get(transfer.offer));
        let sends = offer.map(|offer| (offer.session, ended(transfer.offer, receiver, code, msg)));
        let receives = (transfer.session, ended(transfer.offer, sender, code, msg));
        sends.into_iter().chain([receives]).collect()
    }

    /// Sends an event to a session that may have ended.
    fn inform_open(&self, id: SessionId, event: Event, out: &mut Deliveries) {
        if self.sessions.contains_key(&id) {
            self.inform(id, event, out);
        }
    }

    /// Tells the user's other sessions that one has accepted.
    fn tell_taken(&self, number: u64, who: &Who, except: [SessionId; 2], out: &mut Deliveries) {
        for other in self.other_sessions(who, except) {
            let msg = format!("offer {number} is accepted in another session");
            self.inform(
                other,
                Event::Ended { offer: number, name: None, code: Some(Code::Taken), reason: None, msg },
                out,
            );
        }
    }

    fn transfer_named(&self, number: u64, name: &str) -> Option<TransferId> {
        let (offers, key) = (self.offers.as_ref()?, self.prepared.key(name));
        if let Some(id) = self.find(name).and_then(|(id, user)| offers.transfer_to(number, &user.who(id))) {
            return Some(id);
        }
        let is_named = |transfer: &Transfer| NameKey::of(&transfer.names[1]) == key;
        offers.get(number)?.transfers.iter().find(|id| offers.transfer(**id).is_some_and(is_named)).copied()
    }

    /// The holder of a token that the session gets.
    fn token_holder(&self, id: SessionId) -> Option<TokenHolder> {
        let session = self.sessions.get(&id)?;
        Some(session.key().map_or(TokenHolder::Address(session.ip), |key| TokenHolder::Key(*key)))
    }

    /// Checks the limits on transfers of both sides. Returns the payers. An established user may send to newcomers and
    /// receive from them, however many newcomers do.
    fn transfer_payers(
        &self,
        offerer: SessionId,
        receiver: SessionId,
        now: &Now,
    ) -> Result<OfferPayers, Refusal> {
        let (offers, sender) = (self.offers()?, self.name_in(offerer));
        let standing = self.standing_of_both(offerer, receiver, now);
        let [payers, receives] = [offerer, receiver].map(|id| self.offer_payers(id, standing));
        offers
            .may_move(&receives, standing)
            .map_err(|limit| too_many_transfers("you take", "your", limit))?;
        offers
            .may_move(&payers, standing)
            .map_err(|limit| too_many_transfers(&format!("{sender} takes"), &format!("{sender}'s"), limit))?;
        Ok(self.payers_of_both(offerer, receiver, now))
    }

    fn standing_of_both(&self, offerer: SessionId, receiver: SessionId, now: &Now) -> Standing {
        self.standing(offerer, now).min(self.standing(receiver, now))
    }

    pub(super) fn payers_of_both(&self, offerer: SessionId, receiver: SessionId, now: &Now) -> OfferPayers {
        let standing = self.standing_of_both(offerer, receiver, now);
        let [mut payers, receives] = [offerer, receiver].map(|id| self.offer_payers(id, standing));
        // Both sides may be at one address, or in one network.
        payers.extend(receives.into_iter().filter(|payer| !payers.contains(payer)).collect::<OfferPayers>());
        payers
    }
}

fn ended(offer: u64, name: String, code: Code, msg: &str) -> Event {
    Event::Ended { offer, name: Some(name), code: Some(code), reason: None, msg: msg.to_owned() }
}

fn bad_token() -> Refusal {
    let msg =
        "the token is wrong, used or expired, or was given to another key or address; accept the offer again";
    Refusal::new(Code::BadToken, msg)
}

fn too_many_transfers(who: &str, whose: &str, limit: FileLimit) -> Refusal {
    let msg = match limit {
        FileLimit::User => format!("{who} part in {MAX_TRANSFERS_PER_USER} transfers, which is the limit"),
        FileLimit::Address => {
            format!("{MAX_TRANSFERS_PER_ADDRESS} transfers run at {whose} address, which is the limit")
        }
        FileLimit::Crowded(count) => format!(
            "the server passes on almost as many files as it may (--max-transfers), so {whose} user or address, with \
             {count}, must wait"
        ),
        FileLimit::Network(count) => format!(
            "the server passes on almost as many files as it may (--max-transfers), so {whose} network, which has \
             {count}, must wait"
        ),
        FileLimit::Newcomers => format!(
            "the server passes on almost as many files as it may (--max-transfers), and the rest is for transfers with a \
             user who has had a name for {} minutes, with a key",
            NAME_TRIED.as_secs() / 60
        ),
        FileLimit::All => "this server passes on as many files as it may (--max-transfers)".into(),
    };
    Refusal::new(Code::TooManyTransfers, format!("{msg}; accept again when one has ended"))
}
