//! Several servers carry one chat on.

mod leading;
mod talk;
