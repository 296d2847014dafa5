//! What SECURITY.md claims, tried by programs that nobody here wrote and by attackers.

mod abuse;
mod ends;
mod forged;
mod impostor;
mod interop;
mod namesakes;
mod places;
mod relay;
