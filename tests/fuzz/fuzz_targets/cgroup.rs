//! See `dagdad::fuzzing::cgroup`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| dagdad::fuzzing::cgroup(input));
