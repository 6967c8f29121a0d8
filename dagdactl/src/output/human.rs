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

/// An elapsed time with tenths while they matter: `0.6s`, `12s`, `3m 5s`.
pub fn elapsed(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        s @ 10..60 => format!("{s}s"),
        s => format!("{}m {}s", s / 60, s % 60),
    }
}

/// `2026-11-21 20:15:04` in the zone given.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
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
    fn elapsed_time(#[case] millis: u64, #[case] expected: &str) {
        assert_eq!(elapsed(Duration::from_millis(millis)), expected);
    }

    #[test]
    fn a_time_in_the_future_has_no_age() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(age(now + Duration::from_secs(5), now), "0s");
        assert_eq!(age(now, now + Duration::from_mins(5)), "5m");
    }
}
