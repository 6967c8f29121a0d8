use super::*;

fn line(at: Option<&str>, stream: LogStream, text: &str) -> LogLine {
    LogLine {
        container: "c".to_owned(),
        at: at.map(|at| at.parse().unwrap()),
        stream,
        text: text.to_owned(),
    }
}

fn assemble(entries: &[(LogStream, &'static str)]) -> Vec<LogLine> {
    let mut assembler = LineAssembler::new("c");
    let mut lines = Vec::new();
    for (stream, entry) in entries {
        lines.extend(assembler.push(*stream, &Bytes::from_static(entry.as_bytes())));
    }
    lines.extend(assembler.finish());
    lines
}

const T1: &str = "2026-11-22T01:03:21Z";
const T2: &str = "2026-11-22T01:03:22.123456789Z";

#[test]
fn strokes_become_one_line_with_the_time_of_the_first() {
    use LogStream::{Stderr, Stdout};
    let lines = assemble(&[
        (Stdout, "2026-11-22T01:03:21Z part"),
        (Stderr, "2026-11-22T01:03:21Z two\n"),
        (Stdout, "2026-11-22T01:03:22.123456789Z ial\r\n"),
        (Stdout, "2026-11-22T01:03:22.123456789Z open"),
    ]);
    assert_eq!(
        lines,
        [
            line(Some(T1), Stderr, "two"),
            line(Some(T1), Stdout, "partial"),
            line(Some(T2), Stdout, "open"),
        ]
    );
}

#[test]
fn a_line_without_a_timestamp_is_all_text() {
    assert_eq!(
        assemble(&[(LogStream::Stdout, "no time here\n\n")]),
        [
            line(None, LogStream::Stdout, "no time here"),
            line(None, LogStream::Stdout, ""),
        ]
    );
}

#[test]
fn what_is_no_text_is_replaced() {
    let mut assembler = LineAssembler::new("c");
    let lines = assembler.push(LogStream::Stdout, &Bytes::from_static(b"a\xff\n"));
    assert_eq!(lines, [line(None, LogStream::Stdout, "a\u{fffd}")]);
}

#[tokio::test]
async fn containers_are_merged_in_order_of_time() {
    let times = |seconds: &'static [i64]| {
        let (sender, receiver) = mpsc::channel(8);
        for &second in seconds {
            let at = Timestamp::from_second(second).unwrap().to_string();
            sender
                .try_send(Ok(line(Some(&at), LogStream::Stdout, "")))
                .unwrap();
        }
        ReceiverStream::new(receiver)
    };
    let merged: Vec<i64> = by_time(vec![times(&[1, 4, 5]), times(&[]), times(&[2, 3, 9])])
        .map(|line| line.unwrap().at.unwrap().as_second())
        .collect()
        .await;
    assert_eq!(merged, [1, 2, 3, 4, 5, 9]);
}
