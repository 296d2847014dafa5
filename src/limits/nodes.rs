//! Limits of a chat that has several servers.

/// Servers of one chat. Each holds the whole chat, so more than a few only cost; the welcome lists them all.
pub const MAX_NODES: usize = 9;

/// Characters of a server's name within its chat. It is part of a DNS label, behind the chat's name and id.
pub const MAX_NODE_NAME_CHARS: usize = 8;

/// Addresses named by a server that a client may try at once, in connections: three times all the others. Any
/// server that a user trusts can name addresses, and must not make its users scan a network.
pub const NAMED_TRIES_AT_ONCE: u32 = 3 * (MAX_NODES as u32 - 1);

/// The same in a minute, in connections: of three servers, a client then tries both others every four seconds.
pub const NAMED_TRIES_PER_MINUTE: u32 = 30;
