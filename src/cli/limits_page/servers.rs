//! The limits on chats of several servers.

use super::{Limit, size};
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
    vec![sizes, counted]
}
