//! How the parts end, one after another.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::engine::event::Event;
use crate::engine::handle::Handle;
use crate::runtime::podman::Podman;
use crate::store::LocalStore;
use crate::systemd;

/// How long each part may take to end; together less than the five seconds promised.
const SERVER_ENDS: Duration = Duration::from_millis(1500);
const ENGINE_ENDS: Duration = Duration::from_millis(1500);
/// These two at the same time.
const FORWARDER_ENDS: Duration = Duration::from_millis(1200);
const NOTIFIER_ENDS: Duration = Duration::from_millis(1200);
const STORE_ENDS: Duration = Duration::from_millis(300);

/// Everything that has an end of its own.
pub(crate) struct Parts<S> {
    /// Tasks that speak to the service manager.
    pub(crate) service_manager: Vec<JoinHandle<()>>,
    /// `None` where it has ended.
    pub(crate) server: Option<JoinHandle<S>>,
    pub(crate) engine: (Handle, Engine),
    /// What sends rows to MariaDB, where there is one, and how it is told to end.
    pub(crate) forwarder: Option<(JoinHandle<()>, CancellationToken)>,
    /// It ends with the engine.
    pub(crate) notifier: JoinHandle<()>,
    pub(crate) podman: Arc<Podman>,
    /// Closed last: what its log holds goes into the one file that people copy.
    pub(crate) store: LocalStore,
}

impl<S> Parts<S> {
    /// Ends all of them; `ending` is cancelled for those that go by it.
    pub(crate) async fn end(self, ending: &CancellationToken) {
        let Self {
            service_manager,
            server,
            engine: (handle, engine),
            forwarder,
            notifier,
            podman,
            store,
        } = self;
        for task in service_manager {
            task.abort();
            // Nothing is to be said after the words below.
            let _ = task.await;
        }
        systemd::stopping();
        ending.cancel();
        if let Some(mut server) = server
            && tokio::time::timeout(SERVER_ENDS, &mut server)
                .await
                .is_err()
        {
            server.abort();
        }
        handle.tell(Event::Shutdown).await;
        drop(handle);
        if !engine.ended(ENGINE_ENDS).await {
            tracing::warn!("the last records could not be written in time");
        }
        let forwarder = forwarder.map(|(forwarder, ending)| {
            ending.cancel();
            forwarder
        });
        let_end(forwarder, notifier).await;
        podman.shutdown().await;
        if tokio::time::timeout(STORE_ENDS, store.close())
            .await
            .is_err()
        {
            tracing::info!("the state file was left with its log, which the next start reads");
        }
    }
}

/// Gives a moment to what is under way outside of the engine.
async fn let_end(forwarder: Option<JoinHandle<()>>, notifier: JoinHandle<()>) {
    let forwarder = async {
        if let Some(forwarder) = forwarder
            && tokio::time::timeout(FORWARDER_ENDS, forwarder)
                .await
                .is_err()
        {
            tracing::info!("records that wait for MariaDB are sent at the next start");
        }
    };
    // A panic in there was reported where it happened.
    let notifier = tokio::time::timeout(NOTIFIER_ENDS, notifier);
    let (_, ()) = tokio::join!(notifier, forwarder);
}
