//! See `dagdad::fuzzing::psi`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| dagdad::fuzzing::psi(input));
