//! Logs of pods that run and of pods that have ended.

use std::time::Duration;

use dagdad::domain::observed::{LogQuery, LogStream};
use dagdad::ports::{Runtime, RuntimeError};
use futures::StreamExt;

use crate::PATIENCE;
use crate::podman::TestPodman;
use crate::pods::{TestPod, name};

#[tokio::test]
async fn logs_are_read_by_container_tail_time_and_as_they_come() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let talker = TestPod::new("talker")
        .container(
            "loud",
            "echo one; echo two >&2; printf thr; echo ee; exec busybox sleep 1000",
        )
        .container("quiet", "echo hush; exec busybox sleep 1000");
    runtime.play(&talker.render()).await.unwrap();
    let talker = name("talker");

    let follow = LogQuery {
        follow: true,
        ..LogQuery::default()
    };
    let mut lines = runtime.logs(&talker, &follow).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let line = tokio::time::timeout(PATIENCE, lines.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(line.at.is_some(), "{line:?}");
        seen.push((line.container, line.stream, line.text));
    }
    seen.sort_by(|a, b| a.2.cmp(&b.2));
    let line =
        |container: &str, stream, text: &str| (container.to_owned(), stream, text.to_owned());
    assert_eq!(
        seen,
        [
            line("quiet", LogStream::Stdout, "hush"),
            line("loud", LogStream::Stdout, "one"),
            line("loud", LogStream::Stdout, "three"),
            line("loud", LogStream::Stderr, "two"),
        ]
    );

    let read = async |query: LogQuery| -> Vec<String> {
        let lines = runtime.logs(&talker, &query).await.unwrap();
        let lines: Vec<_> = tokio::time::timeout(PATIENCE, lines.collect())
            .await
            .unwrap();
        lines
            .into_iter()
            .map(|line: Result<_, _>| line.unwrap().text)
            .collect()
    };
    assert_eq!(read(LogQuery::default()).await.len(), 4);
    let quiet = LogQuery {
        container: Some("quiet".to_owned()),
        ..LogQuery::default()
    };
    assert_eq!(read(quiet).await, ["hush"]);
    let tail = LogQuery {
        tail: Some(1),
        container: Some("loud".to_owned()),
        ..LogQuery::default()
    };
    assert_eq!(read(tail).await.len(), 1);
    let hour = LogQuery {
        since: Some(Duration::from_hours(1)),
        ..LogQuery::default()
    };
    assert_eq!(read(hour).await.len(), 4);

    runtime.stop(&talker, Duration::ZERO).await.unwrap();
    let end = tokio::time::timeout(PATIENCE, lines.next())
        .await
        .expect("the end of the pod");
    assert!(end.is_none(), "{end:?}");
    assert_eq!(
        read(LogQuery::default()).await.len(),
        4,
        "a stopped pod's log can be read"
    );
    let ended = runtime.logs(&talker, &follow).await.unwrap();
    let ended: Vec<_> = tokio::time::timeout(PATIENCE, ended.collect())
        .await
        .unwrap();
    assert_eq!(ended.len(), 4, "following a stopped pod ends");

    let missing = runtime
        .logs(&name("nobody"), &LogQuery::default())
        .await
        .err()
        .unwrap();
    assert_eq!(
        missing,
        RuntimeError::NotFound {
            what: "pod nobody".to_owned()
        }
    );
    let nobody = LogQuery {
        container: Some("nobody".to_owned()),
        ..LogQuery::default()
    };
    let missing = runtime.logs(&talker, &nobody).await.err().unwrap();
    assert!(
        matches!(missing, RuntimeError::NotFound { .. }),
        "{missing:?}"
    );
}
