//! Several servers with one chat.

use std::time::Duration;

/// Bytes of input that wait at a server for the one that leads. Beyond that, the server stops reading.
pub const UPLINK_BYTES: usize = 4 * 1024 * 1024;

/// Of these, those of a person: a key, a token, or a user with neither. Beyond that, the person's connections wait.
pub const UPLINK_PER_PERSON: usize = UPLINK_BYTES / 16;

/// The same of an address, which may have many keys. Beyond that, its connections wait, except those of
/// [established users](UPLINK_OF_ESTABLISHED).
pub const UPLINK_PER_ADDRESS: usize = UPLINK_BYTES / 4;

/// The same of a network, which may have many addresses.
pub const UPLINK_PER_NETWORK: usize = UPLINK_BYTES / 2;

/// Bytes of a user with a name for at least [`super::NAME_TRIED`] that others at their address and network cannot keep out:
/// some messages of the longest kind.
pub const UPLINK_OF_ESTABLISHED: usize = 32 * 1024;

/// Bytes that these users of an address, or of a network, may fill beyond its share: patient attackers can own names, too.
pub const UPLINK_OF_SHARES: usize = UPLINK_BYTES / 8;

/// Bytes that only these users may fill, so that many networks together do not stop them.
pub const UPLINK_RESERVE: usize = UPLINK_BYTES / 4;

/// Bytes of inputs in one batch: as much as an engine takes as one message, with room to spare.
pub const UP_BATCH_BYTES: usize = 128 * 1024;

/// Batches of other servers that wait for the rules. Their servers send those beyond again later.
pub const INBOUND_BATCHES: usize = 256;

/// How long a server must be cut off from the others before it tells its people, and takes no new ones.
pub const CUT_OFF_TOLD: Duration = Duration::from_secs(10);

/// How long a server's console waits for the server that leads: longer than it takes until another one leads.
pub const CONSOLE_WAIT: Duration = Duration::from_secs(10);

/// How long Tab at the console waits for the names of users.
pub const CONSOLE_TAB_WAIT: Duration = Duration::from_secs(1);

/// Turns that a server may have read and not stored when it tries to lead.
pub const LEADER_WORK: usize = 64;

/// Turns that a server which is behind stores and writes at once.
pub const CATCH_UP_TURNS: usize = 256;

/// How often a server looks whether the one that leads is still there.
pub const NODE_TICK: Duration = Duration::from_millis(200);

/// How often a server says that an outsider writes to the servers' log, so that this does not fill its own.
pub const STRANGE_RECORDS_TOLD: Duration = Duration::from_secs(60);

/// How long a connection whose peer has closed its sending half waits for answers of the server that leads: as long as
/// a change of that server takes.
pub const ANSWERS_WAIT: Duration = Duration::from_secs(10);

/// Packets of a session that may be on their way to the server that leads. Each may ask for much, and those of others
/// wait behind them.
pub const SESSION_INPUTS: usize = 256;

/// How often a server tells the others its settings of the chat, which they compare with theirs: seldom, as each also tells
/// them when another server begins to lead, and when it hears other ones.
pub const SETTINGS_TOLD: Duration = Duration::from_secs(60);
