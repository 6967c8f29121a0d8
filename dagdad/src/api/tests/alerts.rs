//! Alerts that go on, and past ones.

use dagda_proto::v1::{self, alerts_service_server::AlertsService};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use tonic::Request;
use uuid::Uuid;

use super::ports::Records;
use super::{asked, bench, detail, wire};
use crate::domain::alert::{Alert, Condition, Severity};
use crate::domain::error::CommandError;
use crate::domain::silence::{Silence, Silenced};
use crate::engine::Message;
use crate::engine::answering::Answer;
use crate::engine::event::{Command, Reply};
use crate::engine::example::{at, snapshot};
use crate::engine::snapshot::Snapshot;
use crate::ports::StoreError;

fn going_on(number: u8, severity: Severity) -> Alert {
    let second = i64::from(number);
    Alert {
        id: Uuid::from_u128(number.into()),
        condition: Condition::PodDown,
        object: format!("pod-{number}"),
        severity,
        message: "it ended: exit code 1".to_owned(),
        created_at: at(second),
        updated_at: at(second),
        acknowledged_at: None,
        resolved_at: None,
        peak: None,
        culprits: Vec::new(),
        flapping: false,
    }
}

fn over(number: u8) -> Alert {
    Alert {
        updated_at: at(99),
        resolved_at: Some(at(99)),
        ..going_on(number, Severity::Info)
    }
}

/// A box on which these go on; the engine has them by condition and object.
fn having(alerts: &[Alert]) -> Snapshot {
    let mut snapshot = snapshot(Vec::new(), Vec::new());
    snapshot.alerts = alerts.to_vec();
    snapshot
}

async fn list(
    alerts: &[Alert],
    records: Records,
    all: bool,
    limit: u32,
) -> Result<Vec<v1::Alert>, tonic::Status> {
    let bench = bench(having(alerts), records);
    let request = Request::new(v1::ListAlertsRequest {
        all,
        limit,
        ..v1::ListAlertsRequest::default()
    });
    Ok(bench.api.list_alerts(request).await?.into_inner().alerts)
}

fn stored(alerts: Vec<Alert>) -> Records {
    Records {
        alerts,
        ..Records::default()
    }
}

fn broken() -> Records {
    Records {
        broken: Some(StoreError::Failed("no".to_owned())),
        ..Records::default()
    }
}

fn objects(alerts: &[v1::Alert]) -> Vec<&str> {
    alerts.iter().map(|alert| alert.object.as_str()).collect()
}

#[tokio::test]
async fn an_alert_is_told_whole() {
    let alerts = [going_on(1, Severity::Critical)];
    let told = list(&alerts, stored(vec![over(2)]), true, 0).await.unwrap();
    let raised = v1::Alert {
        id: "00000000-0000-0000-0000-000000000001".to_owned(),
        condition: "pod_down".to_owned(),
        object: "pod-1".to_owned(),
        severity: v1::AlertSeverity::Critical.into(),
        message: "it ended: exit code 1".to_owned(),
        created_at: Some(wire(1)),
        updated_at: Some(wire(1)),
        resolved_at: None,
        state: v1::AlertState::Firing.into(),
        ..v1::Alert::default()
    };
    assert_eq!(told[1], raised);
    assert_eq!(told[0].severity(), v1::AlertSeverity::Info);
    assert_eq!(told[0].updated_at, Some(wire(99)));
    assert_eq!(told[0].resolved_at, Some(wire(99)));
}

/// Times are compared with the clock on the wall.
fn silence(number: u8, of: Silenced, minutes: i64) -> Silence {
    Silence {
        id: Uuid::from_u128(number.into()),
        of,
        created_at: Timestamp::now() - SignedDuration::from_hours(1),
        until: Timestamp::now() + SignedDuration::from_mins(minutes),
    }
}

fn object(name: &str) -> Silenced {
    Silenced::Object(name.to_owned())
}

#[tokio::test]
async fn what_is_silenced_is_said_to_be() {
    let alerts = [
        going_on(1, Severity::Info),
        going_on(2, Severity::Info),
        going_on(3, Severity::Info),
    ];
    let mut having = having(&alerts);
    having.silences = vec![
        silence(1, object("pod-1"), 10),
        silence(2, object("pod-2"), -10),
        silence(3, Silenced::Condition(Condition::RamHigh), 10),
        silence(4, object("pod-4"), 10),
    ];
    let bench = bench(having, stored(vec![over(4)]));
    let request = v1::ListAlertsRequest {
        all: true,
        ..v1::ListAlertsRequest::default()
    };
    let told = bench.api.list_alerts(Request::new(request)).await;
    let told = told.unwrap().into_inner().alerts;
    let silenced: Vec<bool> = told.iter().map(|alert| alert.silenced).collect();
    assert_eq!(objects(&told), ["pod-4", "pod-3", "pod-2", "pod-1"]);
    assert_eq!(silenced, [false, false, false, true]);
}

#[tokio::test]
async fn silences_are_listed_by_their_end() {
    let mut having = having(&[]);
    having.silences = vec![
        silence(1, object("a"), 20),
        silence(2, Silenced::Condition(Condition::PodDown), 10),
        silence(3, object("over"), -10),
    ];
    let until = having.silences[0].until;
    let bench = bench(having, broken());
    let told = bench
        .api
        .list_silences(Request::new(v1::ListSilencesRequest {}))
        .await;
    let told = told.unwrap().into_inner().silences;
    let of = |view: &v1::SilenceView| (view.condition.clone(), view.object.clone());
    assert_eq!(
        told.iter().map(of).collect::<Vec<_>>(),
        [
            (Some("pod_down".to_owned()), None),
            (None, Some("a".to_owned()))
        ]
    );
    assert_eq!(told[1].id, "00000000-0000-0000-0000-000000000001");
    let ends = told[1].until.unwrap();
    assert_eq!(ends.seconds, until.as_second());
}

#[tokio::test]
async fn silences_are_passed_on() {
    let mut bench = bench(having(&[]), Records::default());
    let hour = prost_types::Duration {
        seconds: 3600,
        nanos: 0,
    };
    let negative = prost_types::Duration {
        seconds: -1,
        nanos: 0,
    };
    let cases = [
        ("llama", Some(hour), object("llama"), 3600),
        (
            "pod_down",
            Some(hour),
            Silenced::Condition(Condition::PodDown),
            3600,
        ),
        // For the engine to refuse.
        ("", None, object(""), 0),
        ("llama", Some(negative), object("llama"), 0),
    ];
    for (what, span, of, seconds) in cases {
        let api = bench.api.clone();
        let what = what.to_owned();
        let call = tokio::spawn(async move {
            let request = v1::SilenceRequest { what, span };
            api.silence(asked(request)).await
        });
        let Some(Message::Command {
            command, caller, ..
        }) = bench.mailbox.recv().await
        else {
            panic!("nothing is asked");
        };
        let span = std::time::Duration::from_secs(seconds);
        assert_eq!(command, Command::Silence { of, span });
        let reply = Reply::Silences(vec![silence(1, object("llama"), 10)]);
        assert!(caller.send(Answer::Reply(reply)).is_ok());
        let told = call.await.unwrap().unwrap().into_inner().silences;
        assert_eq!(told[0].object.as_deref(), Some("llama"));
    }

    let api = bench.api.clone();
    let call = tokio::spawn(async move {
        let which = "llama".to_owned();
        let request = v1::LiftSilenceRequest { which };
        api.lift_silence(asked(request)).await
    });
    let Some(Message::Command {
        command, caller, ..
    }) = bench.mailbox.recv().await
    else {
        panic!("nothing is asked");
    };
    let which = "llama".to_owned();
    assert_eq!(
        command,
        Command::LiftSilence {
            which: which.clone()
        }
    );
    let refused = Reply::Refused(CommandError::NoSuchSilence { which });
    assert!(caller.send(Answer::Reply(refused)).is_ok());
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(detail(&status).code, "not_found");
}

#[tokio::test]
async fn what_goes_on_waits_for_no_store() {
    let alerts = [going_on(1, Severity::Info), going_on(2, Severity::Warning)];
    let told = list(&alerts, broken(), false, 0).await.unwrap();
    assert_eq!(objects(&told), ["pod-2", "pod-1"]);
    let status = list(&alerts, broken(), true, 0).await.unwrap_err();
    assert_eq!(detail(&status).code, "store_failed");
}

#[tokio::test]
async fn past_ones_are_told_when_asked_for_and_the_engine_knows_better() {
    let alerts = [going_on(2, Severity::Critical), going_on(4, Severity::Info)];
    // 2 was raised higher since it was stored, 4 is not stored yet.
    let records = || stored(vec![over(1), going_on(2, Severity::Info), over(3)]);
    let told = list(&alerts, records(), true, 0).await.unwrap();
    assert_eq!(objects(&told), ["pod-4", "pod-3", "pod-2", "pod-1"]);
    assert_eq!(told[2].severity(), v1::AlertSeverity::Critical);
    let told = list(&alerts, records(), true, 3).await.unwrap();
    assert_eq!(objects(&told), ["pod-4", "pod-3", "pod-2"]);
    let told = list(&alerts, records(), false, 0).await.unwrap();
    assert_eq!(objects(&told), ["pod-4", "pod-2"]);
}

#[tokio::test]
async fn a_severity_and_an_age_count_for_both() {
    let alerts = [going_on(2, Severity::Critical), going_on(4, Severity::Info)];
    let asked = |severity: v1::AlertSeverity, since| {
        let bench = bench(having(&alerts), stored(vec![over(1), over(3)]));
        let request = v1::ListAlertsRequest {
            all: true,
            severity: severity.into(),
            since,
            ..v1::ListAlertsRequest::default()
        };
        async move {
            let told = bench.api.list_alerts(Request::new(request)).await;
            told.map(|told| told.into_inner().alerts)
        }
    };
    let told = asked(v1::AlertSeverity::Warning, None).await.unwrap();
    assert_eq!(objects(&told), ["pod-2"]);
    let told = asked(v1::AlertSeverity::Unspecified, Some(wire(3))).await;
    assert_eq!(objects(&told.unwrap()), ["pod-4", "pod-3", "pod-1"]);
    let never = prost_types::Timestamp {
        seconds: i64::MAX,
        nanos: 0,
    };
    let status = asked(v1::AlertSeverity::Info, Some(never)).await;
    assert_eq!(detail(&status.unwrap_err()).code, "invalid");
}

#[tokio::test]
async fn a_watcher_is_told_of_changes_alone() {
    let one = going_on(1, Severity::Info);
    let bench = bench(having(std::slice::from_ref(&one)), Records::default());
    let request = Request::new(v1::ListAlertsRequest::default());
    let mut lists = bench.api.watch_alerts(request).await.unwrap().into_inner();
    let first = lists.next().await.unwrap().unwrap().alerts;
    assert_eq!(objects(&first), ["pod-1"]);

    // Something else changes; then another alert is raised.
    let tell = |alerts: &[Alert]| {
        bench
            .snapshots
            .send_replace(std::sync::Arc::new(having(alerts)))
    };
    let next = tokio::spawn(async move { (lists.next().await, lists) });
    tell(std::slice::from_ref(&one));
    tokio::task::yield_now().await;
    tell(&[one, going_on(2, Severity::Info)]);
    let (second, mut lists) = next.await.unwrap();
    assert_eq!(
        objects(&second.unwrap().unwrap().alerts),
        ["pod-2", "pod-1"]
    );

    bench.api.ending.cancel();
    let status = lists.next().await.unwrap().unwrap_err();
    assert_eq!(detail(&status).code, "shutting_down");
    assert!(lists.next().await.is_none());
}

#[tokio::test]
async fn what_ended_just_now_is_over_whatever_its_row_says() {
    let bench = bench(having(&[going_on(1, Severity::Info)]), {
        stored(vec![going_on(1, Severity::Info)])
    });
    let all = v1::ListAlertsRequest {
        all: true,
        ..v1::ListAlertsRequest::default()
    };
    let watched = bench.api.watch_alerts(Request::new(all)).await.unwrap();
    let mut lists = watched.into_inner();
    let states = |list: Option<Result<v1::ListAlertsResponse, tonic::Status>>| {
        let alerts = list.unwrap().unwrap().alerts;
        alerts.iter().map(v1::Alert::state).collect::<Vec<_>>()
    };
    assert_eq!(states(lists.next().await), [v1::AlertState::Firing]);

    let mut ended = having(&[]);
    ended.ended_alerts = vec![over(1)];
    bench.snapshots.send_replace(std::sync::Arc::new(ended));
    assert_eq!(states(lists.next().await), [v1::AlertState::Resolved]);
    let listed = bench.api.list_alerts(Request::new(all)).await.unwrap();
    let listed = listed.into_inner().alerts;
    assert_eq!(listed[0].state(), v1::AlertState::Resolved);
    let going_on = v1::ListAlertsRequest::default();
    let listed = bench.api.list_alerts(Request::new(going_on)).await.unwrap();
    assert_eq!(listed.into_inner().alerts, []);
}

#[tokio::test]
async fn what_people_do_with_alerts_is_passed_on() {
    let mut bench = bench(having(&[]), Records::default());
    let api = bench.api.clone();
    let call = tokio::spawn(async move {
        let which = "ram_high".to_owned();
        let request = v1::AcknowledgeAlertsRequest { which };
        api.acknowledge_alerts(asked(request)).await
    });
    let Some(Message::Command {
        command, caller, ..
    }) = bench.mailbox.recv().await
    else {
        panic!("nothing is asked");
    };
    let which = "ram_high".to_owned();
    assert_eq!(command, Command::AcknowledgeAlerts { which });
    let alerts = vec![going_on(1, Severity::Info)];
    let changed = true;
    let reply = Answer::Reply(Reply::Alerts { alerts, changed });
    assert!(caller.send(reply).is_ok());
    let told = call.await.unwrap().unwrap().into_inner();
    assert_eq!((objects(&told.alerts), told.changed), (vec!["pod-1"], true));

    let api = bench.api.clone();
    let call = tokio::spawn(async move {
        let id = "beef".to_owned();
        api.resolve_alert(asked(v1::ResolveAlertRequest { id }))
            .await
    });
    let Some(Message::Command {
        command, caller, ..
    }) = bench.mailbox.recv().await
    else {
        panic!("nothing is asked");
    };
    let id = "beef".to_owned();
    assert_eq!(command, Command::ResolveAlert { id });
    let which = "beef".to_owned();
    let refused = Reply::Refused(CommandError::NoSuchAlert { which });
    assert!(caller.send(Answer::Reply(refused)).is_ok());
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(detail(&status).code, "not_found");
    assert!(
        status.message().contains("dagdactl alerts list"),
        "{status}"
    );
}
