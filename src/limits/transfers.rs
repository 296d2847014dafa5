//! Limits on files that people send each other.

use std::time::Duration;

/// Longest name of an offered file, in bytes, as on most file systems.
pub const MAX_FILE_NAME_BYTES: usize = 255;

/// Offers that a user may have open at a time. More are refused: `too_many_offers`.
pub const MAX_OFFERS_PER_USER: usize = 32;

/// Offers that may be open in all. More are refused: `too_many_offers`. Once half of these are open, the bounds per
/// user and address shrink with the rest, and the users of a network may have twice as many as are left, so that others
/// find a place.
pub const MAX_OFFERS: usize = 4096;

/// Offers that the server tells a user of who comes: those to the user first, then those to the user's rooms; of
/// these, the first of each sender, then the second ones, so that nobody's offers hide those of others.
pub const OFFERS_TOLD: usize = 32;

/// Transfers that a user may take part in at a time, in either direction. More are refused: `too_many_transfers`.
pub const MAX_TRANSFERS_PER_USER: usize = 8;

/// Transfers at a time, unless `--max-transfers` says otherwise, at all servers of a chat together. Each takes two connections and up to 256 KiB. Once
/// half of these run, the bounds per user and address shrink with the rest, and the users of a network may have twice
/// as many as are left.
pub const DEFAULT_MAX_TRANSFERS: usize = 64;

/// One in this many transfers is reserved for those with an established user on one side, who has had a name for at
/// least [`NAME_TRIED`](super::NAME_TRIED): keys and addresses cost little.
pub const TRANSFERS_PER_KEPT: usize = 4;

/// How long a token of an accepted offer admits a connection, and how long one side waits for the other.
pub const TRANSFER_MEETING: Duration = Duration::from_secs(20);

/// How long a transfer may pass nothing on before it ends: `cut`. Both sides send signs of life while they work.
pub const TRANSFER_SILENCE: Duration = Duration::from_secs(60);

/// How long a side of a transfer may only give signs of life while the other waits for its bytes, or take no bytes.
/// Enough for a disk that wakes up; without a bound, one peer could hold all transfers of a user.
pub const TRANSFER_STALL: Duration = Duration::from_secs(600);

/// The same while a sender may check what the receiver has, or waits for a program that writes the stream.
pub const TRANSFER_LONG_STALL: Duration = Duration::from_secs(3600);

/// The slowest disk to wait for while the other side reads or stores what it has, in bytes per second.
pub const SLOWEST_CHECK: u64 = 20 * 1024 * 1024;

/// Most data in a record of a transfer, in bytes.
pub const TRANSFER_STEP_BYTES: usize = 64 * 1024;

/// Most to read from one side of a transfer before it is written to the other, in bytes. Only that much waits in the
/// server; a side that does not read stops the other.
pub const RELAY_STEP_BYTES: usize = 64 * 1024;

/// Names on the way to a file in an offered folder. No file system needs more for what people send.
pub const MAX_PATH_PARTS: usize = 64;

/// Longest such name, in bytes: 255 units of UTF-16, which Windows allows, take up to 765 bytes of UTF-8.
pub const MAX_PATH_PART_BYTES: usize = 1024;

/// Files and empty folders in an offer. Each takes some hundred bytes in the memory of both clients.
pub const MAX_OFFERED_ENTRIES: usize = 100_000;

/// How often a side of a transfer that has nothing to send gives a sign of life.
pub const TRANSFER_SIGN: Duration = Duration::from_secs(10);

/// Disk space that a received file leaves free, in bytes, so that the receiver's other programs go on.
pub const DISK_RESERVE_BYTES: u64 = 16 * 1024 * 1024;

/// How much a receiver writes before it looks at the free space again, in bytes.
pub const SPACE_CHECK_BYTES: u64 = 8 * 1024 * 1024;

/// Accepted files that a client remembers, to resume them. The oldest finished ones make room for others; while all
/// are unfinished, it accepts no other.
pub const MAX_ACCEPTED_FILES: usize = 256;

/// Of these, unfinished ones from one sender, so that nobody takes all places. Further offers of theirs are declined:
/// `busy`.
pub const MAX_UNFINISHED_PER_SENDER: usize = 32;

/// The same for all senders without a key together: names cost nothing.
pub const MAX_UNFINISHED_WITHOUT_KEY: usize = 64;

/// How long a client keeps an unfinished file for its sender to resume.
pub const UNFINISHED_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a client answers a repeated offer of what it has received with what it has, for a sender who missed the
/// end.
pub const FINISHED_KNOWN: Duration = Duration::from_secs(120);

/// Names that a received file tries if its own is taken: `plan (2).pdf` and so on.
pub const MAX_FREE_NAMES: u32 = 1000;

/// Above this many open offers, only established users offer, those with a name for at least
/// [`NAME_TRIED`](super::NAME_TRIED): keys cost nothing to make.
pub const MAX_OFFERS_OF_NEWCOMERS: usize = MAX_OFFERS / 4 * 3;

/// Offers that all users on the server's own machine may have open at a time.
pub const MAX_OFFERS_OF_OWN_MACHINE: usize = MAX_OFFERS / 2;

/// Offers that all users at an address may have open at a time. Once half of these are open, the bound per user there
/// shrinks with the rest.
pub const MAX_OFFERS_PER_ADDRESS: usize = 256;

/// Transfers that all users at an address may take part in at a time; the server's own machine has no such limit.
pub const MAX_TRANSFERS_PER_ADDRESS: usize = 32;

/// Memory for a transfer, in bytes: at most one step per direction as it came or encrypted, unfinished records of
/// both sides, and the task. The budget of `--memory` counts it from the transfer's start.
pub const TRANSFER_MEMORY_BYTES: usize = 256 * 1024;

/// Bytes that the system may hold per connection of a transfer and direction, so that a fast link is used whole.
pub const TRANSFER_SOCKET_BYTES: usize = 512 * 1024;

/// Bytes that a transfer may pass on beyond `--max-file`, as files travel in records.
pub const TRANSFER_OVERHEAD_BYTES: u64 = 256 * 1024;

/// Besides that, one byte for so many.
pub const TRANSFER_OVERHEAD_SHARE: u64 = 256;

/// Besides that, for each file, in bytes: its name and its hash. Counts at most 65,535 files.
pub const TRANSFER_OVERHEAD_OF_FILE: u64 = 512;

/// With `--file-rate`, a transfer reads at most its share of so long at a time, so that none waits long.
pub const TRANSFER_TURN: Duration = Duration::from_secs(1);

/// The smallest share of `--file-rate` per transfer, in bytes per second; more transfers are refused:
/// `too_many_transfers`. An encrypted record of 16 KiB then passes in half of [`TRANSFER_SILENCE`], after which a client
/// takes the other side for dead.
pub const MIN_TRANSFER_RATE: u64 = 512;

/// Bytes that may be under way between the clients when the sender has sent all. At [`MIN_TRANSFER_RATE`], these take
/// two hours, for which the sender waits.
pub const TRANSFER_FLIGHT_BYTES: u64 = 4 * 1024 * 1024;

/// The slowest `--file-rate`, in bytes per second: one record.
pub const MIN_FILE_RATE: u64 = TRANSFER_STEP_BYTES as u64;
