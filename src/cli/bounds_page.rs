//! The limits of a server as its man page lists them. Their values come from [`limits`], so that the
//! page cannot fall behind.

use std::time::Duration;

use super::pages::Entry;
use crate::limits;

/// What a server bounds, and what happens beyond it.
pub(super) fn limits() -> Vec<Entry> {
    let entry = |what: &str, value: String| (what.to_owned(), value);
    vec![
        entry(
            "message",
            format!(
                "{} bytes of UTF-8; a packet: {} KiB.",
                limits::MAX_TEXT_BYTES,
                limits::MAX_FRAME_BYTES / 1024
            ),
        ),
        entry("name", format!("{} characters; {} of a key.", limits::MAX_NAME_CHARS, limits::NAMES_PER_KEY)),
        entry(
            "names kept",
            format!(
                "{} days after their last use, {} if they were used for less than {}; {} in all, and {} new \
                 ones an hour of one address.",
                limits::NAME_KEPT.as_secs() / 86_400,
                span(limits::NAME_KEPT_TRIED),
                span(limits::NAME_TRIED),
                limits::MAX_OWNED_NAMES,
                limits::NEW_NAMES_PER_HOUR
            ),
        ),
        entry(
            "messages",
            format!(
                "{} a second and {} at once of each key or token, unless --rate-limit says otherwise; {} times \
                 that of an address and {} times that of a network. One of over {} bytes counts several times, \
                 one to an address as often as there are users, {} at the most. What is more waits its turn; who \
                 has had a name for {} does not wait for others, at {} a second and {} at once.",
                limits::DEFAULT_RATE_PER_SECOND,
                limits::DEFAULT_RATE_BURST,
                limits::PACES_PER_ADDRESS,
                limits::PACES_PER_NETWORK,
                limits::PACE_UNIT_BYTES,
                limits::MAX_ADDRESSED,
                span(limits::NAME_TRIED),
                limits::SHARE_PER_SECOND,
                limits::SHARE_BURST
            ),
        ),
        entry(
            "name changes, first messages to somebody, joins",
            format!(
                "{} a minute of each kind and key or token, and {} at once ({} joins).",
                limits::NEWS_PER_MINUTE,
                limits::NEWS_BURST,
                limits::JOIN_BURST
            ),
        ),
        entry(
            "history",
            format!(
                "{} days and {} MiB unless --retain and --retain-size say otherwise; somebody who comes back is \
                 given the latest {} messages of what they missed.",
                limits::DEFAULT_RETAIN.as_secs() / 86_400,
                limits::DEFAULT_RETAIN_BYTES >> 20,
                limits::RESUME_MAX
            ),
        ),
        entry(
            "questions that wait for an answer",
            format!(
                "{} to history and {} to search of a session, and {} of each of an address; a search takes {} ms \
                 at the most, and an address whose questions took a time rests {} times as long.",
                limits::MAX_ASKED,
                limits::MAX_SEARCHES,
                limits::ASKED_PER_ADDRESS,
                limits::SEARCH_TIME.as_millis(),
                limits::ASKED_REST
            ),
        ),
        entry(
            "waiting for somebody who is away",
            format!(
                "{} messages, of them {} by one key or token and {} by all who have not had a name for {}; for \
                 everybody {} by one.",
                limits::MAX_WAITING,
                limits::MAX_WAITING_OF_AUTHOR_FOR_ONE,
                limits::MAX_WAITING_OF_NEWCOMERS_FOR_ONE,
                span(limits::NAME_TRIED),
                limits::MAX_WAITING_OF_AUTHOR
            ),
        ),
        entry(
            "rooms",
            format!(
                "{}, {} of each user; a room's name: {} characters, its topic: {} bytes.",
                limits::MAX_ROOMS,
                limits::MAX_ROOMS_PER_USER,
                limits::MAX_ROOM_NAME_CHARS,
                limits::MAX_TOPIC_BYTES
            ),
        ),
        entry(
            "clients",
            format!(
                "{} unless --max-clients says otherwise, or what descriptors allow.",
                limits::DEFAULT_MAX_CLIENTS
            ),
        ),
        entry(
            "connections of one address",
            format!(
                "Half as many as there are places left, and {} in any case unless --max-per-ip says otherwise; \
                 of one network (the first 24 bits of an IPv4 address, 64 of an IPv6 address) {} times as many \
                 as there are places left, and the first {} of each address in any case, up to {} times that \
                 number. This machine's own are not counted.",
                limits::DEFAULT_MAX_PER_ADDRESS,
                limits::NETWORK_FACTOR,
                limits::LIGHT_CONNECTIONS,
                limits::ADDRESSES_PER_NETWORK
            ),
        ),
        entry(
            "kept places",
            format!(
                "1 in {} is kept for keys that own a name, or are a member's or an operator's; a key gets {} of \
                 them. If all are taken, strangers give way to these, {} a second, of the network and address \
                 with the most first.",
                limits::PLACES_PER_KEPT,
                limits::CONNECTIONS_PER_KNOWN_KEY,
                limits::GIVING_WAY_PER_SECOND
            ),
        ),
        entry("first byte of a connection", format!("Within {}.", span(limits::FIRST_BYTE_TIMEOUT))),
        entry(
            "handshake",
            format!(
                "Within {} ({} while others wait for their turn), and {} KiB; {} at a time ({} of one address, \
                 {} of one network), {} a second ({} of one address, {} at once; {} of one network, {} at \
                 once).",
                span(limits::TLS_TIMEOUT),
                span(limits::TLS_TIMEOUT_CROWDED),
                limits::MAX_HANDSHAKE_BYTES / 1024,
                limits::HANDSHAKES_IN_PROGRESS,
                limits::HANDSHAKES_IN_PROGRESS_PER_ADDRESS,
                limits::HANDSHAKES_IN_PROGRESS_PER_NETWORK,
                limits::HANDSHAKES_PER_SECOND,
                limits::HANDSHAKES_PER_ADDRESS,
                limits::HANDSHAKE_BURST_PER_ADDRESS,
                limits::HANDSHAKES_PER_NETWORK,
                limits::HANDSHAKE_BURST_PER_NETWORK
            ),
        ),
        entry("first packet", format!("Within {} after that.", span(limits::REGISTRATION_TIMEOUT))),
        entry(
            "tries at a passphrase or an operator's code",
            format!(
                "{} a minute of one address, {} of one network ({} at once), {} of all; one that is right does \
                 not count, and addresses that have tried already leave half to others. A code takes {} tries \
                 and {}.",
                limits::TRIES_PER_ADDRESS,
                limits::TRIES_PER_NETWORK,
                limits::TRY_BURST_PER_NETWORK,
                limits::TRIES_PER_MINUTE,
                limits::OPERATOR_CODE_TRIES,
                span(limits::OPERATOR_CODE_TIME)
            ),
        ),
        entry(
            "penalties",
            format!(
                "Addresses that fail again and again are kept out once more than {} have gathered, for {} at \
                 most, but for known keys; not this machine's own.",
                span(limits::PENALTY_ENFORCED_ABOVE),
                span(limits::PENALTY_MAX)
            ),
        ),
        entry(
            "waiting for a slow client",
            format!(
                "{} KiB unless --backlog says otherwise, and {} without reading {} KiB of it, or all.",
                limits::DEFAULT_BACKLOG_BYTES / 1024,
                span(limits::BACKLOG_STALL),
                limits::BACKLOG_STEP_BYTES / 1024
            ),
        ),
        entry(
            "memory",
            format!(
                "No new clients while {} % of what the process may use is taken.",
                limits::MEMORY_FULL_PERCENT
            ),
        ),
        entry(
            "bans and mutes",
            format!(
                "{}; operators: {}; members: {}.",
                limits::MAX_BANS,
                limits::MAX_OPERATORS,
                limits::MAX_MEMBERS
            ),
        ),
        entry("message of the day", format!("{} KiB.", limits::MAX_MOTD_BYTES / 1024)),
    ]
}

fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds % 86_400 == 0 => format!("{} d", seconds / 86_400),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
