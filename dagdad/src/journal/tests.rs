use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rstest::rstest;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use uuid::Uuid;

use super::*;
use crate::domain::run::RunId;

/// What reaches a layer: the level, and the fields by their names.
type Told = (Level, BTreeMap<String, String>);

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Told>>>);

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl<S: tracing::Subscriber> Layer<S> for Collector {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let told = (*event.metadata().level(), fields.0);
        self.0.lock().unwrap().push(told);
    }
}

fn told(kind: EventKind, object: Option<&str>, subject: Subject) -> Told {
    let event = EventRecord {
        id: Uuid::from_u128(1),
        at: Timestamp::UNIX_EPOCH,
        kind,
        object: object.map(ToOwned::to_owned),
        run: Some(RunId(Uuid::from_u128(7))),
        message: "as it was".to_owned(),
    };
    let collector = Collector::default();
    let subscriber = tracing_subscriber::registry().with(collector.clone());
    tracing::subscriber::with_default(subscriber, || tell(&event, subject));
    let mut all = collector.0.lock().unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn alert(condition: Condition, severity: Severity) -> Subject {
    Subject::Alert {
        id: Uuid::from_u128(5),
        condition,
        severity,
    }
}

#[rstest]
#[case(Subject::Pod, &[("dagda_pod", "it")])]
#[case(Subject::Workflow, &[("dagda_workflow", "it")])]
#[case(Subject::Other, &[("dagda_object", "it")])]
#[case(alert(Condition::PodDown, Severity::Warning), &[
    ("dagda_alert", "00000000-0000-0000-0000-000000000005"),
    ("dagda_condition", "pod_down"),
    ("dagda_pod", "it"),
])]
#[case(alert(Condition::WorkflowFailed, Severity::Warning), &[
    ("dagda_alert", "00000000-0000-0000-0000-000000000005"),
    ("dagda_condition", "workflow_failed"),
    ("dagda_workflow", "it"),
])]
#[case(alert(Condition::DiskHigh, Severity::Warning), &[
    ("dagda_alert", "00000000-0000-0000-0000-000000000005"),
    ("dagda_condition", "disk_high"),
    ("dagda_object", "it"),
])]
fn an_event_is_found_by_what_it_is_about(
    #[case] subject: Subject,
    #[case] expected: &[(&str, &str)],
) {
    let (_, fields) = told(EventKind::AlertRaised, Some("it"), subject);
    let always = [
        ("message", "as it was"),
        ("message_id", "2785fb1cbdc6b2d7935b452d12a454a7"),
        ("dagda_event", "alert_raised"),
        ("dagda_run", "00000000-0000-0000-0000-000000000007"),
    ];
    let all = always.iter().chain(expected);
    let expected: BTreeMap<String, String> = all
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    assert_eq!(fields, expected, "and by nothing else");
}

#[test]
fn what_does_not_apply_is_absent() {
    let (_, fields) = told(EventKind::StoreUp, None, Subject::Other);
    let names: Vec<&str> = fields.keys().map(String::as_str).collect();
    assert_eq!(names, ["dagda_event", "dagda_run", "message"]);
}

#[rstest]
#[case(EventKind::PodFailed, Subject::Pod, Level::ERROR)]
#[case(EventKind::ReloadFailed, Subject::Other, Level::ERROR)]
#[case(
    EventKind::AlertRaised,
    alert(Condition::RamHigh, Severity::Critical),
    Level::ERROR
)]
#[case(
    EventKind::AlertRaised,
    alert(Condition::RamHigh, Severity::Warning),
    Level::WARN
)]
#[case(
    EventKind::AlertRaised,
    alert(Condition::RamHigh, Severity::Info),
    Level::INFO
)]
#[case(
    EventKind::AlertResolved,
    alert(Condition::RamHigh, Severity::Critical),
    Level::INFO
)]
#[case(EventKind::Refused, Subject::Pod, Level::WARN)]
#[case(EventKind::Shed, Subject::Pod, Level::WARN)]
#[case(EventKind::PodReady, Subject::Pod, Level::INFO)]
fn urgency_follows_what_happened(
    #[case] kind: EventKind,
    #[case] subject: Subject,
    #[case] expected: Level,
) {
    assert_eq!(told(kind, Some("it"), subject).0, expected);
}

#[test]
fn message_ids_are_unique_and_as_journald_wants_them() {
    let ids: Vec<&str> = EventKind::ALL
        .iter()
        .filter_map(|kind| message_id(*kind))
        .collect();
    for id in &ids {
        assert_eq!(id.len(), 32, "{id}");
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        assert!(id.chars().all(hex), "{id}");
    }
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn the_readme_lists_every_message_id() {
    let readme = include_str!("../../../README.md");
    for kind in EventKind::ALL {
        if let Some(id) = message_id(*kind) {
            let row = format!("| `{}` | `{id}` |", kind.as_str());
            assert!(readme.contains(&row), "{row}");
        }
    }
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names of the fields in the arguments of a tracing macro, up to its text.
fn fields(arguments: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut rest = arguments.trim_start();
    while !rest.starts_with('"') {
        let mut depth = 0_usize;
        let end = rest.find(|c| {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth == 0 => return true,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
            depth == 0 && c == ','
        });
        let Some(end) = end else { break };
        let argument = rest[..end].trim();
        let name = argument.split_once('=').map_or(argument, |(name, _)| name);
        let name = name.trim().trim_start_matches(['%', '?']);
        if !argument.starts_with("target:") && !name.is_empty() {
            fields.push(name.to_owned());
        }
        rest = rest[end..]
            .strip_prefix(',')
            .unwrap_or_default()
            .trim_start();
        if rest.is_empty() {
            break;
        }
    }
    fields
}

/// Without a prefix that journald's fields lack, `priority` or `message_id` would be taken for
/// them.
#[test]
fn no_field_can_be_taken_for_one_of_journalds() {
    let mut files = Vec::new();
    sources(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path(),
        &mut files,
    );
    let mut seen = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for level in ["error", "warn", "info", "debug", "trace", "$urgent"] {
            let call = format!("tracing::{level}!(");
            for (at, _) in text.match_indices(&call) {
                for field in fields(&text[at + call.len()..]) {
                    seen += 1;
                    let ours = field.starts_with("dagda_") || field == "message_id";
                    assert!(ours, "`{field}` in {}", file.display());
                }
            }
        }
    }
    assert!(seen > 20, "the macros are found: {seen}");
}
