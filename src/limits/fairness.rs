//! What one person may do to many: paces, news to others, and other people's mailboxes.

use std::time::Duration;

/// Messages a second that somebody may send for as long as they like, unless `--rate-limit` says
/// otherwise: faster than anybody types. A key pays, or a token, with all its names and sessions; who has
/// neither pays as the user they are. Beyond it their messages wait.
pub const DEFAULT_RATE_PER_SECOND: u32 = 5;

/// Messages that they may send at once before that pace holds: a pasted page goes through.
pub const DEFAULT_RATE_BURST: u32 = 20;

/// How many times that pace one address may send, whoever it is there: a room of people behind one router.
/// Beyond it those who are new to the server wait, and others with what is more than [`SHARE_PER_SECOND`].
pub const PACES_PER_ADDRESS: u32 = 10;

/// How many times that pace one network may send, its 40 busiest addresses. Beyond it the addresses wait that
/// send more than one person may. With the [shares](SHARE_PER_SECOND) there, which are no more than one
/// address's pace, it is 250 messages a second of 760 bytes at the most, which a link of 200 kB/s carries.
pub const PACES_PER_NETWORK: u32 = 40;

/// How many times that burst either may send at once: 200 people behind one router come back, with some packets
/// each. In messages of 760 bytes it is less than the backlog of somebody who reads slowly.
pub const BURSTS_TOGETHER: u32 = 50;

/// Messages a second that nobody can take from somebody who has had a name for [`super::NAME_TRIED`], however
/// much others at their address send: as fast as anybody chats.
pub const SHARE_PER_SECOND: u32 = 1;

/// The same at once.
pub const SHARE_BURST: u32 = 10;

/// How long a message may be, in those that it counts as, of somebody who sends little: such messages share what
/// their address may send with each other alone, so that a flood of long ones there does not hold them up.
pub const LITTLE: u64 = 2;

/// How much of what an address or a network may send those have in all who send little, in percent, and a quarter of what may be sent there at
/// once; the rest is for those who send much.
pub const LITTLE_PERCENT: u64 = 80;

/// How many somebody may have sent lately who sends little: what comes back after a second.
pub const LITTLE_BURST: u32 = 5;

/// First packets of an encrypted connection, before it has a name, that do not wait for others at their
/// address: its handshake has waited, and whoever floods must keep nobody out. A client asks who is there, and says hello.
pub const FIRST_PACKETS: u8 = 3;

/// Bytes of text, as JSON writes it, that count as one message for the pace, so that long texts are no way
/// around it.
pub const PACE_UNIT_BYTES: usize = 512;

/// Bytes of a frame that count as one message, whatever is in it: it is parsed all the same.
pub const PACE_FRAME_BYTES: usize = 4096;

/// Longest pause that a reader is told at a time; it asks again then, as the rules may have changed.
pub const MAX_PAUSE: Duration = Duration::from_secs(1);

/// How long somebody must not have been slowed down before it is told again.
pub const PAUSE_TOLD_AGAIN: Duration = Duration::from_secs(10);

/// Comings, name changes, first messages to somebody, and rooms joined or topics set, each, that somebody may
/// do a minute, with all names and sessions of a key or token: each of them is news to others, who cannot
/// ignore what they do not know yet. Beyond it they are refused.
pub const NEWS_PER_MINUTE: u32 = 6;

/// Name changes and first messages that they may do at once.
pub const NEWS_BURST: u32 = 6;

/// Comings at once: a client on a bad radio link comes back that often.
pub const JOIN_BURST: u32 = 10;

/// People whose pace is remembered, and news of people. Those who could do most are forgotten first, so that
/// this holds more than everybody who comes within a minute.
pub const MAX_JOIN_BUCKETS: usize = 32_768;

/// People whom somebody has written to and may write to at any time; the oldest is forgotten.
pub const MAX_CORRESPONDENTS: usize = 128;

/// People who have left of whom these are remembered, for a script that comes for each message; who left
/// first is forgotten. They take 2 kB each at the most.
pub const MAX_LEFT_REMEMBERED: usize = 1024;

/// Most users that a message to an address may be for: it lies in the mail of each. It counts as a message
/// to each for the pace, so that more would make its author wait for longer than anybody does.
pub const MAX_ADDRESSED: usize = 64;

/// Sessions that are looked at for one message of a pace, to find those of an address.
pub const SESSIONS_LOOKED_AT: usize = 256;

/// Messages that may wait for somebody who is away: a person's holiday, and no store for a flood. This and
/// what follows is refused beyond it (`mailbox_full`), to whoever writes more, and nothing is removed.
pub const MAX_WAITING: u32 = 1000;

/// Of those, by one author (a key or token; all who have neither): so that it takes many to fill a mailbox.
pub const MAX_WAITING_OF_AUTHOR_FOR_ONE: u32 = 100;

/// Messages of one author that may wait for all who are away.
pub const MAX_WAITING_OF_AUTHOR: u32 = 1000;

/// Messages that may wait for somebody by all who are new here, not having had a name for
/// [`super::NAME_TRIED`]: keys are free, and those who are known must find room.
pub const MAX_WAITING_OF_NEWCOMERS_FOR_ONE: u32 = MAX_WAITING / 2;

/// Messages of newcomers that may wait for all who are away. What is counted of them takes 2 MB.
pub const MAX_WAITING_OF_NEWCOMERS: u32 = 100_000;
