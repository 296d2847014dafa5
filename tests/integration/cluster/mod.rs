//! Several servers carry one chat on.

mod files;
mod leading;
mod talk;
mod web;
