//! The exit statuses in the man pages.

use super::exit::Exit;
use super::pages::Paragraph;

/// Describes the exit statuses.
pub(super) fn exit_statuses(subcommand: Option<&str>) -> Vec<Paragraph> {
    let numbered = |exit: Exit, meaning: &str| (exit.code().to_string(), meaning.to_owned());
    let of_doctor = |exit: Exit| match exit {
        Exit::Ok => "A server answers, and you may join it.",
        Exit::Failure => {
            "The problem is on this machine: it has no network or address, its firewall or VPN blocks packets, others \
             cannot reach the server on it, UDP port 5353 is taken, it cannot do multicast, or its name servers do not \
             answer."
        }
        Exit::NoServer => "No server was found, or not the one that you asked for.",
        Exit::Disconnected => "You named a server, or one was found, but this machine cannot connect to it.",
        Exit::Refused => "The server does not admit you, or its key has changed.",
        Exit::Protocol => "Another program answers, not a lanchat server.",
        Exit::Usage => exit.meaning(),
    };
    // These join no server, so the other statuses cannot be.
    let of_local = |exit: Exit| match (exit, subcommand) {
        (Exit::Ok, Some("serve")) => Some("The server stopped as it was asked to."),
        (Exit::Failure, Some("serve")) => Some(
            "It could not start or go on: for example, another program has its port, another server its data directory, \
             the history is damaged, or a second signal ended it. Standard error says which, and what to do.",
        ),
        (Exit::Failure, Some("cluster")) => Some(
            "Something is wrong in the chat of several servers (status), or any other failure (new, join, status).",
        ),
        (Exit::Ok | Exit::Failure | Exit::Usage, _) => Some(exit.meaning()),
        _ => None,
    };
    let meaning = |exit: Exit| match subcommand {
        Some("doctor") => Some(of_doctor(exit)),
        Some(
            "serve" | "backup" | "restore" | "repair" | "forget" | "cluster" | "export" | "completions"
            | "man",
        ) => of_local(exit),
        _ => Some(exit.meaning()),
    };
    Exit::ALL.into_iter().filter_map(|exit| Some(numbered(exit, meaning(exit)?))).collect()
}
