//! `workflow list|show|plan|run|stop|runs|remove`.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

use crate::fake::Fake;
use crate::run::Ran;
use crate::sample::workflows as sample;

/// Keys that scripts were promised, as JSON pointers.
#[rstest]
#[case(&["workflow", "list"], &["/workflows/0/name", "/workflows/0/run/state", "/workflows/1/denial/victims/0/freed_bytes", "/workflows/3/fits"])]
#[case(&["wf", "show", "ai-complete"], &["/name", "/members/3/after/1", "/members/0/state", "/timeout_seconds", "/manifest"])]
#[case(&["workflows", "plan", "ai-complete"], &["/fits", "/pods/1/expected/observed/confidence", "/needed_bytes", "/expected_seconds"])]
#[case(&["workflow", "runs"], &["/runs/0/id", "/runs/0/queue/place", "/runs/2/failure/message"])]
#[case(&["workflow", "runs", "show", sample::FAILED], &["/id", "/pods/0/step", "/events/0/run"])]
#[case(&["workflow", "run", "ai-complete"], &["/outcome", "/changed", "/run/id"])]
#[case(&["workflow", "stop", "ai-complete"], &["/outcome", "/run/pods/0/message"])]
#[case(&["workflow", "remove", "ai-complete"], &["/outcome", "/name"])]
fn one_document_with_the_promised_keys(#[case] arguments: &[&str], #[case] keys: &[&str]) {
    let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let document = Fake::start().run(&with_json).exits(0).document();
    for key in keys {
        assert!(
            document.pointer(key).is_some(),
            "{key} is missing in {document:#}"
        );
    }
}

#[rstest]
#[case(&["workflow", "list"], "batch           2    50  13.0 GiB  0.5  queued   no, 3.4 GiB missing\n")]
#[case(&["workflow", "show", "ai-complete"], "│  └─ n8n  error ")]
#[case(&["workflow", "plan", "ai-complete"], "To run it: dagdactl workflow run ai-complete\n")]
#[case(&["workflow", "plan", "big"], "It does not fit now: 3.4 GiB of memory are missing.\n")]
#[case(&["workflow", "runs"], "019a2f4c-7b1e  ai-complete  running ")]
#[case(&["workflow", "runs", "show", "019a2f40"], "What happened\n")]
#[case(&["workflow", "remove", "tools"], "tools is removed; its pods stay\n")]
#[case(&["workflow", "remove", "mute"], "workflow mute is removed\n")]
fn people_get_text_without_colour_in_a_pipe(#[case] arguments: &[&str], #[case] expected: &str) {
    let ran = Fake::start().run(arguments).exits(0);
    assert!(ran.stdout.contains(expected), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
    assert_eq!(ran.stderr, "");
}

#[rstest]
#[case(&["workflow", "show", "nosuch"])]
#[case(&["workflow", "plan", "nosuch"])]
#[case(&["workflow", "run", "nosuch"])]
#[case(&["workflow", "run", "nosuch", "--no-wait"])]
#[case(&["workflow", "stop", "nosuch"])]
#[case(&["workflow", "remove", "nosuch"])]
#[case(&["workflow", "runs", "nosuch"])]
#[case(&["workflow", "runs", "show", "beef"])]
fn no_such_thing_exits_with_3(#[case] arguments: &[&str]) {
    let fake = Fake::start();
    let ran = fake.run(arguments).exits(3);
    assert!(
        ran.stdout.is_empty() && ran.stderr.starts_with("error: no "),
        "{ran:?}"
    );
    let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    fake.run(&with_json).fails(3, "not_found");
}

#[test]
fn progress_goes_to_stderr_a_line_for_each_change() {
    let ran = Fake::start().run(&["workflow", "run", "ai"]).exits(0);
    assert_eq!(ran.stdout, "ai is running\n");
    // The count of pods that are ready has grown in between: that alone is no change.
    assert_eq!(
        ran.stderr,
        "run 019a2f4c-7b1e-7000-8000-000000000001 of ai\n\
         ai: starting, 0 of 4 pods ready\nmariadb: starting\nmariadb: ready\nllama: starting\n\
         qwen: starting\nllama: ready\nqwen: ready\nn8n: starting\nai: running\nn8n: ready\n"
    );
}

#[test]
fn what_is_asked_of_a_run_reaches_dagdad() {
    let fake = Fake::start();
    fake.run(&["workflow", "run", "a"]).exits(0);
    fake.run(&[
        "workflow",
        "run",
        "b",
        "--evict",
        "--queue",
        "--timeout",
        "1500ms",
    ])
    .exits(0);
    fake.run(&["--timeout", "5m", "wf", "run", "c", "--force"])
        .exits(0);
    assert_eq!(
        fake.requests(),
        [
            "RunWorkflowRequest { name: \"a\", admission: Fit, queue: false, timeout: None }",
            "RunWorkflowRequest { name: \"b\", admission: Evict, queue: true, \
             timeout: Some(Duration { seconds: 1, nanos: 500000000 }) }",
            "RunWorkflowRequest { name: \"c\", admission: Force, queue: false, \
             timeout: Some(Duration { seconds: 300, nanos: 0 }) }",
        ]
    );
}

#[test]
fn without_a_name_what_can_be_run_is_listed() {
    let fake = Fake::start();
    let ran = fake.run(&["workflow", "run"]).exits(2);
    assert!(ran.stdout.contains("tools           1    50 "), "{ran:?}");
    assert_eq!(
        ran.stderr,
        "error: a name is needed: dagdactl workflow run NAME; the list tells what there is and \
         whether it fits now\n"
    );
    let document = fake.run(&["workflow", "run", "--json"]).exits(2).document();
    assert_eq!(document["error"]["code"], "usage");
    assert_eq!(document["workflows"][0]["fits"], true);
    assert_eq!(document["workflows"][2]["denial"]["never_fits"], true);
}

#[test]
fn a_refusal_is_explained_and_exits_with_4() {
    let fake = Fake::start();
    let ran = fake.run(&["workflow", "run", "big"]).exits(4);
    assert_eq!(ran.stdout, "");
    for expected in [
        "error: workflow big does not fit: it needs 13.0 GiB of memory, 9.6 GiB are available",
        "Memory   13.0 GiB    9.6 GiB  18.8 GiB  23.5 GiB  4.1 GiB   5.1 GiB\n",
        "adminer    30  4.0 GiB  0.5  optional, priority 30, idle for 5m\n",
        "To stop them and run the workflow: dagdactl workflow run big --evict\n",
        "To wait until it fits: dagdactl workflow run big --queue\n",
    ] {
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
    let document = fake
        .run(&["workflow", "run", "big", "--json"])
        .exits(4)
        .document();
    assert_eq!(document["error"]["victims"][0]["pod"], "clock");
    assert_eq!(document["error"]["needed_bytes"], 13_u64 << 30);
}

#[rstest]
#[case("busy", 1, "busy")]
#[case("crash", 1, "pod_failed")]
#[case("unfinished", 5, "unreachable")]
#[case("broken", 5, "unreachable")]
#[case("late", 7, "timed_out")]
fn failures_have_their_exit_code(#[case] name: &str, #[case] code: i32, #[case] what: &str) {
    Fake::start()
        .run(&["workflow", "run", name, "--json"])
        .fails(code, what);
    let ran = Fake::start().run(&["workflow", "run", name]).exits(code);
    assert!(
        ran.stdout.is_empty() && ran.stderr.contains("error: "),
        "{ran:?}"
    );
}

#[test]
fn a_failed_run_shows_the_last_lines_of_the_pod_and_where_the_rest_is() {
    let ran = Fake::start().run(&["workflow", "run", "crash"]).exits(1);
    for expected in [
        "crash: rolled back\n",
        "qwen: container server exited with 1\n",
        "error: qwen did not come up, and the run was rolled back\n",
        "  | error: no weights\n",
        &format!(
            "see the run: dagdactl workflow runs show {}\n",
            sample::FAILED
        ),
    ] {
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
}

#[rstest]
#[case("unfinished")]
#[case("broken")]
fn a_stream_cut_off_says_that_the_run_goes_on(#[case] name: &str) {
    let message = Fake::start()
        .run(&["workflow", "run", name, "--json"])
        .fails(5, "unreachable");
    let expected = format!("once it is back, run {} of {name}", sample::RUNNING);
    assert!(message.contains(&expected), "{message}");
}

#[test]
fn what_runs_already_is_a_success() {
    let fake = Fake::start();
    let ran = fake.run(&["workflow", "run", "again"]).exits(0);
    assert_eq!(ran.stdout, "again is running already\n");
    let ran = fake.run(&["workflow", "run", "again", "--no-wait"]);
    assert_eq!(ran.exits(0).stdout, format!("{}\n", sample::RUNNING));
    let document = fake.run(&["workflow", "run", "again", "--json"]).document();
    assert_eq!(document["changed"], false);
    assert_eq!(document["run"]["id"], sample::RUNNING);

    let ran = fake.run(&["workflow", "run", "joined"]).exits(0);
    assert_eq!(ran.stdout, "joined is running: 4 pods ready\n");
    let joined = format!(
        "run {} of ai-complete is active since 2h already: it is followed, ",
        sample::RUNNING
    );
    assert!(ran.stderr.starts_with(&joined), "{ran:?}");
}

#[test]
fn without_waiting_the_id_stands_alone_on_stdout() {
    let fake = Fake::start();
    let ran = fake.run(&["workflow", "run", "slow", "--no-wait"]).exits(0);
    assert_eq!(ran.stdout, format!("{}\n", sample::RUNNING));
    assert!(
        ran.stderr
            .starts_with("run of slow accepted (starting)\nsee it: "),
        "{ran:?}"
    );
    let ran = fake
        .run(&["workflow", "run", "waiting", "--no-wait", "--queue"])
        .exits(0);
    assert_eq!(ran.stdout, format!("{}\n", sample::QUEUED));
    assert!(ran.stderr.contains("(queued, place 2 of 3: "), "{ran:?}");
    let document = fake
        .run(&["workflow", "run", "slow", "--no-wait", "--json"])
        .exits(0)
        .document();
    assert_eq!(document["outcome"], "accepted");
    assert_eq!(document["run"]["state"], "starting");
    fake.run(&["workflow", "run", "big", "--no-wait"]).exits(4);
}

/// `--timeout` is the run's limit, not that of dagdactl's patience: were it that, this run,
/// which the fake never ends, would end with 7.
#[test]
fn ctrl_c_says_that_the_run_goes_on_and_how_to_end_it() {
    let fake = Fake::start();
    let mut child = fake
        .command(&["workflow", "run", "waiting", "--queue", "--timeout", "1ms"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    // Which run it is, then where it stands.
    stderr.read_line(&mut line).unwrap();
    line.clear();
    stderr.read_line(&mut line).unwrap();
    assert!(
        line.starts_with("waiting: queued, place 2 of 3: 4.1 GiB of memory are missing")
            && line.contains("at the earliest in "),
        "{line}"
    );
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    Ran::from(child.wait_with_output().unwrap()).exits(130);
    for expected in [
        &format!(
            "run {} of waiting (queued) goes on in dagdad",
            sample::QUEUED
        ),
        "end it: dagdactl workflow stop waiting",
    ] {
        assert!(rest.contains(expected), "{rest}");
    }
}

#[test]
fn a_stop_names_the_pods_that_stay_up() {
    let ran = Fake::start().run(&["workflow", "stop", "ai"]).exits(0);
    assert_eq!(
        ran.stdout,
        "ai is stopped; mariadb stays up: workflow batch needs it\n"
    );
    assert_eq!(
        ran.stderr,
        "ai: stopping\nn8n: stopping\nmariadb: kept\nllama: stopping\nqwen: stopping\n\
         n8n: stopped\nai: stopped\nmariadb: stays up: workflow batch needs it\n\
         llama: stopped\nqwen: stopped\n"
    );
}

#[rstest]
#[case("slow")]
#[case("silent")]
fn a_stop_that_is_waited_for_no_longer_goes_on(#[case] name: &str) {
    let message = Fake::start()
        .run(&["workflow", "stop", name, "--timeout", "2s", "--json"])
        .fails(7, "timed_out");
    assert!(
        message.contains(&format!("the stop of {name} goes on in dagdad")),
        "{message}"
    );
}

#[test]
fn a_workflow_with_an_active_run_is_not_removed() {
    Fake::start()
        .run(&["workflow", "remove", "busy", "--json"])
        .fails(1, "busy");
}

#[test]
fn which_runs_are_wanted_reaches_dagdad() {
    let fake = Fake::start();
    fake.run(&["workflow", "runs"]).exits(0);
    let ran = fake
        .run(&["workflow", "runs", "idle", "--limit", "5"])
        .exits(0);
    assert_eq!(
        ran.stderr,
        "no runs yet; begin one: dagdactl workflow run NAME\n"
    );
    // A workflow may have the name of a verb.
    fake.run(&["workflow", "runs", "--", "show"]).exits(0);
    fake.run(&["workflow", "runs", "show", "019A2F40"]).exits(0);
    assert_eq!(
        fake.requests(),
        [
            "ListRunsRequest { workflow: None, limit: 20 }",
            "ListRunsRequest { workflow: Some(\"idle\"), limit: 5 }",
            "ListRunsRequest { workflow: Some(\"show\"), limit: 20 }",
            "GetRunRequest { id: \"019a2f40\" }",
        ]
    );
}
