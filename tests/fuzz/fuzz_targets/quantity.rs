//! See `dagdad::fuzzing::quantity`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| dagdad::fuzzing::quantity(input));
