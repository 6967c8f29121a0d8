//! Where messages go: to the journal under systemd, to standard error elsewhere.
//!
//! `DAGDA_LOG` filters them, in the syntax of
//! [`tracing_subscriber::EnvFilter`](https://docs.rs/tracing-subscriber/latest/tracing_subscriber/filter/struct.EnvFilter.html).

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Without `DAGDA_LOG`.
const DEFAULT_FILTER: &str = "info";

/// Sets the process's subscriber. A filter that cannot be read is told of and ignored.
pub fn init() {
    let wanted = std::env::var("DAGDA_LOG").unwrap_or_default();
    let (filter, complaint) = match wanted.as_str() {
        "" => (EnvFilter::new(DEFAULT_FILTER), None),
        text => match EnvFilter::try_new(text) {
            Ok(filter) => (filter, None),
            Err(error) => (EnvFilter::new(DEFAULT_FILTER), Some(error.to_string())),
        },
    };
    let registry = tracing_subscriber::registry().with(filter);
    let journal = if under_systemd() {
        tracing_journald::layer().ok()
    } else {
        None
    };
    match journal {
        Some(journal) => registry
            .with(journal.with_field_prefix(Some("DAGDA".to_owned())))
            .init(),
        None => {
            let stderr = tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .with_ansi(
                    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
                )
                .with_target(false);
            registry.with(stderr).init();
        }
    }
    if let Some(complaint) = complaint {
        tracing::warn!("DAGDA_LOG is ignored: {complaint}");
    }
}

/// systemd connects standard error to the journal and names the connection in
/// `JOURNAL_STREAM` as `device:inode` (`systemd.exec(5)`). A process further down may have
/// inherited the variable and not the connection.
fn under_systemd() -> bool {
    let Some(named) = std::env::var_os("JOURNAL_STREAM") else {
        return false;
    };
    let Ok(stderr) = rustix::fs::fstat(std::io::stderr()) else {
        return false;
    };
    named.to_str() == Some(&format!("{}:{}", stderr.st_dev, stderr.st_ino))
}
