//! What fuzzers feed: one function for each target, which takes any bytes and panics where
//! something does not hold that must hold for all of them.
//!
//! Compiled for tests and by `cargo fuzz` alone. Each function stands beside the readers it
//! feeds, since they are private there. What fuzzers found worth keeping lies in
//! `tests/fuzz/corpus/TARGET/`; the test below feeds it again.

pub use crate::config::fuzzing::{config, webhook};
pub use crate::manifest::fuzzing::manifest;
pub use crate::runtime::podman::fuzzing::{libpod, streams};
pub use crate::sampler::fuzzing::{cgroup, proc, psi};

use crate::domain::quantity::{Bytes, Millicpu};

/// Feeds an amount of memory and of CPU, as Kubernetes writes it.
///
/// # Panics
/// Where an amount that was read is another one when it is written and read again.
pub fn quantity(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(amount) = text.parse::<Bytes>() {
        assert_eq!(amount.0.to_string().parse(), Ok(amount));
        let times = |suffix: &str| format!("{}{suffix}", amount.0).parse();
        assert!(times("m").is_ok_and(|less: Bytes| less.0 == amount.0.div_ceil(1000)));
        if let Ok(more) = times("Ki") {
            assert_eq!(more, Bytes(amount.0 << 10));
        }
        assert!(!amount.to_string().is_empty() && amount + amount >= amount);
    }
    if let Ok(amount) = text.parse::<Millicpu>() {
        assert_eq!(format!("{}m", amount.0).parse(), Ok(amount));
        // Shown as a float, which is exact for so many digits.
        let exact = amount.0 < 10_u64.pow(15);
        let shown = amount.to_string().parse();
        assert!(!exact || shown == Ok(amount), "shown as {amount}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use rstest::rstest;

    use super::*;

    /// More files than this make the replay slow, and their like is in the others.
    const MOST_FILES: usize = 300;
    const MOST_BYTES: u64 = 400 * 1024;

    fn fuzz_folder(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../tests/fuzz")
            .join(name)
    }

    /// The files of a folder; fails where it is missing.
    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries =
            fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    #[rstest]
    #[case("cgroup", cgroup)]
    #[case("config", config)]
    #[case("libpod", libpod)]
    #[case("manifest", manifest)]
    #[case("proc", proc)]
    #[case("psi", psi)]
    #[case("quantity", quantity)]
    #[case("streams", streams)]
    #[case("webhook", webhook)]
    fn the_corpus_holds(#[case] target: &str, #[case] feed: fn(&[u8])) {
        let files = files(&fuzz_folder("corpus").join(target));
        assert!(!files.is_empty(), "the corpus of {target} is empty");
        assert!(files.len() <= MOST_FILES, "{} files", files.len());
        let mut bytes = 0;
        // As small as that of the threads that serve callers.
        let replay = std::thread::Builder::new().stack_size(2 << 20);
        let replay = replay.spawn(move || {
            for file in files {
                let input = fs::read(&file).unwrap();
                bytes += input.len() as u64;
                // Shown only where the test fails.
                println!("{}", file.display());
                feed(&input);
            }
            assert!(bytes <= MOST_BYTES, "{bytes} bytes");
        });
        replay.unwrap().join().unwrap();
    }

    #[test]
    fn every_target_has_a_corpus_that_is_replayed() {
        let names = |folder: &str| -> BTreeSet<String> {
            let files = files(&fuzz_folder(folder));
            let stems = files.iter().map(|file| file.file_stem().unwrap());
            stems
                .map(|stem| stem.to_str().unwrap().to_owned())
                .collect()
        };
        let targets = names("fuzz_targets");
        assert_eq!(targets, names("corpus"));
        let replayed = include_str!("fuzzing.rs");
        for target in targets {
            let case = format!("#[case({target:?}, {target})]");
            assert!(replayed.contains(&case), "{target} is not replayed");
        }
    }
}
