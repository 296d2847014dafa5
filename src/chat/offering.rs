//! Offers of files: their receivers, and how they end.

use super::archive::Venue;
use super::call::Call;
use super::delivery::{Audience, Delivery};
use super::file_shares::{FileLimit, OfferPayer, OfferPayers, Standing};
use super::mail::Recipient;
use super::offers::{FileRules, Offer, OfferScope, Offers, TokenSource};
use super::rooms::RoomId;
use super::user::Session;
use super::who::{Correspondent, SessionId, UserId, Who};
use super::{Chat, Deliveries, Now};
use crate::limits::{
    MAX_OFFERS, MAX_OFFERS_OF_NEWCOMERS, MAX_OFFERS_PER_ADDRESS, MAX_OFFERS_PER_USER, NAME_TRIED, OFFERS_TOLD,
};
use crate::name::RoomName;
use crate::protocol::packet::FileInfo;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, DeclineReason, Event, Target};
use std::sync::Arc;

/// The receivers of an offer.
struct Offered {
    scope: OfferScope,
    /// As shown to people.
    to: String,
    /// The receiver who is offline.
    waits: Option<String>,
    /// The receiver, if it is not a room.
    correspondent: Option<Correspondent>,
}

impl Call<'_> {
    pub(super) fn offer(&mut self, to: &Target, file: Box<FileInfo>) -> Result<(), Refusal> {
        let most = self.chat.offers()?.rules.max_bytes;
        self.chat.check_muted(self.session, self.now)?;
        if let Some(most) = most.filter(|most| file.size.is_some_and(|size| size > *most)) {
            return Err(too_big(most));
        }
        let Some(asking) = self.chat.asking(self.session) else { return Ok(()) };
        let Offered { scope, to, waits, correspondent } = self.chat.offered(self.session, to, self.now)?;
        let standing = self.chat.standing(self.session, self.now);
        let payers = self.chat.offer_payers(self.session, standing);
        self.chat.offers()?.may_offer(&payers, standing).map_err(too_many_offers)?;
        if let Some(to) = correspondent {
            self.chat.count_stranger(self.session, to, self.now)?;
        }
        self.chat.tell_offerer_coming(self.session, &scope, self.out);
        let number =
            self.chat.offers_mut()?.add((self.session, asking.who), (scope, to), file, (payers, standing));
        self.chat.tell_offer(number, self.out);
        self.answer(Event::Offered { offer: number, waits });
        Ok(())
    }

    pub(super) fn decline(&mut self, number: u64, reason: Option<DeclineReason>) -> Result<(), Refusal> {
        let Some(asking) = self.chat.asking(self.session) else { return Ok(()) };
        let offer = self.chat.open_offer(self.session, number)?;
        let (offerer, is_direct) = (offer.session, matches!(offer.scope, OfferScope::Person(_)));
        let (own, sender) = (self.chat.name_in(self.session), self.chat.name_in(offerer));
        if let Some(id) = self.chat.offers()?.transfer_to(number, &asking.who) {
            self.chat.stop(id, Code::Declined, self.out);
        }
        let ended = |name: String, reason: Option<DeclineReason>, msg: String| Event::Ended {
            offer: number,
            name: Some(name),
            code: Some(Code::Declined),
            reason,
            msg,
        };
        let msg = format!("{own} declines offer {number}{}", DeclineReason::suffix(reason));
        self.chat.inform(offerer, ended(own, reason, msg), self.out);
        let told = ended(sender, None, format!("you declined offer {number}"));
        for other in self.chat.other_sessions(&asking.who, [self.session, offerer]) {
            self.chat.inform(other, told.clone(), self.out);
        }
        if is_direct {
            self.chat.offers_mut()?.remove(number);
        }
        self.answer(told);
        Ok(())
    }

    /// Takes back an offer of the user's own.
    pub(super) fn withdraw(&mut self, number: u64) -> Result<(), Refusal> {
        let Some(offerer) = self.chat.offers()?.get(number).map(|offer| offer.session) else { return Ok(()) };
        let name = self.chat.name_in(offerer);
        let why = format!("{name} has withdrawn offer {number}");
        self.chat.withdraw(number, Code::Cancelled, &why, self.out);
        let msg = format!("offer {number} is withdrawn");
        let event =
            Event::Ended { offer: number, name: None, code: Some(Code::Withdrawn), reason: None, msg };
        if offerer != self.session {
            self.chat.inform(offerer, event.clone(), self.out);
        }
        self.answer(event);
        Ok(())
    }
}

impl Chat {
    /// Lets users offer files. Without this call, the chat refuses offers.
    pub fn pass_files(&mut self, rules: FileRules, tokens: TokenSource) {
        self.offers = Some(Box::new(Offers::new(rules, tokens)));
    }

    /// The biggest size that may be offered from now on, in bytes; `None`: any.
    pub fn set_max_file(&mut self, most: Option<u64>) {
        if let Some(offers) = &mut self.offers {
            offers.rules.max_bytes = most;
        }
    }

    pub(super) fn offers(&self) -> Result<&Offers, Refusal> {
        self.offers.as_deref().ok_or_else(no_files)
    }

    pub(super) fn offers_mut(&mut self) -> Result<&mut Offers, Refusal> {
        self.offers.as_deref_mut().ok_or_else(no_files)
    }

    /// An offer that the session's user may accept.
    pub(super) fn open_offer(&self, id: SessionId, number: u64) -> Result<&Offer, Refusal> {
        let offer = self.offers()?.get(number);
        offer.filter(|offer| self.is_for(id, offer)).ok_or_else(|| no_such_offer(number))
    }

    fn is_for(&self, id: SessionId, offer: &Offer) -> bool {
        let Some(asking) = self.asking(id).filter(|_| id != offer.session) else { return false };
        match &offer.scope {
            OfferScope::Lobby => true,
            OfferScope::Room(room) => {
                self.rooms.find(room).is_some_and(|room| self.rooms.rooms_of(&asking.who).contains(&room))
            }
            OfferScope::Person(who) => *who == asking.who,
        }
    }

    fn offered(&self, id: SessionId, to: &Target, now: &Now) -> Result<Offered, Refusal> {
        let refusal = |msg| Err(Refusal::new(Code::NotAllowed, msg));
        let in_room = |room: &RoomName, to: String| {
            Ok(Offered { scope: OfferScope::room(room), to, waits: None, correspondent: None })
        };
        match to {
            Target::All => in_room(&RoomName::lobby(), to.to_string()),
            Target::Room(room) => {
                let name = self.room_name(room)?;
                let found: RoomId = self.rooms.find(name.key()).ok_or_else(|| self.no_such_room(&name))?;
                let name = self.rooms.get(found).map_or(name, |room| room.name.clone());
                in_room(&name, name.to_string())
            }
            Target::User(name) => self.offered_to_user(id, name, now),
            Target::Server => refusal("the server takes no files; offer them to a user or a room"),
            Target::Address(_) => refusal("files cannot be offered to an address; give a user or a room"),
        }
    }

    fn offered_to_user(&self, id: SessionId, name: &str, now: &Now) -> Result<Offered, Refusal> {
        let Recipient { name, account, user } = self.recipient(name, now)?;
        let who = account.clone().map(|account| Who::Account(Arc::new(account))).or(user.map(Who::User));
        let Some(who) = who else { return Err(self.no_such_user(&name, now)) };
        let is_away = self.other_sessions(&who, [id, id]).is_empty();
        if is_away && who.account().is_none() {
            let msg = "you have no other session here that could take the file; offer it to another user";
            return Err(Refusal::new(Code::NoSuchUser, msg));
        }
        let correspondent = Correspondent::of(account.as_ref(), user);
        let waits = is_away.then(|| name.clone());
        Ok(Offered { scope: OfferScope::Person(who), to: name, waits, correspondent })
    }

    /// The person's sessions that listen, except two.
    pub(super) fn other_sessions(&self, who: &Who, except: [SessionId; 2]) -> Vec<SessionId> {
        let mut sessions = self.sessions_of(who);
        sessions.retain(|session| !except.contains(session));
        sessions
    }

    /// Whether the session's user is established.
    pub(super) fn standing(&self, id: SessionId, now: &Now) -> Standing {
        let account = self.user_of(id).and_then(|user| user.owner.account());
        if self.is_newcomer(account.map(|own| &**own), now) { Standing::New } else { Standing::Established }
    }

    pub(super) fn offer_payers(&self, id: SessionId, standing: Standing) -> OfferPayers {
        let account = self.user_of(id).and_then(|user| user.owner.account()).map(|own| &**own);
        let payers = |session: &Session| OfferPayer::of(account, session.ip, session.is_local(), standing);
        self.sessions.get(&id).map_or_else(OfferPayers::new, payers)
    }

    /// The name of the session's user; empty if the session has ended.
    pub(super) fn name_in(&self, id: SessionId) -> String {
        self.user_of(id).map_or_else(String::new, |user| user.name.to_string())
    }

    /// The sender's arrival must come before the offer.
    fn tell_offerer_coming(&mut self, id: SessionId, scope: &OfferScope, out: &mut Deliveries) {
        let room = match scope {
            OfferScope::Room(room) => self.rooms.find(room).and_then(|id| self.rooms.get(id)),
            OfferScope::Lobby | OfferScope::Person(_) => None,
        };
        let venue = Venue::Room(room.map_or_else(RoomName::lobby, |room| room.name.clone()));
        self.tell_coming(id, &venue, out);
    }

    fn tell_offer(&self, number: u64, out: &mut Deliveries) {
        let Some(offer) = self.offers.as_ref().and_then(|offers| offers.get(number)) else { return };
        self.tell_receivers(offer, self.offer_event(number, offer), out);
    }

    fn offer_event(&self, number: u64, offer: &Offer) -> Option<Event> {
        let (from, to) = (self.sender(offer.session)?, offer.to.clone());
        let key = self.sessions.get(&offer.session).and_then(|session| session.key().copied());
        Some(Event::Offer { from, to, key, offer: number, file: offer.file.clone() })
    }

    /// Sends an event to all who may accept the offer.
    fn tell_receivers(&self, offer: &Offer, event: Option<Event>, out: &mut Deliveries) {
        let audience = match &offer.scope {
            OfferScope::Lobby => Audience::Lobby { except: Some(offer.session) },
            OfferScope::Room(room) => match self.rooms.find(room) {
                Some(room) => self.room_audience(room, Some(offer.session)),
                None => return,
            },
            OfferScope::Person(who) => match self.other_sessions(who, [offer.session; 2]) {
                none if none.is_empty() => return,
                sessions => Audience::Sessions(sessions),
            },
        };
        if let Some(event) = event {
            out.push(Delivery::to(audience, event.into_packet(&offer.to, None)));
        }
    }

    /// Tells a session that comes of the open offers to its user, then of those to the user's rooms.
    pub(super) fn tell_open_offers(&self, id: SessionId, out: &mut Deliveries) {
        let Some(asking) = self.asking(id).filter(|_| self.offers.is_some() && self.listens(id)) else {
            return;
        };
        let rooms = self.rooms.rooms_of(&asking.who).iter().filter_map(|room| self.rooms.get(*room));
        let rooms = rooms.map(|room| OfferScope::room(&room.name));
        let scopes =
            [OfferScope::Person(asking.who.clone())].into_iter().chain(rooms).chain([OfferScope::Lobby]);
        self.tell_offers_of(id, scopes, out);
    }

    /// Tells the sessions of a user who joins a room of the room's open offers.
    pub(super) fn tell_offers_in(&self, room: &RoomName, who: &Who, out: &mut Deliveries) {
        if self.offers.is_some() {
            for id in self.sessions_of(who) {
                self.tell_offers_of(id, [OfferScope::room(room)].into_iter(), out);
            }
        }
    }

    fn tell_offers_of(&self, id: SessionId, scopes: impl Iterator<Item = OfferScope>, out: &mut Deliveries) {
        let Some(offers) = &self.offers else { return };
        let numbers = scopes
            .flat_map(|scope| offers.of(&scope).take(OFFERS_TOLD + MAX_OFFERS_PER_USER).collect::<Vec<_>>());
        let open = numbers.filter_map(|number| Some((number, offers.get(number)?)));
        for (number, offer) in open.filter(|(_, offer)| offer.session != id).take(OFFERS_TOLD) {
            if let Some(event) = self.offer_event(number, offer) {
                out.push(Delivery::one(id, event.into_packet(&offer.to, None)));
            }
        }
    }

    /// Ends an offer and its transfers, and tells all who may know of it but the offering session. `code` says how the
    /// transfers end.
    pub(super) fn withdraw(&mut self, number: u64, code: Code, why: &str, out: &mut Deliveries) {
        let transfers =
            self.offers.as_ref().and_then(|offers| offers.get(number)).map(|offer| &offer.transfers);
        for id in transfers.cloned().unwrap_or_default() {
            self.end_told_receiver(id, code, why, out);
        }
        let Some(offer) = self.offers.as_mut().and_then(|offers| offers.remove(number)) else { return };
        let (code, msg) = (Some(Code::Withdrawn), why.to_owned());
        self.tell_receivers(
            &offer,
            Some(Event::Ended { offer: number, name: None, code, reason: None, msg }),
            out,
        );
    }

    /// Ends the offers and transfers of a session that is gone. `name` was its user's.
    pub(super) fn leave_offers(&mut self, id: SessionId, name: &str, out: &mut Deliveries) {
        let Some(offers) = self.offers.as_ref().filter(|_| !self.is_over) else { return };
        let (offered, received) = (offers.offered_by(id), offers.received_by(id));
        for number in offered {
            // A sender that returns offers it again, and the transfer goes on.
            let why = format!("{name} has left, which withdraws offer {number}");
            self.withdraw(number, Code::Cut, &why, out);
        }
        for transfer in received {
            self.end_told(transfer, Code::Cut, &format!("{name} has left the chat"), out);
        }
    }

    /// Ends the offers to a user who is gone for good.
    pub(super) fn drop_offers_to(&mut self, user: UserId, name: &str, out: &mut Deliveries) {
        let Some(offers) = self.offers.as_ref().filter(|_| !self.is_over) else { return };
        let to: Vec<u64> = offers.of(&OfferScope::Person(Who::User(user))).collect();
        for number in to {
            let Some(offer) = self.offers.as_mut().and_then(|offers| offers.remove(number)) else { continue };
            let (msg, code) = (format!("{name} has left"), Some(Code::NoSuchUser));
            let event = Event::Ended { offer: number, name: Some(name.to_owned()), code, reason: None, msg };
            self.inform(offer.session, event, out);
        }
    }
}

fn no_files() -> Refusal {
    Refusal::new(Code::NoFiles, "this server passes no files on (--no-files)")
}

pub(super) fn no_such_offer(number: u64) -> Refusal {
    let msg = format!("there is no offer {number} to you; its sender may have withdrawn it or left");
    Refusal::new(Code::NoSuchOffer, msg)
}

fn too_big(most: u64) -> Refusal {
    let msg = format!("this server passes on at most {most} bytes per file or folder (--max-file)");
    Refusal::new(Code::FileTooBig, msg)
}

fn too_many_offers(limit: FileLimit) -> Refusal {
    let msg = match limit {
        FileLimit::User => {
            format!("you have {MAX_OFFERS_PER_USER} open offers, which is the limit; cancel some first")
        }
        FileLimit::Address => format!(
            "{MAX_OFFERS_PER_ADDRESS} offers are open from your address, which is the limit; try again later"
        ),
        FileLimit::Crowded(count) => format!(
            "so many offers are open (of at most {MAX_OFFERS}) that users and addresses with {count} or more must wait; \
             cancel an offer, or try again later"
        ),
        FileLimit::Network(count) => format!(
            "so many offers are open (of at most {MAX_OFFERS}) that networks with {count} or more, such as yours, must \
             wait; try again later"
        ),
        FileLimit::Newcomers => format!(
            "{MAX_OFFERS_OF_NEWCOMERS} offers are open, and the rest is for users who are not new here; try again later, \
             or once you have had your name for {} minutes, with a key",
            NAME_TRIED.as_secs() / 60
        ),
        FileLimit::All => {
            format!("all of the {MAX_OFFERS} offers that may be open are; try again later")
        }
    };
    Refusal::new(Code::TooManyOffers, msg)
}
