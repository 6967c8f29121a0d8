//! A sudden squeeze of memory, told by the kernel as it happens.
//!
//! Who writes `some STALL WINDOW` (both in µs) to `/proc/pressure/memory` and keeps the file
//! open is woken through `POLLPRI` once tasks waited for memory for STALL within WINDOW, at most
//! once in each window. Without `CAP_SYS_RESOURCE` the kernel takes only windows that are a
//! multiple of 2 s (and before Linux 6.5, none). `POLLERR` means that there is nothing to wait
//! for any more. Source: <https://docs.kernel.org/accounting/psi.html#monitoring-for-pressure-thresholds>

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use rustix::fs::OFlags;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// When the kernel is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    stall: Duration,
    window: Duration,
}

/// 15 % of the time: below what economy mode begins at, and well above what a healthy box
/// shows. The shorter window is tried first.
const TRIGGERS: [Trigger; 2] = [
    Trigger {
        stall: Duration::from_millis(150),
        window: Duration::from_secs(1),
    },
    Trigger {
        stall: Duration::from_millis(300),
        window: Duration::from_secs(2),
    },
];

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [stall, window] = [self.stall, self.window].map(humantime::format_duration);
        write!(f, "tasks waited for memory for {stall} within {window}")
    }
}

/// An item whenever memory is squeezed, for ever; none where the kernel takes no trigger. Call
/// it within a tokio runtime.
pub fn squeezes(proc_root: &Path) -> BoxStream<'static, ()> {
    let watched = set_trigger(proc_root).and_then(|(file, trigger)| Ok((watch(file)?, trigger)));
    match watched {
        Ok((squeezes, trigger)) => {
            tracing::debug!("the kernel tells when {trigger}");
            squeezes.boxed()
        }
        Err(error) => {
            tracing::debug!(dagda_error = %error, "a squeeze of memory is seen at the next sample only");
            stream::pending().boxed()
        }
    }
}

/// Sets the first trigger that the kernel takes; it holds for as long as the file is open.
///
/// # Errors
/// The kernel's for the last one: `EINVAL` where it takes none, `EACCES` or `EROFS` where the
/// file cannot be written, `ENOENT` where there is no PSI.
pub fn set_trigger(proc_root: &Path) -> io::Result<(File, Trigger)> {
    let set = |trigger: Trigger| {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(proc_root.join("pressure/memory"))?;
        let (stall, window) = (trigger.stall.as_micros(), trigger.window.as_micros());
        // The kernel overwrites the last byte with a zero.
        file.write_all(format!("some {stall} {window}\n").as_bytes())?;
        Ok((file, trigger))
    };
    let [first, second] = TRIGGERS;
    set(first).or_else(|_| set(second))
}

/// An item whenever `file` has something urgent to tell, for ever.
fn watch(file: File) -> io::Result<impl futures::Stream<Item = ()> + Send> {
    #[expect(
        deprecated,
        reason = "unsound only for what changes its descriptor, which a File does not; the call that replaces it is unsafe"
    )]
    let file = AsyncFd::with_interest(file, Interest::PRIORITY | Interest::ERROR)?;
    let squeezes = stream::unfold(file, |file| async move {
        let mut guard = file
            .ready(Interest::PRIORITY | Interest::ERROR)
            .await
            .ok()?;
        if guard.ready().is_error() {
            tracing::debug!("the kernel tells no more of squeezes of memory");
            return None;
        }
        guard.clear_ready();
        drop(guard);
        Some(((), file))
    });
    Ok(squeezes.chain(stream::pending()))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::OwnedFd;
    use std::pin::pin;

    use rustix::net::SendFlags;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn each_urgent_word_is_one_item_and_nothing_else_is() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut kernel = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, _) = listener.accept().unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut squeezes = pin!(watch(File::from(OwnedFd::from(ours))).unwrap());
        kernel.write_all(b"nothing urgent").unwrap();
        for _ in 0..2 {
            assert_eq!(futures::poll!(squeezes.next()), std::task::Poll::Pending);
            // Out-of-band data wakes through POLLPRI, as a trigger does.
            rustix::net::send(&kernel, b"!", SendFlags::OOB).unwrap();
            let item = tokio::time::timeout(PATIENCE, squeezes.next()).await;
            assert_eq!(item, Ok(Some(())));
        }
    }

    #[tokio::test]
    async fn the_kernel_takes_a_trigger_or_says_why_not() {
        let proc = Path::new("/proc");
        let readable = std::fs::read(proc.join("pressure/memory")).is_ok();
        match set_trigger(proc) {
            Ok((file, trigger)) => {
                assert!(readable && TRIGGERS.contains(&trigger));
                let busy = (&file).write_all(b"some 300000 2000000\n").unwrap_err();
                assert_eq!(
                    busy.kind(),
                    io::ErrorKind::ResourceBusy,
                    "a file with a trigger takes no other"
                );
                assert!(watch(file).is_ok(), "it can be waited for");
            }
            Err(error) => {
                let reasons = [
                    io::ErrorKind::InvalidInput,
                    io::ErrorKind::PermissionDenied,
                    io::ErrorKind::ReadOnlyFilesystem,
                    io::ErrorKind::NotFound,
                    io::ErrorKind::Unsupported,
                ];
                assert!(reasons.contains(&error.kind()), "{error:?}");
                assert!(!readable || error.kind() != io::ErrorKind::NotFound);
            }
        }
    }

    #[test]
    fn the_trigger_is_written_as_the_kernel_reads_it() {
        let proc = tempfile::tempdir().unwrap();
        std::fs::create_dir(proc.path().join("pressure")).unwrap();
        let file = proc.path().join("pressure/memory");
        std::fs::write(&file, "").unwrap();
        let (_, trigger) = set_trigger(proc.path()).unwrap();
        assert_eq!(
            std::fs::read_to_string(file).unwrap(),
            "some 150000 1000000\n"
        );
        assert_eq!(
            trigger.to_string(),
            "tasks waited for memory for 150ms within 1s"
        );
    }

    #[tokio::test]
    async fn without_psi_there_is_no_squeeze_and_no_end() {
        let nothing = tempfile::tempdir().unwrap();
        assert!(set_trigger(nothing.path()).is_err());
        let mut squeezes = squeezes(nothing.path());
        assert_eq!(futures::poll!(squeezes.next()), std::task::Poll::Pending);
    }
}
