//! What holds for everything that may come out of Podman's socket.

use std::collections::HashMap;

use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::client::refusal;
use super::frames::FrameDecoder;
use super::lines::LineSplitter;
use super::list::{Listing, MOST_PORTS, held_ports, state};
use super::logs::LineAssembler;
use super::signals::Attachment;
use super::stats::{CpuReading, summed};
use super::{cgroup, images, wire};
use crate::domain::observed::{ContainerState, LogLine, LogStream};
use crate::ports::RuntimeError;

/// More than any error takes, in bytes; a container's name or an image's is not cut.
const LONGEST_ERROR: usize = 4096;

/// Feeds the answer to each call, be it an error's.
///
/// # Panics
/// Where an error is long or has several lines, or what was read is out of proportion.
pub fn libpod(input: &[u8]) {
    let pods: Vec<wire::Pod> = read::<Option<_>>(input).flatten().unwrap_or_default();
    let containers: Vec<wire::Container> = read::<Option<_>>(input).flatten().unwrap_or_default();
    for container in &containers {
        observed(container);
    }
    listed(pods, containers);
    if let Some(report) = read::<wire::StatsReport>(input) {
        measured(&report);
    }
    read::<wire::PodDetail>(input);
    read::<wire::ContainerDetail>(input);
    read::<wire::PlayReport>(input);
    read::<wire::StopReport>(input);
    read::<wire::PauseReport>(input);
    read::<wire::Info>(input);
    read::<wire::ImageDetail>(input);
    read::<wire::ManifestList>(input);
    read::<wire::ExecCreated>(input);
    read::<wire::ExecDetail>(input);
    told_well(&refusal(StatusCode::CONFLICT, input));
    let membership = String::from_utf8_lossy(input);
    let pod = "9e3a56bbac45db5859a70bc5fcc3f792fd8a984cc2a8e77b1ceeaaefcae845ee";
    if let Some(path) = cgroup::parse(&membership, pod) {
        let last = path.rsplit('/').next().unwrap_or_default();
        assert!(last.contains(pod), "{path:?}");
    }
}

fn read<T: DeserializeOwned>(input: &[u8]) -> Option<T> {
    let reason = match wire::read(input) {
        Ok(document) => return Some(document),
        Err(reason) => reason,
    };
    told_well(&RuntimeError::Protocol(reason));
    None
}

fn told_well(error: &RuntimeError) {
    let told = error.to_string();
    assert!(!told.is_empty() && told.len() <= LONGEST_ERROR, "{told:?}");
    assert!(!told.contains(char::is_control), "{told:?}");
}

fn observed(container: &wire::Container) {
    let name = container.names.first().map_or("", String::as_str);
    let pod = name.split('-').next().unwrap_or_default();
    assert!(name.ends_with(container.manifest_name(pod)));
    for now in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
        let seen = state(container, false, now);
        let running = matches!(seen, ContainerState::Running { .. });
        assert!(!running || container.is_live(), "{container:?}");
    }
    let ports = held_ports(&[container]);
    assert!(ports.len() <= MOST_PORTS, "{} ports", ports.len());
}

/// A listing in which each container's pod is there, and those that were listed.
fn listed(mut pods: Vec<wire::Pod>, containers: Vec<wire::Container>) {
    pods.extend(containers.iter().map(|container| wire::Pod {
        id: container.pod.clone(),
        name: container.pod.clone(),
        created: Timestamp::UNIX_EPOCH,
    }));
    let listing = Listing { pods, containers };
    for container in &listing.containers {
        let found = listing.pod(&container.pod);
        assert!(found.is_some(), "{container:?} is in no pod");
    }
    Attachment::new(String::new(), &listing, 0);
}

fn measured(report: &wire::StatsReport) {
    let ids = || report.stats.iter().map(|stats| &*stats.container_id);
    let pod_of: HashMap<&str, &str> = ids().map(|id| (id, "pod")).collect();
    let last = ids()
        .map(|id| (id.to_owned(), CpuReading { used: 1, at: 1 }))
        .collect();
    for (_, usage) in summed(report, &pod_of, &last) {
        let percent = usage.cpu_percent;
        assert!(percent.is_finite() && percent >= 0.0, "{percent}");
    }
}

/// Feeds a stream of events, of a pull's progress and of container output. Their first byte
/// says where they are cut.
///
/// # Panics
/// Where it makes a difference how a stream was cut, or what comes out is out of proportion.
pub fn streams(input: &[u8]) {
    let Some((seed, stream)) = input.split_first() else {
        return;
    };
    let whole = lines(stream.chunks(usize::MAX));
    let cut = lines(pieces(stream, *seed));
    assert_eq!(whole, cut, "lines");
    events(&whole);
    for line in &whole {
        match images::progress_in(line) {
            Ok(Some(said)) => assert!(!said.contains(char::is_control), "{said:?}"),
            Ok(None) => {}
            Err(images::Failed::Otherwise(error)) => told_well(&error),
            Err(images::Failed::NotToBeHad { why }) => {
                assert!(!images::short_reason(&why).contains(char::is_control));
            }
            Err(images::Failed::CutOff { .. }) => {}
        }
    }
    let whole = output(stream.chunks(usize::MAX));
    let cut = output(pieces(stream, *seed));
    assert_eq!(whole, cut, "container output");
    // A byte that is no UTF-8 becomes three.
    let length: usize = whole.iter().map(|line| line.text.len()).sum();
    assert!(length <= 3 * stream.len(), "{length} bytes");
}

/// `stream` in pieces whose lengths depend on `seed`.
fn pieces(stream: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream;
    let mut random = u32::from(seed);
    std::iter::from_fn(move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = match seed {
            0 => 1,
            _ => 1 + random as usize / (1 << 24) % 24,
        };
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

fn lines<'s>(pieces: impl Iterator<Item = &'s [u8]>) -> Vec<Bytes> {
    let mut splitter = LineSplitter::default();
    let mut lines = Vec::new();
    for piece in pieces {
        splitter.push(piece);
        loop {
            match splitter.next_line() {
                Ok(Some(line)) => lines.push(line),
                Ok(None) => break,
                Err(error) => {
                    told_well(&error);
                    return lines;
                }
            }
        }
    }
    lines
}

fn events(lines: &[Bytes]) {
    let nothing = Listing {
        pods: Vec::new(),
        containers: Vec::new(),
    };
    let mut attachment = Attachment::new(String::new(), &nothing, 0);
    for line in lines {
        let signals = attachment.interpret(line);
        assert!(signals.len() <= 2, "{signals:?}");
    }
}

fn output<'s>(pieces: impl Iterator<Item = &'s [u8]>) -> Vec<LogLine> {
    let mut decoder = FrameDecoder::default();
    let mut assembler = LineAssembler::new("container");
    let mut lines = Vec::new();
    let mut take = |(stream, payload): (LogStream, Bytes)| {
        lines.extend(assembler.push(stream, &payload));
    };
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => take(frame),
                Ok(None) => break,
                Err(error) => {
                    told_well(&error);
                    return lines;
                }
            }
        }
    }
    if let Some(frame) = decoder.finish() {
        take(frame);
    }
    lines.extend(assembler.finish());
    for line in &lines {
        assert!(!line.text.ends_with(['\n', '\r']), "{line:?}");
    }
    lines
}
