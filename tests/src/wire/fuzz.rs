//! Malformed HTTP/2: random mutations of an exchange that is valid.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use dagda_proto::v1;

use super::frames::{self, END_HEADERS, END_STREAM, Kind, PREFACE, frame};
use crate::random::Random;

/// Flag of a `SETTINGS` that answers one.
const ACKNOWLEDGED: u8 = 0x1;
/// How long an answer is looked for: nothing is awaited here.
const MOMENT: Duration = Duration::from_millis(2);
/// How long one write may take.
const STUCK: Duration = Duration::from_secs(1);

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fuzzed {
    /// Connections that were fed something.
    pub attempts: usize,
    /// Of these, the ones that were answered with anything.
    pub answered: usize,
}

/// Feeds the socket malformed exchanges for `time`, one connection each, one after the other.
///
/// # Panics
/// Nobody listens on the socket any more.
pub fn malformed(socket: &Path, random: &mut Random, time: Duration) -> Fuzzed {
    let end = Instant::now() + time;
    let mut fuzzed = Fuzzed::default();
    while Instant::now() < end {
        let bytes = mutated(random);
        let mut stream = frames::connect(socket);
        stream.set_write_timeout(Some(STUCK)).expect("limit it");
        stream.set_read_timeout(Some(MOMENT)).expect("limit it");
        // Closed by the other side in the middle is as good.
        let _ = stream.write_all(&bytes);
        fuzzed.attempts += 1;
        if random.below(4) != 0 {
            let answered = stream.read(&mut [0; 4096]);
            fuzzed.answered += usize::from(answered.is_ok_and(|length| length > 0));
        }
    }
    fuzzed
}

/// An exchange that dagdad answers to the end, part by part: the preface, then frames.
pub fn valid() -> Vec<Vec<u8>> {
    let reset = 8_u32.to_be_bytes();
    vec![
        PREFACE.to_vec(),
        frames::settings(frames::WIDE_OPEN),
        frames::wide_connection(),
        frames::call(
            1,
            "/dagda.v1.StatusService/GetStatus",
            &v1::GetStatusRequest {},
        ),
        frame(Kind::Ping, 0, 0, b"dagdadag"),
        frames::headers(3, "/dagda.v1.PodsService/GetPod"),
        frames::body(
            3,
            &v1::GetPodRequest {
                name: "nobody".to_owned(),
            },
        ),
        frame(Kind::Priority, 0, 5, &[0, 0, 0, 0, 16]),
        frames::call(
            5,
            "/dagda.v1.StatusService/WatchStatus",
            &v1::WatchStatusRequest {},
        ),
        frame(Kind::WindowUpdate, 0, 5, &1024_u32.to_be_bytes()),
        frame(Kind::ResetStream, 0, 5, &reset),
        frames::headers(7, "/dagda.v1.CatalogueService/Apply"),
        frames::body(7, &v1::ApplyRequest::default()),
        frame(Kind::Settings, ACKNOWLEDGED, 0, &[]),
        frame(Kind::GoAway, 0, 0, &[0; 8]),
    ]
}

/// The valid exchange with a few faults.
fn mutated(random: &mut Random) -> Vec<u8> {
    let mut parts = valid();
    for _ in 0..=random.below(4) {
        mutate(&mut parts, random);
    }
    parts.concat()
}

fn index(random: &mut Random, length: usize) -> usize {
    let length = u64::try_from(length.max(1)).expect("a short list");
    usize::try_from(random.below(length)).expect("an index")
}

fn byte(random: &mut Random) -> u8 {
    u8::try_from(random.below(256)).expect("a byte")
}

fn noise(random: &mut Random, at_most: usize) -> Vec<u8> {
    (0..index(random, at_most)).map(|_| byte(random)).collect()
}

fn mutate(parts: &mut Vec<Vec<u8>>, random: &mut Random) {
    // The preface is spared mostly: without it nothing else is looked at.
    let first = usize::from(random.below(8) != 0);
    let at = first + index(random, parts.len().saturating_sub(first));
    let Some(part) = parts.get_mut(at) else {
        return;
    };
    let within = index(random, part.len());
    match random.below(12) {
        // Another bit.
        0 | 1 => {
            if let Some(it) = part.get_mut(within) {
                *it ^= 1 << random.below(8);
            }
        }
        // Another byte.
        2 => {
            if let Some(it) = part.get_mut(within) {
                *it = byte(random);
            }
        }
        // A length that is not that of the frame.
        3 => {
            if let Some(length) = part.get_mut(0..3) {
                length.fill_with(|| byte(random));
            }
        }
        // Another kind, other flags, another stream.
        4 => {
            if let Some(it) = part.get_mut(3) {
                *it = byte(random) % 12;
            }
        }
        5 => {
            if let Some(it) = part.get_mut(4) {
                *it = byte(random);
            }
        }
        6 => {
            if let Some(stream) = part.get_mut(5..9) {
                stream.fill_with(|| byte(random) % 4);
            }
        }
        // Cut short, left out, twice, elsewhere.
        7 => part.truncate(within),
        8 => {
            parts.remove(at);
        }
        9 => {
            let again = part.clone();
            for _ in 0..=random.below(100) {
                parts.insert(at, again.clone());
            }
        }
        10 => {
            let other = index(random, parts.len());
            parts.swap(at, other);
        }
        // Noise: bare, or as the inside of a frame.
        _ => {
            let noise = noise(random, 512);
            let kind = [
                Kind::Headers,
                Kind::Continuation,
                Kind::Data,
                Kind::Settings,
            ];
            let kind = kind[index(random, kind.len())];
            let stream = u32::from(byte(random) % 10);
            parts.insert(
                at,
                if random.below(2) == 0 {
                    noise
                } else {
                    frame(
                        kind,
                        byte(random) & (END_STREAM | END_HEADERS),
                        stream,
                        &noise,
                    )
                },
            );
        }
    }
}
