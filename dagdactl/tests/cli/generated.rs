//! The committed completions and man pages are what the command tree says today.

use std::fs;
use std::path::{Path, PathBuf};

use rstest::rstest;

use crate::run::run;

const REGENERATE: &str = "run `make generate` and commit the result";

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../completions")
}

#[rstest]
#[case("bash", "dagdactl.bash")]
#[case("zsh", "_dagdactl")]
#[case("fish", "dagdactl.fish")]
fn completions_are_current(#[case] shell: &str, #[case] file: &str) {
    let path = committed().join(file);
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == run(&["completions", shell]).exits(0).stdout,
        "{} is stale: {REGENERATE}",
        path.display()
    );
}

#[test]
fn man_pages_are_current() {
    let fresh = tempfile::tempdir().unwrap();
    run(&["man", "--out", fresh.path().to_str().unwrap()]).exits(0);
    let pages = |folder: &Path| {
        let mut pages: Vec<(String, String)> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            // dagdad's own page is written by its own tests.
            .filter(|path| !path.ends_with("dagdad.8"))
            .map(|path| {
                (
                    path.file_name().unwrap().to_string_lossy().into_owned(),
                    fs::read_to_string(&path).unwrap(),
                )
            })
            .collect();
        pages.sort();
        pages
    };
    let (expected, found) = (pages(fresh.path()), pages(&committed().join("man")));
    assert!(!expected.is_empty());
    assert!(expected == found, "completions/man is stale: {REGENERATE}");
}

#[test]
fn the_page_on_stdout_is_the_committed_one() {
    let page = fs::read_to_string(committed().join("man/dagdactl.1")).unwrap_or_default();
    assert!(
        run(&["man"]).exits(0).stdout == page,
        "dagdactl.1 is stale: {REGENERATE}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let message = run(&["man", "--out", "/dev/null/man", "--json"]).fails(1, "file");
    assert!(message.contains("/dev/null/man"), "{message}");
}
