//! Several servers carry one chat on.

mod talk;
