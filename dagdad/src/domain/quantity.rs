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

/// A decimal number that is not negative. A float would not do: `2.007` times a thousand is above 2007 there, and rounded up.
struct Decimal {
    digits: u128,
    /// How many of the digits stand behind the point; below zero, how many zeros are left out.
    scale: i64,
}

/// So many digits are exact, more than any amount has; of more, the last of these is rounded up.
const DIGITS: usize = 20;

/// No amount is larger.
const LARGEST: u64 = 9_200_000_000_000_000_000;

impl Decimal {
    /// A number at the beginning of `text`, and the suffix behind it. Kubernetes also allows an
    /// exponent (`12e6`), which belongs to the number.
    fn split(text: &str) -> Option<(Self, &str)> {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, mut suffix) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if number.trim_matches('.').is_empty() || fraction.contains('.') {
            return None;
        }
        let mut scale = i64::try_from(fraction.len()).ok()?;
        if let Some(exponent) = suffix.strip_prefix(['e', 'E'])
            && let Ok(exponent) = exponent.parse::<i32>()
        {
            scale -= i64::from(exponent);
            suffix = "";
        }
        let digits = [whole, fraction].concat();
        let digits = digits.trim_start_matches('0');
        let (kept, dropped) = digits.split_at(digits.len().min(DIGITS));
        let more = dropped.bytes().any(|digit| digit != b'0');
        let kept: u128 = if kept.is_empty() {
            0
        } else {
            kept.parse().ok()?
        };
        let number = Self {
            digits: kept + u128::from(more),
            scale: scale - i64::try_from(dropped.len()).ok()?,
        };
        Some((number, suffix))
    }

    /// So many times `factor`, rounded up to a whole number as Kubernetes does; `None` where
    /// that exceeds [`LARGEST`].
    fn times(self, factor: u64) -> Option<u64> {
        let product = self.digits.checked_mul(u128::from(factor))?;
        if product == 0 {
            return Some(0);
        }
        let power = u32::try_from(self.scale.unsigned_abs()).ok();
        let power = power.and_then(|power| 10_u128.checked_pow(power));
        let whole = match power {
            Some(power) if self.scale >= 0 => product.div_ceil(power),
            Some(power) => product.checked_mul(power)?,
            // Ten to that power is more than the product can be.
            None if self.scale >= 0 => 1,
            None => return None,
        };
        u64::try_from(whole).ok().filter(|whole| *whole <= LARGEST)
    }
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
        let (mut number, suffix) = Decimal::split(text.trim()).ok_or_else(error)?;
        let factor = match suffix {
            "" => 1,
            "m" => {
                number.scale += 3;
                1
            }
            "k" => 10_u64.pow(3),
            "M" => 10_u64.pow(6),
            "G" => 10_u64.pow(9),
            "T" => 10_u64.pow(12),
            "P" => 10_u64.pow(15),
            "E" => 10_u64.pow(18),
            "Ki" => 1 << 10,
            "Mi" => 1 << 20,
            "Gi" => 1 << 30,
            "Ti" => 1 << 40,
            "Pi" => 1 << 50,
            "Ei" => 1 << 60,
            _ => return Err(error()),
        };
        number.times(factor).map(Self).ok_or_else(error)
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
        let (number, suffix) = Decimal::split(text.trim()).ok_or_else(error)?;
        let factor = match suffix {
            "" => 1000,
            "m" => 1,
            _ => return Err(error()),
        };
        number.times(factor).map(Self).ok_or_else(error)
    }
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
    #[case("0.067G", 67_000_000)]
    #[case("9007199254740993", 9_007_199_254_740_993)]
    #[case("1.", 1)]
    #[case(".5Ki", 512)]
    #[case("1e-99", 1)]
    #[case("0e99999999", 0)]
    #[case(
        "00000000000000000000000000000000001.0000000000000000000000000000000000001",
        2
    )]
    #[case("1000000000000000000000000000000e-30", 1)]
    fn memory(#[case] text: &str, #[case] expected: u64) {
        assert_eq!(text.parse::<Bytes>().unwrap(), Bytes(expected));
    }

    #[rstest]
    #[case("2", 2000)]
    #[case("0.5", 500)]
    #[case("250m", 250)]
    #[case("0.0001", 1)]
    #[case("2.007", 2007)]
    #[case("555555555555.555", 555_555_555_555_555)]
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
