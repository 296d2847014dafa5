//! The limits on chats of several servers.

use super::{Limit, size, span};
use crate::cli::values::Size;
use crate::limits::*;

pub(super) fn servers() -> Vec<Limit> {
    let sizes = CLUSTER_SIZES.map(|size| size.to_string()).join(", ");
    let counted = Limit {
        what: "limits of a chat of several servers",
        value: "Counted at each server: connections, handshakes, penalties, attempts at a passphrase, paces and shares, questions about the history, requests of browsers, memory. Over all servers: everything else, by the server that leads and with its options, also extra costs of a message."
            .into(),
        charged: "as in the other rows",
        beyond: "a user who connects to all servers has their pace at each",
    };
    let sizes = Limit {
        what: "servers of a chat (cluster)",
        value: format!(
            "{sizes}; a name: {MAX_NODE_NAME_CHARS} characters; a join file or engine file: {}. The engine: packets of {}, {} on the disk, certificates for {ENGINE_CERTIFICATE_YEARS} years.",
            size(MAX_CLUSTER_FILE_BYTES),
            size(ENGINE_PAYLOAD_BYTES),
            Size(ENGINE_STORE_BYTES)
        ),
        charged: "the servers' administrator",
        beyond: "`lanchat cluster` refuses; the engine refuses messages until there is room",
    };
    let waiting = Limit {
        what: "input that waits for the server that leads",
        value: format!(
            "{} at each server: {} of a person, {} of an address, {} of a network, {SESSION_INPUTS} packets of a connection; \
             {} of a user with a name for at least {}, whatever others there send, {} of all these at an address or in a network beyond its share, and {} for such users alone.",
            size(UPLINK_BYTES),
            size(UPLINK_PER_PERSON),
            size(UPLINK_PER_ADDRESS),
            size(UPLINK_PER_NETWORK),
            size(UPLINK_OF_ESTABLISHED),
            span(NAME_TRIED),
            size(UPLINK_OF_SHARES),
            size(UPLINK_RESERVE)
        ),
        charged: "the person, their address, their network",
        beyond: "the server stops reading from their connections until there is room; nothing is lost",
    };
    vec![sizes, counted, waiting]
}
