//! Streams: `--follow`, `--watch`, and a reader that goes away.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rstest::rstest;

use crate::fake::Fake;

#[test]
fn log_lines_are_passed_on_as_they_are_into_a_pipe() {
    let ran = Fake::start().run(&["pods", "logs", "llama"]).exits(0);
    assert_eq!(ran.stdout, "first\n\u{1b}[31mred\u{1b}[0m \u{1b}[2J\n");
}

#[test]
fn the_container_is_named_where_there_are_several() {
    let fake = Fake::start();
    assert!(
        fake.run(&["pods", "logs", "several"])
            .exits(0)
            .stdout
            .starts_with("server | first\n")
    );
    let ran = fake
        .run(&["pods", "logs", "several", "-c", "server", "--timestamps"])
        .exits(0);
    assert!(
        ran.stdout
            .starts_with("2026-11-21T20:15:04.000000005Z first\n"),
        "{ran:?}"
    );
}

#[test]
fn what_is_wanted_of_a_log_reaches_dagdad() {
    let fake = Fake::start();
    fake.run(&[
        "pods", "logs", "a", "-f", "--tail", "5", "--since", "10m", "-c", "x",
    ])
    .exits(0);
    assert_eq!(
        fake.requests(),
        [
            "ReadLogsRequest { name: \"a\", container: Some(\"x\"), tail: Some(5), \
          since: Some(Duration { seconds: 600, nanos: 0 }), follow: true }"
        ]
    );
}

#[test]
fn logs_are_one_document_and_followed_ones_a_line_each() {
    let fake = Fake::start();
    let document = fake
        .run(&["pods", "logs", "llama", "--json"])
        .exits(0)
        .document();
    assert_eq!(
        document["lines"][1]["text"],
        "\u{1b}[31mred\u{1b}[0m \u{1b}[2J"
    );
    let lines = fake
        .run(&["pods", "logs", "llama", "--json", "--follow"])
        .exits(0)
        .lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["text"], "first");
}

#[test]
fn a_log_that_breaks_off_fails_after_what_was_there() {
    let fake = Fake::start();
    let ran = fake.run(&["pods", "logs", "broken"]).exits(1);
    assert_eq!(ran.stdout, "first\n");
    assert_eq!(ran.stderr, "error: Podman went away\n");
    let lines = fake
        .run(&["pods", "logs", "broken", "--follow", "--json"])
        .exits(1)
        .lines();
    assert_eq!(lines[1]["error"]["code"], "runtime_unavailable");
    // Without --follow there is one document, and it is the error's.
    fake.run(&["pods", "logs", "broken", "--json"])
        .fails(1, "runtime_unavailable");
}

/// The fake ends each of these streams after two messages, which a real dagdad does only when
/// it goes down.
#[rstest]
#[case(&["status", "--watch"], "version")]
#[case(&["pods", "stats", "--watch"], "pods")]
#[case(&["events", "--follow"], "kind")]
fn streams_print_an_object_a_line(#[case] arguments: &[&str], #[case] key: &str) {
    let fake = Fake::start();
    let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let lines = fake.run(&with_json).exits(5).lines();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[..2].iter().all(|line| line.get(key).is_some()),
        "{lines:?}"
    );
    assert_eq!(lines[2]["error"]["code"], "unreachable");

    let ran = fake.run(arguments).exits(5);
    assert!(
        !ran.stdout.contains('\u{1b}'),
        "no screen in a pipe: {ran:?}"
    );
}

#[test]
fn each_act_of_economy_mode_is_an_object_a_line_with_its_numbers() {
    let fake = Fake::start();
    let ran = fake.run(&["events", "qwen", "--follow", "--json"]);
    let lines = ran.exits(5).lines();
    let said = |line: &serde_json::Value| {
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        assert!(text("at").ends_with('Z'), "{line}");
        [text("kind"), text("object"), text("message")]
    };
    assert_eq!(
        said(&lines[0]),
        [
            "shed",
            "qwen",
            "RAM was at 86.3 % of at most 80 % for 30s; qwen uses 3.0 GiB and has priority 20"
        ]
    );
    assert_eq!(
        said(&lines[1]),
        [
            "economy_measured",
            "qwen",
            "3.0 GiB were freed, RAM is at 72.3 %"
        ]
    );
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let fake = Fake::start();
    let mut child = fake
        .command(&["pods", "logs", "flood", "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "again\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[rstest]
fn a_full_disk_behind_stdout_is_a_failure(
    #[values(&["status"], &["status", "--json"], &["pods", "logs", "llama"], &["completions", "bash"])]
    arguments: &[&str],
) {
    let fake = Fake::start();
    let mut command = fake.command(arguments);
    command
        .stdout(File::options().write(true).open("/dev/full").unwrap())
        .stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("cannot write to standard output")
    );
}

#[test]
fn a_stream_ends_with_the_timeout() {
    let fake = Fake::start();
    let lines = fake
        .run(&[
            "pods",
            "logs",
            "flood",
            "--follow",
            "--json",
            "--timeout",
            "300ms",
        ])
        .exits(7)
        .lines();
    assert_eq!(lines.last().unwrap()["error"]["code"], "timed_out");
}
