//! Where MariaDB is and who we are there.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;

/// Where MariaDB is and who we are there.
#[derive(Debug, Clone)]
pub struct MariaDbOptions {
    /// Host name or address; not used with `socket`.
    pub host: String,
    /// TCP port; not used with `socket`.
    pub port: u16,
    /// Unix socket, instead of host and port.
    pub socket: Option<PathBuf>,
    /// User.
    pub user: String,
    /// The user's password; empty is none.
    pub password: SecretString,
    /// Database; created where it is missing and the user may.
    pub database: String,
}

impl MariaDbOptions {
    /// For messages: `127.0.0.1:3306` or the socket's path.
    pub(super) fn address(&self) -> String {
        match &self.socket {
            Some(path) => path.display().to_string(),
            None => format!("{}:{}", self.host, self.port),
        }
    }

    pub(super) fn connect_options(&self) -> MySqlConnectOptions {
        let options = MySqlConnectOptions::new()
            .username(&self.user)
            .charset("utf8mb4")
            .collation("utf8mb4_bin")
            .timezone(Some("+00:00".to_owned()))
            .disable_statement_logging();
        let options = match self.password.expose_secret() {
            "" => options,
            password => options.password(password),
        };
        match &self.socket {
            Some(path) => options.socket(path),
            None => options.host(&self.host).port(self.port),
        }
    }
}
