//! The process's surroundings, passed in so that nothing below reads them on its own.

use std::ffi::OsString;

use super::error::ConfigError;

/// Names the file to read instead of the default one.
pub const CONFIG: &str = "DAGDA_CONFIG";
/// The password for MariaDB.
pub const MARIADB_PASSWORD: &str = "MYSQL_API_PASSWORD";
/// Where systemd puts what `LoadCredential=` names.
pub const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

type Lookup = dyn Fn(&str) -> Option<OsString>;

/// Environment variables by name. Has no `Debug`, as one of them is a password.
pub struct Environment {
    lookup: Box<Lookup>,
}

impl Environment {
    /// This process's own.
    #[must_use]
    pub fn of_process() -> Self {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// Asks `lookup` for each variable.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString> + 'static) -> Self {
        Self {
            lookup: Box::new(lookup),
        }
    }

    /// The value of `variable`; an empty one counts as unset.
    pub(super) fn get(&self, variable: &str) -> Result<Option<String>, ConfigError> {
        (self.lookup)(variable)
            .filter(|value| !value.is_empty())
            .map(OsString::into_string)
            .transpose()
            .map_err(|_| ConfigError::NotText {
                variable: variable.to_owned(),
            })
    }
}

/// Whom the daemon runs for; decides where its files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The whole machine.
    Root,
    /// One user.
    User,
}

impl Identity {
    /// By this process's effective user.
    #[must_use]
    pub fn of_process() -> Self {
        if rustix::process::geteuid().is_root() {
            Self::Root
        } else {
            Self::User
        }
    }
}
