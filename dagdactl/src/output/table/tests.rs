//! What people see, at 80 columns and in a pipe, without colour.

mod economy;
mod workflows;

use std::time::Duration;

use dagda_proto::v1;
use insta::assert_snapshot;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rstest::rstest;
use unicode_width::UnicodeWidthStr;

use super::{
    alerts, audit, catalogue, doctor, events, pod_detail, pods, resources, silences, status,
};
use crate::output::human::Clock;
use crate::output::json::alerts::AlertListView;
use crate::output::json::audit::AuditView;
use crate::output::json::catalogue::ApplyView;
use crate::output::json::doctor::CheckView;
use crate::output::json::events::EventView;
use crate::output::json::pod_detail::PodDetailView;
use crate::output::json::pods::{PodListView, PodView, StatsView};
use crate::output::json::resources::{HistoryView, ResourcesView};
use crate::output::json::silences::SilenceListView;
use crate::output::json::status::StatusView;
use crate::output::sample;

const NOW: i64 = 1_795_292_104;
/// A terminal of the usual width.
const TERMINAL: Option<usize> = Some(80);

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn list() -> PodListView {
    v1::ListPodsResponse {
        pods: sample::pods(NOW),
    }
    .into()
}

fn without_colour(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn alerts_list(width: Option<usize>) -> String {
    let clock = Clock {
        now: now(),
        zone: TimeZone::UTC,
    };
    let alerts = sample::alerts(NOW);
    let view = AlertListView::from(v1::ListAlertsResponse { alerts });
    without_colour(&alerts::list(&view, &clock, width))
}

#[test]
fn alerts_silences() {
    let clock = Clock {
        now: now(),
        zone: TimeZone::UTC,
    };
    let silences = sample::silences(NOW);
    let view = SilenceListView::from(v1::Silences { silences });
    assert_snapshot!(without_colour(&silences::list(&view, &clock)));
}

#[test]
fn alerts_list_on_a_terminal() {
    assert_snapshot!(alerts_list(TERMINAL));
}

#[test]
fn alerts_list_in_a_pipe() {
    assert_snapshot!(alerts_list(None));
}

fn audit_list(width: Option<usize>) -> String {
    let clock = Clock {
        now: now(),
        zone: TimeZone::UTC,
    };
    let entries = sample::audit(NOW);
    let view = AuditView::from(v1::ListAuditResponse { entries });
    without_colour(&audit::list(&view, &clock, width))
}

#[test]
fn audit_on_a_terminal() {
    let list = audit_list(TERMINAL);
    assert!(list.lines().all(|line| line.width() <= 80), "{list}");
    assert_snapshot!(list);
}

#[test]
fn audit_in_a_pipe() {
    assert_snapshot!(audit_list(None));
}

#[test]
fn pods_list_on_a_terminal() {
    assert_snapshot!(without_colour(&pods::list(&list(), now(), TERMINAL)));
}

#[test]
fn pods_list_in_a_pipe() {
    assert_snapshot!(without_colour(&pods::list(&list(), now(), None)));
}

#[test]
fn an_empty_list_is_a_heading() {
    let text = without_colour(&pods::list(&PodListView { pods: Vec::new() }, now(), None));
    assert_eq!(
        text.trim_end(),
        "NAME  CATEGORY  PRIO  STATE  READY  CPU  RAM  PORTS  AGE"
    );
}

#[test]
fn pods_show() {
    let view = PodDetailView::from(sample::pod_detail(NOW));
    assert_snapshot!(without_colour(&pod_detail::show(&view, now(), TERMINAL)));
}

#[test]
fn pods_stats() {
    let pods = sample::pods(NOW)
        .into_iter()
        .map(|pod| PodView::from(pod).into())
        .collect();
    assert_snapshot!(without_colour(&pods::stats(&StatsView { pods })));
}

#[test]
fn status_with_problems() {
    let view = StatusView::from(sample::status(NOW));
    assert_snapshot!(without_colour(&status::panel(&view, now(), TERMINAL)));
}

#[test]
fn status_of_a_quiet_box() {
    let view = StatusView::from(sample::quiet_status(NOW));
    assert_snapshot!(without_colour(&status::panel(&view, now(), TERMINAL)));
}

#[test]
fn status_of_a_daemon_that_has_just_begun() {
    let view = StatusView::from(v1::Status {
        version: "0.1.0".into(),
        ..v1::Status::default()
    });
    assert_snapshot!(without_colour(&status::panel(&view, now(), TERMINAL)));
}

#[test]
fn resources_now() {
    let answer = v1::GetResourcesResponse {
        host: Some(sample::host(NOW)),
        ram_threshold_percent: 80.0,
        cpu_threshold_percent: 70.0,
    };
    assert_snapshot!(without_colour(&resources::now(&ResourcesView::from(
        answer
    ))));
}

#[test]
fn resources_history() {
    let view = HistoryView::from(v1::GetHistoryResponse {
        points: sample::history(NOW),
    });
    assert_snapshot!(without_colour(&resources::history(
        &view,
        Duration::from_hours(1)
    )));
}

#[rstest]
#[case("terminal", TERMINAL)]
#[case("pipe", None)]
fn event_lines(#[case] place: &str, #[case] width: Option<usize>) {
    let zone = TimeZone::fixed(jiff::tz::offset(1));
    let text: String = sample::events(NOW)
        .into_iter()
        .chain(sample::economy::events(NOW))
        .map(|wire| events::event(&EventView::from(wire), &zone, width))
        .collect();
    assert_snapshot!(format!("events_{place}"), without_colour(&text));
}

#[test]
fn doctor_checks() {
    let checks: Vec<CheckView> = sample::checks().into_iter().map(CheckView::from).collect();
    assert_snapshot!(without_colour(&doctor::checks(&checks, TERMINAL)));
}

#[test]
fn applied_objects() {
    let object = |name: &str, change: v1::Change, notes: &[&str]| v1::AppliedObject {
        kind: "pod".into(),
        name: name.into(),
        change: change.into(),
        notes: notes.iter().map(|&note| note.into()).collect(),
    };
    let answer = v1::ApplyResponse {
        objects: vec![
            object("llama", v1::Change::Created, &[]),
            object(
                "qwen",
                v1::Change::Changed,
                &["it runs with the old manifest: dagdactl pods restart qwen"],
            ),
            object("n8n", v1::Change::Unchanged, &[]),
            v1::AppliedObject {
                kind: "workflow".into(),
                ..object("ai-complete", v1::Change::Created, &[])
            },
        ],
        dry_run: true,
    };
    assert_snapshot!(without_colour(&catalogue::applied(
        &ApplyView::from(answer),
        TERMINAL
    )));
}

#[test]
fn an_idle_pod_says_since_when() {
    let view = PodDetailView::from(v1::PodDetail {
        freeze: false,
        idle_since: Some(sample::at(NOW - 1500)),
        ..sample::pod_detail(NOW)
    });
    let text = without_colour(&pod_detail::show(&view, now(), TERMINAL));
    assert!(
        text.contains("Idle       for 24m; counts from 10m on\n"),
        "{text}"
    );
    assert!(text.contains("Freeze     not allowed\n"), "{text}");
}

/// On a terminal of 80 columns nothing is broken by the terminal itself.
#[test]
fn everything_fits_on_eighty_columns() {
    let texts = [
        pods::list(&list(), now(), TERMINAL),
        status::panel(&StatusView::from(sample::status(NOW)), now(), TERMINAL),
        pod_detail::show(
            &PodDetailView::from(sample::pod_detail(NOW)),
            now(),
            TERMINAL,
        ),
    ];
    for text in texts.into_iter().chain([alerts_list(TERMINAL)]) {
        for line in without_colour(&text).lines() {
            assert!(line.width() <= 80, "{} columns: {line}", line.width());
        }
    }
}

/// What pods and messages bring along cannot act on the terminal.
#[test]
fn no_escape_sequence_of_others_gets_through() {
    let mut pods = sample::pods(NOW);
    pods.truncate(1);
    pods[0].name = "a\u{1b}]0;title\u{7}".into();
    pods[0].message = Some("\u{1b}[31mred\u{1b}[0m, \u{1b}[2J".into());
    let text = pods::list(&v1::ListPodsResponse { pods }.into(), now(), TERMINAL);
    assert!(text.contains(r"a\u{1b}]0;title\u{7} "), "{text}");
    assert!(text.contains(r"  red, \u{1b}[2J"), "{text}");
}
