//! The fault table works, and the faults that no other suite has do no harm.
#![allow(
    clippy::unwrap_used,
    reason = "a step that fails is a test that fails, there and then"
)]

use std::process::Command;

use dagda_tests::binaries;

/// Runs the faults whose names have `filter` in them; fails with the table where one did harm.
fn held(filter: &str, flips: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_faults"))
        .args(["--json", filter])
        .env("DAGDA_FAULT_FLIPS", flips)
        .env("DAGDA_BIN_DIR", binaries::directory())
        .output()
        .unwrap();
    let table = String::from_utf8_lossy(&output.stdout);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{table}\n{log}");
    let table: serde_json::Value = serde_json::from_str(&table).unwrap();
    let faults = table["faults"].as_array().unwrap();
    let invariants = |fault: &serde_json::Value| fault["invariants"].as_array().map(Vec::len);
    assert!(faults.iter().all(|it| invariants(it) > Some(0)), "{table}");
}

#[test]
fn a_state_directory_that_goes_away_is_told_of() {
    held("state-gone", "0");
}

#[test]
fn a_damaged_log_is_refused_or_harmless() {
    held("log-flipped", "8");
}

#[test]
fn a_cut_off_state_file_is_never_begun_anew() {
    held("state-truncated", "0");
}

#[test]
fn a_service_manager_that_does_not_read_keeps_nobody_up() {
    held("deaf-manager", "0");
}
