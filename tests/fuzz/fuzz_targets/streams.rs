//! See `dagdad::fuzzing::streams`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| dagdad::fuzzing::streams(input));
