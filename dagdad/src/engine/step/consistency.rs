//! What a change of the catalogue must not break: every workflow's pods are there, nothing comes
//! after itself, and what is asked for altogether can fit at all.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::state::State;
use super::super::workflow::sorted;
use crate::domain::catalogue::{CataloguePod, Entries};
use crate::domain::error::CommandError;
use crate::domain::name::PodName;
use crate::domain::order::{After, levels};
use crate::domain::pod::{Footprint, PodSpec};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::workflow::WorkflowSpec;

impl State {
    /// Refuses entries that would leave the catalogue in contradiction with itself.
    pub(super) fn check_entries(
        &self,
        entries: &Entries,
        now: Timestamp,
    ) -> Result<(), CommandError> {
        let new: BTreeMap<&PodName, &PodSpec> = entries
            .pods
            .iter()
            .map(|CataloguePod { spec, .. }| (&spec.name, spec))
            .collect();
        let spec_of = |name: &PodName| {
            let known = || self.pods.get(name).map(|pod| &pod.entry.spec);
            new.get(name).copied().or_else(known)
        };
        let mut problems = Vec::new();
        let names: BTreeSet<&PodName> = self.pods.keys().chain(new.keys().copied()).collect();
        let after: After = names
            .iter()
            .filter_map(|name| {
                Some((
                    (*name).clone(),
                    spec_of(name)?.after.iter().cloned().collect(),
                ))
            })
            .collect();
        let circle = levels(&after).err();
        problems.extend(circle.iter().map(|cycle| format!("dagda/after: {cycle}")));
        let replaced = |spec: &WorkflowSpec| {
            let mut applied = entries.workflows.iter();
            applied.any(|workflow| workflow.spec.name == spec.name)
        };
        let kept = self.workflows.values().map(|workflow| &workflow.entry.spec);
        let kept = kept.filter(|spec| !replaced(spec));
        for workflow in entries.workflows.iter().map(|workflow| &workflow.spec) {
            problems.extend(Self::missing(workflow, &names));
            problems.extend(self.too_large(workflow, &spec_of, now));
        }
        // A circle among the pods themselves was named already.
        let workflows = entries.workflows.iter().map(|workflow| &workflow.spec);
        for workflow in workflows.chain(kept).filter(|_| circle.is_none()) {
            let order = sorted(workflow, |name| {
                spec_of(name).map(|spec| spec.after.as_slice())
            });
            problems.extend(order.err().map(|cycle| {
                format!(
                    "workflow {}, together with dagda/after: {cycle}",
                    workflow.name
                )
            }));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(CommandError::Invalid(problems.join("\n")))
        }
    }

    fn missing(workflow: &WorkflowSpec, names: &BTreeSet<&PodName>) -> Vec<String> {
        let unknown = |pod: &&PodName| !names.contains(*pod);
        let members = workflow.members.iter().map(|member| &member.pod);
        members
            .filter(unknown)
            .map(|pod| {
                let error = CommandError::no_such_pod(pod.as_str(), names.iter().copied());
                match error {
                    CommandError::NoSuchPod {
                        nearest: Some(near),
                        ..
                    } => format!(
                        "workflow {}: there is no pod {pod} in the catalogue; did you mean {near}?",
                        workflow.name
                    ),
                    _ => format!(
                        "workflow {}: there is no pod {pod} in the catalogue; apply its manifest first, or together with the workflow",
                        workflow.name
                    ),
                }
            })
            .collect()
    }

    /// A workflow that does not even fit onto the idle machine.
    fn too_large<'a>(
        &'a self,
        workflow: &WorkflowSpec,
        spec_of: &impl Fn(&PodName) -> Option<&'a PodSpec>,
        now: Timestamp,
    ) -> Option<String> {
        let budget = self.budget(now)?;
        let declared = workflow
            .members
            .iter()
            .filter_map(|member| spec_of(&member.pod));
        let needed: Bytes = declared.map(|spec| spec.footprint.memory).sum();
        (needed > budget.memory.ceiling).then(|| {
            format!(
                "workflow {} can never fit here: its pods ask for {needed} of memory together, and dagdad gives out {} at most",
                workflow.name, budget.memory.ceiling
            )
        })
    }

    /// What a workflow's pods are expected to use together.
    pub(super) fn estimate(&self, workflow: &WorkflowSpec) -> Footprint {
        let members = workflow.members.iter();
        let expected = members.filter_map(|member| {
            let pod = self.pods.get(&member.pod)?;
            Some(self.expected(pod).footprint)
        });
        let (memory, cpu): (Vec<Bytes>, Vec<Millicpu>) = expected
            .map(|footprint| (footprint.memory, footprint.cpu))
            .unzip();
        Footprint {
            memory: memory.into_iter().sum(),
            cpu: cpu.into_iter().sum(),
        }
    }
}
