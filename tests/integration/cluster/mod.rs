//! Several servers carry one chat on.

mod files;
mod leading;
mod lost_log;
mod talk;
mod web;
