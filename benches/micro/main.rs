//! What one thing costs, without sockets: time and allocations of the steps of a login and of a
//! message, in crowds of several sizes, and the memory that a user takes.
//!
//! `cargo bench --bench micro` runs all of it, `-- login` what has that in its name, `-- memory` the
//! memory alone. What costs more in a bigger crowd is a defect, other than what goes to everybody.

#![allow(unreachable_pub, clippy::expect_used, reason = "a program of its own")]

mod crowd;
mod memory;
mod rules;
mod wire;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == memory::FLAG) {
        return println!("{}", memory::of(words.get(1..).unwrap_or_default()));
    }
    if words.iter().all(|word| word.starts_with("--") || word == "memory") {
        memory::print();
    }
    if !words.iter().any(|word| word == "memory") {
        divan::main();
    }
}
