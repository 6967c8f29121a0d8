//! What each call takes: its name for people, and the role. The gate is the only way to the
//! engine that handlers have, so that no command goes by unseen.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tonic::{Request, Status};
use uuid::Uuid;

use super::caller::Callers;
use super::denials::Denials;
use crate::domain::audit::{AuditEntry, AuditOutcome};
use crate::domain::caller::{Caller, Role};
use crate::domain::catalogue::Entries;
use crate::domain::error::CommandError;
use crate::domain::event::{EventQuery, EventRecord};
use crate::engine::answering::Answer;
use crate::engine::auditing::said;
use crate::engine::event::Command;
use crate::engine::handle::Handle;
use crate::engine::snapshot::Snapshot;

/// Something that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// As dagdactl calls it.
    pub verb: &'static str,
    /// Of what.
    pub object: Option<String>,
    /// What it takes.
    pub role: Role,
}

impl Deed {
    /// `apply` of something that is not read yet.
    pub const APPLY: Self = Self {
        verb: "apply",
        object: None,
        role: Role::Admin,
    };

    /// What `command` asks for.
    #[must_use]
    pub fn of(command: &Command) -> Self {
        let deed = |verb, object: &str, role| Self {
            verb,
            object: Some(object.to_owned()),
            role,
        };
        match command {
            // It reads, and says what would change.
            Command::Apply {
                entries: _,
                dry_run: true,
            } => Self {
                role: Role::Viewer,
                ..Self::APPLY
            },
            // A manifest may ask for a privileged pod: whoever applies it is root by another
            // name.
            Command::Apply {
                entries,
                dry_run: false,
            } => Self {
                object: Some(names(entries)),
                ..Self::APPLY
            },
            Command::Start { pod, admission: _ } => deed("pods start", pod, Role::Operator),
            Command::Stop { pod, grace: _ } => deed("pods stop", pod, Role::Operator),
            Command::Restart { pod } => deed("pods restart", pod, Role::Operator),
            Command::Remove { pod, force: _ } => deed("pods remove", pod, Role::Admin),
            Command::Run {
                workflow,
                admission: _,
                queue: _,
                timeout: _,
            } => deed("workflow run", workflow, Role::Operator),
            Command::StopWorkflow { workflow } => deed("workflow stop", workflow, Role::Operator),
            Command::RemoveWorkflow { workflow } => deed("workflow remove", workflow, Role::Admin),
            Command::AcknowledgeAlerts { which } => deed("alerts ack", which, Role::Operator),
            Command::ResolveAlert { id } => deed("alerts resolve", id, Role::Operator),
            Command::Silence { of, span: _ } => {
                deed("alerts silence", &of.to_string(), Role::Operator)
            }
            Command::LiftSilence { which } => deed("alerts unsilence", which, Role::Operator),
            Command::SetEconomy { policy } => deed("economy set", policy.as_str(), Role::Admin),
        }
    }
}

/// All that is applied, a comma between them.
fn names(entries: &Entries) -> String {
    let Entries { pods, workflows } = entries;
    let pods = pods.iter().map(|pod| pod.spec.name.as_str());
    let workflows = workflows.iter().map(|entry| entry.spec.name.as_str());
    pods.chain(workflows).collect::<Vec<_>>().join(", ")
}

/// What a call is called by people; the call's own name where nobody gave it another.
#[must_use]
pub fn verb_of(path: &str) -> &str {
    let method = path.rsplit('/').next().unwrap_or(path);
    let known = VERBS.iter().find(|(name, _)| *name == method);
    known.map_or(method, |(_, verb)| verb)
}

/// Methods of the services and the verbs of dagdactl that call them.
const VERBS: &[(&str, &str)] = &[
    ("GetStatus", "status"),
    ("WatchStatus", "status --watch"),
    ("Apply", "apply"),
    ("Export", "export"),
    ("ListPods", "pods list"),
    ("GetPod", "pods show"),
    ("WatchPods", "pods list --watch"),
    ("StartPod", "pods start"),
    ("StopPod", "pods stop"),
    ("RestartPod", "pods restart"),
    ("RemovePod", "pods remove"),
    ("ReadLogs", "pods logs"),
    ("ListWorkflows", "workflow list"),
    ("GetWorkflow", "workflow show"),
    ("PlanWorkflow", "workflow plan"),
    ("RunWorkflow", "workflow run"),
    ("StopWorkflow", "workflow stop"),
    ("RemoveWorkflow", "workflow remove"),
    ("ListRuns", "workflow runs"),
    ("GetRun", "workflow runs show"),
    ("GetEconomy", "economy status"),
    ("SetPolicy", "economy set"),
    ("PlanEconomy", "economy plan"),
    ("Backtest", "economy backtest"),
    ("ListAlerts", "alerts list"),
    ("WatchAlerts", "alerts list --watch"),
    ("AcknowledgeAlerts", "alerts ack"),
    ("ResolveAlert", "alerts resolve"),
    ("Silence", "alerts silence"),
    ("LiftSilence", "alerts unsilence"),
    ("ListSilences", "alerts silences"),
    ("GetResources", "resources"),
    ("GetHistory", "resources --since"),
    ("ListEvents", "events"),
    ("FollowEvents", "events --follow"),
    ("ListAudit", "audit"),
    ("Diagnose", "doctor"),
];

/// The way to the engine: reads go through, a command only for who may give it, and on record.
#[derive(Debug, Clone)]
pub struct Gate {
    engine: Handle,
    callers: Callers,
    denials: Arc<Denials>,
}

impl Gate {
    /// The way to `engine` for those whom `callers` tells apart.
    #[must_use]
    pub fn new(engine: Handle, callers: Callers) -> Self {
        Self {
            denials: Arc::new(Denials::new(engine.clone())),
            engine,
            callers,
        }
    }

    /// The state now. Waits for nobody.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.engine.snapshot()
    }

    /// The state as it changes; steps may be missed, the last one never.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.engine.snapshots()
    }

    /// Events from now on.
    #[must_use]
    pub fn follow(&self) -> broadcast::Receiver<EventRecord> {
        self.engine.follow()
    }

    /// Those of the latest events that `query` asks for, oldest first, its limit aside.
    #[must_use]
    pub fn latest_events(&self, query: &EventQuery) -> Vec<EventRecord> {
        self.engine.latest_events(query)
    }

    /// Those who call.
    #[must_use]
    pub const fn callers(&self) -> &Callers {
        &self.callers
    }

    /// Whether `caller` may call `path` at all.
    ///
    /// # Errors
    /// [`CommandError::NotPermitted`], which is on record then.
    pub async fn enter(&self, caller: &Caller, path: &str) -> Result<(), CommandError> {
        self.check(caller, verb_of(path), None, Role::Viewer).await
    }

    /// Whether `caller` may do `deed`.
    ///
    /// # Errors
    /// [`CommandError::NotPermitted`], which is on record then.
    pub async fn permit(&self, caller: &Caller, deed: &Deed) -> Result<(), CommandError> {
        let Deed { verb, object, role } = deed;
        self.check(caller, verb, object.as_deref(), *role).await
    }

    /// Gives a command for `caller`, puts it on record and waits for its answer: accepted, done
    /// already, or refused.
    ///
    /// # Errors
    /// [`CommandError::NotPermitted`]; [`CommandError::ShuttingDown`] when the engine has ended.
    pub async fn command(&self, caller: &Caller, command: Command) -> Result<Answer, CommandError> {
        let deed = Deed::of(&command);
        self.permit(caller, &deed).await?;
        // Who only looks leaves no trace.
        let asked = (deed.role > Role::Viewer).then(|| asked(caller, &deed));
        self.engine.command(command, asked.map(Box::new)).await
    }

    /// Puts on record that what `caller` asks for cannot even be asked of the engine.
    pub async fn refused(&self, caller: &Caller, deed: &Deed, error: &CommandError) {
        let entry = asked(caller, deed).ended(AuditOutcome::Refused, &said(error));
        self.engine.audit(entry).await;
    }

    async fn check(
        &self,
        caller: &Caller,
        verb: &str,
        object: Option<&str>,
        role: Role,
    ) -> Result<(), CommandError> {
        if caller.may(role) {
            return Ok(());
        }
        let groups = self.callers.access().groups_for(role);
        let group = groups.first().map(|group| (*group).to_owned());
        let error = CommandError::NotPermitted {
            caller: caller.to_string(),
            user: caller.user.clone(),
            verb: verb.to_owned(),
            role,
            group,
        };
        let entry = AuditEntry::asked(Uuid::now_v7(), Timestamp::now(), caller, verb, object)
            .ended(AuditOutcome::Denied, &format!("takes the role {role}"));
        self.denials.record(entry).await;
        Err(error)
    }
}

#[cfg(test)]
impl Gate {
    /// The way past it.
    pub(super) fn handle(&self) -> Handle {
        self.engine.clone()
    }
}

fn asked(caller: &Caller, deed: &Deed) -> AuditEntry {
    let Deed {
        verb,
        object,
        role: _,
    } = deed;
    let (id, at) = (Uuid::now_v7(), Timestamp::now());
    AuditEntry::asked(id, at, caller, verb, object.as_deref())
}

/// Who makes this request, as the entrance found out.
///
/// # Errors
/// It did not come in by the entrance.
#[allow(clippy::result_large_err)] // tonic's own type, returned as it goes on the wire
pub fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or_else(|| Status::internal("dagdad does not know who asks"))
}
