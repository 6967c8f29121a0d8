//! MariaDB, the system of record: a connection with today's schema, and what goes over it.
//!
//! | module | holds |
//! | --- | --- |
//! | `options` | where MariaDB is and who we are there |
//! | `connection` | connecting, creating the database, bringing its tables up to date |
//! | `link` | applying batches of the outbox, and comparing rows |
//! | `archive` | reading everything back, as it was at one moment |
//! | `selection` | the statements that read a table in SQLite's terms |
//! | `statement` | the statements that one entry of the outbox becomes |
//! | `error` | what MariaDB's errors mean, for people and for an entry |

mod archive;
mod connection;
mod error;
mod link;
mod options;
mod selection;
mod statement;

pub use archive::Archive;
pub use error::{LinkError, explain, taken_over, too_slow};
pub use link::{Link, SendError};
pub use options::MariaDbOptions;
