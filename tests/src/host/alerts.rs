//! What is amiss on the box, over gRPC and on the command line.

use dagda_proto::v1;
use dagda_proto::v1::alerts_service_client::AlertsServiceClient;
use serde_json::Value;
use tonic::transport::Channel;

use super::TestHost;
use crate::wire;

impl TestHost {
    /// Client of the alerts service.
    #[must_use]
    pub fn alerts_client(&self) -> AlertsServiceClient<Channel> {
        AlertsServiceClient::new(self.any_channel())
    }

    /// Watches the alerts of one condition and one object, those that are over included, until
    /// the newest of them is as wanted.
    ///
    /// # Panics
    /// It never is.
    pub fn await_alert(
        &self,
        (condition, object): (&str, &str),
        what: &str,
        mut wanted: impl FnMut(&v1::Alert) -> bool,
    ) -> v1::Alert {
        let request = v1::ListAlertsRequest {
            all: true,
            limit: 10_000,
            since: None,
            severity: v1::AlertSeverity::Unspecified.into(),
        };
        self.block_on(async {
            let watched = self.alerts_client().watch_alerts(request).await;
            let mut stream = watched.expect("watch the alerts").into_inner();
            wire::first(&mut stream, what, |list| {
                let mut alerts = list.alerts.iter();
                let newest =
                    alerts.find(|alert| alert.condition == condition && alert.object == object);
                newest.filter(|alert| wanted(alert)).cloned()
            })
            .await
        })
    }

    /// Watches until an alert fires.
    pub fn await_raised(&self, of: (&str, &str)) -> v1::Alert {
        self.await_alert(of, &format!("{of:?} fires"), |alert| {
            alert.state() == v1::AlertState::Firing
        })
    }

    /// Watches until an alert is over.
    pub fn await_resolved(&self, of: (&str, &str)) -> v1::Alert {
        self.await_alert(of, &format!("{of:?} is over"), |alert| {
            alert.state() == v1::AlertState::Resolved
        })
    }

    /// What `dagdactl alerts list --all` says of a condition: the newest first.
    ///
    /// # Panics
    /// It fails.
    #[must_use]
    pub fn alerts_of(&self, condition: &str) -> Vec<Value> {
        let list = self.run(["alerts", "list", "--all", "--json"]).done();
        let mut list = list.json();
        let alerts = list["alerts"].as_array_mut().expect("alerts").drain(..);
        alerts
            .filter(|alert| alert["condition"] == condition)
            .collect()
    }
}
