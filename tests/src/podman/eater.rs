//! A program that really uses memory, for pods whose use is to be seen.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
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
        let program = compile(&scratch);
        std::fs::read(program).expect("read the eater")
    })
}

fn compile(scratch: &Scratch) -> PathBuf {
    let source = scratch.write("eater.c", SOURCE);
    let program = scratch.join("eater");
    let _ = run(Command::new("cc")
        .args(["-O1", "-static", "-Wall", "-Wextra", "-o"])
        .args([&program, &source]));
    program
}

/// The program outside of any pod, as whatever else a machine's owner runs; ended when dropped.
#[derive(Debug)]
pub struct Unmanaged {
    child: Child,
    _program: Scratch,
}

impl Unmanaged {
    /// Starts it and waits until it has taken `mib` MiB of memory.
    ///
    /// # Panics
    /// It cannot, or is ended before.
    pub fn eating(mib: u64) -> Self {
        let scratch = Scratch::new();
        // Compiled there: what this process itself wrote may still be open in a child of another
        // thread, and is no program as long.
        let mut child = Command::new(compile(&scratch))
            .arg(mib.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the eater");
        let output = child.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .expect("read what the eater says");
        assert!(line.starts_with("ate "), "the eater ended: {line:?}");
        Self {
            child,
            _program: scratch,
        }
    }
}

impl Drop for Unmanaged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
