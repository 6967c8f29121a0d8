//! The command hook, with scripts that the shell runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rstest::rstest;
use rustix::fs::{CWD, FileType, Mode};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

use super::super::hook::HookError;
use super::super::{Hook, payload};
use super::{alert, told};
use crate::domain::notification::Occasion;

/// Longer than any script here takes.
const PLENTY: Duration = Duration::from_mins(5);

/// The shell with a script whose `$1` is `path`.
fn script(text: &str, path: &Path) -> Hook {
    let path = path.to_str().unwrap();
    Hook {
        program: "/bin/sh".into(),
        arguments: ["-c", text, "hook", path].map(str::to_owned).to_vec(),
        timeout: PLENTY,
    }
}

async fn run(hook: &Hook) -> Result<(), HookError> {
    let document = payload::document(&told(1, Occasion::Raised));
    hook.tell(&alert(1), &document).await
}

/// What is said of a script that fails.
async fn complaint(text: &str) -> String {
    let hook = script(text, Path::new("/"));
    run(&hook).await.unwrap_err().to_string()
}

#[tokio::test]
async fn it_is_given_the_alert_and_little_else() {
    let dir = tempfile::tempdir().unwrap();
    let hook = script(
        "cat >\"$1/document\"; env >\"$1/env\"; pwd >\"$1/pwd\"",
        dir.path(),
    );
    run(&hook).await.unwrap();
    let read = |name| fs::read_to_string(dir.path().join(name)).unwrap();
    let document = payload::document(&told(1, Occasion::Raised));
    assert_eq!(read("document").into_bytes(), document);
    let text = read("env");
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|l| Some(l.split_once('=')?.0))
        .collect();
    // What the shell sets itself.
    names.retain(|name| !matches!(*name, "PWD" | "OLDPWD" | "SHLVL" | "_"));
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "DAGDA_ALERT_CONDITION",
            "DAGDA_ALERT_ID",
            "DAGDA_ALERT_SEVERITY",
            "PATH"
        ]
    );
    assert!(text.contains("DAGDA_ALERT_CONDITION=ram_high\n"), "{text}");
    assert!(text.contains("DAGDA_ALERT_SEVERITY=critical\n"), "{text}");
    assert_eq!(read("pwd"), "/\n");
}

#[rstest]
#[case::with_words(
    "echo one >&2; echo 'no route to pager' >&2; echo >&2; exit 3",
    "/bin/sh exited with 3: no route to pager"
)]
#[case::silently("exit 1", "/bin/sh exited with 1")]
#[case::by_a_signal("kill -9 $$", "/bin/sh was killed by signal 9")]
#[case::with_what_is_no_text(
    "printf 'a\\033[31mb\\377' >&2; exit 1",
    "/bin/sh exited with 1: a [31mb\u{fffd}"
)]
#[tokio::test]
async fn its_failure_is_told(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(complaint(text).await, expected);
}

#[tokio::test]
async fn a_long_line_is_cut() {
    let said = complaint("printf '%01000d' 7 >&2; exit 1").await;
    let line = said.strip_prefix("/bin/sh exited with 1: ").unwrap();
    assert_eq!((line.len(), line.ends_with("07")), (400, true));
}

#[tokio::test]
async fn it_may_flood_its_output() {
    let said = complaint(
        "head -c 100000000 /dev/zero; head -c 100000000 /dev/zero >&2; echo done >&2; exit 1",
    )
    .await;
    assert_eq!(said, "/bin/sh exited with 1: done");
}

#[tokio::test]
async fn it_need_not_read_what_it_is_given() {
    let hook = script("exit 0", Path::new("/"));
    let large = vec![b'x'; 4 << 20];
    hook.tell(&alert(1), &large).await.unwrap();
    let hook = script("exec <&-; exit 0", Path::new("/"));
    hook.tell(&alert(1), &large).await.unwrap();
}

#[tokio::test]
async fn what_it_leaves_behind_is_not_waited_for() {
    let hook = script("sleep 5 & exit 0", Path::new("/"));
    run(&hook).await.unwrap();
}

#[tokio::test]
async fn one_that_hangs_is_killed_with_all_that_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let mut alive = pipe::OpenOptions::new().open_receiver(&fifo).unwrap();
    let hook = Hook {
        timeout: Duration::from_secs(2),
        ..script(
            "exec 3>\"$1\"; echo here >&3; echo 'waiting for the modem' >&2; sleep 1000 & wait",
            &fifo,
        )
    };
    let error = run(&hook).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "/bin/sh took longer than 2s and was killed: waiting for the modem"
    );
    // Its end comes once nobody is left who could write.
    let mut text = String::new();
    alive.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "here\n");
}

#[tokio::test]
async fn one_that_is_cut_off_is_killed_too() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let mut alive = pipe::OpenOptions::new().open_receiver(&fifo).unwrap();
    let hook = script("exec 3>\"$1\"; echo here >&3; sleep 1000 & wait", &fifo);
    let task = tokio::spawn(async move { run(&hook).await });
    let mut byte = [0];
    alive.readable().await.unwrap();
    while alive.read(&mut byte).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let mut rest = String::new();
    alive.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "ere\n");
}

#[tokio::test]
async fn what_cannot_be_run_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    let plain = dir.path().join("plain");
    fs::write(&plain, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
    for (program, why) in [
        (missing.as_path(), "No such file or directory"),
        (plain.as_path(), "Permission denied"),
        (dir.path(), "Permission denied"),
    ] {
        let hook = Hook {
            program: program.to_owned(),
            arguments: Vec::new(),
            timeout: PLENTY,
        };
        assert!(hook.look().is_err(), "{}", program.display());
        let error = run(&hook).await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{} cannot be run: {why}", program.display())),
            "{error}"
        );
    }
    script("", Path::new("/")).look().unwrap();
}
