//! The annotations under `dagda/`: what Kubernetes has no field for.

use std::collections::BTreeMap;

use crate::domain::name::PodName;
use crate::domain::pod::{Category, Priority};

use super::path::Path;
use super::problem::{nearest, suggestion};
use super::report::Report;

const PREFIX: &str = "dagda/";
const CATEGORY: &str = "dagda/category";
const PRIORITY: &str = "dagda/priority";
const AFTER: &str = "dagda/after";
/// Every annotation that this version knows.
const KNOWN: [&str; 3] = [AFTER, CATEGORY, PRIORITY];

/// What a pod's annotations say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotations {
    /// `dagda/category`.
    pub category: Category,
    /// `dagda/priority`.
    pub priority: Priority,
    /// `dagda/after`, each name once, in the order written.
    pub after: Vec<PodName>,
}

/// Reads `metadata.annotations`, its variables filled in.
pub fn read(
    annotations: &BTreeMap<String, String>,
    pod: &PodName,
    report: &mut Report<'_>,
) -> Annotations {
    let mut read = Annotations::default();
    let parent = Path::fields(["metadata", "annotations"]);
    for (name, value) in annotations
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
    {
        let path = parent.key(name);
        match name.as_str() {
            CATEGORY => read.category = category(value, &path, report),
            PRIORITY => read.priority = priority(value, &path, report),
            AFTER => read.after = after(value, pod, &path, report),
            _ => {
                let near = nearest(name, &KNOWN)
                    .map(|near| format!("did you mean {near}? "))
                    .unwrap_or_default();
                report.add(
                    &path,
                    format!("unknown annotation; {near}Dagda knows {}", KNOWN.join(", ")),
                );
            }
        }
    }
    read
}

/// A category that cannot be read counts as essential: it was set for a reason, and nothing
/// essential is ever stopped.
fn category(value: &str, path: &Path, report: &mut Report<'_>) -> Category {
    match value.trim() {
        "essential" => Category::Essential,
        "optional" => Category::Optional,
        other => {
            let hint = if report.is_filled_in(path) {
                String::new()
            } else {
                suggestion(other, &["essential", "optional"])
            };
            report.add(
                path,
                format!(
                    "{} is not a category; write essential or optional{hint}",
                    report.quote(path)
                ),
            );
            Category::Essential
        }
    }
}

fn priority(value: &str, path: &Path, report: &mut Report<'_>) -> Priority {
    checked_priority(value.trim().parse().ok(), path, report)
}

/// The priority of this number; the default, and a report, where it is none.
pub fn checked_priority(number: Option<i64>, path: &Path, report: &mut Report<'_>) -> Priority {
    number
        .and_then(|number| u8::try_from(number).ok())
        .and_then(Priority::new)
        .unwrap_or_else(|| {
            report.add(
                path,
                format!(
                    "{} is not a priority; write a whole number from 0 to {}",
                    report.quote(path),
                    Priority::MAX
                ),
            );
            Priority::default()
        })
}

fn after(value: &str, pod: &PodName, path: &Path, report: &mut Report<'_>) -> Vec<PodName> {
    let mut after: Vec<PodName> = Vec::new();
    for item in value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
    {
        match item.parse::<PodName>() {
            Ok(name) if name == *pod => report.add(path, "a pod cannot come after itself"),
            Ok(name) if after.contains(&name) => {}
            Ok(name) => after.push(name),
            Err(error) => report.add_reason(path, &error),
        }
    }
    after
}
