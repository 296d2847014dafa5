//! The right to a name, and renaming.

use super::call::Call;
use super::delivery::{Audience, Delivery};
use super::intake::Candidate;
use super::owned::Ownership;
use super::rates::News;
use super::who::{SessionId, UserId, Who};
use super::{Chat, Deliveries, Now};
use crate::fingerprint::Fingerprint;
use crate::name::{Likeness, Name};
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};
use jiff::Timestamp;

/// A refusal, with a free name if the wanted one is taken.
#[derive(Debug)]
pub(super) struct NameRefusal {
    pub(super) refusal: Refusal,
    free: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) key: Option<&'a Fingerprint>,
    /// Set if they already have a name.
    pub(super) user: Option<UserId>,
}

impl From<Refusal> for NameRefusal {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, free: None }
    }
}

impl From<NameRefusal> for Event {
    fn from(refused: NameRefusal) -> Self {
        let NameRefusal { refusal, free } = refused;
        Self::Error { code: Some(refusal.code), msg: refusal.msg, name: free }
    }
}

impl Call<'_> {
    pub(super) fn rename(&mut self, wanted: &str) -> Result<(), Refusal> {
        let candidate = self.chat.prepared.candidate(wanted);
        let name = self.chat.name(&candidate)?;
        let Some((session, user_id)) = self.chat.sessions.get(&self.session).and_then(|s| Some((s, s.user?)))
        else {
            return Ok(());
        };
        let (peer, likeness) = (session.peer(), name.likeness());
        let asker = Asker { key: peer.key.as_ref(), user: Some(user_id) };
        if self.chat.user_of(self.session).is_some_and(|user| user.name == name) {
            let unchanged = Event::Renamed { old: name.to_string(), name: name.to_string() };
            self.answer(unchanged);
            return Ok(());
        }
        self.chat.check_muted(self.session, self.now)?;
        // Counted before the check: asking for a taken name notifies nobody, but costs as much.
        self.chat.count_news(self.session, News::Rename, self.now)?;
        if let Err(refused) = self.chat.check_free((&name, &likeness), &candidate, asker, self.now) {
            self.answer(refused.into());
            return Ok(());
        }
        let who = self.chat.person(user_id);
        self.chat.tell_before_rename(user_id, who.as_ref(), &name, self.out);
        let Some(user) = self.chat.users.get_mut(&user_id) else { return Ok(()) };
        let old = std::mem::replace(&mut user.name, name.clone());
        self.chat.names.remove(&old.key());
        self.chat.names.insert(name.key(), user_id);
        if let Some(who) = who {
            self.chat.rooms.rename(&who, &old.key(), &name.key());
        }
        self.chat.looks.remove(&old.likeness());
        self.chat.looks.insert(&likeness, user_id);
        let mut ownership = Ownership::NotOwned;
        if let Some(key) = peer.key {
            self.chat.shared_keys.rename(&key, &old.key(), &name.key());
            self.chat.owned.end(&old.likeness(), &key, self.now.at());
            ownership = self.chat.owned.begin((&name, &likeness), key, peer.ip, self.now.at(), self.out);
        }
        self.chat.note_sessions_of(user_id);
        let event = Event::Renamed { old: old.to_string(), name: name.to_string() };
        self.answer(event.clone());
        self.tell_of_name(ownership);
        let audience = self.chat.who_hears_of(user_id, self.session);
        self.out.push(Delivery::to(audience, event.into_packet("all", None)));
        Ok(())
    }
}

impl Chat {
    /// Checks that the name is valid on this server.
    pub(super) fn name(&self, candidate: &Candidate) -> Result<Name, Refusal> {
        let name = candidate.name.clone();
        let name = name.map_err(|error| Refusal::new(Code::BadName, error.to_string()))?;
        if self.rules.ascii_names && !name.is_ascii() {
            let msg = "names on this server may only contain ASCII letters, digits and punctuation; choose \
                       another";
            return Err(Refusal::new(Code::BadName, msg));
        }
        Ok(name)
    }

    /// Checks that nobody else uses or owns the name or a look-alike.
    pub(super) fn check_free(
        &self,
        (name, likeness): (&Name, &Likeness),
        candidate: &Candidate,
        asker: Asker<'_>,
        now: &Now,
    ) -> Result<(), NameRefusal> {
        let Some(why) = self.taken(name, likeness, asker, now) else { return Ok(()) };
        let others = candidate.alternatives(now.uptime.as_nanos()).into_iter();
        let free = others
            .filter(|other| other.is_ascii() || !self.rules.ascii_names)
            .find(|other| self.taken(other, &other.likeness(), asker, now).is_none());
        let advice = match &free {
            Some(free) => format!("Try {free}"),
            None => "Choose another".into(),
        };
        let msg = match why {
            Conflict::Here => format!("the name {name} is taken. {advice}."),
            Conflict::Owned(seen) => format!(
                "\"{name}\" belongs to another key ({seen}). {advice}, or use the device you used before."
            ),
            Conflict::Alike(other) => format!("\"{name}\" looks like \"{other}\", which is taken. {advice}."),
        };
        let refusal = Refusal::new(Code::NameTaken, msg);
        Err(NameRefusal { refusal, free: free.map(|free| free.to_string()) })
    }

    fn taken(&self, name: &Name, likeness: &Likeness, asker: Asker<'_>, now: &Now) -> Option<Conflict> {
        let here = self.looks.find(likeness).find(|user| Some(*user) != asker.user);
        if let Some(user) = here.and_then(|user| self.users.get(&user)) {
            return Some(match &user.name {
                other if other.key() != name.key() => Conflict::Alike(other.clone()),
                _ if user.owner.key().is_some() => Conflict::Owned("here now".into()),
                _ => Conflict::Here,
            });
        }
        let claimed = self.owned.claimed(likeness, asker.key, now.at())?;
        Some(match claimed.name.key() == name.key() {
            true => Conflict::Owned(claimed.last.map_or("here now".into(), |last| seen(last, now))),
            false => Conflict::Alike(claimed.name.clone()),
        })
    }

    /// Announces pending joins and leaves of both names first. Otherwise the announcement would follow the
    /// rename, when the name is this user's.
    fn tell_before_rename(&mut self, user: UserId, who: Option<&Who>, name: &Name, out: &mut Deliveries) {
        let Some(old) = self.users.get(&user).map(|user| user.name.key()) else { return };
        let keys = [old, name.key()];
        if self.presence.tells_of(&keys) {
            self.tell_presence(out);
        }
        for room in who.map_or_else(Vec::new, |who| self.rooms.rooms_of(who).to_vec()) {
            if self.rooms.get(room).is_some_and(|room| room.presence().tells_of(&keys)) {
                self.tell_room(room, out);
            }
        }
    }

    /// Everyone else, if the user is present and the room is small; otherwise the user's other sessions.
    fn who_hears_of(&self, user_id: UserId, except: SessionId) -> Audience {
        let Some(user) = self.users.get(&user_id) else { return Audience::Sessions(Vec::new()) };
        if user.chatting > 0 && self.present <= crate::limits::PRESENCE_NAMES_MAX_MEMBERS {
            return Audience::Lobby { except: Some(except) };
        }
        Audience::Sessions(user.sessions.iter().copied().filter(|other| *other != except).collect())
    }
}

/// Why a name is not available.
enum Conflict {
    /// A connected user without a key has it.
    Here,
    /// A key owns it; when it was last seen.
    Owned(String),
    /// It looks like this one, which is taken.
    Alike(Name),
}

/// `seen today`, by the server's calendar.
fn seen(last: Timestamp, now: &Now) -> String {
    let last = last.to_zoned_datetime(now.clock.time_zone().clone()).date();
    match now.clock.date().since(last).map_or(0, |span| span.get_days()) {
        ..=0 => "seen today".into(),
        1 => "seen yesterday".into(),
        days => format!("seen {days} days ago"),
    }
}
