//! Numbers and times as people read them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `512 MiB`, `6.0 GiB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    // 1023.6 MiB would be rounded to 1024 MiB.
    while value >= 1023.5 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit >= 3);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// `3.1%`; whole numbers from 100 on.
pub fn percent(percent: f64) -> String {
    if percent >= 99.95 {
        format!("{percent:.0}%")
    } else {
        format!("{percent:.1}%")
    }
}

/// The largest unit that fits, rounded down: `42s`, `3m`, `2h`, `5d`.
pub fn short(duration: Duration) -> String {
    match duration.as_secs() {
        s @ 0..60 => format!("{s}s"),
        s @ 60..3600 => format!("{}m", s / 60),
        s @ 3600..86_400 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86_400),
    }
}

/// How long ago `then` was. A clock that was set back gives `0s`.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    short(now.duration_since(then).try_into().unwrap_or_default())
}

/// An elapsed time with tenths while they matter: `0.6s`, `12s`, `3m 5s`, `2h 1m`.
pub fn elapsed(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        s @ 10..60 => format!("{s}s"),
        s @ 60..3600 => format!("{}m {}s", s / 60, s % 60),
        s => format!("{}h {}m", s / 3600, s % 3600 / 60),
    }
}

/// As [`elapsed`], from seconds.
pub fn seconds(seconds: f64) -> String {
    elapsed(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// `2026-11-21 20:15:04` in the zone given.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// Cores from thousandths of one, with at most two decimals: `2`, `1.5`, `0.13`.
pub fn cores(millicores: u64) -> String {
    format!("{}", (millicores as f64 / 10.0).round() / 100.0)
}

/// A length of time that somebody chose, to the second: `5m`, `1h 30m`, `1s`.
pub fn span(seconds: f64) -> String {
    let whole = Duration::try_from_secs_f64(seconds.round()).unwrap_or_default();
    humantime::format_duration(whole).to_string()
}

/// The moment that times are told from, and the zone that they are told in.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Now.
    pub now: Timestamp,
    /// The reader's.
    pub zone: TimeZone,
}

impl Clock {
    /// The system's.
    pub fn system() -> Self {
        Self {
            now: Timestamp::now(),
            zone: TimeZone::system(),
        }
    }

    /// `2026-11-21 20:15:04`.
    pub fn at(&self, at: Timestamp) -> String {
        clock(at, &self.zone)
    }

    /// `in 40s (2026-11-21 20:15:04)`, or `now` for what has come already.
    pub fn ahead(&self, at: Timestamp) -> String {
        if at <= self.now {
            return "now".to_owned();
        }
        format!("in {} ({})", age(self.now, at), self.at(at))
    }
}

/// `1 pod`, `2 pods`.
pub fn count(number: u64, singular: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {singular}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0 B")]
    #[case(1023, "1023 B")]
    #[case(1024, "1 KiB")]
    #[case(512 << 20, "512 MiB")]
    #[case((1 << 30) - 1, "1.0 GiB")]
    #[case(6 << 30, "6.0 GiB")]
    #[case(u64::MAX, "16.0 EiB")]
    fn bytes_read_well(#[case] input: u64, #[case] expected: &str) {
        assert_eq!(bytes(input), expected);
    }

    #[rstest]
    #[case(0.0, "0.0%")]
    #[case(12.34, "12.3%")]
    #[case(99.94, "99.9%")]
    #[case(99.96, "100%")]
    #[case(1600.0, "1600%")]
    fn percents_keep_their_width(#[case] input: f64, #[case] expected: &str) {
        assert_eq!(percent(input), expected);
    }

    #[rstest]
    #[case(0, "0s")]
    #[case(59, "59s")]
    #[case(60, "1m")]
    #[case(7199, "1h")]
    #[case(86_400 * 400, "400d")]
    fn durations_are_short(#[case] seconds: u64, #[case] expected: &str) {
        assert_eq!(short(Duration::from_secs(seconds)), expected);
    }

    #[rstest]
    #[case(640, "0.6s")]
    #[case(12_700, "12s")]
    #[case(185_000, "3m 5s")]
    #[case(7_299_000, "2h 1m")]
    fn elapsed_time(#[case] millis: u64, #[case] expected: &str) {
        assert_eq!(elapsed(Duration::from_millis(millis)), expected);
    }

    #[rstest]
    #[case(0, "0")]
    #[case(2000, "2")]
    #[case(1500, "1.5")]
    #[case(125, "0.13")]
    #[case(1_234, "1.23")]
    fn cores_are_short(#[case] input: u64, #[case] expected: &str) {
        assert_eq!(cores(input), expected);
    }

    #[rstest]
    #[case(0.4, "0s")]
    #[case(300.0, "5m")]
    #[case(5400.2, "1h 30m")]
    #[case(f64::NAN, "0s")]
    fn spans_are_whole_seconds(#[case] input: f64, #[case] expected: &str) {
        assert_eq!(span(input), expected);
    }

    #[test]
    fn what_lies_ahead_is_told_both_ways() {
        let clock = Clock {
            now: Timestamp::UNIX_EPOCH,
            zone: TimeZone::UTC,
        };
        assert_eq!(
            clock.ahead(clock.now + Duration::from_mins(2)),
            "in 2m (1970-01-01 00:02:00)"
        );
        assert_eq!(clock.ahead(clock.now), "now");
    }

    #[test]
    fn a_time_in_the_future_has_no_age() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(age(now + Duration::from_secs(5), now), "0s");
        assert_eq!(age(now, now + Duration::from_mins(5)), "5m");
    }
}
