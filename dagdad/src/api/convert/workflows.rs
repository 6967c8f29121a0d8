//! Workflows, and what running one would do.

use dagda_proto::v1;

use super::admission::{denial, expectation, figures};
use super::pods::pod;
use super::runs::run;
use super::time::duration;
use crate::domain::admission::Admitted;
use crate::domain::catalogue::Manifest;
use crate::domain::workflow::{CatalogueWorkflow, WorkflowSpec};
use crate::engine::planning::{self, Plan, PlannedPod};
use crate::engine::snapshot::{MemberView, Snapshot, WorkflowView};

pub fn workflow(view: &WorkflowView, snapshot: &Snapshot) -> v1::Workflow {
    let WorkflowView {
        entry,
        members,
        run: active,
    } = view;
    let CatalogueWorkflow {
        spec:
            WorkflowSpec {
                name,
                description,
                members: _, // as written; `members` has them in order
                priority,
                timeout: _,    // shown by `workflow_detail`
                on_failure: _, // shown by `workflow_detail`
            },
        manifest: _, // shown by `workflow_detail`
    } = &**entry;
    let expected = planning::expected(snapshot, view);
    // Where nothing can be decided, a run does not fit, and `plan` says why.
    let (fits, refused) = match planning::decide(snapshot, view) {
        Ok(Ok(_)) => (true, None),
        Ok(Err(refused)) => (false, Some(refused)),
        Err(_) => (false, None),
    };
    v1::Workflow {
        name: name.to_string(),
        description: description.clone(),
        priority: u32::from(priority.get()),
        pods: members
            .iter()
            .map(|member| member.pod.to_string())
            .collect(),
        run: active
            .and_then(|id| snapshot.run(id))
            .map(|view| run(view, snapshot)),
        expected_memory_bytes: expected.memory.0,
        expected_cpu_millicores: expected.cpu.0,
        fits,
        denial: refused.as_deref().map(denial),
    }
}

pub fn workflow_detail(view: &WorkflowView, snapshot: &Snapshot) -> v1::WorkflowDetail {
    let WorkflowView {
        entry,
        members,
        run: _, // shown by `workflow`
    } = view;
    let CatalogueWorkflow {
        spec:
            WorkflowSpec {
                name: _,
                description: _,
                members: _, // as written; `members` has them in order
                priority: _,
                timeout,
                on_failure,
            },
        manifest: Manifest { text, digest },
    } = &**entry;
    v1::WorkflowDetail {
        workflow: Some(workflow(view, snapshot)),
        timeout: duration(*timeout),
        on_failure: on_failure.as_str().to_owned(),
        members: members
            .iter()
            .map(|member| self::member(member, snapshot))
            .collect(),
        manifest: text.clone(),
        manifest_digest: digest.to_string(),
    }
}

fn member(member: &MemberView, snapshot: &Snapshot) -> v1::Member {
    let MemberView {
        pod: name,
        level,
        after,
    } = member;
    v1::Member {
        pod: name.to_string(),
        level: *level,
        after: after.iter().map(ToString::to_string).collect(),
        state: snapshot.pod(name.as_str()).map(pod),
    }
}

pub fn plan(plan: &Plan) -> v1::WorkflowPlan {
    let Plan {
        workflow,
        pods,
        decision,
        ready_after,
        warnings,
    } = plan;
    let CatalogueWorkflow {
        spec:
            WorkflowSpec {
                name,
                description: _,
                members: _, // as written; `pods` has them in order
                priority: _,
                timeout,
                on_failure,
            },
        manifest: _,
    } = &**workflow;
    let (fits, refused) = match decision {
        Ok(Admitted {
            figures: _,  // shown below, whether it fits or not
            warnings: _, // among the plan's
        }) => (true, None),
        Err(refused) => (false, Some(&**refused)),
    };
    v1::WorkflowPlan {
        name: name.to_string(),
        pods: pods.iter().map(planned_pod).collect(),
        figures: Some(figures(plan.figures())),
        fits,
        denial: refused.map(denial),
        warnings: warnings.clone(),
        timeout: duration(*timeout),
        on_failure: on_failure.as_str().to_owned(),
        expected_seconds: ready_after.map(|after| after.as_secs_f64()),
    }
}

fn planned_pod(planned: &PlannedPod) -> v1::PlannedPod {
    let PlannedPod {
        member: MemberView { pod, level, after },
        expected,
        running,
    } = planned;
    v1::PlannedPod {
        pod: pod.to_string(),
        level: *level,
        after: after.iter().map(ToString::to_string).collect(),
        expected: Some(expectation(expected)),
        running: *running,
    }
}
