//! See `dagdad::fuzzing::libpod`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| dagdad::fuzzing::libpod(input));
