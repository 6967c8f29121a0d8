//! The catalogue: what Dagda knows, as its owner wrote it.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::name::ObjectName;
use super::pod::PodSpec;

/// A manifest as its owner wrote it, `${NAME}` unfilled: one `dagda/v1` `Workflow` document, or
/// one `v1/Pod` document and, behind it, the `ConfigMap` and `PersistentVolumeClaim` documents it refers to.
#[derive(Clone, PartialEq, Eq)]
pub struct Manifest {
    /// YAML text.
    pub text: String,
    /// Changes whenever the meaning of the text may have.
    pub digest: Digest,
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manifest({})", self.digest)
    }
}

/// SHA-256 of a manifest's text, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Digest(pub String);

impl Digest {
    /// Of a manifest's text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let digits = Sha256::digest(text.as_bytes())
            .into_iter()
            .flat_map(|byte| [byte >> 4, byte & 15]);
        Self(
            digits
                .filter_map(|digit| char::from_digit(digit.into(), 16))
                .collect(),
        )
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A manifest that was read and found good.
#[derive(Debug, Clone, PartialEq)]
pub struct CataloguePod {
    /// What it asks for.
    pub spec: PodSpec,
    /// How its owner wrote it.
    pub manifest: Manifest,
}

/// What a set of files brings into the catalogue.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entries {
    /// Its pods, in the order of the files.
    pub pods: Vec<CataloguePod>,
    /// Its workflows, in the order of the files.
    pub workflows: Vec<super::workflow::CatalogueWorkflow>,
}

/// A manifest with its variables filled in, ready for the runtime. It may carry secrets, so
/// it is never stored and has no readable `Debug`.
#[derive(Clone, PartialEq)]
pub struct RenderedPod {
    /// What it asks for, with today's variables.
    pub spec: PodSpec,
    /// YAML (or JSON, which is YAML) for the runtime.
    pub text: String,
}

impl fmt::Debug for RenderedPod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderedPod")
            .field("pod", &self.spec.name)
            .finish_non_exhaustive()
    }
}

/// What `apply` did, or would do, with one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The object.
    pub name: ObjectName,
    /// What became of it.
    pub change: Change,
    /// What its owner should know: a shared host port, a restart that is due.
    pub notes: Vec<String>,
}

/// How an applied object differs from the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Created,
    /// It was there and different.
    Changed,
    /// It was there and the same.
    Unchanged,
}
