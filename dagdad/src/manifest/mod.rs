//! Manifests: YAML text to domain types, and back to what the runtime takes.
//!
//! The way of a manifest: [`document`] splits a file into the owner's texts, [`yaml`] and
//! [`scalar`] read their values into [`node`]s, [`kind`] says what each is, [`substitution`]
//! fills in `${NAME}` from [`variables`], [`typed`] fits the values to Kubernetes' types,
//! [`pod`] and [`workflow`] with their neighbours check them and reduce them to what Dagda
//! decides by, [`json`] writes pods for Podman. Fields of a pod that Dagda does not know pass
//! through untouched: they are Podman's.
//!
//! Nothing here does I/O except [`Variables::read`].

mod annotation;
mod catalogue;
mod companion;
mod container;
mod document;
mod file;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod json;
mod kind;
mod node;
mod path;
mod pod;
mod probe;
mod problem;
mod report;
mod resources;
mod scalar;
mod stored;
mod substitution;
#[cfg(test)]
mod tests;
mod typed;
mod variables;
mod workflow;
mod yaml;

pub use catalogue::{MAX_FILE, MAX_OBJECTS, SourceFile, parse};
pub use document::join;
pub use node::Mark;
pub use path::{Path, Step};
pub use problem::{ManifestErrors, Problem};
pub use stored::{recall, recall_workflow, render};
pub use variables::{Variables, VariablesError};
pub use yaml::{MAX_DEPTH, MAX_NODES};
