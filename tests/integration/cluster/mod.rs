//! Several servers carry one chat on.

mod bans;
mod closed;
mod console;
mod ends;
mod files;
mod leading;
mod lost_log;
mod settings;
mod shares;
mod talk;
mod twice;
mod web;
