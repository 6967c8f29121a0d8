//! `pods start|stop|restart|remove`: one pod and several, good ends and bad ones.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

use crate::fake::Fake;
use crate::run::Ran;

#[test]
fn progress_goes_to_stderr_and_the_result_to_stdout() {
    let ran = Fake::start().run(&["pods", "start", "llama"]).exits(0);
    assert_eq!(ran.stdout, "llama is running\n");
    // Stage changes only: the second report of the pull is not one.
    assert_eq!(
        ran.stderr,
        "llama: preparing\nllama: pulling image, 10 %\nllama: waiting until it is ready\n"
    );
}

#[test]
fn results_stand_in_the_order_of_the_command_line_and_each_pod_once() {
    let fake = Fake::start();
    let ran = fake.run(&["pods", "restart", "c", "a", "b", "a"]).exits(0);
    assert_eq!(ran.stdout, "c is running\na is running\nb is running\n");
    assert_eq!(fake.requests().len(), 3);
}

#[test]
fn one_pod_has_the_same_json_shape_as_several() {
    let ran = Fake::start()
        .run(&["pods", "start", "again", "--json"])
        .exits(0);
    let expected = serde_json::json!({"results": [
        {"name": "again", "outcome": "done", "changed": false, "message": "again runs already"}
    ]});
    assert_eq!(ran.document(), expected);
}

#[test]
fn the_first_failure_decides_and_the_others_go_on() {
    let fake = Fake::start();
    let ran = fake
        .run(&["pods", "start", "llama", "big", "crash", "n8n", "--json"])
        .exits(4);
    let document = ran.document();
    let outcomes: Vec<&str> = document["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| each["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["done", "error", "error", "done"]);
    assert_eq!(document["error"]["code"], "insufficient_resources");
    assert_eq!(document["results"][2]["error"]["log"][0], "starting");
}

#[rstest]
#[case("nosuch", 3, "not_found")]
#[case("big", 4, "insufficient_resources")]
#[case("late", 5, "shutting_down")]
#[case("unfinished", 5, "unreachable")]
#[case("refused", 6, "permission_denied")]
#[case("crash", 1, "pod_failed")]
fn failures_have_their_exit_code(#[case] name: &str, #[case] code: i32, #[case] what: &str) {
    let fake = Fake::start();
    fake.run(&["pods", "stop", name, "--json"])
        .fails(code, what);
    let ran = fake.run(&["pods", "stop", name]).exits(code);
    assert!(
        ran.stdout.is_empty() && ran.stderr.contains("error: "),
        "{ran:?}"
    );
}

#[test]
fn a_refusal_is_explained() {
    let fake = Fake::start();
    let ran = fake.run(&["pods", "start", "big"]).exits(4);
    assert_eq!(ran.stdout, "");
    for expected in [
        "error: big does not fit: it needs 13.0 GiB of memory, 9.6 GiB are available, 3.4 GiB are \
         missing\n",
        "\nclock      10  512 MiB  0.5  optional, priority 10, idle for 2h\n",
        "\nTo stop them and start big: dagdactl pods start big --evict\n",
    ] {
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
    let document = fake
        .run(&["pods", "start", "big", "--json"])
        .exits(4)
        .document();
    for error in [&document["error"], &document["results"][0]["error"]] {
        assert_eq!(error["available_bytes"], 10_345_124_864_u64);
        assert_eq!(error["victims"][1]["freed_bytes"], 4_u64 << 30);
        assert_eq!(
            error["suggested_command"],
            "dagdactl pods start big --evict"
        );
    }
}

#[test]
fn how_a_start_is_admitted_reaches_dagdad() {
    let fake = Fake::start();
    for arguments in [
        &["pods", "start", "a"][..],
        &["pods", "start", "a", "--evict"],
        &["pods", "start", "a", "--force"],
    ] {
        fake.run(arguments).exits(0);
    }
    assert_eq!(
        fake.requests(),
        ["Fit", "Evict", "Force"]
            .map(|mode| format!("StartPodRequest {{ name: \"a\", admission: {mode} }}"))
    );
}

#[test]
fn the_log_of_a_crash_is_shown_without_its_colours() {
    let ran = Fake::start().run(&["pods", "start", "crash"]).exits(1);
    assert!(
        ran.stderr.contains("error: crash ended with exit code 1"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("  | panic: no disk\n"), "{ran:?}");
}

#[test]
fn without_waiting_accepted_is_enough() {
    let fake = Fake::start();
    let ran = fake.run(&["pods", "start", "slow", "--no-wait"]).exits(0);
    assert_eq!(ran.stdout, "start of slow accepted\n");
    let ran = fake
        .run(&["pods", "restart", "slow", "--no-wait", "--json"])
        .exits(0);
    assert_eq!(ran.document()["results"][0]["outcome"], "accepted");
    // What is refused is refused, waited for or not.
    fake.run(&["pods", "start", "nosuch", "--no-wait"]).exits(3);
}

#[rstest]
fn a_timeout_says_that_it_goes_on(#[values("slow", "silent")] name: &str) {
    let message = Fake::start()
        .run(&["pods", "start", name, "--timeout", "2s", "--json"])
        .fails(7, "timed_out");
    assert!(message.contains("goes on in dagdad"), "{message}");
}

#[test]
fn ctrl_c_says_that_all_of_it_goes_on() {
    let fake = Fake::start();
    let mut child = fake
        .command(&["pods", "start", "slow", "llama", "silent"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    // Until slow is under way and llama all but ready; the order of the two is open.
    while !line.contains("slow: preparing\n")
        || !line.contains("llama: waiting until it is ready\n")
    {
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "{line}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    Ran::from(child.wait_with_output().unwrap()).exits(130);
    for name in ["slow", "silent"] {
        assert!(
            rest.contains(&format!("the start of {name} goes on in dagdad")),
            "{rest}"
        );
    }
}

#[test]
fn what_is_asked_reaches_dagdad() {
    let fake = Fake::start();
    fake.run(&["pods", "stop", "a", "--grace", "1500ms"])
        .exits(0);
    fake.run(&["pod", "remove", "b", "--force"]).exits(0);
    assert_eq!(
        fake.requests(),
        [
            "StopPodRequest { name: \"a\", grace_period: Some(Duration { seconds: 1, nanos: 500000000 }) }",
            "RemovePodRequest { name: \"b\", force: true }",
        ]
    );
}
