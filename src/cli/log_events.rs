//! The names of the events in a server's log, for programs that read it. `tests/integration/watched.rs`
//! compares them with the code.

use super::pages::Paragraph;

/// Each event and its meaning. A name may be added, and never gets another meaning.
const LOG_EVENTS: &[(&str, &str)] = &[
    ("accept_failed", "The system gave the server no new connection; it tries again."),
    ("address_changed", "mDNS announces an address of this machine, or no longer does (debug)."),
    ("announced", "mDNS announces the server."),
    ("changes_lost", "Changes of rooms, mail, names and members were lost while the database failed."),
    ("clients_not_closed", "The server stopped before all clients had read its goodbye."),
    ("clock_doubtful", "This machine's clock seems wrong."),
    (
        "clock_outvoted",
        "Most servers of the chat show another time than this one, so it lets another one lead.",
    ),
    ("clock_right", "It is right again."),
    (
        "connection_refused",
        "The server did not let a connection in; its members are reason, peer (the address) and perhaps name. The \
         reasons: full, share (--max-per-ip), penalized, memory, bad_protocol, bad_handshake, tls_required, timeout, \
         rate, wrong_passphrase, key_required, banned, name_taken, bad_name, other.",
    ),
    ("connections_refused", "More of these than the log shows; its members are reason, count and since."),
    ("connection_lost", "The system failed to pass on a connection."),
    ("connection_new", "A connection has come (debug)."),
    ("console_missing", "There is no console, as standard input is not a terminal (debug)."),
    (
        "cut_off",
        "The other servers of the chat took this one for gone: they did not hear of it for too long, or see server_twice. \
         Its people connect again.",
    ),
    ("data_dir_exposed", "Others may read the data directory."),
    ("data_dir_lock", "The system does not lock the data directory as it should (debug)."),
    ("decryption_failed", "A client sent bytes that cannot be decrypted (debug)."),
    ("descriptors_few", "The limit on open files is too low for --max-clients."),
    ("duplicates_unknown", "Repeated messages may not be recognised at the moment (debug)."),
    ("end_not_recorded", "The file history.last cannot be written."),
    ("engine_message_lost", "The server could not send a message to another server of the chat (debug)."),
    ("engine_reachable", "The server can use the engine, which has the log of a chat of several servers."),
    ("engine_unreachable", "It cannot, and why; people's messages wait."),
    ("engine_warning", "The server cannot check something about the engine, and how to do it."),
    ("file_ignored", "A file of an earlier version has no effect."),
    ("file_imported", "A file of an earlier version is in the database now."),
    ("file_rate_low", "--file-rate is too low for --max-transfers."),
    ("handshake_failed", "A TLS handshake failed (debug)."),
    ("handshake_given_up", "The client ended a TLS handshake (debug)."),
    ("history_copied", "The database has a new form, and where its copy is."),
    ("history_copy_left", "A copy of the database that is no longer needed cannot be deleted."),
    ("history_damaged", "The check of the database found damage (debug; storing_fails follows)."),
    ("history_foreign_write", "Another program wrote to the database."),
    ("history_gone", "The database is gone, and the server starts with a new one."),
    ("history_intact", "The check of the database found nothing (debug)."),
    ("history_kept", "How long messages stay."),
    ("history_log_removed", "The database's log was removed."),
    ("history_not_checked", "The check of the database took too long."),
    ("history_not_closed", "The database was not closed cleanly."),
    ("history_older", "The database is older than the server's last run, or another one."),
    ("history_readable", "Reading the database works again."),
    ("history_unreadable", "Reading the database fails."),
    ("how_to_join", "How clients reach the server."),
    ("import_skipped", "A line of a file of an earlier version is invalid."),
    ("indexing_failed", "New messages are not in the index for searches yet (debug)."),
    (
        "inputs_unreadable",
        "A server of the chat has a version of lanchat that this one does not understand; its member server is which.",
    ),
    ("interfaces_many", "mDNS does not announce the server on all of this machine's networks."),
    ("key_changed", "The server has another key than before."),
    ("key_copied", "Another server has this server's key; its member addr is where."),
    ("key_lost", "The server's key is gone, so it has a new one."),
    ("key_shared", "A key is in use under several names at once."),
    ("lack_not_recorded", "The database cannot record which messages it lacks (debug)."),
    (
        "log_has_strangers",
        "An outsider, not a server of the chat, writes to the log of several servers, which pass over that; its members \
         are count (since the last such line) and position (of the latest). At most one a minute.",
    ),
    ("log_not_followed", "The server takes no part in the chat of several servers any more, and why."),
    ("mail_accepted", "The server takes messages for people who are offline again."),
    ("mail_full", "The server refuses messages for people who are offline (--retain-size)."),
    ("mdns_failed", "mDNS does not work at the moment."),
    ("mdns_restarted", "mDNS starts again."),
    ("memory_short", "The server closed the clients that held most (--memory)."),
    ("metrics_not_accepted", "The system gave the server no connection for its metrics (debug)."),
    ("metrics_public", "Other machines can read the metrics."),
    ("metrics_served", "Where the metrics are."),
    ("not_announced", "mDNS does not announce the server, and why."),
    ("operator_acted", "An operator did something, or a user tried to become one."),
    ("operator_code", "The code for the first operator; only at a terminal."),
    ("packet_not_written", "The server could not write a packet; please report this."),
    ("plaintext_allowed", "The server takes unencrypted connections."),
    ("poll_failed", "The system failed to watch sockets."),
    ("process_unprotected", "The system did not protect the process's memory as it should (debug)."),
    ("reload_failed", "SIGHUP changed nothing, and why."),
    ("reloaded", "SIGHUP changed these settings."),
    ("removal_failed", "Old messages could not be removed (debug)."),
    ("server_failed", "The service ends with an error (Windows)."),
    ("server_follows", "Another server of the chat leads; the members are leader (its name) and term."),
    ("server_leads", "This server leads the chat; its member term counts the changes of the lead."),
    ("server_not_found", "The server cannot look up the address of another server of the chat."),
    ("server_stuck", "The server does not answer; the service manager will end it."),
    (
        "server_twice",
        "Another process takes part as this server of the chat, with a copy of its data directory, so this one stops \
         taking part.",
    ),
    ("service_manager_missing", "The service manager cannot be told (debug)."),
    ("serving", "The server has started."),
    ("serving_closed", "It is closed, and where its passphrase is."),
    ("serving_key", "Its key."),
    (
        "session_began",
        "A client has connected; its members are name, key, peer (the address) and mode (chat, send or tail). Only \
         with --log-connections.",
    ),
    ("session_ended", "It has disconnected; the same members."),
    ("sessions_not_logged", "Too many of these at once; count of them are missing."),
    (
        "setting_differs",
        "A setting that concerns the chat as a whole has another value at another of its servers; the members are setting, \
         here, there and server (the other one's name).",
    ),
    ("settings_agree", "None differs at that server any more; its member is server."),
    ("signals_missing", "The system does not pass signals on."),
    ("slow_reader_closed", "The server closed a client that did not read (--backlog)."),
    ("socket_option", "The system did not set an option of a socket (debug)."),
    ("stopped", "The server has ended."),
    ("stopping", "The server ends."),
    ("stopping_at_once", "A second signal ended it without goodbyes."),
    ("storing_again", "The database takes messages again."),
    ("storing_fails", "The database takes no messages, and why."),
    ("task_panicked", "A part of the server ended; please report this."),
    ("thread_missing", "The system gave the server no thread."),
    ("thread_priority", "The system did not lower the priority of transfers (debug)."),
    ("tls_failed", "The server could not begin a TLS session."),
    ("transfer_ended", "A transfer of a file has ended; its members are from, to, bytes, seconds and why."),
    ("transfer_not_passed_on", "A connection for a transfer did not reach the server where the sides meet."),
    (
        "transfer_passed_on",
        "A connection that was passed on to another server for a transfer has ended (debug).",
    ),
    ("transfer_refused", "A connection for a transfer was refused (debug)."),
    (
        "web_doubtful",
        "With these settings, or this certificate, browsers do not reach the page without a warning.",
    ),
    ("web_plaintext", "The server also serves browsers over http."),
    (
        "web_served",
        "The server serves browsers; its member sha256 is the fingerprint of the certificate that they show.",
    ),
];

/// Returns the names and meanings.
pub fn log_events() -> &'static [(&'static str, &'static str)] {
    LOG_EVENTS
}

/// Describes the log.
pub(super) fn log_format() -> Vec<Paragraph> {
    [
        (
            "text",
            "Each line has the time, the level, a message for people, and members such as event=\"serving\". At a \
             terminal, it lacks the event.",
        ),
        (
            "JSON (--log-format json)",
            "Each line is an object with the members timestamp (RFC 3339, UTC), level (ERROR, WARN, INFO, DEBUG, \
             TRACE), message, event, and those of the event. The messages may change; events and their members do \
             not.",
        ),
        (
            "refusals",
            "Up to 20 lines with one reason at once, then 2 per second; every 10 seconds, a line tells how many more \
             there were.",
        ),
        (
            "people",
            "The log has names, keys and addresses of operators and of clients that were refused; with \
             --log-connections, of all users. It never has the text of a message.",
        ),
    ]
    .map(|(term, text)| (term.to_owned(), text.to_owned()))
    .into()
}

/// Describes each event.
pub(super) fn paragraphs() -> Vec<Paragraph> {
    LOG_EVENTS.iter().map(|(name, meaning)| ((*name).to_owned(), (*meaning).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_one_word_and_listed_once() {
        let mut names: Vec<_> = LOG_EVENTS.iter().map(|(name, _)| *name).collect();
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), LOG_EVENTS.len());
    }
}
