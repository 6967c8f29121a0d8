//! Amounts of memory and CPU, in the units Kubernetes writes them.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

/// An amount of memory or disk in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

/// An amount of CPU in thousandths of a core; 1000 is one core for one second each second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millicpu(pub u64);

/// A text that is no Kubernetes quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a quantity; write for example {example}")]
pub struct QuantityError {
    text: String,
    example: &'static str,
}

impl Bytes {
    /// `n` mebibytes.
    #[must_use]
    pub const fn mib(n: u64) -> Self {
        Self(n * 1024 * 1024)
    }

    /// `n` gibibytes.
    #[must_use]
    pub const fn gib(n: u64) -> Self {
        Self(n * 1024 * 1024 * 1024)
    }

    /// How much of `total` this is, in percent; 0 of nothing is 0.
    #[must_use]
    pub fn percent_of(self, total: Self) -> f64 {
        if total.0 == 0 {
            0.0
        } else {
            self.0 as f64 * 100.0 / total.0 as f64
        }
    }
}

/// Splits `text` into a non-negative decimal number and the suffix behind it.
/// Kubernetes also allows an exponent (`12e6`), which stays with the number.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let digits_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (mut number, mut suffix) = text.split_at(digits_end);
    if let Some(exponent) = suffix.strip_prefix(['e', 'E'])
        && !exponent.is_empty()
        && exponent
            .trim_start_matches(['+', '-'])
            .bytes()
            .all(|b| b.is_ascii_digit())
    {
        (number, suffix) = (text, "");
    }
    let value: f64 = number.parse().ok()?;
    (value.is_finite() && value >= 0.0).then_some((value, suffix))
}

impl FromStr for Bytes {
    type Err = QuantityError;

    /// Parses a Kubernetes memory quantity: a number with `Ki Mi Gi Ti Pi Ei`,
    /// `k M G T P E`, `m` (thousandths, rounded up) or no suffix.
    /// Source: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let error = || QuantityError {
            text: text.to_owned(),
            example: "512Mi, 6Gi or 1500000000",
        };
        let (number, suffix) = split_number(text.trim()).ok_or_else(error)?;
        let factor = match suffix {
            "" => 1.0,
            "m" => 1e-3,
            "k" => 1e3,
            "M" => 1e6,
            "G" => 1e9,
            "T" => 1e12,
            "P" => 1e15,
            "E" => 1e18,
            "Ki" => 2f64.powi(10),
            "Mi" => 2f64.powi(20),
            "Gi" => 2f64.powi(30),
            "Ti" => 2f64.powi(40),
            "Pi" => 2f64.powi(50),
            "Ei" => 2f64.powi(60),
            _ => return Err(error()),
        };
        whole(number * factor).map(Self).ok_or_else(error)
    }
}

impl FromStr for Millicpu {
    type Err = QuantityError;

    /// Parses a Kubernetes CPU quantity: cores (`2`, `0.5`) or thousandths (`500m`).
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let error = || QuantityError {
            text: text.to_owned(),
            example: "2, 0.5 or 500m",
        };
        let (number, suffix) = split_number(text.trim()).ok_or_else(error)?;
        let factor = match suffix {
            "" => 1e3,
            "m" => 1.0,
            _ => return Err(error()),
        };
        whole(number * factor).map(Self).ok_or_else(error)
    }
}

/// Rounds up to a whole number, as Kubernetes does; `None` where it does not fit.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the range is checked
fn whole(value: f64) -> Option<u64> {
    let value = value.ceil();
    (0.0..=9.2e18).contains(&value).then_some(value as u64)
}

impl fmt::Display for Bytes {
    /// For people: `512 MiB`, `6.0 GiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= 1024.0 && unit < UNITS.len() - 1 {
            value /= 1024.0;
            unit += 1;
        }
        let digits = usize::from(unit >= 3);
        f.pad(&format!("{value:.digits$} {}", UNITS[unit]))
    }
}

impl fmt::Display for Millicpu {
    /// In cores, without trailing zeros: `2`, `0.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}", self.0 as f64 / 1000.0))
    }
}

macro_rules! additive {
    ($($type:ident),*) => {$(
        impl Add for $type {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }
        impl AddAssign for $type {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl $type {
            /// What is left after taking `other` away, never below zero.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }

        impl Sum for $type {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::default(), Add::add)
            }
        }
    )*};
}
additive!(Bytes, Millicpu);

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0", 0)]
    #[case("512Mi", 512 << 20)]
    #[case("6Gi", 6 << 30)]
    #[case("1.5Gi", 3 << 29)]
    #[case("1500M", 1_500_000_000)]
    #[case("128974848000m", 128_974_848)]
    #[case("12e6", 12_000_000)]
    #[case("1E", 1_000_000_000_000_000_000)]
    fn memory(#[case] text: &str, #[case] expected: u64) {
        assert_eq!(text.parse::<Bytes>().unwrap(), Bytes(expected));
    }

    #[rstest]
    #[case("2", 2000)]
    #[case("0.5", 500)]
    #[case("250m", 250)]
    #[case("0.0001", 1)]
    fn cpu(#[case] text: &str, #[case] expected: u64) {
        assert_eq!(text.parse::<Millicpu>().unwrap(), Millicpu(expected));
    }

    #[rstest]
    fn rejects(
        #[values("", "Gi", "-1", "6GB", "1 Gi", "nan", "inf", "9999999Ei", "1e", "²")] text: &str,
    ) {
        assert!(text.parse::<Bytes>().is_err(), "{text}");
    }

    #[rstest]
    #[case(Bytes(0), "0 B")]
    #[case(Bytes::mib(512), "512 MiB")]
    #[case(Bytes::gib(6), "6.0 GiB")]
    fn reads_well(#[case] bytes: Bytes, #[case] expected: &str) {
        assert_eq!(bytes.to_string(), expected);
    }
}
