//! Runs past and present: what the store has, and over it what the engine knows better.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::error::CommandError;
use crate::domain::run::{Run, RunId, RunQuery};
use crate::engine::snapshot::{RunView, Snapshot};

/// The first characters of a run's id, as its owner may write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Reads what a caller wrote.
    ///
    /// # Errors
    /// Where nothing is written, or something that no id begins with.
    pub fn read(asked: &str) -> Result<Self, CommandError> {
        if asked.is_empty() {
            let message =
                "give the id of a run, or its first characters; dagdactl workflow runs tells them";
            return Err(CommandError::Invalid(message.to_owned()));
        }
        if asked.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
            Ok(Self(asked.to_ascii_lowercase()))
        } else {
            let id = asked.escape_debug().to_string();
            Err(CommandError::NoSuchRun { id })
        }
    }

    /// As ids are written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What fits `query`, newest first; `stored` is what the store has of it.
pub fn newest(snapshot: &Snapshot, stored: Vec<Run>, query: &RunQuery) -> Vec<RunView> {
    let RunQuery { workflow, limit } = query;
    let wanted = |run: &Run| {
        workflow
            .as_ref()
            .is_none_or(|name| run.workflow.as_str() == name)
    };
    let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
    let all = merged(snapshot, stored, wanted);
    all.into_values().rev().take(limit).collect()
}

/// The run whose id begins with `prefix`; `stored` are those that the store has.
///
/// # Errors
/// Where there is none, or more than one.
pub fn the_one(
    snapshot: &Snapshot,
    stored: Vec<Run>,
    prefix: &Prefix,
) -> Result<RunView, CommandError> {
    let wanted = |run: &Run| run.id.to_string().starts_with(prefix.as_str());
    let mut found = merged(snapshot, stored, wanted).into_values();
    match (found.next(), found.next()) {
        (Some(run), None) => Ok(run),
        (None, _) => Err(CommandError::NoSuchRun {
            id: prefix.as_str().to_owned(),
        }),
        (Some(first), Some(second)) => Err(CommandError::Invalid(format!(
            "more than one run begins with {}: {} of {}, {} of {}; give more of the id",
            prefix.as_str(),
            first.run.id,
            first.run.workflow,
            second.run.id,
            second.run.workflow,
        ))),
    }
}

/// By id, which is by time. Where both have a run, the engine knows better.
fn merged(
    snapshot: &Snapshot,
    stored: Vec<Run>,
    wanted: impl Fn(&Run) -> bool,
) -> BTreeMap<RunId, RunView> {
    let past = stored.into_iter().map(|run| RunView {
        run: Arc::new(run),
        place: None,
    });
    past.chain(snapshot.runs.iter().cloned())
        .filter(|view| wanted(&view.run))
        .map(|view| (view.run.id, view))
        .collect()
}
