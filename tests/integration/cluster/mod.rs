//! Several servers carry one chat on.

mod closed;
mod console;
mod ends;
mod files;
mod leading;
mod lost_log;
mod settings;
mod talk;
mod twice;
mod web;
