//! Reading a kernel file again and again through one open handle.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// First size of the buffer in bytes: more than any file that is read here usually has.
pub const BUFFER: usize = 8192;

/// Reads all of `file` from its beginning into `buffer`, which grows where it must.
///
/// One `pread` is enough: files of procfs and of cgroups hand out all they have as long as it
/// fits, and a second read to see the end would make the kernel format the text twice.
///
/// # Errors
/// The system's own. A cgroup that was removed answers `ENODEV`, even when another of the same
/// path has taken its place.
pub fn reread<'b>(file: &File, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]> {
    loop {
        if buffer.is_empty() {
            buffer.resize(BUFFER, 0);
        }
        let length = file.read_at(buffer, 0)?;
        if length < buffer.len() {
            return Ok(&buffer[..length]);
        }
        buffer.resize(buffer.len() * 2, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_grows_until_all_fits() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("long");
        let text = "x".repeat(3 * BUFFER);
        std::fs::write(&path, &text).unwrap();
        let mut buffer = Vec::new();
        let file = File::open(path).unwrap();
        assert_eq!(reread(&file, &mut buffer).unwrap(), text.as_bytes());
        assert_eq!(
            reread(&file, &mut buffer).unwrap(),
            text.as_bytes(),
            "from the start again"
        );
    }
}
