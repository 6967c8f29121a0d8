//! Rows as both databases hold them, and their way from and to the domain's types: a file a
//! table.
//!
//! The fields of a row are bound in one order, by one macro beside its type, whichever
//! database it goes to. [`value`] holds how single values are stored.

mod event;
mod intent;
mod pod;
mod sample;
mod value;

pub use event::EventRow;
pub use intent::IntentRow;
pub use pod::PodRow;
pub use sample::SampleRow;
pub use value::{BadValue, timestamp};

pub(super) use event::bind_event;
pub(super) use pod::bind_pod;
pub(super) use sample::bind_sample;

/// Binds the named fields of a row, in order, to a query of either database.
macro_rules! bind {
    ($query:expr, $row:expr; $($field:ident),+ $(,)?) => {
        $query$(.bind(&$row.$field))+
    };
}

pub(super) use bind;
