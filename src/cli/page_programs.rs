//! The part of lanchat(1) about `--json`; docs/programs.md has the rest.

use super::pages::Paragraph;

/// Explains `--json`.
pub(super) fn programs() -> Vec<Paragraph> {
    let entries = [
        (
            "input",
            "One JSON object per line: a packet as PROTOCOL.md describes those of clients. {\"to\":\"all\",\"msg\":\"hello\"} \
             is a message, {\"type\":\"join\",\"room\":\"#builds\"} a request, {\"to\":\"server\",\"msg\":\"/time\"} a command in \
             words. With a member id, each answer has the same id.",
        ),
        (
            "output",
            "One JSON object per line: the server's packets, such as welcome, chat, joined, left and topic. Answers have \
             line, the number of the input's line: sent says that the server has the message, error why it has not. \
             Messages with history true were said before; each comes once. disconnected tells of a lost connection, and \
             the next welcome of a new one.",
        ),
        (
            "losses",
            "While the server is away, lines wait. After a loss, lanchat sends messages without a receipt again, and the \
             server stores them only once. Where nobody can know whether the server carried out a line, the answer is \
             the error disconnected.",
        ),
        (
            "the end",
            "At the end of the input, or on SIGTERM, lanchat leaves as soon as each line has its answer. The exit status \
             is 0 if the server accepted every line, and 5 if a line was refused.",
        ),
    ];
    entries.map(|(term, text)| (term.to_owned(), text.to_owned())).into()
}
