//! A program that really uses memory, for pods whose use is to be seen.

use std::process::Command;
use std::sync::OnceLock;

use crate::process::run;
use crate::scratch::Scratch;

/// The image with `/bin/eater` beside busybox.
pub const IMAGE: &str = "localhost/dagda-eater:latest";

/// What the program takes, and how it is told, stands at its top.
const SOURCE: &str = include_str!("eater.c");

/// The program: statically linked, as its image has no libraries. Built once a test process.
pub(super) fn program() -> &'static [u8] {
    static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let scratch = Scratch::new();
        let source = scratch.write("eater.c", SOURCE);
        let program = scratch.join("eater");
        let _ = run(Command::new("cc")
            .args(["-O1", "-static", "-Wall", "-Wextra", "-o"])
            .args([&program, &source]));
        std::fs::read(program).expect("read the eater")
    })
}
