//! Several servers carry one chat on.

mod leading;
mod lost_log;
mod talk;
