//! What `domain/` and the pure files of the engine may not know.

use std::path::{Path, PathBuf};

/// The engine's pure files, besides those in the folders that are pure throughout.
const PURE: &[&str] = &[
    "engine/alerts.rs",
    "engine/effect.rs",
    "engine/event.rs",
    "engine/identity.rs",
    "engine/readiness.rs",
    "engine/snapshot.rs",
    "engine/operation.rs",
    "engine/planning.rs",
    "engine/pod.rs",
    "engine/state.rs",
];

/// Folders all of whose files are pure, tests aside.
const PURE_FOLDERS: [&str; 9] = [
    "domain",
    "domain/admission",
    "engine/admission",
    "engine/admission/victims",
    "engine/economy",
    "engine/step",
    "engine/step/economy",
    "engine/step/run",
    "engine/step/workflow",
];

/// Crates and calls that do I/O, know a wire format, run tasks or ask for the time.
const IMPURE: [&str; 23] = [
    "tokio",
    "futures::",
    "tonic",
    "prost",
    "dagda_proto",
    "hyper",
    "sqlx",
    "serde",
    "rustix",
    "procfs",
    "tracing",
    "async ",
    "std::fs",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "TcpStream",
    "UnixStream",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "now_v7",
];

#[test]
fn domain_is_pure() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<PathBuf> = PURE.iter().map(|file| sources.join(file)).collect();
    for folder in PURE_FOLDERS {
        let before = files.len();
        let entries = std::fs::read_dir(sources.join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        files.extend(paths.filter(|path| {
            path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs")
        }));
        assert!(files.len() > before, "{folder} was read");
    }
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()));
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for impure in IMPURE.iter().filter(|impure| code.contains(**impure)) {
                let line = number + 1;
                found.push(format!("{}:{line} mentions {impure}", file.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
