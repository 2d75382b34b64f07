//! The target of `src/compose.rs`.

#![no_main]

#[path = "../src/compose.rs"]
mod compose;

libfuzzer_sys::fuzz_target!(|input: &str| compose::run(input));
