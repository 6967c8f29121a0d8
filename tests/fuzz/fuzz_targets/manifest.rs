//! See `dagdad::fuzzing::manifest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| dagdad::fuzzing::manifest(input));
