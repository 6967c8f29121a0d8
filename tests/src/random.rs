//! Random choices that a failed test can be run again with.

/// SplitMix64. Source: <https://prng.di.unimi.it/splitmix64.c>
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Seeded by `DAGDA_TEST_SEED`, else by the clock; prints the seed.
    ///
    /// # Panics
    /// `DAGDA_TEST_SEED` is not a number.
    pub fn from_environment() -> Self {
        let (random, seed) = Self::seeded_by_environment();
        println!("DAGDA_TEST_SEED={seed}");
        random
    }

    /// Seeded by `DAGDA_TEST_SEED`, else by the clock; with the seed.
    ///
    /// # Panics
    /// `DAGDA_TEST_SEED` is not a number.
    pub fn seeded_by_environment() -> (Self, u64) {
        let seed = match std::env::var("DAGDA_TEST_SEED") {
            Ok(seed) => seed.parse().expect("DAGDA_TEST_SEED is a number"),
            Err(_) => jiff::Timestamp::now().as_millisecond().unsigned_abs(),
        };
        (Self(seed), seed)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}
