use proptest::prelude::*;

use super::*;

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[kind, 0, 0, 0], &length[..], payload].concat()
}

/// Feeds `stream` in pieces of the given sizes, over and over.
fn decode(stream: &[u8], cuts: &[usize]) -> Result<Vec<(LogStream, Vec<u8>)>, RuntimeError> {
    let mut decoder = FrameDecoder::default();
    let mut found = Vec::new();
    let mut rest = stream;
    for &cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at(cut.min(rest.len()));
        decoder.push(now);
        while let Some(frame) = decoder.next_frame()? {
            found.push(frame);
        }
        rest = later;
    }
    found.extend(decoder.finish());
    Ok(found
        .into_iter()
        .map(|(stream, bytes)| (stream, bytes.to_vec()))
        .collect())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(
        frames in prop::collection::vec((1_u8..3, prop::collection::vec(any::<u8>(), 0..40)), 0..8),
        cuts in prop::collection::vec(1_usize..20, 1..20),
    ) {
        let stream: Vec<u8> = frames.iter().flat_map(|(kind, payload)| frame(*kind, payload)).collect();
        let expected: Vec<_> = frames
            .into_iter()
            .map(|(kind, payload)| {
                (if kind == 2 { LogStream::Stderr } else { LogStream::Stdout }, payload)
            })
            .collect();
        prop_assert_eq!(decode(&stream, &cuts).unwrap(), expected);
    }

    #[test]
    fn a_truncated_stream_gives_the_whole_frames_only(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 1..6),
        keep in any::<prop::sample::Index>(),
    ) {
        let stream: Vec<u8> = frames.iter().flat_map(|payload| frame(1, payload)).collect();
        let kept = &stream[..keep.index(stream.len())];
        let found = decode(kept, &[7]).unwrap();
        prop_assert!(found.len() < frames.len());
        prop_assert!(found.iter().zip(&frames).all(|((_, found), sent)| found == sent));
    }

    #[test]
    fn garbage_never_panics(
        stream in prop::collection::vec(any::<u8>(), 0..200),
        cuts in prop::collection::vec(1_usize..20, 1..5),
    ) {
        let _ = decode(&stream, &cuts);
    }

    #[test]
    fn a_terminals_output_comes_line_by_line(
        lines in prop::collection::vec("[ -~]{8,20}", 1..6),
        cuts in prop::collection::vec(1_usize..20, 1..5),
    ) {
        let stream = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>() + "open";
        let found: Vec<_> = decode(stream.as_bytes(), &cuts).unwrap().into_iter().map(|(_, line)| line).collect();
        let mut expected: Vec<_> = lines.iter().map(|line| format!("{line}\n").into_bytes()).collect();
        expected.push(b"open".to_vec());
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn output_that_is_shorter_than_a_header_is_not_lost() {
    let only = |text: &[u8]| decode(text, &[1]).unwrap();
    assert_eq!(only(b"hi\n"), [(LogStream::Stdout, b"hi\n".to_vec())]);
    assert_eq!(only(b"\x01\0\0\0\0"), [], "a header that was cut off");
    assert_eq!(only(b""), []);
}

#[test]
fn frames_before_a_fault_are_told_however_they_arrive() {
    let stream = [&frame(1, b"fine")[..], b"not a header"].concat();
    let mut decoder = FrameDecoder::default();
    decoder.push(&stream);
    let (_, text) = decoder.next_frame().unwrap().unwrap();
    assert_eq!(text, "fine");
    assert!(decoder.next_frame().is_err());
}

#[test]
fn a_frame_too_long_to_be_one_is_an_error() {
    let mut stream = frame(1, b"fine");
    stream.extend([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    assert!(matches!(
        decode(&stream, &[64]),
        Err(RuntimeError::Protocol(_))
    ));
}

#[test]
fn something_else_behind_a_frame_is_an_error() {
    let mut stream = frame(1, b"fine");
    stream.extend(b"not a header");
    assert!(matches!(
        decode(&stream, &[64]),
        Err(RuntimeError::Protocol(_))
    ));
}
