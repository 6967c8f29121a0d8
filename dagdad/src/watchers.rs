//! Tasks that tell the engine what happens outside, and what is waited for before callers are let
//! in.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::engine::event::Event;
use crate::engine::handle::Handle;
use crate::ports::{Runtime, Store};

/// How long the first listing of pods is waited for: its own deadline and a little more.
const FIRST_LISTING: Duration = Duration::from_secs(6);
/// How long the first measures of pods are waited for; they are a matter of milliseconds, save
/// where Podman has to be asked for them.
const FIRST_MEASURES: Duration = Duration::from_secs(1);

/// Begins to tell the engine what happens outside, until `ending`.
pub(crate) fn watch(
    runtime: &Arc<dyn Runtime>,
    store: &Arc<dyn Store>,
    engine: &Handle,
    ending: &CancellationToken,
) {
    let signals = tell_signals(Arc::clone(runtime), engine.clone(), ending.clone());
    tokio::spawn(signals);
    let mirror = tell_mirror(Arc::clone(store), engine.clone(), ending.clone());
    tokio::spawn(mirror);
}

/// Tells the engine what the runtime reports by itself.
async fn tell_signals(runtime: Arc<dyn Runtime>, engine: Handle, ending: CancellationToken) {
    let mut signals = pin!(runtime.signals().take_until(ending.cancelled_owned()));
    while let Some(signal) = signals.next().await {
        engine.tell(Event::Runtime(signal)).await;
    }
}

/// Tells the engine how records reach MariaDB.
async fn tell_mirror(store: Arc<dyn Store>, engine: Handle, ending: CancellationToken) {
    let mut mirror = store.mirror();
    loop {
        let status = mirror.borrow_and_update().clone();
        engine.tell(Event::Mirror(status)).await;
        tokio::select! {
            changed = mirror.changed() => if changed.is_err() { return },
            () = ending.cancelled() => return,
        }
    }
}

/// Callers are let in once it is known what runs and what that uses, or that Podman does not
/// say.
pub(crate) async fn await_first_listing(engine: &Handle, host_known_at: Timestamp) {
    let mut snapshots = engine.snapshots();
    let settled = snapshots.wait_for(|snapshot| snapshot.settled);
    if tokio::time::timeout(FIRST_LISTING, settled).await.is_err() {
        tracing::warn!("Podman has not answered yet; serving without knowing what runs");
        return;
    }
    let measured = snapshots.wait_for(|snapshot| {
        let host = snapshot.host.as_ref();
        host.is_some_and(|host| host.at != host_known_at)
    });
    if tokio::time::timeout(FIRST_MEASURES, measured)
        .await
        .is_err()
    {
        tracing::warn!("pods have not been measured yet; serving without knowing what they use");
    }
}
