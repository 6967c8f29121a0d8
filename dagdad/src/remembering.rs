//! What an earlier daemon left, read back from the store: the state to go on with.

use std::fmt::Display;

use jiff::Timestamp;

use crate::config::Config;
use crate::configured;
use crate::domain::event::Subject;
use crate::domain::name::ObjectName;
use crate::engine::effect::{Effect, Persist};
use crate::engine::state::{Remembered, State};
use crate::manifest::{self, Variables};
use crate::ports::{Record, Restored};

/// The state to go on with, and what is to be done first.
///
/// # Errors
/// The variables file could not be looked at.
pub(crate) async fn restore(
    config: &Config,
    restored: Restored,
) -> anyhow::Result<(State, Vec<Effect>)> {
    let Restored {
        pods,
        workflows,
        runs,
        alerts,
        pod_runs,
        intents,
        economy,
        silences,
    } = restored;
    let path = config.variables_file.clone();
    let variables = tokio::task::spawn_blocking(move || Variables::read(&path)).await?;
    // A broken file stops no daemon: a start that needs it will say what is wrong with it.
    let variables = variables.unwrap_or_else(|error| {
        tracing::error!("{error}");
        Variables::default()
    });
    // What cannot be read stays in the database; a later apply of the mended manifest takes it
    // up.
    let left_aside = |name: ObjectName, error: &dyn Display| {
        let kind = name.kind();
        tracing::error!("{kind} {name} is left aside, its manifest cannot be read: {error}");
    };
    let mut known = Vec::with_capacity(pods.len());
    for record in pods {
        match manifest::recall(&record.manifest, &variables) {
            Ok(entry) => known.push((record, entry)),
            Err(error) => left_aside(ObjectName::Pod(record.name), &error),
        }
    }
    let mut known_workflows = Vec::with_capacity(workflows.len());
    for record in workflows {
        match manifest::recall_workflow(&record.manifest, &variables) {
            Ok(entry) => known_workflows.push((record, entry)),
            Err(error) => left_aside(ObjectName::Workflow(record.name), &error),
        }
    }
    let now = Timestamp::now();
    let (_, seed) = uuid::Uuid::now_v7().as_u64_pair();
    let (mut state, superseded) = State::restore(
        configured::settings(config),
        seed,
        Remembered {
            pods: known,
            workflows: known_workflows,
            runs,
            alerts,
            pod_runs,
            intents,
            economy,
            silences,
        },
        now,
    );
    let started = state.started_event(now);
    let mut records = vec![Record::Event(started.clone())];
    records.extend(superseded.into_iter().map(|intent| Record::CloseIntent {
        id: intent.id,
        at: now,
        outcome: "superseded".to_owned(),
    }));
    Ok((
        state,
        vec![
            Effect::Announce {
                event: started,
                subject: Subject::Other,
            },
            Effect::Persist(Persist::Fact {
                records,
                then: Vec::new(),
            }),
        ],
    ))
}
