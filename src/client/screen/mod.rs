//! The ways to use the client: the prompt, plain lines, JSON lines, `tail`, `send` and `status`.

mod completer;
mod draft_file;
mod emoji;
mod file_completion;
mod file_display;
mod file_work;
mod input_lines;
mod join;
mod json_chat;
mod latest;
mod notify;
mod opener;
mod operator_question;
mod output;
mod plain;
mod receive;
mod remembered_names;
mod repl;
mod send;
mod send_file;
mod served_page;
mod status;
mod tail;
mod termination;
mod window;

pub use join::join;
pub use json_chat::json_chat;
pub use receive::{Consent, ReceiveOptions, receive};
pub use remembered_names::{RememberedNames, remembered_names, servers_joined};
pub use send::{SendOptions, send};
pub use send_file::{SendFileOptions, send_file};
pub use served_page::{ServedPage, served_page};
pub use status::status;
pub use tail::{TailOptions, tail};
