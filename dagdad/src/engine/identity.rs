//! Ids made by the pure core: UUIDv7 from the step's own time and a seeded sequence, so that
//! a simulation repeats itself exactly.

use jiff::Timestamp;
use uuid::{Builder, Uuid};

/// A sequence of random bits (SplitMix64).
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
#[derive(Debug, Clone)]
pub struct Identities {
    state: u64,
}

impl Identities {
    /// A sequence that depends on `seed` alone.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next_bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A new UUIDv7 that carries `now`.
    pub fn next(&mut self, now: Timestamp) -> Uuid {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.next_bits().to_le_bytes());
        random[8..].copy_from_slice(&self.next_bits().to_le_bytes()[..2]);
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}
