//! A server's limits, as its man page and docs/limits.md list them. The values come from [`crate::limits`], so
//! that both pages stay correct.

mod seen;
mod servers;

use std::time::Duration;

use super::pages::Paragraph;
use super::values::Size;
use crate::limits::*;
use crate::protocol::Term;

/// A limit, described for administrators.
struct Limit {
    what: &'static str,
    value: String,
    /// The party that is charged for it.
    charged: &'static str,
    /// The server's reaction beyond it.
    beyond: &'static str,
}

/// Returns the limits for the man page.
pub(super) fn paragraphs() -> Vec<Paragraph> {
    let text = |limit: &Limit| {
        // Backquotes are Markdown.
        let beyond = limit.beyond.replace('`', "");
        format!("{} Charged: {}. Beyond it: {beyond}.", limit.value, limit.charged)
    };
    limits().iter().map(|limit| (limit.what.to_owned(), text(limit))).collect()
}

/// Returns docs/limits.md.
pub fn limits_table() -> String {
    let mut text = String::from(
        "# A server's limits\n\nThe server bounds everything that one person could use up. This table shows each limit, \
         who is charged for\nit, and what happens beyond it, even to a person with many keys, connections and \
         addresses. The program prints\nthis page; `just docs` renews it.\n\n| what | limit | charged | beyond it \
         |\n| --- | --- | --- | --- |\n",
    );
    for Limit { what, value, charged, beyond } in limits() {
        text += &format!("| {what} | {value} | {charged} | {beyond} |\n");
    }
    text
}

fn limits() -> Vec<Limit> {
    [people(), files(), strangers(), browsers(), resources(), servers::servers(), seen::seen()]
        .into_iter()
        .flatten()
        .collect()
}

fn people() -> Vec<Limit> {
    vec![
        Limit {
            what: "message",
            value: format!(
                "{MAX_TEXT_BYTES} bytes of UTF-8; a packet: {}, complete within {} of its first byte.",
                size(MAX_FRAME_BYTES),
                span(FRAME_TIMEOUT)
            ),
            charged: "the connection",
            beyond: "the server refuses the text (`too_long`); a longer or incomplete packet ends the connection",
        },
        Limit {
            what: "pace of messages",
            value: format!(
                "{DEFAULT_RATE_PER_SECOND} per second and {DEFAULT_RATE_BURST} at once (--rate-limit); {PACES_PER_ADDRESS} times that per address, {PACES_PER_NETWORK} times that per network. A text counts once per {PACE_UNIT_BYTES} bytes, a packet once per {}, a message to an address once per user there, up to {MAX_ADDRESSED}.",
                size(PACE_FRAME_BYTES)
            ),
            charged: "the key or token with all its names and sessions; its address; its network",
            beyond: "the messages wait; none is lost",
        },
        Limit {
            what: "share of the pace",
            value: format!(
                "{SHARE_PER_SECOND} per second and {SHARE_BURST} at once for each user who has owned a name for {}; an address has the pace of \
                 one person; {LITTLE_PERCENT} % of what an address or network may send goes first to users who send little.",
                span(NAME_TRIED)
            ),
            charged: "the key; the address",
            beyond: "nobody else can use it: users wait only for their own address and network",
        },
        Limit {
            what: "name changes, first messages to a user, joins, rooms joined",
            value: format!(
                "{NEWS_PER_MINUTE} per minute and kind, {NEWS_BURST} at once ({JOIN_BURST} joins or rooms)."
            ),
            charged: "the key or token with all its names",
            beyond: "the server refuses (`rate_limited`)",
        },
        Limit {
            what: "names owned",
            value: format!(
                "{NAMES_PER_KEY} per key; {NEW_NAMES_AT_ONCE_NEARBY} new ones at once and then {NEW_NAMES_PER_HOUR_NEARBY} per hour for a private or link-local address or an IPv6 network, and on a closed server for any; otherwise {NEW_NAMES_PER_HOUR} per hour and address (`--new-names-per-hour`); {ADDRESSES_PER_NETWORK} times as many per network; {MAX_OWNED_NAMES} in all. Kept {} after the last use, {} if used for less than {}.",
                span(NAME_KEPT),
                span(NAME_KEPT_TRIED),
                span(NAME_TRIED)
            ),
            charged: "the key; its address",
            beyond: "the user may use the name but does not own it, and learns that; in a full table, names used only briefly go first",
        },
        Limit {
            what: "messages waiting for an offline user",
            value: format!(
                "{MAX_WAITING}; {MAX_WAITING_OF_AUTHOR_FOR_ONE} by one author, {MAX_WAITING_OF_NEWCOMERS_FOR_ONE} by all authors who have not owned a name for {}. For all offline users together: {MAX_WAITING_OF_AUTHOR} by one author.",
                span(NAME_TRIED)
            ),
            charged: "the author; all newcomers together",
            beyond: "the server refuses (`mailbox_full`); waiting messages stay, and known people still have room",
        },
        Limit {
            what: "keys remembered as in use under several names at once",
            value: format!("{MAX_SHARED_KEYS}, with {MAX_NAMES_OF_SHARED_KEY} names each."),
            charged: "everyone together",
            beyond: "the earliest one goes first: its next use under two names counts as the first one",
        },
        Limit {
            what: "ids of messages that were delivered without being stored",
            value: format!(
                "{MAX_PASSED_OF_AUTHOR} per author, {MAX_PASSED} in all; of stored messages, the newest {SAME_ID_LOOKED_AT} with one id."
            ),
            charged: "the key or token",
            beyond: "the server forgets the oldest id of the author with the most, and delivers that message again if it is sent again",
        },
        Limit {
            what: "history and search requests",
            value: format!(
                "{MAX_ASKED} history and {MAX_SEARCHES} search requests wait per session, {ASKED_PER_ADDRESS} of either kind per address, {ASKED_WAITING} in all. A search takes at most {} ms.",
                SEARCH_TIME.as_millis()
            ),
            charged: "the session; its address",
            beyond: "the server refuses (`rate_limited`)",
        },
        Limit {
            what: "time to read the history",
            value: format!(
                "The address that has used the least is next; after a request, it waits {ASKED_REST} times as long as the request took, less {}.",
                span(ASKED_SPARED)
            ),
            charged: "the address, and within it the key",
            beyond: "its requests wait; those of others go first",
        },
        Limit {
            what: "history",
            value: format!(
                "{} and {} (--retain, --retain-size); a returning user gets the latest {RESUME_MAX} messages.",
                span(DEFAULT_RETAIN),
                Size(DEFAULT_RETAIN_BYTES)
            ),
            charged: "by size: the author with the most stored data",
            beyond: "the server removes the oldest messages; by size, it never removes undelivered ones, and refuses more once these take half (`mailbox_full`)",
        },
        Limit {
            what: "messages that the search index does not have yet",
            value: format!(
                "{TAIL_MOST_ROWS}, or {} of text; a search checks the newest {SEARCH_TAIL} of them one by one.",
                Size(TAIL_MOST_BYTES as u64)
            ),
            charged: "everyone",
            beyond: "messages wait until the server has indexed as many; a search says that some are still being indexed",
        },
        Limit {
            what: "a clock that is ahead",
            value: format!(
                "Messages, names, bans and mutes age by at most {} because of it, plus {CLOCK_EARNED} times the time that the server runs if the clock is at most {} ahead, or once that time if it is further ahead. A clock that is set while the server runs counts after {}.",
                span(CLOCK_CREDIT),
                span(CLOCK_ABSENCE),
                span(CLOCK_BELIEVED)
            ),
            charged: "the server",
            beyond: "the log and operators learn of it; the server deletes nothing because of it. After the machine was off for long, the server deletes late",
        },
        Limit {
            what: "rooms",
            value: format!(
                "{MAX_ROOMS_PER_USER} per user, {MAX_ROOMS} in all with {MAX_MEMBERSHIPS} memberships; the last quarter is for users who have owned a name for {}. A name: {MAX_ROOM_NAME_CHARS} characters; a topic: {MAX_TOPIC_BYTES} bytes.",
                span(NAME_TRIED)
            ),
            charged: "the key or token; all newcomers together",
            beyond: "the server refuses (`too_many_rooms`); members whose names have expired make room",
        },
    ]
}

fn files() -> Vec<Limit> {
    vec![
        Limit {
            what: "offers of files",
            value: format!(
                "{MAX_OFFERS_PER_USER} open per user, {MAX_OFFERS_PER_ADDRESS} per address ({MAX_OFFERS_OF_OWN_MACHINE} on the server's machine), {MAX_OFFERS} in all. The users of a network may have at most twice as many as are left, so one network gets two thirds, and the last quarter of all is for established users, who have had a name for {} with a key. Once half of an address's or of all are open, the bounds shrink with the rest, so that others find a place. A name: {MAX_FILE_NAME_BYTES} bytes. The server tells a user who comes of {OFFERS_TOLD}: those of established users, the first of each first, then those of others.",
                span(NAME_TRIED)
            ),
            charged: "the key with all its names (without a key, the address); its address and network, where established users and others count apart",
            beyond: "the server refuses (`too_many_offers`)",
        },
        Limit {
            what: "transfers of files",
            value: format!(
                "{MAX_TRANSFERS_PER_USER} per user in either direction, {MAX_TRANSFERS_PER_ADDRESS} per address, {DEFAULT_MAX_TRANSFERS} in all (--max-transfers); once half of these run, the bounds per user and address shrink with the rest. Networks as for offers; the last quarter is for transfers with an established user on one side. Each has {} of memory and {} per connection and direction in the system. Sizes and the rate have no limit unless the administrator sets one (--max-file, with an allowance of 1/{TRANSFER_OVERHEAD_SHARE}, {} and {TRANSFER_OVERHEAD_OF_FILE} bytes per file; --file-rate, at least {}, of which all transfers get the same share every {}; it is enough for as many transfers as get {} per second each).",
                size(TRANSFER_MEMORY_BYTES),
                size(TRANSFER_SOCKET_BYTES),
                Size(TRANSFER_OVERHEAD_BYTES),
                Size(MIN_FILE_RATE),
                span(TRANSFER_TURN),
                Size(MIN_TRANSFER_RATE)
            ),
            charged: "both users; their addresses and networks",
            beyond: "the server refuses (`too_many_transfers`, `file_too_big`)",
        },
        Limit {
            what: "time of a transfer",
            value: format!(
                "{} for both sides to connect; {} without a byte; {} with only signs of life where bytes are due ({} for a stream or a check of earlier bytes; longer for big files, at {} per second). {} wait at most between the sides.",
                span(TRANSFER_MEETING),
                span(TRANSFER_SILENCE),
                span(TRANSFER_STALL),
                span(TRANSFER_LONG_STALL),
                Size(SLOWEST_CHECK),
                size(RELAY_STEP_BYTES)
            ),
            charged: "the transfer",
            beyond: "the server ends it (`cut`); the receiver may accept again. A side that does not read stops the other",
        },
    ]
}

fn strangers() -> Vec<Limit> {
    vec![
        Limit {
            what: "connections",
            value: format!(
                "{DEFAULT_MAX_CLIENTS} (--max-clients), or as many as descriptors allow; 1 in {PLACES_PER_KEPT} is reserved for keys that own a name or belong to a member or operator, {CONNECTIONS_PER_KNOWN_KEY} per key."
            ),
            charged: "all strangers together; the known key",
            beyond: "the server refuses (`server_full`); on a full server, strangers give way to known keys, those from the heaviest network first",
        },
        Limit {
            what: "connections from one address",
            value: format!(
                "Half of those left, but always {DEFAULT_MAX_PER_ADDRESS} (--max-per-ip). A network: {NETWORK_FACTOR} times those left, but always {LIGHT_CONNECTIONS} per address, up to {ADDRESSES_PER_NETWORK} times the address limit. Connections from this machine do not count."
            ),
            charged: "the address; its network (24 bits of IPv4, 64 of IPv6)",
            beyond: "the server admits only known keys",
        },
        Limit {
            what: "connections that wait for a decision on a full server",
            value: format!("{MAX_RESTRICTED} at a time, for {} each.", span(RESTRICTED_TIMEOUT)),
            charged: "all together; the heaviest network",
            beyond: "the server closes the oldest one from that network",
        },
        Limit {
            what: "handshakes",
            value: format!(
                "{HANDSHAKES_IN_PROGRESS} at a time, {HANDSHAKES_IN_PROGRESS_PER_NETWORK} per network, {HANDSHAKES_IN_PROGRESS_PER_ADDRESS} per address; {HANDSHAKES_PER_SECOND} per second, {HANDSHAKES_PER_NETWORK} per second and network, {HANDSHAKES_PER_ADDRESS} per second and address."
            ),
            charged: "the address; its network",
            beyond: "they wait; addresses with few handshakes go first",
        },
        Limit {
            what: "time to connect",
            value: format!(
                "{} to the first byte, {} to the end of the handshake ({} while others wait) in {}, {} to the first packet.",
                span(FIRST_BYTE_TIMEOUT),
                span(TLS_TIMEOUT),
                span(TLS_TIMEOUT_CROWDED),
                size(MAX_HANDSHAKE_BYTES),
                span(REGISTRATION_TIMEOUT)
            ),
            charged: "the connection",
            beyond: "the server closes the connection",
        },
        Limit {
            what: "attempts at a passphrase",
            value: format!(
                "{TRIES_PER_ADDRESS} per minute and address, {TRIES_PER_NETWORK} per minute and network ({TRY_BURST_PER_NETWORK} at once), {TRIES_PER_MINUTE} per minute in all; half is reserved for addresses without attempts. A correct passphrase does not count."
            ),
            charged: "the address; its network",
            beyond: "the server refuses (`rate_limited`); members need no passphrase",
        },
        Limit {
            what: "attempts at the operator code",
            value: format!(
                "{OPERATOR_CODE_TRIES} per network, {OPERATOR_CODE_TRIES_IN_ALL} in all, within {} of the server's start.",
                span(OPERATOR_CODE_TIME)
            ),
            charged: "the network",
            beyond: "the server ignores further attempts from that network; beyond the total, the code is void, but the console can still appoint operators",
        },
        Limit {
            what: "penalties",
            value: format!(
                "From the third offence in a row (above {}), for at most {}; not for this machine's own address.",
                span(PENALTY_ENFORCED_ABOVE),
                span(PENALTY_MAX)
            ),
            charged: "the address",
            beyond: "the server keeps its strangers out, but admits known keys",
        },
    ]
}

fn browsers() -> Vec<Limit> {
    vec![
        Limit {
            what: "requests of a browser (--web)",
            value: format!(
                "{WEB_REQUESTS} per connection; a head of {} and {WEB_HEADERS} headers, and a proof of {}, each within {}. A control frame: {MAX_CONTROL_BYTES} bytes. Answers: {} per second and address, {} per network, {} in all, and eight times that at once.",
                size(WEB_HEAD_BYTES),
                size(MAX_PROOF_BYTES),
                span(WEB_TIMEOUT),
                size(WEB_BYTES_PER_ADDRESS as usize),
                size(WEB_BYTES_PER_NETWORK as usize),
                size(WEB_BYTES as usize)
            ),
            charged: "the connection; answers: the address; its network",
            beyond: "the server closes the connection; a malformed head counts as misbehaviour; answers wait for a while",
        },
        Limit {
            what: "tickets to a closed server",
            value: format!("{MAX_TICKETS}, each for one use within {}.", span(TICKET_TIME)),
            charged: "all operators together",
            beyond: "the oldest ticket becomes invalid",
        },
        Limit {
            what: "certificate for browsers",
            value: format!(
                "{WEB_CERTIFICATE_DAYS} days; a start within the last {WEB_CERTIFICATE_RENEWED} makes a new one. A file of --web-cert or --web-key: {}.",
                size(MAX_WEB_CERTIFICATE_BYTES)
            ),
            charged: "the server",
            beyond: "browsers warn of the new certificate once",
        },
    ]
}

fn resources() -> Vec<Limit> {
    vec![
        Limit {
            what: "data waiting for a slow client",
            value: format!(
                "{} (--backlog); the client must read {} of it, or all, within {}.",
                size(DEFAULT_BACKLOG_BYTES),
                size(BACKLOG_STEP_BYTES),
                span(BACKLOG_STALL)
            ),
            charged: "the connection",
            beyond: "the server closes the connection (`slow_consumer`)",
        },
        Limit {
            what: "data from a client that has closed its connection",
            value: format!("Read for {}, at the user's pace.", span(LAST_WORDS)),
            charged: "the connection",
            beyond: "the server drops the rest (`rate_limited`)",
        },
        Limit {
            what: "memory for all waiting data",
            value: format!(
                "{HELD_PERCENT} % of what the process may use (--memory; else the limit of its service or container, or {MEMORY_OF_MACHINE_PERCENT} % of the machine's memory)."
            ),
            charged: "all together; the heaviest network and address, and within it the heaviest key",
            beyond: "the server closes the connections with the most waiting data (`slow_consumer`, `server_full`)",
        },
        Limit {
            what: "memory of the process",
            value: format!("{MEMORY_FULL_PERCENT} % of what the process may use."),
            charged: "all together",
            beyond: "the server admits no strangers until memory is free",
        },
        Limit {
            what: "work under the lock in one step",
            value: format!(
                "{LIST_PORTION} rows of a list, {ROOMS_LOOKED_AT} members examined; see the bench `hold`."
            ),
            charged: "the session",
            beyond: "the rest waits until others have had their turn",
        },
        Limit {
            what: "bans and mutes",
            value: format!("{MAX_BANS}; operators: {MAX_OPERATORS}; members: {MAX_MEMBERS}."),
            charged: "operators; people who know the passphrase",
            beyond: "the server refuses; the oldest member needs the passphrase again",
        },
        Limit {
            what: "message of the day",
            value: format!("{}.", size(MAX_MOTD_BYTES)),
            charged: "the server's administrator",
            beyond: "the server does not start",
        },
    ]
}

fn size(bytes: usize) -> Size {
    Size(bytes as u64)
}

fn span(span: Duration) -> String {
    Term::For(span).to_string()
}
