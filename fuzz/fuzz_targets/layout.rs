//! The fuzz target `layout`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pillion_fuzz::bodies::layout(input));
