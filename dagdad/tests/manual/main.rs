//! The committed manual page of dagdad is what its command line says today, with the sections of
//! `sections.roff` below it.

// Clippy knows functions marked as tests only; what they call may fail them as well.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;
use dagdad::cli::Arguments;

/// What a command line does not tell: files, variables, signals and the like.
const SECTIONS: &str = include_str!("sections.roff");

fn page() -> String {
    let man = Man::new(Arguments::command())
        .section("8")
        .source(concat!("Dagda ", env!("CARGO_PKG_VERSION")))
        .manual("Dagda manual");
    let mut text = Vec::new();
    man.render_title(&mut text).unwrap();
    man.render_name_section(&mut text).unwrap();
    man.render_synopsis_section(&mut text).unwrap();
    man.render_description_section(&mut text).unwrap();
    man.render_options_section(&mut text).unwrap();
    // They have no pages of their own to refer to.
    text.extend_from_slice(b".SH COMMANDS\n");
    for action in Arguments::command().get_subcommands() {
        let about = action.get_about().expect("each command says what it does");
        text.extend_from_slice(
            format!(".TP\n\\fB{}\\fR\n{about}.\n", action.get_name()).as_bytes(),
        );
    }
    String::from_utf8(text).unwrap() + SECTIONS
}

#[test]
fn the_manual_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../completions/man/dagdad.8");
    let page = page();
    if std::env::var_os("DAGDA_GENERATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "completions/man/dagdad.8 is stale: run `make generate` and commit the result"
    );
}

#[test]
fn every_variable_of_the_configuration_is_in_the_manual() {
    let example = include_str!("../../../systemd/dagdad.toml");
    let variables = example
        .split(|byte: char| !byte.is_ascii_uppercase() && byte != '_')
        .filter(|word| {
            ["DAGDA_", "DB_", "MYSQL_", "ALERT_", "MONITORING_"]
                .iter()
                .any(|prefix| word.starts_with(prefix) && word.len() > prefix.len())
        })
        // A hook's own environment, not dagdad's.
        .filter(|word| !word.starts_with("DAGDA_ALERT"));
    let mut count = 0;
    for variable in variables {
        assert!(SECTIONS.contains(variable), "{variable} is missing");
        count += 1;
    }
    assert!(count > 5, "the example names its variables in brackets");
}
