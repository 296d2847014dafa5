#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lanchat::fuzzing::run("ws_frames", bytes));
