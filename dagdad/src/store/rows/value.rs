//! Single values as columns hold them, and what is refused when they are read back.
//!
//! Numbers that MariaDB keeps as DECIMAL are rounded to its scale here, so that a row read
//! back from either database is the same.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::admission::Admission;
use crate::domain::catalogue::{Digest, Manifest};
use crate::domain::name::PodName;
use crate::domain::pod::Priority;
use crate::domain::quantity::{Bytes, Millicpu};

/// The longest span of time that is stored: 100 years, in seconds. Up to there a REAL holds
/// every microsecond.
const MOST_SECONDS: f64 = 3_153_600_000.0;

/// Something stored that this program never writes.
#[derive(Debug, thiserror::Error)]
pub enum BadValue {
    /// A value out of its range.
    #[error("{column} holds {value:?}")]
    Value {
        /// Table and column.
        column: &'static str,
        /// What it holds.
        value: String,
    },
    /// JSON of another shape, or none.
    #[error("{column} holds JSON that is not understood: {reason}")]
    Json {
        /// Table and column.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A column that belongs to the row's state holds nothing.
    #[error("{column} is empty in a row that is {state}")]
    Missing {
        /// Table and column.
        column: &'static str,
        /// The row's state.
        state: &'static str,
    },
    /// A manifest that is not the one that was written.
    #[error("{column} of {name} does not match the text's digest")]
    Manifest {
        /// Table and column.
        column: &'static str,
        /// Whose manifest it is.
        name: String,
    },
    /// A column that does not belong to the row's state holds something.
    #[error("{column} is set in a row that is {state}")]
    Surplus {
        /// Table and column.
        column: &'static str,
        /// The row's state.
        state: &'static str,
    },
}

/// Why rows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] sqlx::Error),
    /// One of them holds what this program never writes.
    #[error(transparent)]
    Value(#[from] BadValue),
}

/// Rows as the domain knows them; one bad row fails them all.
pub fn in_domain<R, T>(rows: Vec<R>) -> Result<Vec<T>, ReadError>
where
    T: TryFrom<R, Error = BadValue>,
{
    rows.into_iter().map(|row| Ok(row.try_into()?)).collect()
}

pub fn bad(column: &'static str, value: &(impl ToString + ?Sized)) -> BadValue {
    BadValue::Value {
        column,
        value: value.to_string(),
    }
}

/// A manifest as it was written: its digest tells. SQLite has no checksums of its own.
pub fn manifest(
    column: &'static str,
    name: &str,
    text: String,
    digest: String,
) -> Result<Manifest, BadValue> {
    if Digest::of(&text).0 == digest {
        let digest = Digest(digest);
        return Ok(Manifest { text, digest });
    }
    Err(BadValue::Manifest {
        column,
        name: name.to_owned(),
    })
}

/// Text for a JSON column.
pub(super) fn json(value: &(impl Serialize + ?Sized)) -> String {
    // Rows are made of text, numbers and lists, of which all can be written.
    serde_json::to_string(value).unwrap_or_default()
}

pub(super) fn from_json<'a, T: Deserialize<'a>>(
    column: &'static str,
    text: &'a str,
) -> Result<T, BadValue> {
    serde_json::from_str(text).map_err(|error| BadValue::Json {
        column,
        reason: error.to_string(),
    })
}

pub(super) fn uuid(column: &'static str, text: &str) -> Result<Uuid, BadValue> {
    text.parse().map_err(|_| bad(column, text))
}

/// A [`PodName`] or a [`crate::domain::name::WorkflowName`].
pub(super) fn name<T: FromStr>(column: &'static str, text: &str) -> Result<T, BadValue> {
    text.parse().map_err(|_| bad(column, text))
}

/// Names for a JSON column.
pub(super) fn names(names: &[impl Display]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

pub(super) fn from_names(column: &'static str, names: &[String]) -> Result<Vec<PodName>, BadValue> {
    names.iter().map(|text| name(column, text)).collect()
}

pub(super) fn priority(column: &'static str, value: i64) -> Result<Priority, BadValue> {
    u8::try_from(value)
        .ok()
        .and_then(Priority::new)
        .ok_or_else(|| bad(column, &value))
}

pub(super) fn admission(column: &'static str, text: &str) -> Result<Admission, BadValue> {
    Admission::ALL
        .into_iter()
        .find(|admission| admission.as_str() == text)
        .ok_or_else(|| bad(column, text))
}

pub fn unsigned(column: &'static str, value: i64) -> Result<u64, BadValue> {
    u64::try_from(value).map_err(|_| bad(column, &value))
}

/// From microseconds since 1970.
pub fn timestamp(column: &'static str, micros: i64) -> Result<Timestamp, BadValue> {
    Timestamp::from_microsecond(micros).map_err(|_| bad(column, &micros))
}

/// A time within JSON: RFC 3339, to the microsecond, as other times are.
pub(super) fn rfc3339(at: Timestamp) -> String {
    // Every time that microseconds were taken from has them.
    Timestamp::from_microsecond(at.as_microsecond())
        .unwrap_or(at)
        .to_string()
}

pub(super) fn from_rfc3339(column: &'static str, text: &str) -> Result<Timestamp, BadValue> {
    text.parse().map_err(|_| bad(column, text))
}

/// A span of time in seconds, to the microsecond.
pub(super) fn seconds(span: Duration) -> f64 {
    rounded(span.as_secs_f64().min(MOST_SECONDS), 6)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the range is checked
pub(super) fn span(column: &'static str, seconds: f64) -> Result<Duration, BadValue> {
    if (0.0..=MOST_SECONDS).contains(&seconds) {
        Ok(Duration::from_micros((seconds * 1e6).round() as u64))
    } else {
        Err(bad(column, &seconds))
    }
}

/// CPU in cores.
pub(super) fn cores(cpu: Millicpu) -> f64 {
    rounded(cpu.0 as f64 / 1e3, 3)
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
/// keeps.
pub(super) fn rounded(value: f64, scale: i32) -> f64 {
    let factor = 10f64.powi(scale);
    finite((value * factor).round() / factor)
}

/// What is no number becomes 0, since neither database stores it.
pub(super) const fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}
