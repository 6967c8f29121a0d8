//! File descriptors enough for all that is let in.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For the connections of all callers, root's too (320), a connection to Podman for each log that
/// several callers follow, probes, the databases and dagdad's own; twice that, to be sure. Many
/// systems give a process 1,024, systemd lets it take up to 524,288.
const NEEDED: u64 = 2048;

/// Takes as many as are needed, where the system lets it; a log line says where it does not.
/// Without them connections wait at times to be accepted, and nothing worse.
pub fn provide() {
    let now = getrlimit(Resource::Nofile);
    let Some(wanted) = raised(&now) else { return };
    let limit = Rlimit {
        current: Some(wanted),
        ..now
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::info!(dagda_error = %error, "dagdad keeps its limit of open files");
    }
}

/// The soft limit to ask for, if that is more than there is. `None` in a limit stands for none.
fn raised(now: &Rlimit) -> Option<u64> {
    let current = now.current?;
    let possible = NEEDED.min(now.maximum.unwrap_or(NEEDED));
    (possible > current).then_some(possible)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Some(1024), Some(524_288), Some(NEEDED))]
    #[case(Some(1024), None, Some(NEEDED))]
    #[case(Some(1024), Some(1500), Some(1500))]
    #[case(Some(1024), Some(1024), None)]
    #[case(Some(4096), Some(8192), None)]
    #[case(None, None, None)]
    fn no_more_than_needed_and_possible(
        #[case] current: Option<u64>,
        #[case] maximum: Option<u64>,
        #[case] wanted: Option<u64>,
    ) {
        assert_eq!(raised(&Rlimit { current, maximum }), wanted);
    }
}
