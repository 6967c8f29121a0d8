//! What can be wrong with a configuration, told so that it can be mended.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::secret::SecretFileError;

/// Why the configuration is not usable. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read, or is not there though it was asked for.
    #[error("cannot read the configuration {}: {source}; mend that or name another file with --config", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Not TOML.
    #[error("{} is not valid TOML at line {line}, column {column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// 1-based, in characters.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A key or table that does not exist.
    #[error("unknown key `{key}` in {} line {line}; {advice}", path.display())]
    UnknownKey {
        /// With its table, control characters escaped.
        key: String,
        /// The file.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// The nearest key, or all there are.
        advice: String,
    },
    /// A value where a table is wanted.
    #[error("`{table}` in {} line {line} is a table; write [{table}] on a line of its own and its keys below", path.display())]
    NotATable {
        /// Its name.
        table: &'static str,
        /// The file.
        path: PathBuf,
        /// 1-based.
        line: usize,
    },
    /// A value of the wrong type, or out of range.
    #[error("`{key}` cannot be {value} ({origin}); give {allowed}")]
    Invalid {
        /// With its table.
        key: String,
        /// As it was written.
        value: String,
        /// Who said so.
        origin: Origin,
        /// What is allowed.
        allowed: String,
    },
    /// Two values that are allowed, but not together.
    #[error(
        "`{key}` is {value}, which is not {side} `{other}` ({threshold}); give a number {side} it"
    )]
    Contradiction {
        /// With its table.
        key: String,
        /// Its value.
        value: f64,
        /// On which side of the other it has to be.
        side: &'static str,
        /// With its table.
        other: String,
        /// The other's value.
        threshold: f64,
    },
    /// A duration that is allowed, but too short beside another.
    #[error(
        "`{key}` is {}, which is shorter than `{other}` ({least}): {why}; give at least {least}",
        humantime::format_duration(*.value),
        least = humantime::format_duration(*.least)
    )]
    TooShort {
        /// With its table.
        key: &'static str,
        /// Its value.
        value: Duration,
        /// With its table.
        other: &'static str,
        /// The other's value.
        least: Duration,
        /// What would come of it.
        why: &'static str,
    },
    /// Two ways to one database.
    #[error("{} sets both `mariadb.host` and `mariadb.socket`; keep the one that leads to the database", path.display())]
    TwoAddresses {
        /// The file.
        path: PathBuf,
    },
    /// A password in the configuration itself.
    #[error(
        "{} line {line} holds a password; take it out and give it by one of: the environment variable MYSQL_API_PASSWORD, the systemd credential `mariadb-password` (LoadCredential=), or a file that only dagdad can read, named by `mariadb.password_file`",
        path.display()
    )]
    PasswordInFile {
        /// The file.
        path: PathBuf,
        /// 1-based.
        line: usize,
    },
    /// Two addresses to post alerts to.
    #[error("{} sets both `alerts.webhook` and `alerts.webhook_file`; keep one of them", path.display())]
    TwoWebhooks {
        /// The file.
        path: PathBuf,
    },
    /// What is in the webhook's own file is no address.
    #[error("{} holds no webhook; write into it {}", path.display(), super::notifications::WEBHOOK)]
    NotAWebhook {
        /// The file or credential.
        path: PathBuf,
    },
    /// A secret's own file cannot be used.
    #[error("cannot take {secret} from {}: {source}", path.display())]
    SecretFile {
        /// Which secret.
        secret: &'static str,
        /// The file or credential.
        path: PathBuf,
        /// Why not.
        source: SecretFileError,
    },
    /// A variable that is not UTF-8.
    #[error(
        "the environment variable {variable} is not valid UTF-8; set it to plain text or unset it"
    )]
    NotText {
        /// Its name.
        variable: String,
    },
    /// No place for a user's socket.
    #[error(
        "XDG_RUNTIME_DIR is not set, so there is no place for the socket; log in with a session that sets it, or set `daemon.socket` or DAGDA_SOCKET"
    )]
    NoRuntimeDirectory,
    /// No place for a user's files.
    #[error(
        "neither HOME nor XDG_STATE_HOME is set, so there is no place for the state; set one of them, `daemon.state_dir` or DAGDA_STATE_DIR"
    )]
    NoStateDirectory,
}

impl ConfigError {
    /// Whether all that is wrong is that a secret's file is not there for this process, or not
    /// for it to read: another one, such as the service, may find it.
    #[must_use]
    pub fn is_hidden_secret(&self) -> bool {
        match self {
            Self::SecretFile {
                source: SecretFileError::Unreadable(error),
                ..
            } => matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ),
            _ => false,
        }
    }
}

/// Who set a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of the file.
    File {
        /// The file.
        path: PathBuf,
        /// 1-based.
        line: usize,
    },
    /// An environment variable.
    Variable(&'static str),
}

impl Origin {
    pub(super) fn file(path: &Path, line: usize) -> Self {
        Self::File {
            path: path.to_owned(),
            line,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}
