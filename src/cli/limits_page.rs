//! A server's limits, as its man page and docs/limits.md list them. The values come from [`limits`], so that both
//! pages stay correct.

use std::time::Duration;

use super::pages::Paragraph;
use super::values::Size;
use crate::limits;
use crate::protocol::Term;

/// A limit, described for administrators.
struct Limit {
    what: &'static str,
    value: String,
    /// Who is charged for it.
    charged: &'static str,
    /// What happens beyond it.
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
pub fn table() -> String {
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
    [people(), strangers(), resources()].into_iter().flatten().collect()
}

/// Limits on what users do.
fn people() -> Vec<Limit> {
    vec![
        Limit {
            what: "message",
            value: format!(
                "{} bytes of UTF-8; a packet: {}, complete within {} of its first byte.",
                limits::MAX_TEXT_BYTES,
                size(limits::MAX_FRAME_BYTES),
                span(limits::FRAME_TIMEOUT)
            ),
            charged: "the connection",
            beyond: "the server refuses the text (`too_long`); a longer or incomplete packet ends the connection",
        },
        Limit {
            what: "pace of messages",
            value: format!(
                "{} per second and {} at once (--rate-limit); {} times that per address, {} times that per network. A text counts once per {} bytes, a packet once per {}, a message to an address once per user there, up to {}.",
                limits::DEFAULT_RATE_PER_SECOND,
                limits::DEFAULT_RATE_BURST,
                limits::PACES_PER_ADDRESS,
                limits::PACES_PER_NETWORK,
                limits::PACE_UNIT_BYTES,
                size(limits::PACE_FRAME_BYTES),
                limits::MAX_ADDRESSED
            ),
            charged: "the key or token with all its names and sessions; its address; its network",
            beyond: "the messages wait; none is lost",
        },
        Limit {
            what: "share of the pace",
            value: format!(
                "{} per second and {} at once for each user who has owned a name for {}; an address has the pace of \
                 one person; {} % of what an address or network may send goes first to users who send little.",
                limits::SHARE_PER_SECOND,
                limits::SHARE_BURST,
                span(limits::NAME_TRIED),
                limits::LITTLE_PERCENT
            ),
            charged: "the key; the address",
            beyond: "nobody else can use it: users wait only for their own address and network",
        },
        Limit {
            what: "name changes, first messages to a user, joins, rooms joined",
            value: format!(
                "{} per minute and kind, {} at once ({} joins or rooms).",
                limits::NEWS_PER_MINUTE,
                limits::NEWS_BURST,
                limits::JOIN_BURST
            ),
            charged: "the key or token with all its names",
            beyond: "the server refuses (`rate_limited`)",
        },
        Limit {
            what: "names owned",
            value: format!(
                "{} per key; {} new ones per hour and address, {} per hour and IPv6 network; {} in all. Kept {} after the last use, {} if used for less than {}.",
                limits::NAMES_PER_KEY,
                limits::NEW_NAMES_PER_HOUR,
                limits::NEW_NAMES_PER_HOUR * limits::ADDRESSES_PER_NETWORK,
                limits::MAX_OWNED_NAMES,
                span(limits::NAME_KEPT),
                span(limits::NAME_KEPT_TRIED),
                span(limits::NAME_TRIED)
            ),
            charged: "the key; its address",
            beyond: "the user may use the name but does not own it, and learns that; in a full table, names used only briefly go first",
        },
        Limit {
            what: "messages waiting for an offline user",
            value: format!(
                "{}; {} by one author, {} by all authors who have not owned a name for {}. For all offline users together: {} by one author.",
                limits::MAX_WAITING,
                limits::MAX_WAITING_OF_AUTHOR_FOR_ONE,
                limits::MAX_WAITING_OF_NEWCOMERS_FOR_ONE,
                span(limits::NAME_TRIED),
                limits::MAX_WAITING_OF_AUTHOR
            ),
            charged: "the author; all newcomers together",
            beyond: "the server refuses (`mailbox_full`); waiting messages stay, and known people still have room",
        },
        Limit {
            what: "ids of messages that were delivered without being stored",
            value: format!(
                "{} per author, {} in all; of stored messages, the newest {} with one id.",
                limits::MAX_PASSED_OF_AUTHOR,
                limits::MAX_PASSED,
                limits::SAME_ID_LOOKED_AT
            ),
            charged: "the key or token",
            beyond: "the server forgets the oldest id of the author with the most, and delivers that message again if it is sent again",
        },
        Limit {
            what: "history and search requests",
            value: format!(
                "{} history and {} search requests wait per session, {} of either kind per address, {} in all. A search takes at most {} ms.",
                limits::MAX_ASKED,
                limits::MAX_SEARCHES,
                limits::ASKED_PER_ADDRESS,
                limits::ASKED_WAITING,
                limits::SEARCH_TIME.as_millis()
            ),
            charged: "the session; its address",
            beyond: "the server refuses (`rate_limited`)",
        },
        Limit {
            what: "time to read the history",
            value: format!(
                "The address that has used the least is next; after a request, it waits {} times as long as the request took, less {}.",
                limits::ASKED_REST,
                span(limits::ASKED_SPARED)
            ),
            charged: "the address, and within it the key",
            beyond: "its requests wait; those of others go first",
        },
        Limit {
            what: "history",
            value: format!(
                "{} and {} (--retain, --retain-size); a returning user gets the latest {} messages.",
                span(limits::DEFAULT_RETAIN),
                Size(limits::DEFAULT_RETAIN_BYTES),
                limits::RESUME_MAX
            ),
            charged: "by size: the author with the most stored data",
            beyond: "the server removes the oldest messages; by size, it never removes undelivered ones, and refuses more once these take half (`mailbox_full`)",
        },
        Limit {
            what: "a clock that is ahead",
            value: format!(
                "Messages, names, bans and mutes age by at most {} because of it, plus {} times the time that the server runs if the clock is at most {} ahead, or once that time if it is further ahead. A clock that is set while the server runs counts after {}.",
                span(limits::CLOCK_CREDIT),
                limits::CLOCK_EARNED,
                span(limits::CLOCK_ABSENCE),
                span(limits::CLOCK_BELIEVED)
            ),
            charged: "the server",
            beyond: "the log and operators learn of it; the server deletes nothing because of it. After the machine was off for long, the server deletes late",
        },
        Limit {
            what: "rooms",
            value: format!(
                "{} per user, {} in all with {} memberships; the last quarter is for users who have owned a name for {}. A name: {} characters; a topic: {} bytes.",
                limits::MAX_ROOMS_PER_USER,
                limits::MAX_ROOMS,
                limits::MAX_MEMBERSHIPS,
                span(limits::NAME_TRIED),
                limits::MAX_ROOM_NAME_CHARS,
                limits::MAX_TOPIC_BYTES
            ),
            charged: "the key or token; all newcomers together",
            beyond: "the server refuses (`too_many_rooms`); members whose names have expired make room",
        },
    ]
}

/// Limits on connections.
fn strangers() -> Vec<Limit> {
    vec![
        Limit {
            what: "connections",
            value: format!(
                "{} (--max-clients), or as many as descriptors allow; 1 in {} is reserved for keys that own a name or belong to a member or operator, {} per key.",
                limits::DEFAULT_MAX_CLIENTS,
                limits::PLACES_PER_KEPT,
                limits::CONNECTIONS_PER_KNOWN_KEY
            ),
            charged: "all strangers together; the known key",
            beyond: "the server refuses (`server_full`); on a full server, strangers give way to known keys, those from the heaviest network first",
        },
        Limit {
            what: "connections from one address",
            value: format!(
                "Half of those left, but always {} (--max-per-ip). A network: {} times those left, but always {} per address, up to {} times the address limit. Connections from this machine do not count.",
                limits::DEFAULT_MAX_PER_ADDRESS,
                limits::NETWORK_FACTOR,
                limits::LIGHT_CONNECTIONS,
                limits::ADDRESSES_PER_NETWORK
            ),
            charged: "the address; its network (24 bits of IPv4, 64 of IPv6)",
            beyond: "the server admits only known keys",
        },
        Limit {
            what: "connections that wait for a decision on a full server",
            value: format!("{} at a time, for {} each.", limits::MAX_KNOCKING, span(limits::KNOCK_TIMEOUT)),
            charged: "all together; the heaviest network",
            beyond: "the server closes the oldest one from that network",
        },
        Limit {
            what: "handshakes",
            value: format!(
                "{} at a time, {} per network, {} per address; {} per second, {} per second and network, {} per second and address.",
                limits::HANDSHAKES_IN_PROGRESS,
                limits::HANDSHAKES_IN_PROGRESS_PER_NETWORK,
                limits::HANDSHAKES_IN_PROGRESS_PER_ADDRESS,
                limits::HANDSHAKES_PER_SECOND,
                limits::HANDSHAKES_PER_NETWORK,
                limits::HANDSHAKES_PER_ADDRESS
            ),
            charged: "the address; its network",
            beyond: "they wait; addresses with few handshakes go first",
        },
        Limit {
            what: "time to connect",
            value: format!(
                "{} to the first byte, {} to the end of the handshake ({} while others wait) in {}, {} to the first packet.",
                span(limits::FIRST_BYTE_TIMEOUT),
                span(limits::TLS_TIMEOUT),
                span(limits::TLS_TIMEOUT_CROWDED),
                size(limits::MAX_HANDSHAKE_BYTES),
                span(limits::REGISTRATION_TIMEOUT)
            ),
            charged: "the connection",
            beyond: "the server closes the connection",
        },
        Limit {
            what: "attempts at a passphrase",
            value: format!(
                "{} per minute and address, {} per minute and network ({} at once), {} per minute in all; half is reserved for addresses without attempts. A correct passphrase does not count.",
                limits::TRIES_PER_ADDRESS,
                limits::TRIES_PER_NETWORK,
                limits::TRY_BURST_PER_NETWORK,
                limits::TRIES_PER_MINUTE
            ),
            charged: "the address; its network",
            beyond: "the server refuses (`rate_limited`); members need no passphrase",
        },
        Limit {
            what: "attempts at the operator code",
            value: format!(
                "{} per network, {} in all, within {} of the server's start.",
                limits::OPERATOR_CODE_TRIES,
                limits::OPERATOR_CODE_TRIES_IN_ALL,
                span(limits::OPERATOR_CODE_TIME)
            ),
            charged: "the network",
            beyond: "the server ignores further attempts from that network; beyond the total, the code is void, but the console can still appoint operators",
        },
        Limit {
            what: "penalties",
            value: format!(
                "From the third offence in a row (above {}), for at most {}; not for this machine's own address.",
                span(limits::PENALTY_ENFORCED_ABOVE),
                span(limits::PENALTY_MAX)
            ),
            charged: "the address",
            beyond: "the server keeps its strangers out, but admits known keys",
        },
    ]
}

/// Limits on the server's resources.
fn resources() -> Vec<Limit> {
    vec![
        Limit {
            what: "data waiting for a slow client",
            value: format!(
                "{} (--backlog); the client must read {} of it, or all, within {}.",
                size(limits::DEFAULT_BACKLOG_BYTES),
                size(limits::BACKLOG_STEP_BYTES),
                span(limits::BACKLOG_STALL)
            ),
            charged: "the connection",
            beyond: "the server closes the connection (`slow_consumer`)",
        },
        Limit {
            what: "data from a client that has closed its connection",
            value: format!("Read for {}, at the user's pace.", span(limits::LAST_WORDS)),
            charged: "the connection",
            beyond: "the server drops the rest (`rate_limited`)",
        },
        Limit {
            what: "memory for all waiting data",
            value: format!(
                "{} % of what the process may use (--memory; else the limit of its service or container, or {} % of the machine's memory).",
                limits::HELD_PERCENT,
                limits::MEMORY_OF_MACHINE_PERCENT
            ),
            charged: "all together; the heaviest network and address, and within it the heaviest key",
            beyond: "the server closes the connections with the most waiting data (`slow_consumer`, `server_full`)",
        },
        Limit {
            what: "memory of the process",
            value: format!("{} % of what the process may use.", limits::MEMORY_FULL_PERCENT),
            charged: "all together",
            beyond: "the server admits no strangers until memory is free",
        },
        Limit {
            what: "work under the lock in one step",
            value: format!(
                "{} rows of a list, {} members examined; see the bench `hold`.",
                limits::LIST_PORTION,
                limits::ROOMS_LOOKED_AT
            ),
            charged: "the session",
            beyond: "the rest waits until others have had their turn",
        },
        Limit {
            what: "bans and mutes",
            value: format!(
                "{}; operators: {}; members: {}.",
                limits::MAX_BANS,
                limits::MAX_OPERATORS,
                limits::MAX_MEMBERS
            ),
            charged: "operators; people who know the passphrase",
            beyond: "the server refuses; the oldest member needs the passphrase again",
        },
        Limit {
            what: "message of the day",
            value: format!("{}.", size(limits::MAX_MOTD_BYTES)),
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
