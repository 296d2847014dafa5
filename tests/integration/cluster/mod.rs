//! Several servers carry one chat on.

mod bans;
mod closed;
mod console;
mod ends;
mod files;
mod leading;
mod lost_log;
mod newcomers;
mod settings;
mod shares;
mod strangers;
mod talk;
mod twice;
mod web;
