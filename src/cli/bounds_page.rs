//! The limits of a server, as its man page and docs/limits.md list them. Their values come from [`limits`],
//! so that neither can fall behind.

use std::time::Duration;

use super::pages::Entry;
use super::values::Size;
use crate::limits;
use crate::protocol::Term;

/// What a server bounds.
struct Bound {
    what: &'static str,
    value: String,
    /// Whose share it is.
    charged: &'static str,
    /// What happens when one person wants all.
    beyond: &'static str,
}

/// For the man page.
pub(super) fn limits() -> Vec<Entry> {
    let text = |bound: &Bound| {
        // Ticks are for Markdown.
        let beyond = bound.beyond.replace('`', "");
        format!("{} Charged: {}. Beyond it: {beyond}.", bound.value, bound.charged)
    };
    bounds().iter().map(|bound| (bound.what.to_owned(), text(bound))).collect()
}

/// docs/limits.md.
pub fn table() -> String {
    let mut text = String::from(
        "# The limits of a server\n\nEvery share that one person could take whole, who is charged for it, and what \
         happens when somebody with\nmany keys, connections and addresses wants all of it. Printed from the program; \
         `just docs` renews it.\n\n| what | limit | charged | when one wants all |\n| --- | --- | --- | --- |\n",
    );
    for Bound { what, value, charged, beyond } in bounds() {
        text += &format!("| {what} | {value} | {charged} | {beyond} |\n");
    }
    text
}

fn bounds() -> Vec<Bound> {
    [people(), strangers(), resources()].into_iter().flatten().collect()
}

/// What users may do to each other.
fn people() -> Vec<Bound> {
    vec![
        Bound {
            what: "message",
            value: format!(
                "{} bytes of UTF-8; a packet: {}, finished within {} of its first byte.",
                limits::MAX_TEXT_BYTES,
                size(limits::MAX_FRAME_BYTES),
                span(limits::FRAME_TIMEOUT)
            ),
            charged: "the connection",
            beyond: "the text is refused (`too_long`); a longer or unfinished packet ends the connection",
        },
        Bound {
            what: "pace of messages",
            value: format!(
                "{} a second and {} at once (--rate-limit); {} times that of an address, {} times that of a network. Text counts again for each {} bytes, a packet for each {}, one to an address for each of up to {} users.",
                limits::DEFAULT_RATE_PER_SECOND,
                limits::DEFAULT_RATE_BURST,
                limits::PACES_PER_ADDRESS,
                limits::PACES_PER_NETWORK,
                limits::PACE_UNIT_BYTES,
                size(limits::PACE_FRAME_BYTES),
                limits::MAX_ADDRESSED
            ),
            charged: "the key or token with all its names and sessions; its address; its network",
            beyond: "their messages wait; nothing is lost",
        },
        Bound {
            what: "share of the pace",
            value: format!(
                "{} a second and {} at once of whoever has had a name for {}; an address has the pace of one person; \
                 {} % of what an address or network may send is first for those who send little.",
                limits::SHARE_PER_SECOND,
                limits::SHARE_BURST,
                span(limits::NAME_TRIED),
                limits::LITTLE_PERCENT
            ),
            charged: "the key; the address",
            beyond: "nobody can take it: others wait for their own address and network only",
        },
        Bound {
            what: "name changes, first messages to somebody, comings, rooms joined",
            value: format!(
                "{} a minute of each kind, {} at once ({} comings or rooms).",
                limits::NEWS_PER_MINUTE,
                limits::NEWS_BURST,
                limits::JOIN_BURST
            ),
            charged: "the key or token with all its names",
            beyond: "refused (`rate_limited`)",
        },
        Bound {
            what: "names owned",
            value: format!(
                "{} of a key; {} new ones an hour of an address, {} of an IPv6 network; {} in all. Kept {} after the last use, {} if used for less than {}.",
                limits::NAMES_PER_KEY,
                limits::NEW_NAMES_PER_HOUR,
                limits::NEW_NAMES_PER_HOUR * limits::ADDRESSES_PER_NETWORK,
                limits::MAX_OWNED_NAMES,
                span(limits::NAME_KEPT),
                span(limits::NAME_KEPT_TRIED),
                span(limits::NAME_TRIED)
            ),
            charged: "the key; the address it comes from",
            beyond: "the name can be used and is not kept, which its user is told; of all, those go first that were only tried",
        },
        Bound {
            what: "waiting for somebody who is away",
            value: format!(
                "{} messages; {} of one author, {} of all who have not had a name for {}. For all who are away: {} of one author.",
                limits::MAX_WAITING,
                limits::MAX_WAITING_OF_AUTHOR_FOR_ONE,
                limits::MAX_WAITING_OF_NEWCOMERS_FOR_ONE,
                span(limits::NAME_TRIED),
                limits::MAX_WAITING_OF_AUTHOR
            ),
            charged: "the author, and all newcomers together",
            beyond: "refused (`mailbox_full`); what waits stays, and known people find room",
        },
        Bound {
            what: "what was passed on unstored, to be known again",
            value: format!(
                "{} messages of one author, {} in all; of what is stored, the newest {} with one id.",
                limits::MAX_PASSED_OF_AUTHOR,
                limits::MAX_PASSED,
                limits::SAME_ID_LOOKED_AT
            ),
            charged: "the key or token",
            beyond: "the oldest of whoever has most is forgotten, and shown again if it is sent again",
        },
        Bound {
            what: "questions to history and search",
            value: format!(
                "{} to history and {} to search wait for a session, {} of each for an address, {} for all. A search takes {} ms at the most.",
                limits::MAX_ASKED,
                limits::MAX_SEARCHES,
                limits::ASKED_PER_ADDRESS,
                limits::ASKED_WAITING,
                limits::SEARCH_TIME.as_millis()
            ),
            charged: "the session; its address",
            beyond: "refused (`rate_limited`)",
        },
        Bound {
            what: "time to read the history",
            value: format!(
                "Whoever has used least is next; an address rests {} times what its questions took, but for {}.",
                limits::ASKED_REST,
                span(limits::ASKED_SPARED)
            ),
            charged: "the address, and in it the key",
            beyond: "their questions wait; others' go first",
        },
        Bound {
            what: "history",
            value: format!(
                "{} and {} (--retain, --retain-size); somebody who comes back is given the latest {} messages.",
                span(limits::DEFAULT_RETAIN),
                Size(limits::DEFAULT_RETAIN_BYTES),
                limits::RESUME_MAX
            ),
            charged: "by size: the author of whom most is kept",
            beyond: "the oldest messages are removed; by size never mail that waits, and once that takes half no more of it is taken (`mailbox_full`)",
        },
        Bound {
            what: "a clock that is ahead",
            value: format!(
                "Ages, names, bans and mutes gain {} by it, and what the server earns by running: {} times as long, if the clock is ahead by no more than {}, else once as long. One that is set while the server runs counts once it has gone on for {}.",
                span(limits::CLOCK_CREDIT),
                limits::CLOCK_EARNED,
                span(limits::CLOCK_ABSENCE),
                span(limits::CLOCK_BELIEVED)
            ),
            charged: "the server",
            beyond: "said in the log and to operators; nothing is deleted for it. A machine that was off for long deletes late",
        },
        Bound {
            what: "rooms",
            value: format!(
                "{} of each user, {} in all with {} members; the last quarter is for whoever has had a name for {}. A name: {} characters; a topic: {} bytes.",
                limits::MAX_ROOMS_PER_USER,
                limits::MAX_ROOMS,
                limits::MAX_MEMBERSHIPS,
                span(limits::NAME_TRIED),
                limits::MAX_ROOM_NAME_CHARS,
                limits::MAX_TOPIC_BYTES
            ),
            charged: "the key or token; all newcomers together",
            beyond: "refused (`too_many_rooms`); members who are not known any more make room",
        },
    ]
}

/// What may come in.
fn strangers() -> Vec<Bound> {
    vec![
        Bound {
            what: "places",
            value: format!(
                "{} (--max-clients), or what descriptors allow; 1 in {} is kept for keys that own a name or are a member's or an operator's, {} of each.",
                limits::DEFAULT_MAX_CLIENTS,
                limits::PLACES_PER_KEPT,
                limits::CONNECTIONS_PER_KNOWN_KEY
            ),
            charged: "all strangers together; the known key",
            beyond: "told `server_full`; when all are taken, strangers give way to known keys, those of the heaviest network first",
        },
        Bound {
            what: "places of an address",
            value: format!(
                "Half as many as there are left, and {} in any case (--max-per-ip); of a network {} times as many as are left, and {} of each address in any case, up to {} times the former. This machine's own are not counted.",
                limits::DEFAULT_MAX_PER_ADDRESS,
                limits::NETWORK_FACTOR,
                limits::LIGHT_CONNECTIONS,
                limits::ADDRESSES_PER_NETWORK
            ),
            charged: "the address; its network (24 bits of IPv4, 64 of IPv6)",
            beyond: "known keys only",
        },
        Bound {
            what: "knocking for a place",
            value: format!("{} at a time, for {}.", limits::MAX_RESTRICTED, span(limits::RESTRICTED_TIMEOUT)),
            charged: "all; the heaviest network",
            beyond: "its oldest knock is cut",
        },
        Bound {
            what: "handshakes",
            value: format!(
                "{} at a time, {} of a network, {} of an address; {} a second, {} of a network, {} of an address.",
                limits::HANDSHAKES_IN_PROGRESS,
                limits::HANDSHAKES_IN_PROGRESS_PER_NETWORK,
                limits::HANDSHAKES_IN_PROGRESS_PER_ADDRESS,
                limits::HANDSHAKES_PER_SECOND,
                limits::HANDSHAKES_PER_NETWORK,
                limits::HANDSHAKES_PER_ADDRESS
            ),
            charged: "the address; its network",
            beyond: "they wait their turn; addresses with few go first",
        },
        Bound {
            what: "time to come in",
            value: format!(
                "{} to the first byte, {} to the end of the handshake ({} while others wait) in {}, {} to the first packet.",
                span(limits::FIRST_BYTE_TIMEOUT),
                span(limits::TLS_TIMEOUT),
                span(limits::TLS_TIMEOUT_CROWDED),
                size(limits::MAX_HANDSHAKE_BYTES),
                span(limits::REGISTRATION_TIMEOUT)
            ),
            charged: "the connection",
            beyond: "closed",
        },
        Bound {
            what: "tries at a passphrase",
            value: format!(
                "{} a minute of an address, {} of a network ({} at once), {} of all; half is for addresses that have not tried. A right one does not count.",
                limits::TRIES_PER_ADDRESS,
                limits::TRIES_PER_NETWORK,
                limits::TRY_BURST_PER_NETWORK,
                limits::TRIES_PER_MINUTE
            ),
            charged: "the address; its network",
            beyond: "refused (`rate_limited`); members need none",
        },
        Bound {
            what: "tries at an operator's code",
            value: format!(
                "{} of a network, {} in all, within {} of the start.",
                limits::OPERATOR_CODE_TRIES,
                limits::OPERATOR_CODE_TRIES_IN_ALL,
                span(limits::OPERATOR_CODE_TIME)
            ),
            charged: "the network",
            beyond: "its further tries do not count; after those of all the code is void, and the console still makes operators",
        },
        Bound {
            what: "penalties",
            value: format!(
                "Above {}, which is the third offence in a row, for {} at the most; not this machine's own.",
                span(limits::PENALTY_ENFORCED_ABOVE),
                span(limits::PENALTY_MAX)
            ),
            charged: "the address",
            beyond: "its strangers are kept out; known keys come in",
        },
    ]
}

/// What the server has.
fn resources() -> Vec<Bound> {
    vec![
        Bound {
            what: "waiting for a slow client",
            value: format!(
                "{} (--backlog), of which {} or all must be read within {}.",
                size(limits::DEFAULT_BACKLOG_BYTES),
                size(limits::BACKLOG_STEP_BYTES),
                span(limits::BACKLOG_STALL)
            ),
            charged: "the connection",
            beyond: "closed (`slow_consumer`)",
        },
        Bound {
            what: "what somebody had sent who has closed",
            value: format!("Read for {}, at their pace.", span(limits::LAST_WORDS)),
            charged: "the connection",
            beyond: "the rest is not read (`rate_limited`)",
        },
        Bound {
            what: "memory for all that waits",
            value: format!(
                "{} % of what the process may use (--memory; else what its service or container is granted, or {} % of the machine's).",
                limits::HELD_PERCENT,
                limits::MEMORY_OF_MACHINE_PERCENT
            ),
            charged: "all; the heaviest network and address, and in it the heaviest key",
            beyond: "those for whom most is kept are closed (`slow_consumer`, `server_full`)",
        },
        Bound {
            what: "memory of the process",
            value: format!("{} % of that.", limits::MEMORY_FULL_PERCENT),
            charged: "all",
            beyond: "no strangers are taken until there is room",
        },
        Bound {
            what: "work in one go under the lock",
            value: format!(
                "{} rows of a list, {} members looked at; see the bench `hold`.",
                limits::LIST_PORTION,
                limits::ROOMS_LOOKED_AT
            ),
            charged: "whoever asks",
            beyond: "the rest waits until others had their turn",
        },
        Bound {
            what: "bans and mutes",
            value: format!(
                "{}; operators: {}; members: {}.",
                limits::MAX_BANS,
                limits::MAX_OPERATORS,
                limits::MAX_MEMBERS
            ),
            charged: "operators; whoever knows the passphrase",
            beyond: "refused; the oldest member needs the passphrase again",
        },
        Bound {
            what: "message of the day",
            value: format!("{}.", size(limits::MAX_MOTD_BYTES)),
            charged: "whoever runs the server",
            beyond: "refused at the start",
        },
    ]
}

fn size(bytes: usize) -> Size {
    Size(bytes as u64)
}

fn span(span: Duration) -> String {
    Term::For(span).to_string()
}
