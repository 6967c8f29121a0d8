//! Passwords and other secrets in files.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::SecretString;

use super::error::ConfigError;

/// Reads the secret in a file; [`read`], or a test's own.
pub type ReadSecret<'a> = &'a dyn Fn(&Path) -> Result<SecretString, SecretFileError>;

/// More than any secret, in bytes.
const LONGEST: u64 = 4096;

/// Why a secret's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// Others may read or change it.
    #[error(
        "every user of this machine can read or change it (mode {mode:04o}); run chmod 600 on it and change the secret"
    )]
    OpenToAll {
        /// Its permission bits.
        mode: u32,
    },
    /// It holds nothing.
    #[error("it is empty; write the secret into it")]
    Empty,
    /// It is something else.
    #[error("it is longer than {LONGEST} bytes or not UTF-8, so no secret; name another file")]
    NotASecret,
}

/// The text of `path` without the newline at its end.
pub fn read(path: &Path) -> Result<SecretString, SecretFileError> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    if mode & 0o006 != 0 {
        return Err(SecretFileError::OpenToAll { mode });
    }
    let mut text = String::new();
    let length = file
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => SecretFileError::NotASecret,
            _ => SecretFileError::Unreadable(error),
        })?;
    if length as u64 > LONGEST {
        return Err(SecretFileError::NotASecret);
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    match text.strip_suffix('\r').unwrap_or(text) {
        "" => Err(SecretFileError::Empty),
        secret => Ok(SecretString::from(secret)),
    }
}

/// What was read from a systemd credential, or `None` where there is none. An empty one is none:
/// it is what `SetCredential=` puts in the place of a file that `LoadCredential=` does not find.
pub fn if_there<T>(read: Result<T, ConfigError>) -> Result<Option<T>, ConfigError> {
    match read {
        Err(ConfigError::SecretFile {
            source: SecretFileError::Unreadable(error),
            ..
        }) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(ConfigError::SecretFile {
            source: SecretFileError::Empty,
            ..
        }) => Ok(None),
        read => read.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use secrecy::ExposeSecret;
    use std::fs;

    fn file(content: &[u8], mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[rstest]
    #[case(b"s3cret", "s3cret")]
    #[case(b"s3cret\n", "s3cret")]
    #[case(b"s3cret\r\n", "s3cret")]
    #[case(b" s3cret \n\n", " s3cret \n")]
    fn only_the_last_newline_is_cut(#[case] content: &[u8], #[case] expected: &str) {
        for mode in [0o600, 0o400, 0o640] {
            assert_eq!(
                read(file(content, mode).path()).unwrap().expose_secret(),
                expected
            );
        }
    }

    #[rstest]
    fn what_all_can_read_or_write_is_refused(#[values(0o644, 0o602, 0o666)] mode: u32) {
        let error = read(file(b"s3cret", mode).path()).unwrap_err();
        assert!(matches!(error, SecretFileError::OpenToAll { mode: found } if found == mode));
        assert!(!error.to_string().contains("s3cret"));
    }

    #[test]
    fn an_empty_credential_is_none_and_a_broken_one_is_told_of() {
        let credential = |content: &[u8], mode| {
            let file = file(content, mode);
            if_there(read(file.path()).map_err(|source| ConfigError::SecretFile {
                secret: "a secret",
                path: file.path().to_owned(),
                source,
            }))
        };
        assert!(credential(b"\n", 0o400).unwrap().is_none());
        assert!(credential(b"s3cret\n", 0o400).unwrap().is_some());
        assert!(credential(b"s3cret\n", 0o444).is_err());
    }

    #[test]
    fn what_is_no_password_is_refused() {
        assert!(matches!(
            read(file(b"\n", 0o600).path()),
            Err(SecretFileError::Empty)
        ));
        assert!(matches!(
            read(file(&[b'x'; 5000], 0o600).path()),
            Err(SecretFileError::NotASecret)
        ));
        assert!(matches!(
            read(file(&[0xff; 4], 0o600).path()),
            Err(SecretFileError::NotASecret)
        ));
        assert!(matches!(
            read(Path::new("/nonexistent")),
            Err(SecretFileError::Unreadable(_))
        ));
    }
}
