//! What MariaDB's errors mean: for the connection, in words for people, and for an entry of
//! the outbox, which is refused for what it contains or tried again.

use std::time::Duration;

use sqlx::mysql::MySqlDatabaseError;

use super::options::MariaDbOptions;

// Error numbers: <https://mariadb.com/kb/en/mariadb-error-codes/>
pub(super) const ER_DBACCESS_DENIED: u16 = 1044;
const ER_ACCESS_DENIED: u16 = 1045;
pub(super) const ER_BAD_DB: u16 = 1049;
pub(super) const ER_NO_SUCH_TABLE: u16 = 1146;
/// Errors about a value that have no SQLSTATE of class 22 or 23: a wrong value or string, a
/// row or packet too large, a value that is not valid in its character set.
const DATA_ERRORS: [u16; 7] = [1118, 1153, 1264, 1300, 1366, 1411, 4025];

/// Why MariaDB cannot be written to now. The text is for people and holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nothing answers, or the connection broke.
    #[error("MariaDB at {address} does not answer: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// What happened.
        reason: String,
    },
    /// It answers with an error.
    #[error("MariaDB at {address} refused: {reason}")]
    Refused {
        /// Where.
        address: String,
        /// MariaDB's words.
        reason: String,
    },
    /// The user is not let in.
    #[error(
        "MariaDB at {address} does not let {user} in ({reason}); check the password, or as an administrator: CREATE USER '{user}'@'%' IDENTIFIED BY '…'; GRANT ALL PRIVILEGES ON {database}.* TO '{user}'@'%';"
    )]
    Denied {
        /// Where.
        address: String,
        /// Who.
        user: String,
        /// For what.
        database: String,
        /// MariaDB's words.
        reason: String,
    },
    /// The database is not there, or not for this user, and could not be created.
    #[error(
        "MariaDB at {address} has no database {database} for {user} ({reason}); as an administrator: CREATE DATABASE {database}; GRANT ALL PRIVILEGES ON {database}.* TO '{user}'@'%';"
    )]
    NoDatabase {
        /// Where.
        address: String,
        /// Who.
        user: String,
        /// What.
        database: String,
        /// MariaDB's words.
        reason: String,
    },
    /// Written by a later dagdad.
    #[error(
        "database {database} at {address} has schema {found}, this dagdad knows up to {known}; install the newer dagdad again (nothing was written)"
    )]
    NewerSchema {
        /// Where.
        address: String,
        /// What.
        database: String,
        /// Version found.
        found: i64,
        /// Newest version known.
        known: i64,
    },
    /// No dagdad ever wrote to it.
    #[error(
        "database {database} at {address} holds nothing that a dagdad wrote; check `mariadb.database` and the server's address"
    )]
    Empty {
        /// Where.
        address: String,
        /// What.
        database: String,
    },
    /// The tables could not be created or changed.
    #[error("database {database} at {address} cannot be brought up to date: {reason}")]
    Migration {
        /// Where.
        address: String,
        /// What.
        database: String,
        /// MariaDB's words.
        reason: String,
    },
    /// Another dagdad has taken the database over.
    #[error("database {database} at {address} is being written by another dagdad")]
    TakenOver {
        /// Where.
        address: String,
        /// What.
        database: String,
    },
}

/// What an error means for the connection, in words.
pub fn explain(options: &MariaDbOptions, error: &sqlx::Error) -> LinkError {
    let address = options.address();
    let reason = match error {
        sqlx::Error::Database(error) => one_line(error.message()),
        sqlx::Error::Io(error) => one_line(&error.to_string()),
        other => one_line(&other.to_string()),
    };
    let (user, database) = (options.user.clone(), options.database.clone());
    match number(error) {
        Some(ER_ACCESS_DENIED) => LinkError::Denied {
            address,
            user,
            database,
            reason,
        },
        Some(ER_BAD_DB | ER_DBACCESS_DENIED) => LinkError::NoDatabase {
            address,
            user,
            database,
            reason,
        },
        Some(_) => LinkError::Refused { address, reason },
        None => LinkError::Unreachable { address, reason },
    }
}

/// The same for a database that another store writes to.
pub fn taken_over(options: &MariaDbOptions) -> LinkError {
    LinkError::TakenOver {
        address: options.address(),
        database: options.database.clone(),
    }
}

/// The same for a batch that took too long.
pub fn too_slow(options: &MariaDbOptions, after: Duration) -> LinkError {
    LinkError::Unreachable {
        address: options.address(),
        reason: format!("a batch was not committed within {} s", after.as_secs()),
    }
}

pub(super) fn number(error: &sqlx::Error) -> Option<u16> {
    Some(
        error
            .as_database_error()?
            .try_downcast_ref::<MySqlDatabaseError>()?
            .number(),
    )
}

/// MariaDB's words, where it refuses a row for what it contains.
pub(super) fn data_error(error: &sqlx::Error) -> Option<String> {
    if let sqlx::Error::Encode(error) = error {
        return Some(one_line(&error.to_string()));
    }
    let database = error
        .as_database_error()?
        .try_downcast_ref::<MySqlDatabaseError>()?;
    let class = database.code().and_then(|state| state.get(..2));
    let about_data = matches!(class, Some("22" | "23")) || DATA_ERRORS.contains(&database.number());
    about_data.then(|| one_line(database.message()))
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
