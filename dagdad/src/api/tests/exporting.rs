//! Pods and workflows, told apart, on their way in and out.

use dagda_proto::v1::{self, catalogue_service_server::CatalogueService};
use rstest::rstest;
use tonic::{Code, Request};

use super::super::convert;
use super::bench;
use super::ports::Records;
use crate::domain::catalogue::{Applied, Change};
use crate::domain::name::ObjectName;
use crate::engine::example::{footprint, pod, snapshot, workflow};

/// A pod and a workflow named `ai`, and one more of each.
async fn exported(names: &[&str]) -> Result<Vec<v1::ExportedManifest>, tonic::Status> {
    let pods = ["ai", "llama"].map(|name| pod(name, footprint(1, 1)));
    let workflows = ["ai", "nightly"].map(|name| workflow(name, &[]));
    let bench = bench(snapshot(pods.into(), workflows.into()), Records::default());
    let names = names.iter().copied().map(str::to_owned).collect();
    let request = Request::new(v1::ExportRequest { names });
    let response = bench.api.export(request).await?;
    Ok(response.into_inner().manifests)
}

#[rstest]
#[case::everything(&[], &["pod ai", "pod llama", "workflow ai", "workflow nightly"])]
#[case::both_of_a_name(&["ai"], &["pod ai", "workflow ai"])]
#[case::in_the_same_order(&["nightly", "llama"], &["pod llama", "workflow nightly"])]
#[tokio::test]
async fn pods_come_before_workflows(#[case] names: &[&str], #[case] expected: &[&str]) {
    let manifests = exported(names).await.unwrap();
    let told: Vec<String> = manifests
        .iter()
        .map(|manifest| format!("{} {}", manifest.kind, manifest.name))
        .collect();
    assert_eq!(told, expected);
    for v1::ExportedManifest { kind, name, text } in manifests {
        assert_eq!(text.to_lowercase(), format!("kind: {kind} # {name}"));
    }
}

#[rstest]
#[case("lama", "no pod named lama; did you mean llama?")]
#[case("nightli", "no workflow named nightli; did you mean nightly?")]
#[case(
    "something-else",
    "no pod named something-else; see what there is: dagdactl pods list --all"
)]
#[tokio::test]
async fn a_name_that_nothing_bears_exports_nothing(#[case] name: &str, #[case] message: &str) {
    let status = exported(&["ai", name]).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.message(), message);
}

#[rstest]
#[case(ObjectName::Pod("ai".parse().unwrap()), "pod")]
#[case(ObjectName::Workflow("ai".parse().unwrap()), "workflow")]
fn what_was_applied_is_told_with_its_kind(#[case] name: ObjectName, #[case] kind: &str) {
    let applied = Applied {
        name,
        change: Change::Changed,
        notes: vec!["a note".to_owned()],
    };
    assert_eq!(
        convert::applied(&applied),
        v1::AppliedObject {
            kind: kind.to_owned(),
            name: "ai".to_owned(),
            change: v1::Change::Changed.into(),
            notes: vec!["a note".to_owned()],
        }
    );
}
