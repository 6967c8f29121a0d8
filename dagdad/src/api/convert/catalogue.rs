//! Manifests in, manifests out.

use dagda_proto::v1;

use crate::domain::catalogue::{Applied, CataloguePod, Change, Manifest};
use crate::domain::name::ObjectName;
use crate::domain::workflow::CatalogueWorkflow;

pub fn applied(applied: &Applied) -> v1::AppliedObject {
    let Applied {
        name,
        change,
        notes,
    } = applied;
    v1::AppliedObject {
        kind: name.kind().to_owned(),
        name: name.to_string(),
        change: match change {
            Change::Created => v1::Change::Created,
            Change::Changed => v1::Change::Changed,
            Change::Unchanged => v1::Change::Unchanged,
        }
        .into(),
        notes: notes.clone(),
    }
}

pub fn exported_pod(entry: &CataloguePod) -> v1::ExportedManifest {
    let CataloguePod { spec, manifest } = entry;
    exported(&ObjectName::Pod(spec.name.clone()), manifest)
}

pub fn exported_workflow(entry: &CatalogueWorkflow) -> v1::ExportedManifest {
    let CatalogueWorkflow { spec, manifest } = entry;
    exported(&ObjectName::Workflow(spec.name.clone()), manifest)
}

fn exported(name: &ObjectName, manifest: &Manifest) -> v1::ExportedManifest {
    let Manifest {
        text,
        digest: _, // shown by `pod_detail` and `workflow_detail`
    } = manifest;
    v1::ExportedManifest {
        kind: name.kind().to_owned(),
        name: name.to_string(),
        text: text.clone(),
    }
}
