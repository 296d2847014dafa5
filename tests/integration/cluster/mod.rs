//! Several servers carry one chat on.

mod console;
mod files;
mod leading;
mod lost_log;
mod talk;
mod twice;
mod web;
