//! How fast people may send at one of several servers: the paces of an only server, of those who are at this one. Packets
//! wait here before they go to the rules, which run at the server that leads.

use super::known_keys::KnownKeys;
use super::node_session::NodeSession;
use crate::chat::{Now, PacedSender, Paces, SessionId};
use crate::pace::Rate;
use crate::protocol::{Event, Packet};
use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct NodePaces(Paces);

impl NodePaces {
    /// Pays for a session's next packet; an error: how long it must wait. Returns a notice for its user if they have to
    /// wait and do not know it yet.
    pub(super) fn pay(
        &mut self,
        (id, session): (SessionId, &mut NodeSession),
        keys: &KnownKeys,
        cost: u64,
        (rate, now): (Rate, &Now),
    ) -> Result<Option<Packet>, Duration> {
        let at = (rate, now.uptime);
        let mut sender = PacedSender::at_node(id, &session.peer, session.user.as_deref(), session.pace);
        let held = self.0.pause(&mut sender, |key| keys.is_established(key, now.unix_second()), cost, at);
        if held.is_none() {
            self.0.charge(&mut sender, cost, at);
        }
        session.pace = sender.pace;
        if let Some((level, wait)) = held {
            session.notice.hold(level, now.uptime);
            return Err(wait);
        }
        let level = session.notice.untold_level(now.uptime).filter(|_| session.listens);
        let user = session.user.as_ref().map_or("", |user| &user.name);
        Ok(level.map(|level| Event::Notice(level.notice(rate)).into_packet(user, None)))
    }

    /// The rules say that a session's packet costs more than it looked like.
    pub(super) fn pay_more(
        &mut self,
        (id, session): (SessionId, &mut NodeSession),
        cost: u64,
        at: (Rate, Duration),
    ) {
        let mut sender = PacedSender::at_node(id, &session.peer, session.user.as_deref(), session.pace);
        self.0.charge_more(&mut sender, cost, at);
        session.pace = sender.pace;
    }

    /// The session has registered.
    pub(super) fn begin(&mut self, session: &NodeSession, uptime: Duration) {
        if let Some(user) = &session.user {
            self.0.begin_at_node(&session.peer, user, session.pace, uptime);
        }
    }

    /// The session is gone.
    pub(super) fn end(&mut self, id: SessionId, session: Option<&NodeSession>, uptime: Duration) {
        self.0.take_turn(id);
        if let Some((session, user)) = session.and_then(|session| Some((session, session.user.as_ref()?))) {
            self.0.end_at_node(&session.peer, user, uptime);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Account, NameRecord, Peer, Record, SessionRecord, UserRecord};
    use crate::fingerprint::Fingerprint;
    use crate::limits::{BURSTS_TOGETHER, SHARE_BURST};
    use crate::protocol::request::Mode;
    use jiff::{Timestamp, ZonedDateTime, tz::TimeZone};
    use std::num::NonZeroU64;

    const BURST: usize = 20;

    struct House {
        paces: NodePaces,
        keys: KnownKeys,
        sessions: Vec<NodeSession>,
        now: Now,
    }

    fn key(number: u16) -> Fingerprint {
        let mut bytes = [7; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        Fingerprint::new(bytes)
    }

    fn at(seconds: u64) -> Now {
        let time = Timestamp::from_second(1_900_000_000 + seconds as i64).unwrap();
        Now::new(ZonedDateTime::new(time, TimeZone::UTC), Duration::from_secs(seconds))
    }

    impl House {
        fn new() -> Self {
            let (paces, keys) = (NodePaces::default(), KnownKeys::new(Fingerprint::new([0; 32])));
            Self { paces, keys, sessions: Vec::new(), now: at(1) }
        }

        /// A session of a registered user; returns its place.
        fn join(&mut self, ip: &str, account: Option<Account>, mode: Mode) -> usize {
            let key = match &account {
                Some(Account::Key(key)) => Some(*key),
                _ => None,
            };
            let peer = Peer { ip: ip.parse().unwrap(), key, encrypted: true, local: false, web: false };
            let (place, id) = (self.sessions.len(), SessionId(self.sessions.len() as u64));
            let number = NonZeroU64::new(place as u64 + 1).unwrap();
            let name = format!("user{place}");
            let user = UserRecord { number, name, account, since: 0, away: None, rooms: Vec::new() };
            let record = SessionRecord { id, peer, mode, reads: false, greeted: None, user: Some(user) };
            let mut session = NodeSession::new(peer);
            assert!(session.learn(&record) && !session.learn(&record));
            self.paces.begin(&session, self.now.uptime);
            self.sessions.push(session);
            place
        }

        fn join_key(&mut self, ip: &str, number: u16) -> usize {
            self.join(ip, Some(Account::Key(key(number))), Mode::Chat)
        }

        fn pay(&mut self, place: usize) -> Result<Option<Packet>, Duration> {
            let rate = Rate::per_second(5, BURST as u32).unwrap();
            let session = (SessionId(place as u64), &mut self.sessions[place]);
            self.paces.pay(session, &self.keys, 1, (rate, &self.now))
        }

        /// How many of so many packets the session may send at once.
        fn sent(&mut self, place: usize, packets: usize) -> usize {
            (0..packets).take_while(|_| self.pay(place).is_ok()).count()
        }

        /// How many packets an address may send at once from many users with a key each.
        fn flood(&mut self, ip: &str, first: u16, users: u16) -> usize {
            let places: Vec<_> = (first..first + users).map(|number| self.join_key(ip, number)).collect();
            places.into_iter().map(|place| self.sent(place, BURST)).sum()
        }
    }

    #[test]
    fn all_sessions_of_a_key_or_a_token_share_a_pace_and_keep_it_when_they_come_back() {
        for account in [Account::Key(key(1)), Account::Token("secret".into())] {
            let mut house = House::new();
            let join = |house: &mut House, ip| house.join(ip, Some(account.clone()), Mode::Chat);
            let [one, other] = ["10.0.0.1", "10.0.1.1"].map(|ip| join(&mut house, ip));
            assert_eq!((house.sent(one, 30), house.sent(other, 30)), (BURST, 0));
            house.paces.end(SessionId(0), Some(&house.sessions[0]), house.now.uptime);
            let again = join(&mut house, "10.0.0.1");
            assert_eq!(house.sent(again, 30), 0);
            house.now = at(2);
            assert_eq!(house.sent(again, 30), 5);
        }
    }

    #[test]
    fn without_key_and_token_a_name_at_an_address_keeps_its_pace() {
        let mut house = House::new();
        let one = house.join("10.0.0.1", None, Mode::Chat);
        assert_eq!(house.sent(one, 30), BURST);
        house.paces.end(SessionId(0), Some(&house.sessions[0]), house.now.uptime);
        let record = house.sessions[0].user.clone().unwrap();
        house.sessions[0].user = Some(Box::new(UserRecord { number: NonZeroU64::MAX, ..*record }));
        house.paces.begin(&house.sessions[0], house.now.uptime);
        assert_eq!(house.sent(one, 30), 0);
    }

    #[test]
    fn what_was_sent_before_registration_counts() {
        let mut house = House::new();
        let place = house.join_key("10.0.0.1", 1);
        let user = house.sessions[place].user.take();
        house.sent(place, 15);
        house.sessions[place].user = user;
        house.paces.begin(&house.sessions[place], house.now.uptime);
        assert_eq!(house.sent(place, 30), 5);
    }

    #[test]
    fn an_address_and_a_network_have_a_pace_however_many_keys_there_are() {
        let (together, little) = (BURST * BURSTS_TOGETHER as usize, BURST * BURSTS_TOGETHER as usize / 4);
        let mut house = House::new();
        let first = house.flood("10.0.0.1", 0, 200);
        assert!((together..=together + little).contains(&first), "{first}");
        // Its network has as much, and others there have more than their share for people who send little.
        let rest: usize = (2..60).map(|host| house.flood(&format!("10.0.0.{host}"), 1000 * host, 5)).sum();
        let shares = 58 * BURST;
        assert!((shares..=shares + little).contains(&rest), "{rest}");
        assert_eq!(house.flood("10.0.1.1", 60_000, 5), 5 * BURST, "another network");
    }

    #[test]
    fn nobody_takes_the_share_of_an_established_key() {
        let mut house = House::new();
        let last = Timestamp::from_second(1_900_000_000 - 86_400).unwrap();
        let row = NameRecord { name: "bob".into(), key: key(9), last, used: 0, in_use: true };
        house.keys.learn(&Record::Name("bob".into(), Some(row)));
        house.flood("10.0.0.1", 1000, 200);
        let [bob, newcomer] = [9, 10].map(|number| house.join_key("10.0.0.1", number));
        assert_eq!(house.sent(newcomer, 30), 0);
        assert_eq!(house.sent(bob, 30), SHARE_BURST as usize);
    }

    #[test]
    fn a_packet_may_cost_more_than_it_looks_like() {
        let mut house = House::new();
        let place = house.join_key("10.0.0.1", 1);
        let rate = Rate::per_second(5, BURST as u32).unwrap();
        let session = (SessionId(0), &mut house.sessions[place]);
        house.paces.pay_more(session, 18, (rate, house.now.uptime));
        assert_eq!(house.sent(place, 30), 2);
    }

    #[test]
    fn who_has_to_wait_is_told_once_unless_it_only_sends() {
        for (mode, told) in [(Mode::Chat, 1), (Mode::Send, 0)] {
            let mut house = House::new();
            let place = house.join("10.0.0.1", Some(Account::Key(key(1))), mode);
            assert_eq!(house.sent(place, 30), BURST);
            let mut notices = 0;
            for second in 2..6 {
                house.now = at(second);
                while let Ok(notice) = house.pay(place) {
                    notices += usize::from(notice.is_some());
                }
            }
            assert_eq!(notices, told);
        }
    }
}
