//! The fuzz target `timestamp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pillion_fuzz::bodies::timestamp(input));
