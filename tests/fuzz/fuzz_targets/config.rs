//! See `dagdad::fuzzing::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| dagdad::fuzzing::config(input));
