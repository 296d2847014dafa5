//! Limits on browsers: requests, WebSocket frames, certificates and tickets.

use std::time::Duration;

/// Longest head of an HTTP request, in bytes: browsers send 1 KiB.
pub const WEB_HEAD_BYTES: usize = 8 * 1024;

/// Headers of a request: browsers send 20.
pub const WEB_HEADERS: usize = 64;

/// How long a browser may take for a request's head, for reading an answer, and for its proof after an upgrade. Browsers
/// open connections in advance and leave them silent; these end after this time, too.
pub const WEB_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests per connection. The server then closes it, and a browser opens another: it asks for the page's files over
/// several.
pub const WEB_REQUESTS: usize = 16;

/// Bytes of answers to browsers per second and address: 10 loads of the page, whose answers count as 100 KB.
pub const WEB_BYTES_PER_ADDRESS: u32 = 1024 * 1024;

/// Bytes of answers that an address may get at once before that pace applies: a room of people behind one router opens
/// the page, in browsers that read no gzip.
pub const WEB_BURST_PER_ADDRESS: u32 = 8 * WEB_BYTES_PER_ADDRESS;

/// Bytes per second for a network. Its addresses that have had much lately leave half of its burst to those that have
/// not, so a flood of some does not delay the page of others.
pub const WEB_BYTES_PER_NETWORK: u32 = 4 * WEB_BYTES_PER_ADDRESS;

/// The burst of a network: a LAN of 200 opens the page at once.
pub const WEB_BURST_PER_NETWORK: u32 = 8 * WEB_BYTES_PER_NETWORK;

/// Bytes per second of an address that has had little lately: it does not wait for busy neighbours.
pub const WEB_BYTES_LIGHT: u32 = 16 * 1024;

/// The burst of such an address: the page, in a browser that reads no gzip.
pub const WEB_BURST_LIGHT: u32 = 256 * 1024;

/// Bytes per second in total: 8,000 answers, which take a sixth of a core.
pub const WEB_BYTES: u32 = 8 * WEB_BYTES_PER_ADDRESS;

/// The burst of all.
pub const WEB_BURST: u32 = 8 * WEB_BYTES;

/// The bytes that an answer counts as, besides its file: its head, and its time.
pub const WEB_ANSWER_BYTES: usize = 1024;

/// The bytes that an upgrade to a WebSocket counts as: with it, the server makes a session. So 2,000 start per second,
/// as many as TLS handshakes.
pub const WEB_UPGRADE_BYTES: usize = 4 * 1024;

/// The longest that an answer may wait for its pace; the server closes connections that would wait longer. Half of a
/// burst takes longer to fill, so addresses with few requests need not wait for others.
pub const WEB_WAIT: Duration = Duration::from_secs(3);

/// Longest control frame of WebSocket, in bytes (RFC 6455 5.5).
pub const MAX_CONTROL_BYTES: usize = 125;

/// Longest first message of a browser, in bytes: a proof takes 400. Its session may begin in the same message.
pub const MAX_PROOF_BYTES: usize = 4 * 1024;

/// How long the certificate for browsers is valid, in days. Some refuse more than 825, others more than 398.
pub const WEB_CERTIFICATE_DAYS: u32 = 397;

/// Days before the end of that certificate from which a start makes a new one. Each new one makes browsers warn once, so
/// this is as short as a server may run without a start.
pub const WEB_CERTIFICATE_RENEWED: u32 = 30;

/// Longest file with a certificate for browsers, in bytes: a chain of some certificates.
pub const MAX_WEB_CERTIFICATE_BYTES: usize = 64 * 1024;

/// How long a ticket to a closed server is valid: as long as it takes to show a link and open it.
pub const TICKET_TIME: Duration = Duration::from_secs(600);

/// Tickets that are valid at a time. One more makes the oldest invalid.
pub const MAX_TICKETS: usize = 256;
