//! Rows of the local SQLite and of MariaDB, in one form that can be compared.
