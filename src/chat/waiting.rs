//! Counts waiting messages per recipient and author, so nobody can fill other people's mailboxes.
//!
//! Only counts; the store has the messages.

use super::archive::{Account, Arrival, Expired, Kind, Message, Waits};
use crate::limits::{
    MAX_WAITING, MAX_WAITING_OF_AUTHOR, MAX_WAITING_OF_AUTHOR_FOR_ONE, MAX_WAITING_OF_NEWCOMERS,
    MAX_WAITING_OF_NEWCOMERS_FOR_ONE,
};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// See the module. A count is never too low, so no waiting message is overlooked; it is exact again once the
/// owner has received all mail.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    mailboxes: HashMap<Account, Mailbox>,
    /// Waiting messages per author, in all mailboxes. Invariant: no 0.
    authors: HashMap<AuthorId, u32>,
    /// Waiting messages by newcomers.
    newcomers: u32,
    /// Randomly keyed, because people choose what is hashed.
    hasher: RandomState,
}

/// A hash. Two authors that share one would share a limit, once in 2^64.
type AuthorId = u64;

#[derive(Debug, Default)]
struct Mailbox {
    count: u32,
    /// Of `count`, by newcomers.
    newcomers: u32,
    /// The numbers of the first and the last message counted.
    first: u64,
    last: u64,
    authors: Vec<Author>,
}

#[derive(Debug, Clone, Copy)]
struct Author {
    id: AuthorId,
    count: u32,
    is_new: bool,
}

/// A message that was counted as waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waited {
    account: Account,
    /// `None`: from the server, or from an author without key and token.
    author: Option<Account>,
    kind: Kind,
    seq: u64,
}

/// The limit that keeps a message from waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MailboxLimit {
    /// Messages for this recipient.
    Mailbox,
    /// This author's messages for this recipient.
    Theirs,
    /// This author's messages for all recipients.
    TheirsForAll,
    /// All newcomers' messages.
    Newcomers,
}

impl Expired {
    /// The message as it was counted.
    pub(super) fn waited(&self) -> Waited {
        let Self { account, author, is_said, seq, .. } = self.clone();
        let kind = if is_said { Kind::Chat } else { Kind::Lost { count: 0, last: 0 } };
        Waited { account, author, kind, seq }
    }

    /// The notice for its author, if any.
    pub(super) fn arrival(self) -> Option<Arrival> {
        let Self { account, name, author, is_said, seq } = self;
        let author = author.filter(|author| is_said && *author != account)?;
        Some(Arrival { author, account, name, count: 1, last: seq, is_lost: true })
    }
}

impl Message {
    /// The parts that were counted as waiting.
    pub fn waited(&self) -> impl Iterator<Item = Waited> {
        let mail = self.mail.iter().filter(|mail| mail.waits);
        mail.map(|mail| Waited {
            account: mail.account.clone(),
            author: self.author.clone(),
            kind: self.kind,
            seq: self.seq,
        })
    }
}

impl Waiting {
    /// Loads the counts from an archive, whose latest number is `seq`.
    pub(super) fn new(waiting: Vec<Waits>, seq: u64, is_new: impl Fn(Option<&Account>) -> bool) -> Self {
        let mut all = Self::default();
        for Waits { account, author, is_said, count } in waiting {
            let id = is_said.then(|| all.author(&account, author.as_ref())).flatten();
            all.add(&account, id, is_new(author.as_ref()), count);
            if let Some(mailbox) = all.mailboxes.get_mut(&account) {
                (mailbox.first, mailbox.last) = (0, seq);
            }
        }
        all
    }

    pub(super) fn count(&self, account: &Account) -> u32 {
        self.mailboxes.get(account).map_or(0, |mailbox| mailbox.count)
    }

    /// Whether one more message can wait for the account.
    pub(super) fn check(
        &self,
        account: &Account,
        author: Option<&Account>,
        is_new: bool,
    ) -> Result<(), MailboxLimit> {
        let mailbox = self.mailboxes.get(account);
        if mailbox.is_some_and(|mailbox| mailbox.count >= MAX_WAITING) {
            return Err(MailboxLimit::Mailbox);
        }
        // Messages to oneself have no author limit.
        let Some(id) = self.author(account, author) else { return Ok(()) };
        let theirs = mailbox.and_then(|mailbox| mailbox.authors.iter().find(|author| author.id == id));
        if theirs.is_some_and(|author| author.count >= MAX_WAITING_OF_AUTHOR_FOR_ONE) {
            return Err(MailboxLimit::Theirs);
        }
        if self.authors.get(&id).is_some_and(|count| *count >= MAX_WAITING_OF_AUTHOR) {
            return Err(MailboxLimit::TheirsForAll);
        }
        let is_full = mailbox.is_some_and(|mailbox| mailbox.newcomers >= MAX_WAITING_OF_NEWCOMERS_FOR_ONE);
        match is_new && (is_full || self.newcomers >= MAX_WAITING_OF_NEWCOMERS) {
            true => Err(MailboxLimit::Newcomers),
            false => Ok(()),
        }
    }

    /// Counts a message in each mailbox where it waits.
    pub(super) fn count_message(&mut self, message: &Message, is_new: bool) {
        for Waited { account, author, kind, seq } in message.waited() {
            let id = self.author_of(&account, author.as_ref(), kind);
            self.add(&account, id, is_new, 1);
            if let Some(mailbox) = self.mailboxes.get_mut(&account) {
                mailbox.first = if mailbox.count == 1 { seq } else { mailbox.first };
                mailbox.last = seq;
            }
        }
    }

    /// Undoes the count of a message that does not wait after all: it was a repeat or could not be stored.
    pub(super) fn take_back(&mut self, waited: &Waited) {
        let id = self.author_of(&waited.account, waited.author.as_ref(), waited.kind);
        let Some(mailbox) = self.mailboxes.get_mut(&waited.account) else { return };
        // Otherwise it was counted before the owner received everything.
        if waited.seq < mailbox.first {
            return;
        }
        mailbox.count = mailbox.count.saturating_sub(1);
        let author = mailbox.authors.iter_mut().find(|author| Some(author.id) == id);
        if let Some(author) = author.filter(|author| author.count > 0) {
            author.count -= 1;
            let newcomers = u32::from(author.is_new);
            mailbox.newcomers -= newcomers;
            self.newcomers -= newcomers;
            lower(&mut self.authors, author.id, 1);
        }
        mailbox.authors.retain(|author| author.count > 0);
        if mailbox.count == 0 {
            self.mailboxes.remove(&waited.account);
        }
    }

    /// The owner has received all mail up to that number. Returns whether anything may have waited.
    pub(super) fn take(&mut self, account: &Account, upto: u64) -> bool {
        let Some(mailbox) = self.mailboxes.get(account) else { return false };
        if upto >= mailbox.last
            && let Some(mailbox) = self.mailboxes.remove(account)
        {
            self.newcomers -= mailbox.newcomers;
            for author in mailbox.authors {
                lower(&mut self.authors, author.id, author.count);
            }
        }
        true
    }

    fn add(&mut self, account: &Account, id: Option<AuthorId>, is_new: bool, count: u32) {
        let mailbox = self.mailboxes.entry(account.clone()).or_default();
        mailbox.count = mailbox.count.saturating_add(count);
        let Some(id) = id else { return };
        let at = mailbox.authors.iter().position(|author| author.id == id).unwrap_or_else(|| {
            mailbox.authors.push(Author { id, count: 0, is_new });
            mailbox.authors.len() - 1
        });
        let author = &mut mailbox.authors[at];
        let before = if author.is_new { author.count } else { 0 };
        author.count = author.count.saturating_add(count);
        author.is_new = is_new;
        let after = if is_new { author.count } else { 0 };
        mailbox.newcomers = mailbox.newcomers - before + after;
        self.newcomers = self.newcomers - before + after;
        *self.authors.entry(id).or_default() += count;
    }

    fn author_of(&self, account: &Account, author: Option<&Account>, kind: Kind) -> Option<AuthorId> {
        // The server is not an author.
        kind.is_said().then(|| self.author(account, author)).flatten()
    }

    /// All authors without key and token count as one; `None` for a person's own mailbox.
    fn author(&self, account: &Account, author: Option<&Account>) -> Option<AuthorId> {
        (author != Some(account)).then(|| self.hasher.hash_one(author))
    }
}

fn lower(authors: &mut HashMap<AuthorId, u32>, id: AuthorId, count: u32) {
    if let Some(left) = authors.get_mut(&id) {
        *left = left.saturating_sub(count);
        if *left == 0 {
            authors.remove(&id);
        }
    }
}

#[cfg(any(test, fuzzing))]
impl Waiting {
    pub(super) fn check_sums(&self) {
        let mut authors: HashMap<AuthorId, u32> = HashMap::new();
        let mut newcomers = 0;
        for mailbox in self.mailboxes.values() {
            let new = mailbox.authors.iter().filter(|author| author.is_new).map(|author| author.count);
            assert_eq!(mailbox.newcomers, new.sum::<u32>());
            assert!(mailbox.count >= mailbox.authors.iter().map(|author| author.count).sum::<u32>());
            newcomers += mailbox.newcomers;
            for author in &mailbox.authors {
                assert!(author.count > 0);
                *authors.entry(author.id).or_default() += author.count;
            }
        }
        assert_eq!((&self.authors, self.newcomers), (&authors, newcomers));
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.mailboxes.is_empty() && self.authors.is_empty() && self.newcomers == 0
    }
}
