//! Several servers carry one chat on.

mod console;
mod ends;
mod files;
mod leading;
mod lost_log;
mod newcomers;
mod strangers;
mod talk;
mod twice;
mod web;
