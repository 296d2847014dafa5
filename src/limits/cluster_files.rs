//! Limits on chats of several servers, and on the files that set them up.

/// How many servers a chat may have. More than half of them must be there, so an even number survives as few
/// failures as the odd one below it.
pub const CLUSTER_SIZES: [usize; 3] = [1, 3, 5];

/// Bytes of a join file or an engine file. A join file for five servers takes 3 KB.
pub const MAX_CLUSTER_FILE_BYTES: usize = 64 * 1024;

/// How long the engine's certificates are good, in years. Nobody but the chat's own servers sees them, and the
/// key that signed them is gone, so the time is longer than the machines'.
pub const ENGINE_CERTIFICATE_YEARS: i16 = 10;

/// The engine's port for lanchat: NATS' own default.
pub const DEFAULT_ENGINE_PORT: u16 = 4222;

/// The engine's port for the engines of the other servers: NATS' own default.
pub const DEFAULT_ROUTE_PORT: u16 = 6222;

/// Most bytes that the engine keeps on a server's disk, 16 GiB: four times what lanchat asks it to keep.
pub const ENGINE_STORE_BYTES: u64 = 16 * 1024 * 1024 * 1024;

/// The largest packet that the engine takes, in bytes: four times the largest turn.
pub const ENGINE_PAYLOAD_BYTES: usize = 1024 * 1024;
