//! Too much at once.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use dagda_proto::v1::GetStatusRequest;
use dagda_proto::v1::status_service_client::StatusServiceClient;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tonic::Code;

use super::frames::{PREFACE, WIDE_OPEN, connect, settings};

/// What became of many calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answered as asked.
    pub answered: usize,
    /// Refused, since there were too many.
    pub refused: usize,
    /// The connection broke.
    pub broken: usize,
}

/// Opens `count` connections on which no call is ever made: one in two says nothing at all, the
/// others what comes first.
///
/// # Panics
/// One cannot be opened.
pub fn idle_connections(socket: &Path, count: usize) -> Vec<UnixStream> {
    provide_descriptors();
    let opening = [PREFACE.to_vec(), settings(WIDE_OPEN)].concat();
    (0..count)
        .map(|index| {
            let mut stream = connect(socket);
            if index % 2 == 0 {
                // It may have been closed already, to make room for the next.
                let _ = stream.write_all(&opening);
            }
            stream
        })
        .collect()
}

/// As many file descriptors for this process as it may have.
fn provide_descriptors() {
    let now = getrlimit(Resource::Nofile);
    let limit = Rlimit {
        current: now.maximum,
        maximum: now.maximum,
    };
    setrlimit(Resource::Nofile, limit).expect("raise the limit of open files");
}

/// Asks for the status `count` times, as fast as it goes: `connections` of them, `each` calls at a
/// time on each.
///
/// # Panics
/// A call fails for another reason than that there are too many.
pub async fn status_calls(socket: &Path, count: usize, connections: usize, each: usize) -> Tally {
    let askers = connections * each;
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..connections {
        let client = StatusServiceClient::new(super::channel(socket));
        for asker in 0..each {
            let mut client = client.clone();
            let place = connection * each + asker;
            let share = count / askers + usize::from(place < count % askers);
            tasks.spawn(async move {
                let mut tally = Tally::default();
                for _ in 0..share {
                    match client.get_status(GetStatusRequest {}).await {
                        Ok(_) => tally.answered += 1,
                        Err(status) => match status.code() {
                            Code::ResourceExhausted => tally.refused += 1,
                            Code::Unavailable | Code::Unknown | Code::Cancelled => {
                                tally.broken += 1;
                            }
                            _ => panic!("a call failed: {status:?}"),
                        },
                    }
                }
                tally
            });
        }
    }
    let mut all = Tally::default();
    while let Some(tally) = tasks.join_next().await {
        let tally = tally.expect("an asker");
        all.answered += tally.answered;
        all.refused += tally.refused;
        all.broken += tally.broken;
    }
    all
}
