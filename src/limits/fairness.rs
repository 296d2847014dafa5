//! Limits on what one person may do to many: paces, notifications, and other people's mailboxes.

use std::time::Duration;

/// Default pace: messages per second, for any length of time; faster than anyone types. A key or a token pays
/// for all its names and sessions, a client with neither for its own user. Further messages wait.
pub const DEFAULT_RATE_PER_SECOND: u32 = 5;

/// Default burst: messages at once before that pace applies, such as a pasted page.
pub const DEFAULT_RATE_BURST: u32 = 20;

/// How many times that pace one address may send: a room of people behind one router. Beyond it, newcomers
/// wait, and established users for all above [`SHARE_PER_SECOND`].
pub const PACES_PER_ADDRESS: u32 = 10;

/// How many times that pace one network may send, its 40 busiest addresses. Beyond it, addresses wait that
/// send more than one person may. With the [shares](SHARE_PER_SECOND), at most one address's pace, these are
/// up to 250 messages per second of 760 bytes, which a link of 200 kB/s carries.
pub const PACES_PER_NETWORK: u32 = 40;

/// How many times the burst an address or a network may send at once: 200 people behind one router return,
/// with some packets each. With messages of 760 bytes, it is less than a slow reader's backlog.
pub const BURSTS_TOGETHER: u32 = 50;

/// Messages per second that nobody can take from a user with a name for at least [`super::NAME_TRIED`],
/// however much others at their address send: as fast as people chat.
pub const SHARE_PER_SECOND: u32 = 1;

/// The burst of that share.
pub const SHARE_BURST: u32 = 10;

/// The most a message may cost, in messages, to count as from someone who sends little. Such messages have a
/// part of the address's pace to themselves, so a flood of long ones does not delay them.
pub const LITTLE: u64 = 2;

/// The part of an address's or network's pace for all who send little, in percent, with a quarter of its
/// burst; the rest is for those who send much.
pub const LITTLE_PERCENT: u64 = 80;

/// How many messages someone who sends little may have sent lately: it recovers within a second.
pub const LITTLE_BURST: u32 = 5;

/// First packets of an encrypted connection, before it has a name, that do not wait for others at their
/// address: its handshake has waited already, and a flood must keep nobody out. Clients ask who is online,
/// and say hello.
pub const FIRST_PACKETS: u8 = 3;

/// Bytes of text, as JSON, that cost as much as one message, so long texts do not evade the pace.
pub const PACE_UNIT_BYTES: usize = 512;

/// Bytes of a frame that cost as much as one message, whatever it contains: parsing costs time, too.
pub const PACE_FRAME_BYTES: usize = 4096;

/// The longest pause that a reader gets at a time. It asks again then, as the rules may have changed.
pub const MAX_PAUSE: Duration = Duration::from_secs(1);

/// How long a sender must not have waited before they get the notice again.
pub const PAUSE_TOLD_AGAIN: Duration = Duration::from_secs(10);

/// Arrivals, name changes, first messages to a user, and rooms joined or topics set, each per minute and per
/// key or token: each notifies other people, who cannot ignore someone new. Further ones are refused.
pub const NEWS_PER_MINUTE: u32 = 6;

/// The burst of name changes and first messages.
pub const NEWS_BURST: u32 = 6;

/// The burst of arrivals: a client on a bad radio link returns that often.
pub const JOIN_BURST: u32 = 10;

/// Most people whose pace and notifications are remembered. Those with the fullest buckets go first, so this
/// is more than enough for all who arrive within a minute.
pub const MAX_JOIN_BUCKETS: usize = 32_768;

/// Most recipients per author that are remembered as known; the oldest one goes first.
pub const MAX_CORRESPONDENTS: usize = 128;

/// Most departed users whose recipients are remembered, for scripts that connect for each message. The
/// earliest one goes first. Up to 2 kB each.
pub const MAX_LEFT_REMEMBERED: usize = 1024;

/// Most recipients of a message to an address: it is in each one's mail, and costs a message for each. With
/// more, its author would wait longer than anyone does.
pub const MAX_ADDRESSED: usize = 64;

/// Sessions to search for an address at the cost of one message.
pub const SESSIONS_LOOKED_AT: usize = 256;

/// Messages that may wait for one person: enough for a holiday, too few for a flood. The server refuses more
/// (`mailbox_full`) and removes nothing.
pub const MAX_WAITING: u32 = 1000;

/// Of those, by one author (a key, a token, or everyone with neither), so filling a mailbox takes many.
pub const MAX_WAITING_OF_AUTHOR_FOR_ONE: u32 = 100;

/// Messages by one author that may wait for all recipients.
pub const MAX_WAITING_OF_AUTHOR: u32 = 1000;

/// Messages by newcomers, without a name for at least [`super::NAME_TRIED`], that may wait for one person:
/// keys cost nothing to make, and established users must find room.
pub const MAX_WAITING_OF_NEWCOMERS_FOR_ONE: u32 = MAX_WAITING / 2;

/// Messages by newcomers that may wait for all recipients. Their counts take 2 MB.
pub const MAX_WAITING_OF_NEWCOMERS: u32 = 100_000;

/// Most keys of which the server remembers that they are in use under several names at once. The earliest
/// one goes first. Up to 2 kB each.
pub const MAX_SHARED_KEYS: usize = 1024;

/// Most names that the server remembers of such a key: a class of machines made from one image. The earliest
/// one goes first.
pub const MAX_NAMES_OF_SHARED_KEY: usize = 40;
