//! Whether the write-ahead log lost what was committed.
//!
//! SQLite reads its log up to the first frame whose checksum is wrong, and forgets the rest: after
//! a power cut that is the transaction that was being written. Where a later transaction follows
//! that frame, the disk lost what it had promised to keep, and the daemon must not go on with
//! half of what it acknowledged.
//!
//! The proof: each frame's checksum goes on from the one before, so that frames behind a damaged
//! one still fit together; and with `synchronous=FULL` the first frame of a transaction is not
//! written before all those of the transaction before it are on disk.
//!
//! Format: <https://www.sqlite.org/fileformat2.html#walformat>.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::inspecting::{Unusable, companion};

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The last bit tells the order of the bytes that checksums are made of.
const MAGIC: u32 = 0x377f_0682;
/// Where the database's own header has the size of its pages.
const PAGE_SIZE_AT: usize = 16;

/// Looks at the log of the database at `path`.
pub(super) fn inspect(path: &Path) -> Result<(), Unusable> {
    let mut head = [0; PAGE_SIZE_AT + 2];
    let log = companion(path, "-wal");
    let opened = File::open(path).and_then(|mut file| {
        file.read_exact(&mut head)?;
        File::open(log)
    });
    // There is no log; or no head, of which SQLite has more to say.
    let Ok(log) = opened else { return Ok(()) };
    let [.., high, low] = head;
    // 1 stands for 65536, which two bytes cannot say.
    let page = match usize::from(u16::from_be_bytes([high, low])) {
        1 => 65_536,
        size if size.is_power_of_two() && size >= 512 => size,
        _ => return Ok(()),
    };
    match lost(&mut BufReader::new(log), page) {
        Ok(None) => Ok(()),
        Ok(Some(lost)) => Err(Unusable::Damaged(lost)),
        Err(error) => Err(Unusable::Log(error)),
    }
}

/// What of a log of pages of this size was lost after it was committed, in words.
fn lost(log: &mut impl Read, page: usize) -> io::Result<Option<String>> {
    let mut header = [0; HEADER];
    if !fill(log, &mut header)? {
        return Ok(None);
    }
    let order = if word(&header, 0) & 1 == 1 {
        u32::from_be_bytes
    } else {
        u32::from_le_bytes
    };
    let computed = Sum::default().over(&header[..HEADER - 8], order);
    let stored = Sum::at(&header, HEADER - 8);
    let good = word(&header, 0) & !1 == MAGIC && computed == stored;
    let mut frame = vec![0; FRAME_HEADER + page];
    let mut chain = Chain {
        // A damaged header may be so in its sum or elsewhere.
        follows: [computed, stored],
        salt: good.then(|| [word(&header, 16), word(&header, 20)]),
        broken_at: (!good).then_some(0),
        committed: false,
    };
    let mut number = 0_u64;
    while fill(log, &mut frame)? {
        number += 1;
        if chain.goes_on_although_broken(number, &frame, order) {
            let at = match chain.broken_at {
                None | Some(0) => "in its header".to_owned(),
                Some(frame) => format!("in frame {frame}"),
            };
            return Ok(Some(format!(
                "its write-ahead log is damaged {at}, before changes that were committed"
            )));
        }
    }
    Ok(None)
}

/// The frames read so far.
struct Chain {
    /// What the next frame's sum may go on from.
    follows: [Sum; 2],
    /// What the frames of this round of the log have in common; unknown behind a bad header.
    salt: Option<[u32; 2]>,
    /// Frame that is damaged; 0 is the log's header.
    broken_at: Option<u64>,
    /// Behind the damage, a transaction came to its end.
    committed: bool,
}

impl Chain {
    /// Whether this frame proves that what was broken before it had been committed.
    fn goes_on_although_broken(
        &mut self,
        number: u64,
        frame: &[u8],
        order: fn([u8; 4]) -> u32,
    ) -> bool {
        let salt = [word(frame, 8), word(frame, 12)];
        let stored = Sum::at(frame, 16);
        let [computed, other] = self.follows.map(|sum| {
            let head = sum.over(&frame[..8], order);
            head.over(&frame[FRAME_HEADER..], order)
        });
        let fits =
            self.salt.is_none_or(|known| known == salt) && (computed == stored || other == stored);
        let proved = match (self.broken_at, fits) {
            (None, true) => false,
            (None, false) => {
                self.broken_at = Some(number);
                // What its sum ought to be is known, and what it says it is.
                self.follows = [computed, stored];
                return false;
            }
            // The header is on disk before any frame is written.
            (Some(0), true) => true,
            (Some(_), true) => {
                let proved = self.committed;
                self.committed |= word(frame, 4) != 0;
                proved
            }
            (Some(_), false) => false,
        };
        self.follows = [stored, stored];
        proved
    }
}

/// A checksum of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum(u32, u32);

impl Sum {
    fn at(bytes: &[u8], at: usize) -> Self {
        Self(word(bytes, at), word(bytes, at + 4))
    }

    fn over(mut self, bytes: &[u8], order: fn([u8; 4]) -> u32) -> Self {
        let numbers =
            |pair: &[u8]| Some((pair.first_chunk().copied()?, pair.last_chunk().copied()?));
        for (first, second) in bytes.chunks_exact(8).filter_map(numbers) {
            self.0 = self.0.wrapping_add(order(first)).wrapping_add(self.1);
            self.1 = self.1.wrapping_add(order(second)).wrapping_add(self.0);
        }
        self
    }
}

/// The big-endian number at `at`.
fn word(bytes: &[u8], at: usize) -> u32 {
    match bytes.get(at..at + 4) {
        Some(&[a, b, c, d]) => u32::from_be_bytes([a, b, c, d]),
        _ => 0,
    }
}

/// Whether there was enough to fill it.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
