//! Registration and disconnection.

use super::call::Call;
use super::delivery::{Delivery, Visit};
use super::lineage::Divergence;
use super::names::{Asker, NameRefusal};
use super::owned::Ownership;
use super::paced_sender::PaceNotice;
use super::table::give_back;
use super::user::{Session, User};
use super::who::{Owner, SessionId, UserId, Who};
use super::{Chat, Deliveries, Now};
use crate::limits::{DUE_PORTION, MAX_FRAME_BYTES, MAX_NAME_CHARS, MAX_TEXT_BYTES};
use crate::name::{Likeness, Name};
use crate::protocol::event::Welcome;
use crate::protocol::packet::Limits;
use crate::protocol::request::{Act, ClientPacket, Connect, Hello, Mode, Refusal};
use crate::protocol::{Code, Event, Request, Target};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;

impl Call<'_> {
    /// Handles a connection's first packet: any type registers a name. A packet that also addresses someone
    /// is then passed on.
    pub(super) fn register(&mut self, packet: &ClientPacket, request: Request) {
        let is_hello = matches!(request, Request::Connect(Connect::Hello(_)));
        let echo = self.echo.clone();
        let hello = Hello::from_packet(packet).map_err(NameRefusal::from);
        let admitted = hello.and_then(|hello| Ok((self.admit(&hello)?, hello)));
        let (ownership, hello) = match admitted {
            Ok(admitted) => admitted,
            Err(refused) => {
                let name = packet.from.as_ref().and_then(|from| from.name.as_deref());
                self.note_refusal(name, refused.refusal.code);
                self.answer(refused.into());
                return self.close();
            }
        };
        let divergence = self.chat.diverge(&hello);
        if !is_hello {
            self.echo = None;
        }
        self.welcome(&hello, divergence.as_ref());
        self.tell_of_name(ownership);
        if hello.mode == Mode::Chat {
            self.tell_of_shared_key();
        }
        self.chat.tell_doubt(self.session, self.out);
        self.chat.tell_failure(self.session, hello.mode, self.out);
        self.follow(&hello, divergence.as_ref());
        self.chat.tell_open_offers(self.session, self.out);
        self.echo = echo;
        if let Some(request) = said_besides(packet, request)
            && let Err(refusal) = self.request(request)
        {
            self.refuse(refusal);
        }
    }

    fn admit(&mut self, hello: &Hello) -> Result<Ownership, NameRefusal> {
        let Some(peer) = self.chat.sessions.get(&self.session).map(|session| session.peer()) else {
            return Ok(Ownership::NotOwned);
        };
        if let Some(why) = self.chat.ban_text(&peer, self.now) {
            return Err(Refusal::new(Code::Banned, why).into());
        }
        let candidate = self.chat.prepared.candidate(&hello.name);
        let name = self.chat.name(&candidate)?;
        let owner = Owner::of(peer.key, hello.token.as_deref());
        let same = self.chat.names.get(&name.key()).copied();
        let same =
            same.filter(|user| self.chat.users.get(user).is_some_and(|user| user.owner.is_same(&owner)));
        let likeness = name.likeness();
        let is_here = same.and_then(|user| self.chat.users.get(&user)).is_some_and(|user| user.chatting > 0);
        let is_counted = hello.mode == Mode::Chat && !is_here;
        if is_counted {
            self.chat.count_join(self.session, &owner, &name, self.now)?;
        }
        if same.is_none() {
            let asker = Asker { key: peer.key.as_ref(), user: None };
            if let Err(refused) = self.chat.check_free((&name, &likeness), &candidate, asker, self.now) {
                // Asking for a taken name counts too, although nobody would have heard of this user.
                let counted = if is_counted {
                    Ok(())
                } else {
                    self.chat.count_join(self.session, &owner, &name, self.now)
                };
                return Err(counted.err().map_or(refused, NameRefusal::from));
            }
        }
        let mut ownership = Ownership::NotOwned;
        // A user whose first session was a guest may own nothing yet.
        let owns = |key| self.chat.owned.owned(&name.key(), self.now.at()).is_some_and(|own| own.key == key);
        if let Some(key) = peer.key.filter(|key| !hello.guest && (same.is_none() || !owns(*key))) {
            ownership = self.chat.owned.begin((&name, &likeness), key, peer.ip, self.now.at(), self.out);
        }
        let user_id =
            same.unwrap_or_else(|| self.chat.add_user(self.session, name, &likeness, owner, self.now));
        let joins = self.chat.seat(self.session, user_id, hello.mode);
        self.chat.note_session(self.session);
        if let (Some(session), Some(user)) =
            (self.chat.sessions.get(&self.session), self.chat.users.get(&user_id))
        {
            if self.chat.rules.log_visits {
                self.out.push(visit(session, user, true));
            }
            if joins {
                self.chat.presence.came(&user.name, &user.owner, self.now.uptime);
            }
        }
        Ok(ownership)
    }

    fn welcome(&mut self, hello: &Hello, divergence: Option<&Divergence>) {
        let (Some(session), Some(user)) =
            (self.chat.sessions.get(&self.session), self.chat.user_of(self.session))
        else {
            return;
        };
        let welcome = Event::Welcome(Box::new(Welcome {
            read: user.owner.account().map_or_else(Vec::new, |own| self.chat.reading.of(own)),
            away: session.user.and_then(|user| self.chat.absences.of(user)).map(str::to_owned),
            server: self.chat.profile.server.clone(),
            nodes: self.chat.nodes_for(self.session),
            name: user.name.to_string(),
            ip: session.ip.to_string(),
            total: self.chat.present,
            limits: limits(),
            seq: self.chat.seq,
            log: self.chat.lineage.as_ref().map(|log| log.id().to_owned()),
            logs: self
                .chat
                .lineage
                .as_ref()
                .filter(|_| hello.since.is_some())
                .map_or_else(Vec::new, |log| log.told(divergence)),
            since: divergence.map(|divergence| divergence.common),
            rewound: divergence.is_some_and(|divergence| divergence.rewound),
            rooms: session
                .user
                .and_then(|user| self.chat.person(user))
                .map_or_else(Vec::new, |who| self.chat.joined_rooms(&who)),
            key: session.key().copied(),
            operator: self.chat.access.is_operator(session.key()),
            closed: self.chat.rules.closed,
            web: self.chat.web,
            motd: self.chat.profile.motd.clone(),
        }));
        self.answer(welcome);
    }

    /// Warns a user whose name is not reserved, so nobody can write to them while they are offline.
    pub(super) fn tell_of_name(&mut self, ownership: Ownership) {
        let Ownership::TooMany(most) = ownership else { return };
        let name = self.chat.user_of(self.session).map_or("", |user| user.name.as_str());
        let msg = format!(
            "the server does not keep the name {name} for you, because it keeps only {most} new names per hour for \
             one address: others can take it when you leave, and no messages wait for you; join again later, or ask \
             the administrator for more (--new-names-per-hour)"
        );
        self.inform(Event::Notice(msg));
    }
}

fn visit(session: &Session, user: &User, comes: bool) -> Delivery {
    let (name, key) = (user.name.to_string(), session.key().copied());
    Delivery::Visit(Box::new(Visit { name, key, ip: session.ip, mode: session.mode, comes }))
}

impl Chat {
    /// Attaches a session to a user. Returns whether the user is present only since then.
    pub(super) fn seat(&mut self, id: SessionId, user_id: UserId, mode: Mode) -> bool {
        let (Some(user), Some(session)) = (self.users.get_mut(&user_id), self.sessions.get_mut(&id)) else {
            return false;
        };
        (session.user, session.mode) = (Some(user_id), mode);
        user.sessions.push(id);
        let who = user.who(user_id);
        if session.listens() {
            self.rooms.listen(&who, id);
        }
        user.chatting += u32::from(mode == Mode::Chat);
        let joins = mode == Mode::Chat && user.chatting == 1;
        if joins {
            self.present += 1;
            self.rooms.set_present(&who, true);
        }
        joins
    }

    /// Removes a connection that has ended.
    pub fn disconnect(&mut self, id: SessionId, now: &Now, out: &mut Deliveries) {
        let name = self.user_of(id).filter(|_| self.offers.is_some()).map(|user| user.name.clone());
        let Some(session) = self.sessions.remove(&id) else { return };
        self.note_session(id);
        if let Some(name) = &name {
            self.leave_offers(id, name.as_str(), out);
        }
        self.paces.take_turn(id);
        if self.greeted.remove(&id).is_some() {
            give_back(&mut self.greeted);
        }
        let Some((user_id, user)) = session.user.and_then(|u| Some((u, self.users.get_mut(&u)?))) else {
            return;
        };
        if self.rules.log_visits {
            out.push(visit(&session, user, false));
        }
        user.sessions.retain(|other| *other != id);
        let account = user.owner.account().cloned();
        if session.listens() {
            self.rooms.hush(&user.who(user_id), id);
        }
        if session.mode == Mode::Chat {
            user.chatting -= 1;
            if user.chatting == 0 {
                self.present -= 1;
                self.presence.went(&user.name, &user.owner, now.uptime);
                let who = user.who(user_id);
                self.rooms.set_present(&who, false);
            }
        }
        if user.sessions.is_empty()
            && let Some(user) = self.users.remove(&user_id)
        {
            if user.owner.account().is_none() {
                self.drop_offers_to(user_id, user.name.as_str(), out);
            }
            let likeness = user.name.likeness();
            if let Some(key) = user.owner.key() {
                self.owned.end(&likeness, key, now.at());
            }
            self.names.remove(&user.name.key());
            self.leave_rooms(user_id, &user);
            self.looks.remove(&likeness);
            self.absences.end(user_id);
            self.strangers_messages.forget(user_id);
            self.end_pace(&session, user_id, &user, now);
        }
        if let Some(account) = account.filter(|_| session.listens()) {
            self.note_left(account);
        }
    }

    /// Ends a session from this side. It still reads what came before.
    pub(super) fn close(&mut self, id: SessionId, now: &Now, out: &mut Deliveries) {
        out.push(Delivery::Close(id));
        self.disconnect(id, now, out);
    }

    /// When to call [`Chat::tick`] next, as an uptime.
    pub fn due(&self) -> Option<Duration> {
        // Report arrivals from the archive at once.
        let archived = (!self.untold.is_empty() && self.keeps()).then_some(Duration::ZERO);
        let transfers = self.offers.as_ref().and_then(|offers| offers.due());
        [self.presence.due(), self.rooms.due(), self.owned.due(), self.reading.due(), archived, transfers]
            .into_iter()
            .flatten()
            .min()
    }

    /// Announces what is due, a portion per call. The rest is due at once.
    pub fn tick(&mut self, now: &Now, out: &mut Deliveries) {
        if self.presence.due().is_some_and(|due| due <= now.uptime) {
            self.tell_presence(out);
        }
        for _ in 0..DUE_PORTION {
            let Some(room) = self.rooms.due_by(now.uptime) else { break };
            self.tell_room(room, out);
        }
        if !self.untold.is_empty() {
            self.arrived(Vec::new(), now, out);
        }
        self.end_late_transfers(now, out);
        self.owned.keep(now.at(), out);
        self.reading.keep(now.uptime, now.second(), out);
    }

    pub(super) fn tell_presence(&mut self, out: &mut Deliveries) {
        for event in self.presence.tell(None, self.present) {
            out.push(Delivery::lobby(event.into_packet("all", None)));
        }
    }

    pub(super) fn add_user(
        &mut self,
        first: SessionId,
        name: Name,
        likeness: &Likeness,
        owner: Owner,
        now: &Now,
    ) -> UserId {
        let id = UserId(self.next_user);
        self.next_user = self.next_user.saturating_add(1);
        self.begin_pace(first, id, &owner, &name, now);
        self.names.insert(name.key(), id);
        self.looks.insert(likeness, id);
        if let Some(account) = owner.account() {
            let who = Who::Account(Arc::clone(account));
            for room in self.rooms.rooms_of(&who).to_vec() {
                self.rooms.enter(room, name.key(), id, false);
            }
            self.accounts.entry(Arc::clone(account)).or_default().push(id);
        }
        let user = User {
            name,
            owner,
            since: now.clock.timestamp().as_second(),
            sessions: SmallVec::new(),
            chatting: 0,
            notice: PaceNotice::default(),
        };
        self.users.insert(id, user);
        id
    }

    /// Removes a departed user from rooms. Without an account, the membership ends too.
    fn leave_rooms(&mut self, id: UserId, user: &User) {
        let who = user.who(id);
        for room in self.rooms.rooms_of(&who).to_vec() {
            self.rooms.leave(room, &user.name.key(), false);
            if who.account().is_none() {
                self.rooms.part(&who, room);
            }
        }
        let Some(account) = who.account() else { return };
        if let Some(users) = self.accounts.get_mut(account) {
            users.retain(|other| *other != id);
            if users.is_empty() {
                self.accounts.remove(account);
                give_back(&mut self.accounts);
            }
        }
    }
}

/// The request that a first packet makes besides registering. A text to `server` that is not a command only
/// registers: clients of the replaced system greet it like that.
fn said_besides(packet: &ClientPacket, request: Request) -> Option<Request> {
    let greeting = |msg: &str| !msg.trim_start().starts_with('/');
    match request {
        Request::Act(Act::Chat { to: Target::Server, msg, .. }) if greeting(&msg) => None,
        Request::Connect(Connect::Hello(_)) if packet.text().is_empty() => None,
        Request::Connect(Connect::Hello(_)) => match packet.to.as_deref().map(Target::parse) {
            None | Some(Target::Server) => None,
            Some(to) => {
                let (msg, reply) = (packet.text().to_owned(), packet.reply);
                Some(Request::Act(Act::Chat { to, msg, action: false, reply }))
            }
        },
        request => Some(request),
    }
}

fn limits() -> Limits {
    Limits { frame_bytes: MAX_FRAME_BYTES, text_bytes: MAX_TEXT_BYTES, name_chars: MAX_NAME_CHARS }
}
