//! Times and durations.

use std::time::Duration;

use jiff::Timestamp;
use prost_types::{Duration as ProtoDuration, Timestamp as ProtoTimestamp};

pub fn timestamp(at: Timestamp) -> ProtoTimestamp {
    let mut seconds = at.as_second();
    let mut nanos = at.subsec_nanosecond();
    // protobuf counts nanoseconds forward, also before 1970.
    if nanos < 0 {
        seconds -= 1;
        nanos += 1_000_000_000;
    }
    ProtoTimestamp { seconds, nanos }
}

/// `None` where the wire carries a time that cannot be.
pub fn from_timestamp(at: &ProtoTimestamp) -> Option<Timestamp> {
    Timestamp::new(at.seconds, at.nanos).ok()
}

/// `None` where the wire carries a negative duration.
pub fn from_duration(duration: &ProtoDuration) -> Option<Duration> {
    Duration::try_from(*duration).ok()
}

pub fn duration(duration: Duration) -> Option<ProtoDuration> {
    ProtoDuration::try_from(duration).ok()
}
