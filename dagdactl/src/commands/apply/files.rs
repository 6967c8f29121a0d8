//! Reads manifests from files, folders and standard input.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use dagda_proto::v1::ManifestFile;

use crate::error::Error;
use crate::output::{Output, human};

/// The largest manifest file that dagdad takes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// The largest request that a gRPC server takes unless told otherwise, less some for the frame.
const MAX_REQUEST_BYTES: u64 = (4 << 20) - (64 << 10);

/// Reads all of `sources`, in their order; the files of a folder in the order of their names.
///
/// # Errors
/// Names the file that cannot be read, is no text or too large, and the folder without manifests.
pub fn read(
    sources: &[PathBuf],
    recursive: bool,
    output: &Output,
) -> Result<Vec<ManifestFile>, Error> {
    let dash = Path::new("-");
    if sources.iter().filter(|source| *source == dash).count() > 1 {
        return Err(Error::Usage(
            "standard input can be read only once: give `-f -` once".to_owned(),
        ));
    }
    let mut files = Vec::new();
    for source in sources {
        if source == dash {
            if io::stdin().is_terminal() {
                output.note("reading a manifest from the terminal; end it with Ctrl-D");
            }
            files.push(read_from(io::stdin(), "-", "standard input")?);
        } else if source.is_dir() {
            let mut found = Vec::new();
            list(source, recursive, &mut found)?;
            if found.is_empty() {
                let hint = if recursive {
                    ""
                } else {
                    "; -R also looks into the folders inside it"
                };
                return Err(Error::File(format!(
                    "{} has no *.yml or *.yaml files{hint}",
                    source.display()
                )));
            }
            for path in found {
                files.push(read_file(&path)?);
            }
        } else {
            files.push(read_file(source)?);
        }
    }
    let total: u64 = files
        .iter()
        .map(|file| (file.text.len() + file.name.len()) as u64)
        .sum();
    if total > MAX_REQUEST_BYTES {
        return Err(Error::File(format!(
            "the manifests have {} together, {} can be applied at once; apply them in several steps",
            human::bytes(total),
            human::bytes(MAX_REQUEST_BYTES)
        )));
    }
    Ok(files)
}

/// Adds the manifests in `folder` to `found`, sorted by path; its own before those of the
/// folders inside it.
fn list(folder: &Path, recursive: bool, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |error: io::Error| {
        Error::File(format!(
            "cannot read the folder {}: {error}",
            folder.display()
        ))
    };
    let mut entries = std::fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(failed)?;
    entries.sort();
    // A link to a folder is not followed: it may lead back here.
    let (folders, files): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|path| path.is_dir() && !path.is_symlink());
    found.extend(files.into_iter().filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yml" || extension == "yaml")
            && !path.is_dir()
    }));
    if recursive {
        for folder in folders {
            list(&folder, recursive, found)?;
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<ManifestFile, Error> {
    let shown = path.display().to_string();
    let file =
        File::open(path).map_err(|error| Error::File(format!("cannot read {shown}: {error}")))?;
    read_from(file, &shown, &shown)
}

/// Reads a manifest that is called `name` on the wire and `shown` in errors.
fn read_from(source: impl Read, name: &str, shown: &str) -> Result<ManifestFile, Error> {
    let mut bytes = Vec::new();
    source
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::File(format!("cannot read {shown}: {error}")))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Error::File(format!(
            "{shown} is larger than {}, the most that a manifest file may have; is it a manifest?",
            human::bytes(MAX_FILE_BYTES)
        )));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        Error::File(format!(
            "{shown} is not UTF-8 text (byte {})",
            error.utf8_error().valid_up_to() + 1
        ))
    })?;
    Ok(ManifestFile {
        name: name.to_owned(),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn sample() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yml", "a.yaml", "notes.txt", "sub/c.yml", "dir.yml/d.yml"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/loop")).unwrap();
        folder
    }

    fn texts(folder: &Path, recursive: bool) -> Vec<String> {
        let files = read(&[folder.to_owned()], recursive, &Output::detect(true)).unwrap();
        files.into_iter().map(|file| file.text).collect()
    }

    #[test]
    fn a_folder_is_read_in_order() {
        let folder = sample();
        assert_eq!(texts(folder.path(), false), ["a.yaml", "b.yml"]);
        assert_eq!(
            texts(folder.path(), true),
            ["a.yaml", "b.yml", "dir.yml/d.yml", "sub/c.yml"]
        );
    }

    #[rstest]
    #[case(MAX_FILE_BYTES, true)]
    #[case(MAX_FILE_BYTES + 1, false)]
    fn the_limit_is_exact(#[case] size: u64, #[case] taken: bool) {
        let text = io::repeat(b'#').take(size);
        assert_eq!(read_from(text, "big.yml", "big.yml").is_ok(), taken);
    }

    #[test]
    fn many_files_that_are_too_large_together_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..5 {
            std::fs::write(
                folder.path().join(format!("{index}.yml")),
                "#".repeat(1 << 20),
            )
            .unwrap();
        }
        let error = read(&[folder.path().to_owned()], false, &Output::detect(true)).unwrap_err();
        assert!(error.to_string().contains("in several steps"), "{error}");
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        let error = read_from(&b"ok\xff"[..], "x", "x.yml").unwrap_err();
        assert_eq!(error.to_string(), "x.yml is not UTF-8 text (byte 3)");
    }
}
