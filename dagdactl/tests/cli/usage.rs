//! Arguments: help, bad names, and usage errors in words and in JSON.

use rstest::rstest;

use crate::run::run;

#[rstest]
fn help_goes_to_stdout(#[values("--help", "-h")] flag: &str) {
    let ran = run(&[flag]).exits(0);
    assert!(ran.stdout.contains("Usage: dagdactl") && ran.stderr.is_empty());
}

#[test]
fn the_version_is_the_package_s() {
    assert_eq!(
        run(&["--version"]).exits(0).stdout,
        format!("dagdactl {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[rstest]
#[case(&[])]
#[case(&["pods"])]
#[case(&["nonsense"])]
#[case(&["status", "--nonsense"])]
#[case(&["pods", "start"])]
#[case(&["pods", "start", "a/b"])]
#[case(&["pods", "show", "a b"])]
#[case(&["pods", "show", ""])]
#[case(&["pods", "stop", "a", "--grace", "soon"])]
#[case(&["pods", "logs", "a", "--tail", "-1"])]
#[case(&["status", "--timeout", "never"])]
#[case(&["events", "--limit", "0"])]
#[case(&["apply"])]
#[case(&["apply", "-f", "-", "-f", "-"])]
#[case(&["completions", "tcsh"])]
#[case(&["pods", "start", "a", "--evict", "--force"])]
#[case(&["workflow"])]
#[case(&["workflow", "show"])]
#[case(&["workflow", "plan", "a/b"])]
#[case(&["workflow", "run", "a", "--evict", "--force"])]
#[case(&["workflow", "run", "a", "--queue", "--force"])]
#[case(&["workflow", "run", "a", "--timeout", "soon"])]
#[case(&["workflow", "run", "a", "--timeout", "584554530872years"])]
#[case(&["workflow", "stop"])]
#[case(&["workflow", "runs", "--limit", "0"])]
#[case(&["workflow", "runs", "show"])]
#[case(&["workflow", "runs", "show", "no-id"])]
#[case(&["workflow", "runs", "a", "show", "019a2f40"])]
fn usage_errors_exit_with_2(#[case] arguments: &[&str]) {
    let ran = run(arguments).exits(2);
    assert_eq!(ran.stdout, "");
    assert!(!ran.stderr.is_empty());

    let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let message = run(&with_json).fails(2, "usage");
    assert!(
        !message.is_empty() && !message.contains("Usage:"),
        "{message}"
    );
}

#[test]
fn a_name_of_300_letters_is_a_usage_error() {
    let message = run(&["--json", "pods", "start", &"x".repeat(300)]).fails(2, "usage");
    assert!(
        message.contains("at most 63 characters, this one has 300"),
        "{message}"
    );
}

#[rstest]
#[case(&["pods", "start", "a\u{1b}[2Jb"])]
#[case(&["nonsense\u{7}"])]
#[case(&["status", "--\u{1b}]0;x\u{7}"])]
fn control_characters_are_escaped(#[case] arguments: &[&str]) {
    let ran = run(arguments).exits(2);
    assert!(
        !ran.stderr.chars().any(|c| c.is_control() && c != '\n'),
        "{ran:?}"
    );
    let with_json: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
    let message = run(&with_json).fails(2, "usage");
    assert!(!message.chars().any(char::is_control), "{message:?}");
}

#[test]
fn json_after_a_double_dash_is_a_name() {
    let ran = run(&["pods", "show", "--", "--json"]).exits(2);
    assert!(
        ran.stdout.is_empty() && ran.stderr.contains("not allowed in a name"),
        "{ran:?}"
    );
}
