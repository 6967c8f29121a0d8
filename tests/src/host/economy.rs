//! Economy mode as dagdad tells of it.

use std::time::Duration;

use dagda_proto::v1;
use dagda_proto::v1::economy_service_client::EconomyServiceClient;
use tonic::transport::Channel;

use super::TestHost;
use crate::PATIENCE;

impl TestHost {
    /// Client of the economy service.
    #[must_use]
    pub fn economy_client(&self) -> EconomyServiceClient<Channel> {
        EconomyServiceClient::new(self.any_channel())
    }

    /// Economy mode as it is now.
    pub fn economy(&self) -> v1::EconomyStatus {
        self.await_economy("any", |_| true)
    }

    /// Looks at economy mode again at each change of the box until it is as wanted.
    ///
    /// # Panics
    /// It never is.
    pub fn await_economy(
        &self,
        what: &str,
        mut wanted: impl FnMut(&v1::EconomyStatus) -> bool,
    ) -> v1::EconomyStatus {
        let mut last = None;
        let found = self.block_on(async {
            tokio::time::timeout(PATIENCE, async {
                let request = v1::WatchStatusRequest {};
                let watched = self.status_client().watch_status(request).await;
                let mut changes = watched.expect("watch the status").into_inner();
                let mut client = self.economy_client();
                loop {
                    let request = v1::GetEconomyRequest {};
                    let now = client.get_economy(request).await;
                    let now = now.expect("get the economy's status").into_inner();
                    if wanted(&now) {
                        return now;
                    }
                    last = Some(now);
                    let change = changes.message().await.expect("watch the status");
                    assert!(change.is_some(), "the watch ended");
                }
            })
            .await
        });
        found.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}; last: {last:#?}"))
    }

    /// All events so far, the oldest first.
    ///
    /// # Panics
    /// They cannot be listed.
    #[must_use]
    pub fn events(&self) -> Vec<v1::Event> {
        let request = v1::ListEventsRequest {
            since: None,
            object: None,
            limit: 10_000,
        };
        let list = self.block_on(self.events_client().list_events(request));
        list.expect("list the events").into_inner().events
    }

    /// How many events of a kind there were so far, about `object` where one is given.
    #[must_use]
    pub fn count_events(&self, kind: &str, object: Option<&str>) -> usize {
        let events = self.events();
        let alike = events.iter().filter(|event| {
            event.kind == kind && object.is_none_or(|it| event.object.as_deref() == Some(it))
        });
        alike.count()
    }

    /// Waits for an event of this kind and about this object, past ones included, that came after
    /// `earlier`.
    pub fn await_event_after(
        &self,
        earlier: Option<&v1::Event>,
        kind: &str,
        object: Option<&str>,
    ) -> v1::Event {
        let what = format!("{kind} of {object:?} after {earlier:?}");
        self.await_event(&what, |event| {
            comes_after(event, earlier)
                && event.kind == kind
                && object.is_none_or(|object| event.object.as_deref() == Some(object))
        })
    }

    /// Whether economy mode begins within `limit`, or has begun after `earlier`.
    #[must_use]
    pub fn enters_economy_within(&self, limit: Duration, earlier: Option<&v1::Event>) -> bool {
        self.event_comes_within(limit, |event| {
            comes_after(event, earlier) && event.kind == "economy_entered"
        })
    }

    /// Whether economy mode stops a pod within `limit`, or has done so after `earlier`.
    #[must_use]
    pub fn sheds_within(&self, limit: Duration, earlier: Option<&v1::Event>) -> bool {
        self.event_comes_within(limit, |event| {
            comes_after(event, earlier) && event.kind == "shed"
        })
    }
}

/// UUIDv7 sort by time.
fn comes_after(event: &v1::Event, earlier: Option<&v1::Event>) -> bool {
    earlier.is_none_or(|earlier| event.id > earlier.id)
}

/// When an event happened.
///
/// # Panics
/// It does not say so.
#[must_use]
pub fn time_of(event: &v1::Event) -> jiff::Timestamp {
    let at = event.at.expect("an event has a time");
    jiff::Timestamp::new(at.seconds, at.nanos).expect("a time")
}

/// What was taken from a pod; `None` where nothing is.
#[must_use]
pub fn taken_from<'a>(economy: &'a v1::EconomyStatus, pod: &str) -> Option<&'a v1::Taken> {
    economy.taken.iter().find(|taken| taken.pod == pod)
}
