//! The JSON contract: one type a document, each converted from the wire by taking the message
//! apart field by field, so that a field added to the wire does not go unnoticed here. Tables
//! are made from the same types.
//!
//! Keys are snake_case, enums lower case, times RFC 3339 in UTC, byte counts integers with
//! `_bytes` in the name, percentages numbers with two decimals. What is not known is `null`,
//! never left out. A value that a later dagdad may send and this dagdactl does not know is
//! `"unknown"`. Keys may be added in later versions; none is dropped or changes its meaning.
//!
//! A failed command's document has the key `error`, see [`ErrorDocument`].

pub mod admission;
pub mod alerts;
pub mod audit;
pub mod backtest;
pub mod catalogue;
pub mod doctor;
pub mod economy;
pub mod economy_plan;
pub mod events;
pub mod logs;
pub mod operations;
pub mod plan;
pub mod pod_detail;
pub mod pods;
pub mod resources;
pub mod runs;
pub mod silences;
pub mod status;
#[cfg(test)]
mod tests;
pub mod workflows;

use jiff::Timestamp;
use serde::Serialize;

use self::admission::DenialView;
use crate::error::Error;

/// The document of a failed command:
/// `{"error":{"code":"not_found","message":"…","log":["…"]}}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorDocument {
    /// What went wrong.
    pub error: ErrorView,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorView {
    /// Stable, snake_case. From dagdad: `not_found`, `invalid`, `port_taken`, `busy`,
    /// `cancelled`, `runtime_unavailable`, `timed_out`, `pod_failed`, `runtime_failed`,
    /// `store_failed`, `shutting_down`, `permission_denied`, `insufficient_resources`,
    /// `economy_active`, `failed`, `unimplemented`. From dagdactl itself: `unreachable`,
    /// `permission_denied`, `timed_out`, `interrupted`, `usage`, `file`, `unhealthy`, `internal`,
    /// `output`.
    pub code: String,
    /// What failed, why, and what to do next; may have several lines.
    pub message: String,
    /// The last lines that the pod's containers wrote; left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// With the code `insufficient_resources`, where it is memory or CPU that lacks: the keys
    /// of the whole explanation beside these.
    #[serde(flatten)]
    pub denial: Option<DenialView>,
}

impl From<&Error> for ErrorView {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().to_owned(),
            message: error.to_string(),
            log: error.log().to_vec(),
            denial: error.denial().cloned().map(DenialView::from),
        }
    }
}

impl From<&Error> for ErrorDocument {
    fn from(error: &Error) -> Self {
        Self {
            error: error.into(),
        }
    }
}

/// A time as it came over the wire, to the millisecond; `None` where it is out of range.
fn time(wire: prost_types::Timestamp) -> Option<Timestamp> {
    let exact = exact_time(wire)?;
    Timestamp::from_millisecond(exact.as_millisecond()).ok()
}

/// A time as it came over the wire, to the nanosecond.
fn exact_time(wire: prost_types::Timestamp) -> Option<Timestamp> {
    let prost_types::Timestamp { seconds, nanos } = wire;
    Timestamp::new(seconds, nanos).ok()
}

/// A measured number with two decimals: more would be noise.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// An enum of the wire and the word that stands for each of its values.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident from $wire:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant,
            )*
            /// Not said, or said by a later dagdad.
            Unknown,
        }

        impl $name {
            /// From its number on the wire.
            pub fn from_wire(number: i32) -> Self {
                match dagda_proto::v1::$wire::try_from(number) {
                    $(Ok(dagda_proto::v1::$wire::$variant) => Self::$variant,)*
                    Ok(dagda_proto::v1::$wire::Unspecified) | Err(_) => Self::Unknown,
                }
            }

            /// Lower case, as in JSON.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown => "unknown",
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use word;
