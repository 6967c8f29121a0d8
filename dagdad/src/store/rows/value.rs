//! Single values as columns hold them, and what is refused when they are read back.
//!
//! Numbers that MariaDB keeps as DECIMAL are rounded to its scale here, so that a row read
//! back from either database is the same.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::name::PodName;
use crate::domain::quantity::{Bytes, Millicpu};

/// A stored value that this program never writes.
#[derive(Debug, thiserror::Error)]
#[error("{column} holds {value:?}")]
pub struct BadValue {
    column: &'static str,
    value: String,
}

pub(super) fn bad(column: &'static str, value: &(impl ToString + ?Sized)) -> BadValue {
    BadValue {
        column,
        value: value.to_string(),
    }
}

pub(super) fn uuid(column: &'static str, text: &str) -> Result<Uuid, BadValue> {
    text.parse().map_err(|_| bad(column, text))
}

pub(super) fn name(column: &'static str, text: &str) -> Result<PodName, BadValue> {
    text.parse().map_err(|_| bad(column, text))
}

pub(super) fn unsigned(column: &'static str, value: i64) -> Result<u64, BadValue> {
    u64::try_from(value).map_err(|_| bad(column, &value))
}

/// From microseconds since 1970.
pub fn timestamp(column: &'static str, micros: i64) -> Result<Timestamp, BadValue> {
    Timestamp::from_microsecond(micros).map_err(|_| bad(column, &micros))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the range is checked
pub(super) fn millicpu(column: &'static str, cores: f64) -> Result<Millicpu, BadValue> {
    let value = (cores * 1e3).round();
    if (0.0..9e15).contains(&value) {
        Ok(Millicpu(value as u64))
    } else {
        Err(bad(column, &cores))
    }
}

/// Sizes beyond what a BIGINT holds are stored as the largest one.
pub(super) fn bytes(size: Bytes) -> i64 {
    i64::try_from(size.0).unwrap_or(i64::MAX)
}

pub(super) fn mebibytes(size: Bytes) -> i64 {
    bytes(Bytes(size.0 >> 20))
}

/// Rounds to `scale` decimals, so that the value is exactly the DECIMAL that MariaDB
/// keeps. What is no number becomes 0, since neither database stores it.
pub(super) fn rounded(value: f64, scale: i32) -> f64 {
    let factor = 10f64.powi(scale);
    let value = (value * factor).round() / factor;
    if value.is_finite() { value } else { 0.0 }
}
