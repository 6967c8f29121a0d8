//! See `dagdad::fuzzing::proc`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| dagdad::fuzzing::proc(input));
