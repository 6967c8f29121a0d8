//! One daemon a state directory.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Holds the state directory for as long as it lives; the kernel lets go of it when the
/// process ends, however it ends.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

/// Why the state directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// Another daemon has it.
    #[error(
        "state directory {} is held by {holder}; stop that one first, or give this one another directory (DAGDA_STATE_DIR)",
        dir.display()
    )]
    Held {
        /// The directory.
        dir: PathBuf,
        /// `dagdad with process id 123`, where the holder told.
        holder: String,
    },
    /// It cannot be made or written.
    #[error("state directory {} cannot be used: {reason}; dagdad must be able to write there", dir.display())]
    Unusable {
        /// The directory.
        dir: PathBuf,
        /// The system's reason.
        reason: std::io::Error,
    },
}

impl InstanceLock {
    /// Creates `dir` where it is missing and takes hold of it.
    ///
    /// # Errors
    /// [`InstanceError::Held`] by another process, [`InstanceError::Unusable`] otherwise.
    pub fn take(dir: &Path) -> Result<Self, InstanceError> {
        let unusable = |reason| InstanceError::Unusable {
            dir: dir.to_owned(),
            reason,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(unusable)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join("dagdad.lock"))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The name is a courtesy; the lock itself is what counts.
                let _ = file.read_to_string(&mut text);
                let holder = match text.trim().parse::<u32>() {
                    Ok(pid) => format!("dagdad with process id {pid}"),
                    // Nothing, or what somebody else wrote there.
                    Err(_) => "another dagdad".to_owned(),
                };
                return Err(InstanceError::Held {
                    dir: dir.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(reason)) => return Err(unusable(reason)),
        }
        let write_pid = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())
        };
        write_pid(&mut file).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = InstanceLock::take(dir.path()).unwrap();
        let error = InstanceLock::take(dir.path()).unwrap_err().to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        drop(first);
        InstanceLock::take(dir.path()).unwrap();
    }

    #[test]
    fn rubbish_in_the_lock_file_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let _first = InstanceLock::take(dir.path()).unwrap();
        std::fs::write(dir.path().join("dagdad.lock"), "\u{1b}[31m 12").unwrap();
        let error = InstanceLock::take(dir.path()).unwrap_err().to_string();
        assert!(error.contains("is held by another dagdad;"), "{error}");
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        std::fs::write(&path, "").unwrap();
        let error = InstanceLock::take(&path).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
}
