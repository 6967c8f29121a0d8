//! Free TCP ports on the loopback, below the range that the kernel hands out to clients.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 21_500;
const LAST: u16 = 29_999;

/// A port that nothing listens on, different at each call. Two test processes at once begin at
/// different places. `DAGDA_TEST_PORTS=FIRST-LAST` confines it to a range.
///
/// # Panics
/// All are taken.
#[must_use]
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let (first, last) = range();
    let count = last - first + 1;
    let start = u16::try_from((u64::from(std::process::id()) * 61) % u64::from(count))
        .expect("below a u16");
    for _ in 0..count {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed) % count;
        let port = first + (start % count + offset) % count;
        if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {first} and {last}");
}

fn range() -> (u16, u16) {
    let Ok(range) = std::env::var("DAGDA_TEST_PORTS") else {
        return (FIRST, LAST);
    };
    let ends = range
        .split_once('-')
        .and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    ends.unwrap_or_else(|| {
        panic!("DAGDA_TEST_PORTS is {range:?}; wanted FIRST-LAST, such as 21500-21599")
    })
}
