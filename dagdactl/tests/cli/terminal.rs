//! On a terminal: `script` gives the program one.

use std::path::Path;
use std::process::Command;

use crate::fake::Fake;
use crate::run::{command_of, finish};
use crate::screen::screen;

/// What the program writes to a terminal, stdout and stderr together, and its exit code.
fn on_terminal(fake: &Fake, arguments: &str, no_color: bool) -> (String, Option<i32>) {
    let line = format!(
        "stty cols 80 rows 24; exec {} {arguments}",
        env!("CARGO_BIN_EXE_dagdactl")
    );
    let mut command: Command = command_of(Path::new("script"), &["-qec", &line, "/dev/null"]);
    command
        .env("DAGDA_SOCKET", fake.socket())
        .env("TERM", "xterm-256color")
        .env("SHELL", "/bin/sh");
    if no_color {
        command.env("NO_COLOR", "1");
    }
    let ran = finish(command);
    (ran.stdout.replace("\r\n", "\n"), ran.code)
}

#[test]
fn log_lines_cannot_act_on_the_terminal() {
    let (text, code) = on_terminal(&Fake::start(), "pods logs llama", false);
    assert_eq!(code, Some(0));
    assert_eq!(text, "first\nred \\u{1b}[2J\n");
}

#[test]
fn tables_have_colour_unless_it_is_not_wanted() {
    let fake = Fake::start();
    assert!(on_terminal(&fake, "pods list", false).0.contains("\u{1b}["));
    assert!(!on_terminal(&fake, "pods list", true).0.contains('\u{1b}'));
}

#[test]
fn a_start_ends_with_a_mark() {
    let (text, code) = on_terminal(&Fake::start(), "pods start llama", false);
    assert_eq!(code, Some(0));
    let last = text.trim_end().lines().last().unwrap().to_owned();
    assert!(
        last.contains('✓') && last.contains("llama is running"),
        "{text:?}"
    );
}

#[test]
fn several_starts_with_a_failure_leave_every_result() {
    let (text, code) = on_terminal(&Fake::start(), "pods start llama crash n8n", true);
    assert_eq!(code, Some(1));
    for expected in [
        "✓ llama is running",
        "crash ended with exit code 1",
        "✓ n8n is running",
    ] {
        assert!(text.contains(expected), "{expected} is missing in {text:?}");
    }
}

#[test]
fn a_run_leaves_a_line_for_each_pod() {
    let (text, code) = on_terminal(&Fake::start(), "workflow run ai", false);
    assert_eq!(code, Some(0));
    let mut lines = screen(&text);
    let last = lines.pop().unwrap();
    assert!(last.starts_with("✓ ai is running ("), "{last}");
    assert_eq!(
        lines,
        [
            "run 019a2f4c-7b1e-7000-8000-000000000001 of ai",
            "✓ mariadb  ready",
            "✓ llama    ready",
            "✓ qwen     ready",
            "✓ n8n      ready",
        ]
    );
}

#[test]
fn a_failed_run_leaves_what_became_of_each_pod() {
    let (text, code) = on_terminal(&Fake::start(), "workflow run crash", true);
    assert_eq!(code, Some(1));
    assert_eq!(
        screen(&text)[1..],
        [
            "✓ mariadb  stays up: it ran before the run",
            "✓ llama    stopped",
            "✗ qwen     container server exited with 1",
            "· n8n      not started",
            "error: qwen did not come up, and the run was rolled back",
            "  its last lines:",
            "  | loading model",
            "  | error: no weights",
            "see the run: dagdactl workflow runs show 019a2f40-1a2b-7000-8000-000000000003",
        ]
    );
}

#[test]
fn a_run_cut_off_leaves_where_it_was() {
    let (text, code) = on_terminal(&Fake::start(), "workflow run unfinished", true);
    assert_eq!(code, Some(5));
    let lines = screen(&text);
    // How long it has been starting stands at the end.
    assert!(
        lines[1].starts_with("  mariadb     starting  "),
        "{lines:#?}"
    );
    assert_eq!(
        lines[2..],
        [
            "· llama       waits for mariadb",
            "· qwen        waits for mariadb",
            "· n8n         waits for llama, qwen",
            "error: dagdad closed the connection; see: systemctl status dagdad",
            "       once it is back, run 019a2f4c-7b1e-7000-8000-000000000001 of unfinished",
            "       (starting) goes on in dagdad",
            "       see it: dagdactl workflow runs show 019a2f4c-7b1e-7000-8000-000000000001",
            "       end it: dagdactl workflow stop unfinished",
        ]
    );
}

#[test]
fn a_watched_status_is_drawn_in_place() {
    let (text, _) = on_terminal(&Fake::start(), "status --watch", true);
    assert_eq!(
        text.matches("\u{1b}[2J").count(),
        1,
        "the screen is cleared once: {text:?}"
    );
    assert!(
        text.contains("\u{1b}[?7h"),
        "wrapping is on again: {text:?}"
    );
}

#[test]
fn what_is_no_longer_waited_for_leaves_no_spinner() {
    let (text, code) = on_terminal(&Fake::start(), "pods start slow --timeout 300ms", true);
    assert_eq!(code, Some(7));
    let rest = text.rsplit("\u{1b}[2K").next().unwrap();
    assert!(!rest.contains("preparing"), "{text:?}");
}
