//! The fuzz targets: one function per parser, which takes any bytes and asserts what must hold.
//!
//! A module of the program's library (`src/lib.rs` names its path), since the parsers are private; compiled for
//! tests and fuzzers only. `fuzz_targets/` makes a program of each; the tests here run every one over the
//! inputs in `corpus/`, so that what was found once stays mended.

mod books;
mod input;
mod secrecy;
mod session;
#[cfg(test)]
mod tests;
mod text;
mod tls;
mod web;
mod wire;

/// The entry point for a fuzzer.
pub type Target = fn(&[u8]);

/// Every target, by the name of its program and of its folder of inputs.
pub const TARGETS: &[(&str, Target)] = &[
    ("file_name", text::file_name),
    ("file_records", wire::file_records),
    ("framing", wire::framing),
    ("http_head", web::http_head),
    ("invite", books::invite),
    ("known_servers", books::known_servers),
    ("mdns", wire::mdns),
    ("name", text::name),
    ("packet", wire::packet),
    ("pake", secrecy::pake),
    ("records", books::records),
    ("sanitize", text::sanitize),
    ("session", session::session),
    ("tls_bytes", secrecy::tls_bytes),
    ("ws_frames", web::ws_frames),
];

/// Runs the target of that name.
///
/// # Panics
/// If an assertion fails, or the target does not exist.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = target.unwrap_or_else(|| panic!("there is no target {name}"));
    target(bytes);
}
