//! MariaDB, the system of record: a connection with today's schema, and what goes over it.
//!
//! | module | holds |
//! | --- | --- |
//! | `options` | where MariaDB is and who we are there |
//! | `connection` | connecting, creating the database, bringing its tables up to date |
//! | `link` | applying batches of the outbox, and comparing rows |
//! | `statement` | the statements that one entry of the outbox becomes |
//! | `error` | what MariaDB's errors mean, for people and for an entry |

mod connection;
mod error;
mod link;
mod options;
mod statement;

pub use error::{LinkError, explain, taken_over, too_slow};
pub use link::{Link, SendError};
pub use options::MariaDbOptions;
