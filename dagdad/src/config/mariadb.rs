//! How to reach the system of record.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::defaults;
use super::environment::{CREDENTIALS, Environment, MARIADB_PASSWORD};
use super::error::ConfigError;
use super::secret::{self, ReadSecret};

/// Name of the systemd credential with the password.
const CREDENTIAL: &str = "mariadb-password";

/// A MariaDB server and whom to be there.
#[derive(Debug, Clone)]
pub struct MariaDbOptions {
    /// Where it listens.
    pub address: MariaDbAddress,
    /// The account.
    pub user: String,
    /// Its password; `None` for accounts that need none, such as with `unix_socket`.
    pub password: Option<SecretString>,
    /// The database.
    pub database: String,
}

/// Where MariaDB listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MariaDbAddress {
    /// TCP.
    Tcp {
        /// Host name or IP address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A Unix socket.
    Socket(PathBuf),
}

/// What was said about MariaDB so far.
#[derive(Debug, Default)]
pub struct MariaDbDraft {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub socket: Option<PathBuf>,
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    pub database: Option<String>,
}

impl MariaDbDraft {
    pub fn has_two_addresses(&self) -> bool {
        self.host.is_some() && self.socket.is_some()
    }

    /// `None` where neither host nor socket is known: then MariaDB is not used.
    pub fn finish(
        self,
        environment: &Environment,
        read_secret: ReadSecret<'_>,
    ) -> Result<Option<MariaDbOptions>, ConfigError> {
        let address = match (self.socket, self.host) {
            (Some(socket), _) => MariaDbAddress::Socket(socket),
            (None, Some(host)) => MariaDbAddress::Tcp {
                host,
                port: self.port.unwrap_or(defaults::MARIADB_PORT),
            },
            (None, None) => return Ok(None),
        };
        Ok(Some(MariaDbOptions {
            address,
            user: self
                .user
                .unwrap_or_else(|| defaults::MARIADB_USER.to_owned()),
            password: password(environment, self.password_file.as_deref(), read_secret)?,
            database: self
                .database
                .unwrap_or_else(|| defaults::MARIADB_DATABASE.to_owned()),
        }))
    }
}

/// The variable, else the credential where there is one, else the file.
fn password(
    environment: &Environment,
    file: Option<&Path>,
    read_secret: ReadSecret<'_>,
) -> Result<Option<SecretString>, ConfigError> {
    if let Some(password) = environment.get(MARIADB_PASSWORD)? {
        return Ok(Some(password.into()));
    }
    let read = |path: &Path| {
        read_secret(path).map_err(|source| ConfigError::SecretFile {
            secret: "the MariaDB password",
            path: path.to_owned(),
            source,
        })
    };
    if let Some(directory) = environment.get(CREDENTIALS)? {
        let found = secret::if_there(read(&Path::new(&directory).join(CREDENTIAL)))?;
        if found.is_some() {
            return Ok(found);
        }
    }
    file.map(read).transpose()
}
