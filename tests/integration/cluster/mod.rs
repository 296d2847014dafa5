//! Several servers carry one chat on.

mod ends;
mod files;
mod leading;
mod lost_log;
mod talk;
mod web;
