//! Somebody who asks for the status all the time, as a person at the box would.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dagda_proto::v1;
use dagda_proto::v1::status_service_client::StatusServiceClient;
use dagda_tests::wire;

/// From one question to the next.
const PACE: Duration = Duration::from_millis(10);
/// Whoever waits longer has not been answered.
const LIMIT: Duration = Duration::from_secs(10);

/// Asks until it is told to stop.
#[derive(Debug)]
pub struct Prober {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Answers>,
}

/// What it got.
#[derive(Debug, Default)]
pub struct Answers {
    /// How many times it was answered.
    pub answered: u64,
    /// Why it was not.
    pub failures: Vec<String>,
    /// The longest it was let wait.
    pub longest: Duration,
    /// How long each answer took.
    waits: Vec<Duration>,
}

impl Answers {
    /// What 99 of 100 answers took no longer than.
    pub fn p99(&self) -> Duration {
        let mut waits = self.waits.clone();
        waits.sort();
        let at = waits.len() * 99 / 100;
        waits.get(at).copied().unwrap_or_default()
    }
}

impl Prober {
    /// Begins to ask.
    pub fn start(socket: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, socket) = (Arc::clone(&stop), socket.to_owned());
        let thread = std::thread::spawn(move || ask(&socket, &stopped));
        Self { stop, thread }
    }

    /// Ends and tells.
    pub fn end(self) -> Answers {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("ask for the status")
    }
}

fn ask(socket: &Path, stop: &AtomicBool) -> Answers {
    let mut answers = Answers::default();
    wire::runtime().block_on(async {
        let mut client = StatusServiceClient::new(wire::channel(socket));
        while !stop.load(Ordering::Relaxed) {
            let begin = Instant::now();
            let call = client.get_status(v1::GetStatusRequest {});
            match tokio::time::timeout(LIMIT, call).await {
                Ok(Ok(_)) => answers.answered += 1,
                Ok(Err(status)) => answers.failures.push(status.to_string()),
                Err(_) => answers.failures.push(format!("no answer within {LIMIT:?}")),
            }
            let waited = begin.elapsed();
            answers.longest = answers.longest.max(waited);
            answers.waits.push(waited);
            tokio::time::sleep(PACE).await;
        }
    });
    answers
}
