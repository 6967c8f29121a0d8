//! Stores: SQLite, always; MariaDB behind its outbox.
