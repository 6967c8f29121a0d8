//! See `dagdad::fuzzing::webhook`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| dagdad::fuzzing::webhook(input));
