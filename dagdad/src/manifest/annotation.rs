//! The annotations under `dagda/`: what Kubernetes has no field for.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::name::PodName;
use crate::domain::pod::{Category, DEFAULT_IDLE_TIMEOUT, Priority};

use super::path::Path;
use super::problem::{nearest, suggestion};
use super::report::Report;

const PREFIX: &str = "dagda/";
const CATEGORY: &str = "dagda/category";
const PRIORITY: &str = "dagda/priority";
const AFTER: &str = "dagda/after";
const FREEZE: &str = "dagda/freeze";
const IDLE_TIMEOUT: &str = "dagda/idle-timeout";
/// Every annotation that this version knows.
const KNOWN: [&str; 5] = [AFTER, CATEGORY, FREEZE, IDLE_TIMEOUT, PRIORITY];

/// What a pod's annotations say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotations {
    /// `dagda/category`.
    pub category: Category,
    /// `dagda/priority`.
    pub priority: Priority,
    /// `dagda/after`, each name once, in the order written.
    pub after: Vec<PodName>,
    /// `dagda/freeze`.
    pub freeze: bool,
    /// `dagda/idle-timeout`.
    pub idle_timeout: Duration,
}

impl Default for Annotations {
    fn default() -> Self {
        Self {
            category: Category::default(),
            priority: Priority::default(),
            after: Vec::new(),
            freeze: false,
            idle_timeout: DEFAULT_IDLE_TIMEOUT,
        }
    }
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
            FREEZE => read.freeze = freeze(value, &path, report),
            IDLE_TIMEOUT => read.idle_timeout = idle_timeout(value, &path, report),
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

fn freeze(value: &str, path: &Path, report: &mut Report<'_>) -> bool {
    match value.trim() {
        "true" => true,
        "false" => false,
        _ => {
            let quoted = report.quote(path);
            report.add(path, format!("{quoted} is neither \"true\" nor \"false\""));
            false
        }
    }
}

fn idle_timeout(value: &str, path: &Path, report: &mut Report<'_>) -> Duration {
    let span = humantime::parse_duration(value.trim()).ok();
    span.filter(|span| *span > Duration::ZERO)
        .unwrap_or_else(|| {
            let quoted = report.quote(path);
            report.add(
                path,
                format!("{quoted} is not a span of time; write for example 10m or 1h30m"),
            );
            DEFAULT_IDLE_TIMEOUT
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
