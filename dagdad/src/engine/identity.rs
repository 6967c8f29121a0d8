//! Ids made by the pure core: UUIDv7 from the step's own time and a seeded sequence, so that
//! a simulation repeats itself exactly.

use jiff::Timestamp;
use uuid::{Builder, Uuid};

/// A sequence of random bits (SplitMix64).
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
#[derive(Debug, Clone)]
pub struct Identities {
    state: u64,
    last: Uuid,
}

impl Identities {
    /// A sequence that depends on `seed` alone.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self {
            state: seed,
            last: Uuid::nil(),
        }
    }

    fn next_bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A new UUIDv7 that carries `now`, greater than all before it: within one millisecond,
    /// or when the clock was set back, it counts on from the last.
    /// Source: RFC 9562, 6.2, method 2.
    pub fn next(&mut self, now: Timestamp) -> Uuid {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.next_bits().to_le_bytes());
        random[8..].copy_from_slice(&self.next_bits().to_le_bytes()[..2]);
        // Room to count without touching the variant's bits before it: byte 2 begins `rand_b`.
        random[2] &= 0b1101_1111;
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let id = Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        self.last = if id > self.last {
            id
        } else {
            Uuid::from_u128(self.last.as_u128() + 1)
        };
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_millisecond_are_in_order() {
        for seed in 0..200 {
            let mut identities = Identities::seeded(seed);
            let now = Timestamp::from_second(1_800_000_000).unwrap();
            let earlier = Timestamp::from_second(1_700_000_000).unwrap();
            let ids: Vec<Uuid> = [now, now, earlier, now]
                .into_iter()
                .map(|at| identities.next(at))
                .collect();
            assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
            for id in ids {
                assert_eq!(id.get_version_num(), 7);
                assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
            }
        }
    }
}
