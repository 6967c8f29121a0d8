//! `dagdactl apply --json` and `dagdactl export --json`.

use dagda_proto::v1;
use serde::Serialize;

use super::word;

word! {
    /// How an applied object differs from the catalogue.
    ChangeView from Change { Created = "created", Changed = "changed", Unchanged = "unchanged" }
}

/// What `apply` did, or with `dry_run` would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApplyView {
    /// Whether nothing was changed because it was only asked what would.
    pub dry_run: bool,
    /// Each object in the files.
    pub objects: Vec<AppliedObjectView>,
}

/// An applied object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AppliedObjectView {
    /// `pod` or `workflow`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// `created`, `changed` or `unchanged`.
    pub change: ChangeView,
    /// What its owner should know.
    pub notes: Vec<String>,
}

/// `{"manifests":[…]}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportView {
    /// The manifests, in dagdad's order.
    pub manifests: Vec<ManifestView>,
}

/// A manifest of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ManifestView {
    /// `pod` or `workflow`.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// YAML, as its owner wrote it.
    pub text: String,
}

impl From<v1::ApplyResponse> for ApplyView {
    fn from(wire: v1::ApplyResponse) -> Self {
        let v1::ApplyResponse { objects, dry_run } = wire;
        Self {
            dry_run,
            objects: objects.into_iter().map(AppliedObjectView::from).collect(),
        }
    }
}

impl From<v1::AppliedObject> for AppliedObjectView {
    fn from(wire: v1::AppliedObject) -> Self {
        let v1::AppliedObject {
            kind,
            name,
            change,
            notes,
        } = wire;
        Self {
            kind,
            name,
            change: ChangeView::from_wire(change),
            notes,
        }
    }
}

impl From<v1::ExportResponse> for ExportView {
    fn from(wire: v1::ExportResponse) -> Self {
        let v1::ExportResponse { manifests } = wire;
        Self {
            manifests: manifests.into_iter().map(ManifestView::from).collect(),
        }
    }
}

impl From<v1::ExportedManifest> for ManifestView {
    fn from(wire: v1::ExportedManifest) -> Self {
        let v1::ExportedManifest { kind, name, text } = wire;
        Self { kind, name, text }
    }
}
