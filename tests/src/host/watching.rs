//! What dagdad says of the box, over gRPC, now and as it changes.

use std::future::Future;
use std::time::Duration;

use dagda_proto::v1;
use dagda_proto::v1::catalogue_service_client::CatalogueServiceClient;
use dagda_proto::v1::events_service_client::EventsServiceClient;
use dagda_proto::v1::pods_service_client::PodsServiceClient;
use dagda_proto::v1::resources_service_client::ResourcesServiceClient;
use dagda_proto::v1::status_service_client::StatusServiceClient;
use tonic::transport::Channel;

use super::TestHost;
use crate::wire;

impl TestHost {
    /// Runs a future on the test's own runtime.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Connections are lazy: the runtime must be entered to make one.
    fn channel(&self) -> Channel {
        let _entered = self.runtime.enter();
        wire::channel(&self.configuration.socket)
    }

    /// Client of the pods service.
    #[must_use]
    pub fn pods_client(&self) -> PodsServiceClient<Channel> {
        PodsServiceClient::new(self.channel())
    }

    /// Client of the status service.
    #[must_use]
    pub fn status_client(&self) -> StatusServiceClient<Channel> {
        StatusServiceClient::new(self.channel())
    }

    /// Client of the catalogue service.
    #[must_use]
    pub fn catalogue_client(&self) -> CatalogueServiceClient<Channel> {
        CatalogueServiceClient::new(self.channel())
    }

    /// Client of the events service.
    #[must_use]
    pub fn events_client(&self) -> EventsServiceClient<Channel> {
        EventsServiceClient::new(self.channel())
    }

    /// Client of the resources service.
    #[must_use]
    pub fn resources_client(&self) -> ResourcesServiceClient<Channel> {
        ResourcesServiceClient::new(self.channel())
    }

    /// A channel for any other client.
    #[must_use]
    pub fn any_channel(&self) -> Channel {
        self.channel()
    }

    /// The pod as the list has it now.
    ///
    /// # Panics
    /// It is not in the list.
    #[must_use]
    pub fn pod(&self, name: &str) -> v1::Pod {
        let request = v1::ListPodsRequest { all: true };
        let pods = self
            .block_on(self.pods_client().list_pods(request))
            .expect("list the pods")
            .into_inner()
            .pods;
        let found = pods.iter().find(|pod| pod.name == name).cloned();
        found.unwrap_or_else(|| panic!("no pod {name} in {pods:#?}"))
    }

    /// Everything about one pod.
    ///
    /// # Panics
    /// There is none of that name.
    #[must_use]
    pub fn detail(&self, name: &str) -> v1::PodDetail {
        let request = v1::GetPodRequest {
            name: name.to_owned(),
        };
        self.block_on(self.pods_client().get_pod(request))
            .expect("get the pod")
            .into_inner()
    }

    /// Watches the list of pods, unmanaged ones included, until it is as wanted.
    ///
    /// # Panics
    /// It never is.
    pub fn await_pods(
        &self,
        what: &str,
        mut wanted: impl FnMut(&[v1::Pod]) -> bool,
    ) -> Vec<v1::Pod> {
        self.block_on(async {
            let request = v1::ListPodsRequest { all: true };
            let mut stream = self
                .pods_client()
                .watch_pods(request)
                .await
                .expect("watch the pods")
                .into_inner();
            wire::first(&mut stream, what, |list| {
                wanted(&list.pods).then(|| list.pods.clone())
            })
            .await
        })
    }

    /// Watches one pod until it is in `state`.
    pub fn await_state(&self, name: &str, state: v1::PodState) -> v1::Pod {
        self.await_pod(name, &format!("{name} is {state:?}"), |pod| {
            pod.state() == state
        })
    }

    /// Watches one pod until it is as wanted.
    ///
    /// # Panics
    /// It never is.
    pub fn await_pod(
        &self,
        name: &str,
        what: &str,
        mut wanted: impl FnMut(&v1::Pod) -> bool,
    ) -> v1::Pod {
        let mut found = None;
        let _ = self.await_pods(what, |pods| {
            found = pods
                .iter()
                .find(|pod| pod.name == name && wanted(pod))
                .cloned();
            found.is_some()
        });
        found.expect("found just now")
    }

    /// Starts a pod and waits until its containers run and only its readiness is awaited. The
    /// start goes on when the returned stream is dropped.
    ///
    /// # Panics
    /// It never gets there.
    pub fn start_until_awaiting(&self, name: &str) -> tonic::Streaming<v1::OperationUpdate> {
        let request = v1::StartPodRequest {
            name: name.to_owned(),
            admission: v1::AdmissionMode::Fit.into(),
        };
        self.block_on(async {
            let mut stream = self
                .pods_client()
                .start_pod(request)
                .await
                .expect("start the pod")
                .into_inner();
            wire::first(
                &mut stream,
                "readiness is awaited",
                |update| match &update.update {
                    Some(v1::operation_update::Update::Progress(progress)) => {
                        (progress.stage() == v1::Stage::Awaiting).then_some(())
                    }
                    other => panic!("the start of {name} ended early: {other:?}"),
                },
            )
            .await;
            stream
        })
    }

    /// Watches the status until it is as wanted.
    ///
    /// # Panics
    /// It never is.
    pub fn await_status(
        &self,
        what: &str,
        mut wanted: impl FnMut(&v1::Status) -> bool,
    ) -> v1::Status {
        self.block_on(async {
            let stream = self
                .status_client()
                .watch_status(v1::WatchStatusRequest {})
                .await;
            let mut stream = stream.expect("watch the status").into_inner();
            wire::first(&mut stream, what, |status| {
                wanted(status).then(|| status.clone())
            })
            .await
        })
    }

    /// Follows the events, past ones first, until one is as wanted.
    ///
    /// # Panics
    /// None ever is.
    pub fn await_event(&self, what: &str, wanted: impl FnMut(&v1::Event) -> bool) -> v1::Event {
        self.block_on(self.event(what, wanted))
    }

    /// Whether an event, past ones included, is as wanted within `limit`.
    pub fn event_comes_within(
        &self,
        limit: Duration,
        wanted: impl FnMut(&v1::Event) -> bool,
    ) -> bool {
        let event = self.event("an event", wanted);
        self.block_on(async { tokio::time::timeout(limit, event).await.is_ok() })
    }

    async fn event(&self, what: &str, mut wanted: impl FnMut(&v1::Event) -> bool) -> v1::Event {
        let request = v1::ListEventsRequest {
            since: None,
            object: None,
            limit: 10_000,
        };
        let mut stream = self
            .events_client()
            .follow_events(request)
            .await
            .expect("follow the events")
            .into_inner();
        wire::first(&mut stream, what, |event| {
            wanted(event).then(|| event.clone())
        })
        .await
    }
}
