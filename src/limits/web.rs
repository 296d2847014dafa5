//! Limits on browsers: requests, WebSocket frames, certificates and tickets.

use std::time::Duration;

/// Longest head of an HTTP request, in bytes: browsers send 1 KiB.
pub const WEB_HEAD_BYTES: usize = 8 * 1024;

/// Headers of a request: browsers send 20.
pub const WEB_HEADERS: usize = 64;

/// How long a browser may take for a request's head, for reading an answer, and for its proof after an upgrade. Browsers
/// open connections in advance and leave them silent; these end after this time, too.
pub const WEB_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests per connection: the page has fewer files. The server then closes it, and a browser opens another.
pub const WEB_REQUESTS: usize = 16;

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
