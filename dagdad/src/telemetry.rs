//! Where messages go: to the journal under systemd, to standard error elsewhere.
//!
//! In the journal a field is what it is called here, in capitals: `dagda_pod` is `DAGDA_POD=`
//! (see `journal`). Fields of libraries, whose names are not ours to choose, get a prefix, so
//! that none is taken for one of journald's. Standard error shows `pod=web`.
//!
//! `DAGDA_LOG` filters messages, in the syntax of
//! [`tracing_subscriber::EnvFilter`](https://docs.rs/tracing-subscriber/latest/tracing_subscriber/filter/struct.EnvFilter.html).

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal};

use tracing::{Metadata, Subscriber};
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Without `DAGDA_LOG`.
const DEFAULT_FILTER: &str = "info";
/// `SYSLOG_IDENTIFIER=`, whatever the binary is called.
const IDENTIFIER: &str = "dagdad";
/// What fields of libraries begin with.
const OTHERS: &str = "LIB";
/// What fields of ours begin with.
const PREFIX: &str = "dagda_";

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
    // Where journald cannot be reached, standard error may still lead there.
    let journal = under_systemd().then(|| journals().ok()).flatten();
    match journal {
        Some((ours, others)) => {
            registry
                .with(ours.with_filter(filter_fn(is_ours)))
                .with(others.with_filter(filter_fn(|message| !is_ours(message))))
                .init();
            tell_of_panics();
        }
        None => registry.with(terminal(io::stderr)).init(),
    }
    if let Some(complaint) = complaint {
        tracing::warn!("DAGDA_LOG is ignored: {complaint}");
    }
}

/// Says why dagdad does not start, before or without [`init`]: in the journal with the priority
/// of an error (`sd-daemon(3)`), where standard error leads there.
pub fn complain(text: &str) {
    let prefix = if under_systemd() { "<3>" } else { "" };
    for line in text.lines() {
        eprintln!("{prefix}{line}");
    }
}

/// The journal, for messages of dagdad's own and for those of others.
fn journals() -> io::Result<(tracing_journald::Layer, tracing_journald::Layer)> {
    let journal = |prefix: Option<&str>| {
        let journal = tracing_journald::layer()?
            .with_syslog_identifier(IDENTIFIER.to_owned())
            .with_priority_mappings(priorities())
            .with_field_prefix(prefix.map(ToOwned::to_owned));
        Ok::<_, io::Error>(journal)
    };
    Ok((journal(None)?, journal(Some(OTHERS))?))
}

fn is_ours(message: &Metadata<'_>) -> bool {
    message.target().starts_with("dagdad")
}

/// `journalctl -p warning` shows what somebody may have to do something about.
fn priorities() -> PriorityMappings {
    PriorityMappings {
        error: Priority::Error,
        warn: Priority::Warning,
        info: Priority::Informational,
        debug: Priority::Debug,
        trace: Priority::Debug,
    }
}

/// Standard error, for people.
fn terminal<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> tracing_subscriber::fmt::MakeWriter<'writer> + Send + Sync + 'static,
{
    let fields = debug_fn(|writer, field, value| match field.name() {
        "message" => write!(writer, "{value:?}"),
        "message_id" => Ok(()),
        name => {
            let name = name.strip_prefix(PREFIX).unwrap_or(name);
            write!(writer, " {name}={value:?}")
        }
    });
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(colours)
        .with_target(false)
        .fmt_fields(fields.display_messages())
}

/// A panic is an error like any other, and is to be found in the journal where they are.
fn tell_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("without a word");
        let place = panic.location().map(ToString::to_string);
        // Only where RUST_BACKTRACE asks for it.
        let trace = Backtrace::capture();
        let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
        tracing::error!(
            dagda_place = place,
            dagda_backtrace = trace,
            "dagdad failed: {text}"
        );
    }));
}

/// Whether standard error leads to the journal. systemd connects it, and names the connection in
/// `JOURNAL_STREAM` as `device:inode` (`systemd.exec(5)`). A process further down may have
/// inherited the variable and not the connection.
#[must_use]
pub fn under_systemd() -> bool {
    let Some(named) = std::env::var_os("JOURNAL_STREAM") else {
        return false;
    };
    let Ok(stderr) = rustix::fs::fstat(std::io::stderr()) else {
        return false;
    };
    named.to_str() == Some(&format!("{}:{}", stderr.st_dev, stderr.st_ino))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_terminal_shows_fields_by_their_plain_names_and_no_message_id() {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::registry().with(terminal(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(
                message_id = "0123",
                dagda_event = "pod_failed",
                dagda_pod = "web",
                dagda_alert = None::<&str>,
                "web failed"
            );
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(
            text.ends_with("INFO web failed event=\"pod_failed\" pod=\"web\"\n"),
            "{text:?}"
        );
    }

    #[test]
    fn ordinary_messages_are_below_notice() {
        let PriorityMappings {
            error,
            warn,
            info,
            debug,
            trace,
        } = priorities();
        assert_eq!(
            [error, warn, info, debug, trace].map(|priority| priority as u8),
            [b'3', b'4', b'6', b'7', b'7']
        );
    }
}
