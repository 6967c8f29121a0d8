//! Calls about workflows: what reaches the engine, and what its answers become.

use std::sync::Arc;
use std::time::Duration;

use dagda_proto::v1::{self, run_update::Update, workflows_service_server::WorkflowsService};
use futures::StreamExt;
use rstest::rstest;
use tokio::sync::mpsc;
use tonic::{Code, Request};

use super::ports::Records;
use super::{asked, bench, detail};
use crate::domain::admission::Admission;
use crate::domain::error::CommandError;
use crate::domain::operation::{Done, OperationId};
use crate::domain::run::{Phase, Step};
use crate::engine::Message;
use crate::engine::answering::Answer;
use crate::engine::event::{Command, Reply};
use crate::engine::example::{
    budget, evictable, footprint, name, pod, ready, run, run_id, seen, snapshot, view, workflow,
};
use crate::engine::snapshot::Snapshot;

/// A box with a workflow `ai` of two pods in order.
fn ai() -> Snapshot {
    let pods = vec![
        seen(pod("mariadb", footprint(1, 1)), 4),
        seen(pod("llama", footprint(6, 2)), 60),
    ];
    let members: [(&str, u32, &[&str]); 2] = [("mariadb", 0, &[]), ("llama", 1, &["mariadb"])];
    snapshot(pods, vec![workflow("ai", &members)])
}

/// Takes the next command in and answers it.
fn answering(
    mut mailbox: mpsc::Receiver<Message>,
    reply: Reply,
) -> tokio::task::JoinHandle<Command> {
    tokio::spawn(async move {
        let Some(Message::Command {
            command, caller, ..
        }) = mailbox.recv().await
        else {
            panic!("no command");
        };
        assert!(caller.send(Answer::Reply(reply)).is_ok());
        command
    })
}

fn refusal() -> CommandError {
    CommandError::RunActive {
        workflow: "ai".parse().unwrap(),
        run: run_id(7),
        state: "running",
        advice: "stop it first".to_owned(),
    }
}

fn run_request() -> v1::RunWorkflowRequest {
    v1::RunWorkflowRequest {
        name: "ai".to_owned(),
        admission: v1::AdmissionMode::Evict.into(),
        queue: true,
        timeout: Some(prost_types::Duration {
            seconds: 90,
            nanos: 0,
        }),
    }
}

#[tokio::test]
async fn a_run_is_asked_for_and_followed() {
    let bench = bench(ai(), Records::default());
    let command = answering(bench.mailbox, Reply::Run(run_id(7)));
    let mut updates = bench
        .api
        .run_workflow(asked(run_request()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        command.await.unwrap(),
        Command::Run {
            workflow: "ai".to_owned(),
            admission: Admission::Evict,
            queue: true,
            timeout: Some(Duration::from_secs(90)),
        }
    );
    let mut running = ai();
    running.runs = vec![view(run(
        run_id(7),
        "ai",
        Phase::Running,
        &[("mariadb", Step::Ready), ("llama", Step::Ready)],
    ))];
    bench.snapshots.send_replace(Arc::new(running));
    let mut told = Vec::new();
    while let Some(update) = updates.next().await {
        told.push(update.unwrap().update.unwrap());
    }
    assert!(
        matches!(
            told.as_slice(),
            [Update::Run(run), Update::Done(done)]
                if run.id == run_id(7).to_string() && done.message == "ai is running: 2 pods ready"
        ),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_stop_is_asked_for_and_done_at_once_where_nothing_is_to_be_done() {
    let bench = bench(ai(), Records::default());
    let done = Done {
        message: "ai does not run".to_owned(),
        changed: false,
    };
    let command = answering(bench.mailbox, Reply::Done(done));
    let name = "ai".to_owned();
    let request = asked(v1::StopWorkflowRequest { name });
    let updates = bench.api.stop_workflow(request).await.unwrap().into_inner();
    let told: Vec<Update> = updates
        .map(|update| update.unwrap().update.unwrap())
        .collect()
        .await;
    assert_eq!(
        told,
        [Update::Done(v1::Done {
            message: "ai does not run".to_owned(),
            changed: false
        })]
    );
    let workflow = "ai".to_owned();
    assert_eq!(command.await.unwrap(), Command::StopWorkflow { workflow });
}

#[tokio::test]
async fn a_removal_is_asked_for_and_done() {
    let bench = bench(ai(), Records::default());
    let done = Done {
        message: "ai was removed".to_owned(),
        changed: true,
    };
    let command = answering(bench.mailbox, Reply::Done(done));
    let name = "ai".to_owned();
    let request = asked(v1::RemoveWorkflowRequest { name });
    let done = bench.api.remove_workflow(request).await.unwrap();
    assert_eq!(done.into_inner().message, "ai was removed");
    let workflow = "ai".to_owned();
    assert_eq!(command.await.unwrap(), Command::RemoveWorkflow { workflow });
}

#[tokio::test]
async fn a_refusal_is_told_with_its_reason() {
    let refused = || Reply::Refused(refusal());
    let name = || "ai".to_owned();
    let bench_1 = bench(ai(), Records::default());
    answering(bench_1.mailbox, refused());
    let request = asked(run_request());
    let run = bench_1.api.run_workflow(request).await.err().unwrap();
    let bench_2 = bench(ai(), Records::default());
    answering(bench_2.mailbox, refused());
    let request = asked(v1::RemoveWorkflowRequest { name: name() });
    let remove = bench_2.api.remove_workflow(request).await.unwrap_err();
    for status in [run, remove] {
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(detail(&status).code, "busy");
        assert_eq!(status.message(), refusal().to_string());
    }
}

#[tokio::test]
async fn an_answer_to_another_question_is_not_taken_for_one() {
    let bench = bench(ai(), Records::default());
    let operation = OperationId(uuid::Uuid::from_u128(1));
    answering(bench.mailbox, Reply::Operation(operation));
    let request = asked(run_request());
    let status = bench.api.run_workflow(request).await.err().unwrap();
    assert_eq!(status.code(), Code::Internal);
}

#[rstest]
#[case(-1)]
#[case(0)]
#[tokio::test]
async fn a_timeout_of_nothing_is_refused_before_the_engine_hears_of_it(#[case] seconds: i64) {
    let mut bench = bench(ai(), Records::default());
    let request = v1::RunWorkflowRequest {
        timeout: Some(prost_types::Duration { seconds, nanos: 0 }),
        ..run_request()
    };
    let refused = bench.api.run_workflow(asked(request)).await;
    assert_eq!(refused.err().unwrap().code(), Code::InvalidArgument);
    assert!(bench.mailbox.try_recv().is_err());
}

#[tokio::test]
async fn an_unknown_workflow_is_not_found() {
    let bench = bench(ai(), Records::default());
    let name = || "ia".to_owned();
    let get = v1::GetWorkflowRequest { name: name() };
    let plan = v1::PlanWorkflowRequest { name: name() };
    let get = bench.api.get_workflow(Request::new(get)).await.unwrap_err();
    let plan = bench
        .api
        .plan_workflow(Request::new(plan))
        .await
        .unwrap_err();
    for status in [get, plan] {
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(status.message(), "no workflow named ia; did you mean ai?");
    }
}

async fn listed(snapshot: Snapshot) -> v1::Workflow {
    let bench = bench(snapshot, Records::default());
    let request = Request::new(v1::ListWorkflowsRequest {});
    let answer = bench.api.list_workflows(request).await.unwrap();
    let mut workflows = answer.into_inner().workflows;
    assert_eq!(workflows.len(), 1);
    workflows.remove(0)
}

#[tokio::test]
async fn a_list_says_what_each_is_and_that_it_fits() {
    let mut snapshot = ai();
    snapshot.workflows[0].run = Some(run_id(7));
    snapshot.runs = vec![view(run(run_id(7), "ai", Phase::Running, &[]))];
    let listed = listed(snapshot).await;
    let run = listed.run.clone().unwrap();
    assert_eq!(
        (run.id.clone(), run.state()),
        (run_id(7).to_string(), v1::RunState::Running)
    );
    assert_eq!(
        listed,
        v1::Workflow {
            name: "ai".to_owned(),
            description: Some("What ai is for".to_owned()),
            priority: 70,
            pods: vec!["mariadb".to_owned(), "llama".to_owned()],
            run: Some(run),
            expected_memory_bytes: 7 << 30,
            expected_cpu_millicores: 3000,
            fits: true,
            denial: None,
        }
    );
}

fn crowded() -> Snapshot {
    let mut snapshot = ai();
    let mut budget = budget();
    let holder = evictable(footprint(10, 1), 20);
    budget.holders.insert(name("web"), holder);
    snapshot.budget = Some(Arc::new(budget));
    snapshot
}

#[tokio::test]
async fn a_list_says_why_one_does_not_fit() {
    let listed = listed(crowded()).await;
    assert!(!listed.fits);
    let denial = listed.denial.unwrap();
    assert_eq!(denial.victims[0].pod, "web");
    assert_eq!(
        (denial.kind, denial.name),
        ("workflow".to_owned(), "ai".to_owned())
    );
}

#[tokio::test]
async fn what_cannot_be_decided_does_not_fit_and_its_plan_says_why() {
    let mut unmeasured = ai();
    unmeasured.budget = None;
    let mut incomplete = ai();
    incomplete.pods.retain(|pod| pod.name != "llama");
    for (snapshot, code, words) in [
        (
            unmeasured,
            Code::FailedPrecondition,
            "not been measured yet",
        ),
        (incomplete, Code::NotFound, "needs pod llama"),
    ] {
        let listed = listed(snapshot.clone()).await;
        assert_eq!((listed.fits, listed.denial), (false, None));
        let bench = bench(snapshot, Records::default());
        let name = "ai".to_owned();
        let request = Request::new(v1::PlanWorkflowRequest { name });
        let status = bench.api.plan_workflow(request).await.unwrap_err();
        assert_eq!(status.code(), code);
        assert!(status.message().contains(words), "{status}");
    }
}

#[tokio::test]
async fn a_plan_tells_everything() {
    let bench = bench(crowded(), Records::default());
    let name = "ai".to_owned();
    let request = Request::new(v1::PlanWorkflowRequest { name });
    let plan = bench.api.plan_workflow(request).await.unwrap().into_inner();
    let order: Vec<(&str, u32, &[String])> = plan
        .pods
        .iter()
        .map(|pod| (pod.pod.as_str(), pod.level, pod.after.as_slice()))
        .collect();
    assert_eq!(
        order,
        [
            ("mariadb", 0, [].as_slice()),
            ("llama", 1, ["mariadb".to_owned()].as_slice())
        ]
    );
    let expected = plan.pods[1].expected.as_ref().unwrap();
    assert_eq!(expected.memory_bytes, 6 << 30);
    assert!(!plan.pods[1].running);
    assert_eq!(plan.expected_seconds, Some(64.0));
    assert_eq!(plan.timeout.unwrap().seconds, 300);
    assert_eq!(plan.on_failure, "rollback");
    assert!(!plan.fits);
    let denial = plan.denial.unwrap();
    assert_eq!(plan.figures, denial.figures);
    assert_eq!(
        denial.suggested_command.as_deref(),
        Some("dagdactl workflow run ai --evict")
    );
}

#[tokio::test]
async fn a_workflow_is_shown_with_its_pods_as_they_are() {
    let mut snapshot = ai();
    snapshot.pods[1] = ready(snapshot.pods[1].clone());
    snapshot.pods.remove(0);
    let bench = bench(snapshot, Records::default());
    let name = "ai".to_owned();
    let request = Request::new(v1::GetWorkflowRequest { name });
    let shown = bench.api.get_workflow(request).await.unwrap().into_inner();
    assert_eq!(shown.workflow.unwrap().name, "ai");
    assert_eq!(shown.timeout.unwrap().seconds, 300);
    assert_eq!(shown.on_failure, "rollback");
    assert_eq!(shown.manifest, "kind: Workflow # ai");
    assert_eq!(shown.manifest_digest, "digest of ai");
    let [mariadb, llama] = shown.members.as_slice() else {
        panic!("{:?}", shown.members);
    };
    assert_eq!((mariadb.pod.as_str(), mariadb.level), ("mariadb", 0));
    assert!(mariadb.state.as_ref().unwrap().ready);
    assert_eq!((llama.pod.as_str(), llama.level), ("llama", 1));
    assert_eq!(llama.after, ["mariadb"]);
    assert_eq!(llama.state, None, "it has left the catalogue");
}
