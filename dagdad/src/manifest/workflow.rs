//! A `dagda/v1` `Workflow` to the domain's `WorkflowSpec`.
//!
//! Nobody but Dagda reads a Workflow, so a field that Dagda does not know is a mistake here,
//! where in a Pod it is Podman's. And since a workflow is its pods, their names hold no
//! variables: which pods it has stays the same when a variable changes.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::name::{NameError, PodName, WorkflowName};
use crate::domain::order::{self, After};
use crate::domain::workflow::{DEFAULT_TIMEOUT, Member, OnFailure, WorkflowSpec};

use super::annotation;
use super::node::{Content, Node};
use super::path::Path;
use super::pod::report_choice;
use super::problem::nearest;
use super::report::Report;
use super::substitution::has_variable;
use super::typed;

/// The longest `spec.timeout`.
const MAX_TIMEOUT: Duration = Duration::from_hours(24);
/// A name that is none of a workflow's pods is likened to so many of them. More are in no
/// workflow that a person wrote, and each costs time for each mistake.
const LIKENED: usize = 100;

/// A mapping of a Workflow with all fields that it takes.
struct Level {
    /// What messages call it.
    what: &'static str,
    fields: &'static [&'static str],
}

const DOCUMENT: Level = Level {
    what: "A Workflow",
    fields: &["apiVersion", "kind", "metadata", "spec"],
};
const METADATA: Level = Level {
    what: "A Workflow's metadata",
    fields: &["name"],
};
const SPEC: Level = Level {
    what: "A Workflow's spec",
    fields: &["description", "onFailure", "pods", "priority", "timeout"],
};
const MEMBER: Level = Level {
    what: "A pod of a Workflow",
    fields: &["name", "after"],
};

/// The form of a Workflow. Every field may be missing here, so that each absence is told in
/// words that say what to write.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workflow {
    #[serde(default)]
    spec: Option<Spec>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    pods: Vec<WorkflowPod>,
    #[serde(default)]
    priority: Option<i64>,
    #[serde(default)]
    timeout: Option<String>,
    #[serde(default)]
    on_failure: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WorkflowPod {
    #[serde(default)]
    name: String,
    #[serde(default)]
    after: Vec<String>,
}

/// Looks at a Workflow as its owner wrote it, before variables are filled in: reports unknown
/// fields, pods that are not in the form `{name: …}`, and names that hold a variable. Those
/// names are taken out of `value`, so that nothing more is said about them.
pub fn check_form(root: &Node, value: &mut Value, report: &mut Report<'_>) {
    known_fields(root, &Path::root(), &DOCUMENT, report);
    known_fields(root, &Path::fields(["metadata"]), &METADATA, report);
    known_fields(root, &Path::fields(["spec"]), &SPEC, report);
    let pods = Path::fields(["spec", "pods"]);
    let Some(Content::Sequence(items)) = root.find(&pods).map(|node| &node.content) else {
        return;
    };
    for (index, item) in items.iter().enumerate() {
        let path = pods.index(index);
        known_fields(root, &path, &MEMBER, report);
        bare_name(item, value, &path, report);
        fixed_name(root, value, &path.key("name"), report);
        let after = path.key("after");
        match root.find(&after).map(|node| &node.content) {
            Some(Content::Sequence(names)) => {
                for index in 0..names.len() {
                    fixed_name(root, value, &after.index(index), report);
                }
            }
            _ => fixed_name(root, value, &after, report),
        }
    }
}

fn known_fields(root: &Node, path: &Path, level: &Level, report: &mut Report<'_>) {
    let Some(Content::Mapping(entries)) = root.find(path).map(|node| &node.content) else {
        return;
    };
    for (key, ..) in entries {
        if level.fields.contains(&key.as_str()) {
            continue;
        }
        let near = if level.what != SPEC.what && SPEC.fields.contains(&key.as_str()) {
            Some(format!("spec.{key}"))
        } else {
            nearest(key, level.fields).map(str::to_owned)
        };
        let hint = near.map_or_else(
            || "unknown field.".to_owned(),
            |near| format!("unknown field; did you mean {near}?"),
        );
        let message = format!("{hint} {} takes {}", level.what, level.fields.join(", "));
        report.add(&path.key(key), message);
    }
}

/// Reports a pod that is given by its name alone; what follows is told as if it were not.
fn bare_name(item: &Node, value: &mut Value, path: &Path, report: &mut Report<'_>) {
    let Content::Scalar(Value::String(text)) = &item.content else {
        return;
    };
    let Ok(name) = text.parse::<PodName>() else {
        return;
    };
    let message = format!("expected a mapping, found a text; write {{name: {name}}}");
    report.add(path, message);
    if let Some(found) = typed::find_mut(value, path) {
        *found = json!({ "name": name.as_str() });
    }
}

/// Reports a name that holds a variable, and empties it in `value`.
fn fixed_name(root: &Node, value: &mut Value, path: &Path, report: &mut Report<'_>) {
    let content = root.find(path).map(|node| &node.content);
    if matches!(content, Some(Content::Scalar(Value::String(text))) if has_variable(text)) {
        report.add(
            path,
            "the name of a workflow's pod must not hold a variable: it has to stay the same when the variable changes",
        );
        if let Some(found) = typed::find_mut(value, path) {
            *found = Value::Null;
        }
    }
}

/// Reads `workflow`, its variables filled in. What cannot be read is reported and replaced by
/// what does least: nothing is stopped when a pod fails, priority and time are the defaults.
/// `None` without a name, or where it is not clear which pods it has, and in which order.
pub fn read(
    name: Option<WorkflowName>,
    workflow: Workflow,
    report: &mut Report<'_>,
) -> Option<WorkflowSpec> {
    let Spec {
        description,
        pods,
        priority,
        timeout,
        on_failure,
    } = workflow.spec.unwrap_or_default();
    let path = Path::fields(["spec"]);
    let members = members(&pods, &path.key("pods"), report);
    let priority = priority
        .map(|priority| annotation::checked_priority(Some(priority), &path.key("priority"), report))
        .unwrap_or_default();
    let timeout = timeout.map_or(DEFAULT_TIMEOUT, |text| {
        read_timeout(&text, &path.key("timeout"), report)
    });
    let on_failure = on_failure.map_or_else(OnFailure::default, |word| {
        read_on_failure(&word, &path.key("onFailure"), report)
    });
    Some(WorkflowSpec {
        name: name?,
        description: description
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty()),
        members: members?,
        priority,
        timeout,
        on_failure,
    })
}

fn members(pods: &[WorkflowPod], path: &Path, report: &mut Report<'_>) -> Option<Vec<Member>> {
    if pods.is_empty() {
        report.add(
            path,
            "missing; a workflow needs at least one pod, such as pods: [{name: web}]",
        );
        return None;
    }
    let (names, places) = names(pods, path, report);
    let known = names.iter().flatten().map(PodName::as_str);
    let known: Vec<&str> = known.take(LIKENED).collect();
    let mut sound = names.iter().all(Option::is_some);
    let mut members = Vec::with_capacity(pods.len());
    for (index, (pod, name)) in pods.iter().zip(&names).enumerate() {
        let path = path.index(index).key("after");
        let mut after: Vec<PodName> = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, text) in pod.after.iter().enumerate() {
            // Looking for similar names takes time, and nobody reads what it would find.
            if report.is_full() {
                return None;
            }
            let path = path.index(index);
            let problem = match text.parse::<PodName>() {
                Ok(before) if name.as_ref() == Some(&before) => {
                    "a pod cannot come after itself".to_owned()
                }
                Ok(before) if places.contains_key(&before) => {
                    if seen.insert(before.clone()) {
                        after.push(before);
                    }
                    continue;
                }
                Ok(before) => not_among(&before, &known),
                Err(error) => error.to_string(),
            };
            report.add(&path, problem);
            sound = false;
        }
        members.extend(name.clone().map(|pod| Member { pod, after }));
    }
    let straight = no_circles(&members, &places, path, report);
    (sound && straight).then_some(members)
}

fn not_among(pod: &PodName, known: &[&str]) -> String {
    let add = match nearest(pod.as_str(), known) {
        Some(near) => format!("; did you mean {near}? Add"),
        None => "; add".to_owned(),
    };
    format!("{pod} is none of this workflow's pods{add} it to spec.pods, or take it out here")
}

/// The name of each pod, where it is one and the first of its kind, and the place of each name.
fn names(
    pods: &[WorkflowPod],
    path: &Path,
    report: &mut Report<'_>,
) -> (Vec<Option<PodName>>, HashMap<PodName, usize>) {
    let mut places: HashMap<PodName, usize> = HashMap::new();
    let names = pods.iter().enumerate().map(|(index, pod)| {
        let at = path.index(index).key("name");
        if pod.name.is_empty() {
            report.add(&at, "missing; write the name of a pod");
            return None;
        }
        let name: PodName = pod
            .name
            .parse()
            .map_err(|error: NameError| report.add(&at, error.to_string()))
            .ok()?;
        if let Some(first) = places.get(&name) {
            let first = path.index(*first);
            let message = format!(
                "pod {name} is asked for twice: as {first} at {} and here; keep one of them",
                report.place(&first)
            );
            report.add(&at, message);
            return None;
        }
        places.insert(name.clone(), index);
        Some(name)
    });
    (names.collect(), places)
}

/// Reports pods that come after each other in a circle; a pod of two circles is told once.
fn no_circles(
    members: &[Member],
    places: &HashMap<PodName, usize>,
    path: &Path,
    report: &mut Report<'_>,
) -> bool {
    let mut after: After = members
        .iter()
        .map(|member| (member.pod.clone(), member.after.iter().cloned().collect()))
        .collect();
    let mut straight = true;
    while let Err(cycle) = order::levels(&after) {
        straight = false;
        let at = cycle.0.first().and_then(|pod| places.get(pod));
        let path = at.map_or_else(|| path.clone(), |index| path.index(*index).key("after"));
        report.add_another(&path, cycle.to_string());
        if report.is_full() {
            break;
        }
        for pod in &cycle.0 {
            after.remove(pod);
        }
    }
    straight
}

fn read_timeout(text: &str, path: &Path, report: &mut Report<'_>) -> Duration {
    match humantime::parse_duration(text.trim()) {
        Ok(timeout) if !timeout.is_zero() && timeout <= MAX_TIMEOUT => timeout,
        _ => {
            let message = format!(
                "{} is not a timeout; write a time above 0 and at most {}h, such as 300s or 5m",
                report.quote(path),
                MAX_TIMEOUT.as_secs() / 3600
            );
            report.add(path, message);
            DEFAULT_TIMEOUT
        }
    }
}

fn read_on_failure(word: &str, path: &Path, report: &mut Report<'_>) -> OnFailure {
    const KNOWN: [OnFailure; 2] = [OnFailure::Rollback, OnFailure::Keep];
    let found = KNOWN
        .into_iter()
        .find(|known| known.as_str() == word.trim());
    found.unwrap_or_else(|| {
        report_choice(word, &KNOWN.map(OnFailure::as_str), path, report);
        OnFailure::Keep
    })
}
